import { arpRequest, parseArp, parseVrrp } from '../../lab/frames';
import { changesIn, doubleMastersIn, Outage, holdersIn, outagesIn, overlapsIn, secondsIn } from '../../lab/outages';
import { Probe } from '../../lab/probe';
import type { Sighting } from '../../lab/sighting';

const A = '52:54:00:77:00:0b';
const B = '52:54:00:77:00:0c';
const VIP = '10.77.0.100';

// VRRPv2 after an IPv4 header of 20 bytes: priority 110, virtual router 251.
const ADVERT = Buffer.from(
  '01005e000012525400770b0b080045c000280001000' + '0ff7000000a4d000be0000012' + '21fb6e0101010000' + '0a4d00640000000000000000',
  'hex',
);

/** "I have the virtual IP": an answer, or an announcement when it is for the address itself. */
function arpReply(mac: string, targetIp: string): Buffer {
  const frame = arpRequest(mac, VIP, targetIp);
  frame.writeUInt16BE(2, 20);
  return frame;
}

function answers(mac: string, from: number, to: number): Sighting[] {
  const found: Sighting[] = [];
  for (let at = from; at <= to; at += 50) found.push({ at, kind: 'answer', mac });
  return found;
}

describe('parsing', () => {
  test('a question for the virtual IP', () => {
    expect(parseArp(arpRequest(A, '10.77.0.250', VIP))).toEqual({
      operation: 'request',
      senderMac: A,
      senderIp: '10.77.0.250',
      targetIp: VIP,
      gratuitous: false,
    });
  });

  test('a VRRP advertisement', () => {
    expect(parseVrrp(ADVERT)).toEqual({ sourceIp: '10.77.0.11', sourceMac: '52:54:00:77:0b:0b', virtualRouterId: 251, priority: 110 });
  });

  test('neither is the other, and a short frame is neither', () => {
    expect(parseArp(ADVERT)).toBeUndefined();
    expect(parseVrrp(arpRequest(A, '10.77.0.250', VIP))).toBeUndefined();
    expect(parseVrrp(ADVERT.subarray(0, 36))).toBeUndefined();
    expect(parseArp(Buffer.alloc(10))).toBeUndefined();
  });
});

describe('probe', () => {
  function observed(): { probe: Probe; clock: { now: number } } {
    const clock = { now: 1000 };
    const probe = new Probe({ virtualIps: [VIP], mac: 'p', ip: '10.77.0.250', send: () => undefined, now: () => clock.now });
    return { probe, clock };
  }

  test('writes down answers, announcements and advertisements, and nothing else', () => {
    const { probe } = observed();
    probe.observe(arpReply(A, '10.77.0.250'));
    probe.observe(arpRequest(A, VIP, VIP));
    probe.observe(ADVERT);
    probe.observe(arpRequest(A, VIP, '10.77.0.13'));
    probe.observe(arpRequest(A, '10.77.0.11', '10.77.0.13'));
    expect(probe.timeline().map((sighting) => sighting.kind)).toEqual(['answer', 'announcement', 'advert']);
    expect(probe.timeline()[2]).toMatchObject({ source: '10.77.0.11', priority: 110 });
  });

  test('two that answer at one time are both holders', () => {
    const { probe, clock } = observed();
    probe.observe(arpReply(A, '10.77.0.250'));
    clock.now += 100;
    probe.observe(arpReply(B, '10.77.0.250'));
    expect(probe.holders(1000)).toEqual([A, B]);
    clock.now += 950;
    expect(probe.holders(1000)).toEqual([B]);
    clock.now += 1000;
    expect(probe.holders(1000)).toEqual([]);
  });

  test('an announcement alone makes no holder', () => {
    expect(holdersIn([{ at: 1, kind: 'announcement', mac: A }])).toEqual([]);
  });
});

describe('outages', () => {
  test('none while one machine answers', () => {
    expect(outagesIn(answers(A, 0, 5000), 5000)).toEqual([]);
  });

  test('silence, then another machine', () => {
    const expected: Outage[] = [{ goneAt: 1000, backAt: 4500, fromMac: A, toMac: B }];
    expect(outagesIn([...answers(A, 0, 1000), ...answers(B, 4500, 6000)], 6000)).toEqual(expected);
  });

  test('a change of hands without any silence', () => {
    expect(outagesIn([...answers(A, 0, 1000), ...answers(B, 1050, 2000)], 2000)).toEqual([{ goneAt: 1000, backAt: 1050, fromMac: A, toMac: B }]);
  });

  test('silence that is not over has no end', () => {
    expect(outagesIn(answers(A, 0, 1000), 9000)).toEqual([{ goneAt: 1000, fromMac: A }]);
  });

  test('a few lost answers are no outage', () => {
    expect(outagesIn([...answers(A, 0, 1000), ...answers(A, 1300, 2000)], 2000)).toEqual([]);
  });

  test('two that answer by turns are an overlap, and no outage', () => {
    const both = [...answers(A, 0, 2000), ...answers(B, 1010, 4010)].sort((one, other) => one.at - other.at);
    expect(outagesIn(both, 4010)).toEqual([]);
    expect(overlapsIn(both)).toEqual([{ from: 1010, to: 2000, macs: [A, B] }]);
  });

  test('a handover is no overlap', () => {
    expect(overlapsIn([...answers(A, 0, 1000), ...answers(B, 1050, 2000)])).toEqual([]);
  });

  test('overlaps take as long as all of them together', () => {
    expect(secondsIn([{ from: 1000, to: 1500, macs: [A, B] }, { from: 4000, to: 6000, macs: [A, B] }])).toBe(2.5);
    expect(secondsIn([])).toBe(0);
  });

  test('a change of hands there and back is two; silence, and a node that comes back after it, is none', () => {
    expect(changesIn([...answers(A, 0, 1000), ...answers(B, 1050, 2000), ...answers(A, 4000, 5000)])).toBe(2);
    expect(changesIn([...answers(A, 0, 1000), ...answers(A, 4000, 5000), ...answers(B, 5050, 6000)])).toBe(1);
    expect(changesIn([...answers(A, 0, 1000), ...answers(A, 4000, 5000)])).toBe(0);
    expect(changesIn([])).toBe(0);
  });

  test('a machine that answered for a moment in another\'s time does not end that time', () => {
    const seen = [...answers(A, 0, 3000), { at: 1000, kind: 'answer', mac: B } as const].sort((one, other) => one.at - other.at);
    expect(outagesIn(seen, 3000)).toEqual([]);
  });
});

test('two masters: by what they advertise, but not one that takes its leave', () => {
  const advert = (at: number, mac: string, priority: number) => ({ at, kind: 'advert', mac, source: '10.77.0.11', virtualRouterId: 251, priority }) as const;
  const handover = [advert(0, 'a', 110), advert(1000, 'a', 110), advert(1500, 'a', 0), advert(2000, 'b', 110), advert(3000, 'b', 110)];
  expect(doubleMastersIn(handover)).toEqual([]);
  const split = [advert(0, 'a', 110), advert(1000, 'a', 110), advert(1500, 'b', 110), advert(2000, 'a', 110), advert(2500, 'b', 110), advert(3000, 'a', 110)];
  expect(doubleMastersIn(split)).toEqual([{ from: 1500, to: 2500, macs: ['a', 'b'] }]);
});
