import type { Outcome } from '../../lab/outcome';

const A = '52:54:00:77:00:0b';
/** A moment, in milliseconds. */
export const T = 1_000_000;
export const timing = { fencing: false, lease: 30, checkInterval: 10, holdDown: 120, skew: 0.57, masterDown: 3.57, arp: 53, start: 30 };

/** A handover from node-a to node-b, as the matrix records it. */
export const outcome: Outcome = {
  fault: 'keepalived-restarted', what: 'keepalived restarted <on> the active node', round: 1, active: 'node-a', standby: 'node-b',
  from: T, injected: T + 100, undone: T + 5000, until: T + 10_000, bound: { vip: 0.57, writes: 30 }, start: 29.4,
  vipAway: 0.6, writesAway: 8, twoHolders: 0, findings: [], expected: [],
  timeline: [
    ...[-2000, -1000, 0].map((at) => ({ at: T + at, kind: 'advert', mac: A, source: '10.77.0.11', virtualRouterId: 251, priority: 110 }) as const),
    { at: T - 100, kind: 'answer', mac: A }, { at: T, kind: 'answer', mac: A }, { at: T + 5000, kind: 'answer', mac: A },
  ],
  journal: [
    { node: 'node-a', at: T + 500, about: 'nim-ha', text: 'ACTIVE -> DRAINING' },
    { node: 'node-a', at: T + 900, about: 'nginx.service', text: 'nginx.service: Deactivated successfully.' },
    { node: 'node-b', at: T + 2000, about: 'nim-ha', text: 'holds the lock on the share' },
    { node: 'node-b', at: T + 3000, about: 'nginx.service', text: 'Started nginx.service - A web server.' },
  ],
  attempts: [{ number: 1, at: T - 500, until: T - 400, acknowledged: true }, { number: 2, at: T, until: T + 4000, acknowledged: false }],
};
