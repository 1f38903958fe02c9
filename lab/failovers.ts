import { reboot, rebooted } from './faults/reboot';
import type { Lab } from './lab';
import type { NodeName } from './machines';

/** VRRPv2 at priority 110 (100 and the check's 10), advertised every second [RFC 3768]. */
const SKEW = (256 - 110) / 256;
const MASTER_DOWN = 3 + SKEW;
const CHECK_INTERVAL = 10;

/** A way to fail the active node over, and how to make it whole again. */
export interface Failover {
  readonly name: string;
  /** The guide's words, or what it stands for. */
  readonly how: string;
  /** Seconds by VRRP's arithmetic: without an answer from the virtual IP, and from the fault to the other node's first answer. */
  readonly awayBound: number;
  readonly takeoverBound: number;
  fail(lab: Lab, active: NodeName): Promise<void>;
  heal(lab: Lab, failed: NodeName): Promise<void>;
}

/** What one of them took. */
export interface MeasuredFailover {
  readonly failover: Failover;
  readonly from: NodeName;
  readonly to: NodeName;
  /** Seconds in which nobody answered for the virtual IP. */
  readonly away: number;
  /** Seconds from the fault to the other node's first answer, and to all its services being active. */
  readonly takeover: number;
  readonly serving: number;
}

async function nothing(): Promise<void> {
  // The node comes back by itself.
}

function rebooting(): Pick<Failover, 'fail' | 'heal'> {
  let before = '';
  return {
    fail: async (lab, active) => {
      before = await reboot(lab, active);
    },
    // Or the node that is still going down would be taken for the one that has come back.
    heal: (lab, failed) => rebooted(lab, failed, before),
  };
}

/** "Test failover" of the guide: its four methods. */
export const FAILOVERS: readonly Failover[] = [
  {
    name: 'keepalived restarted',
    how: 'systemctl restart keepalived',
    awayBound: SKEW,
    takeoverBound: SKEW,
    fail: async (lab, active) => void (await lab.machine(active).ssh('sudo systemctl restart keepalived')),
    heal: nothing,
  },
  {
    name: 'cable pulled',
    how: 'the active node is disconnected from the LAN',
    awayBound: MASTER_DOWN,
    takeoverBound: MASTER_DOWN,
    fail: async (lab, active) => lab.machine(active).unplug(),
    heal: async (lab, failed) => lab.machine(failed).plug(),
  },
  {
    name: 'service stopped',
    how: 'systemctl stop clickhouse-server',
    awayBound: MASTER_DOWN,
    takeoverBound: CHECK_INTERVAL + MASTER_DOWN,
    fail: async (lab, active) => void (await lab.machine(active).ssh('sudo systemctl stop clickhouse-server')),
    heal: nothing,
  },
  {
    name: 'node rebooted',
    how: 'reboot',
    awayBound: MASTER_DOWN,
    takeoverBound: MASTER_DOWN,
    ...rebooting(),
  },
];
