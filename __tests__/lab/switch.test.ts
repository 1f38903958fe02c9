import { Duplex } from 'node:stream';
import { BROADCAST, FrameDecoder, encodeFrame } from '../../lab/frames';
import { Switch, plug } from '../../lab/switch';

const A = '52:54:00:00:00:0a';
const B = '52:54:00:00:00:0b';

function ethernet(destination: string, source: string, type = 0x88b5, payload = Buffer.alloc(46)): Buffer {
  const mac = (text: string): Buffer => Buffer.from(text.replace(/:/g, ''), 'hex');
  const header = Buffer.concat([mac(destination), mac(source), Buffer.alloc(2)]);
  header.writeUInt16BE(type, 12);
  return Buffer.concat([header, payload]);
}

function vrrpFrame(source: string): Buffer {
  const packet = Buffer.alloc(28);
  packet[0] = 0x45;
  packet[9] = 112;
  return ethernet('01:00:5e:00:00:12', source, 0x0800, packet);
}

function tcpFrame(source: string, destinationPort: number, fragmentOffset = 0): Buffer {
  const packet = Buffer.alloc(40);
  packet[0] = 0x45;
  packet.writeUInt16BE(fragmentOffset, 6);
  packet[9] = 6;
  packet.writeUInt16BE(50_000, 20);
  packet.writeUInt16BE(destinationPort, 22);
  return ethernet(BROADCAST, source, 0x0800, packet);
}

/** A switch with three ports that collect what they are given. */
function threePorts(): { lan: Switch; got: Record<'a' | 'b' | 'c', Buffer[]> } {
  const lan = new Switch();
  const got = { a: [] as Buffer[], b: [] as Buffer[], c: [] as Buffer[] };
  for (const name of ['a', 'b', 'c'] as const) {
    lan.addPort(name);
    lan.attach(name, (frame) => got[name].push(frame));
  }
  return { lan, got };
}

describe('framing', () => {
  const frames = [Buffer.from('first'), Buffer.alloc(1514, 7), Buffer.from('x')];
  const stream = Buffer.concat(frames.map(encodeFrame));

  test.each([1, 3, 4, 5, 1000, 100_000])('survives a stream cut into pieces of %i bytes', (size) => {
    const decoder = new FrameDecoder();
    const decoded: string[] = [];
    for (let offset = 0; offset < stream.length; offset += size) {
      decoded.push(...decoder.push(stream.subarray(offset, offset + size)).map((frame) => frame.toString('hex')));
    }
    expect(decoded).toEqual(frames.map((frame) => frame.toString('hex')));
  });

  test('a length that no frame has is an error, not a wait for four gigabytes', () => {
    expect(() => new FrameDecoder().push(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toThrow(/out of step/);
  });
});

describe('switch', () => {
  test('floods what is for everybody, and what is for somebody it has not heard of', () => {
    const { lan, got } = threePorts();
    lan.receive('a', ethernet(BROADCAST, A));
    lan.receive('a', ethernet(B, A));
    expect([got.a.length, got.b.length, got.c.length]).toEqual([0, 2, 2]);
  });

  test('learns where an address lives, and forgets it with the cable', () => {
    const { lan, got } = threePorts();
    lan.receive('b', ethernet(BROADCAST, B));
    lan.receive('a', ethernet(B, A));
    expect([got.b.length, got.c.length]).toEqual([1, 1]);
    lan.setLink('b', false);
    lan.receive('a', ethernet(B, A));
    expect([got.b.length, got.c.length]).toEqual([1, 2]);
    lan.setLink('b', true);
    lan.receive('a', ethernet(BROADCAST, A));
    expect(got.b.length).toBe(2);
  });

  test('a pulled cable carries nothing in either direction', () => {
    const { lan, got } = threePorts();
    lan.setLink('a', false);
    lan.receive('a', ethernet(BROADCAST, A));
    lan.receive('b', ethernet(BROADCAST, B));
    expect([got.a.length, got.b.length, got.c.length]).toEqual([0, 0, 1]);
    expect(lan.links()).toEqual({ a: 'down', b: 'up', c: 'up' });
  });

  test('drops one way, and only what matches', () => {
    const { lan, got } = threePorts();
    lan.setDrops([{ from: 'a', to: 'b', match: 'vrrp' }]);
    lan.receive('a', vrrpFrame(A));
    lan.receive('b', vrrpFrame(B));
    lan.receive('a', ethernet(BROADCAST, A));
    expect([got.a.length, got.b.length, got.c.length]).toEqual([1, 1, 3]);
    lan.setDrops([]);
    lan.receive('a', vrrpFrame(A));
    expect(got.b.length).toBe(2);
  });

  test('of TCP to, and from, port 22 only what begins a segment is seen as ssh', () => {
    const { lan, got } = threePorts();
    lan.setDrops([{ to: 'b', match: 'ssh' }]);
    for (const frame of [tcpFrame(A, 22), tcpFrame(A, 2049), tcpFrame(A, 22, 100), vrrpFrame(A)]) lan.receive('a', frame);
    expect([got.b.length, got.c.length]).toEqual([3, 4]);
    lan.setDrops([{ to: 'b', match: 'ipv4' }]);
    lan.receive('a', tcpFrame(A, 2049));
    expect(got.b.length).toBe(3);
  });

  test('taps hear what reaches anybody, and nothing from a port that is cut off or a pulled cable', () => {
    const { lan } = threePorts();
    const heard: string[] = [];
    const stop = lan.tap((port) => heard.push(port));
    lan.setDrops([{ from: 'a', to: 'c' }]);
    lan.receive('a', vrrpFrame(A));
    lan.setDrops([{ from: 'a' }]);
    lan.receive('a', vrrpFrame(A));
    lan.setLink('b', false);
    lan.receive('b', vrrpFrame(B));
    stop();
    lan.receive('c', vrrpFrame(B));
    expect(heard).toEqual(['a']);
  });

  test('an unknown port is named with those that exist', () => {
    expect(() => threePorts().lan.setLink('d', false)).toThrow("no port 'd', expected one of a, b, c");
    expect(() => threePorts().lan.setDrops([{ from: 'a', to: 'd' }])).toThrow("no port 'd', expected one of a, b, c");
    expect(() => threePorts().lan.setDrops([{}, { from: 'd' }])).toThrow("no port 'd'");
  });

  test('a machine that was started again takes over its port, and the old connection\'s end does not matter', () => {
    const { lan } = threePorts();
    const [first, second] = [connect(lan), connect(lan)];
    first.stream.emit('close');
    lan.receive('b', ethernet(BROADCAST, B));
    expect([first.written.length, second.written.length]).toEqual([0, 1]);
  });
});

function connect(lan: Switch): { stream: Duplex; written: Buffer[] } {
  const written: Buffer[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  plug(lan, 'a', stream);
  return { stream, written };
}
