import type { Lab } from '../lab';
import type { NodeName } from '../machines';
import type { Operator } from '../operator';
import { shellQuote } from '../shell-quote';

/** The pair at the moment of a fault. */
export interface Scene {
  readonly lab: Lab;
  readonly active: NodeName;
  readonly standby: NodeName;
  readonly timing: Timing;
  readonly operator: Operator;
}

/** Seconds, all of them: what was in force, and what follows from it. */
export interface Timing {
  /** Whether the NFS server fences. */
  readonly fencing: boolean;
  /** The NFS server's lease, and its grace period after a start. */
  readonly lease: number;
  /** keepalived's check. */
  readonly checkInterval: number;
  /** Of a node whose services failed. */
  readonly holdDown: number;
  /** VRRP: a master that leaves says so; one that is gone is missed. */
  readonly skew: number;
  readonly masterDown: number;
  /** Until clients leave a second holder that has given way: their neighbour entry is checked again, or the address announced. */
  readonly arp: number;
  /** What the services took to start: measured, or before that an allowance for the machines of this lab. */
  readonly start: number;
}

export interface Bound {
  /** Until the virtual IP answers again. */
  readonly vip: number;
  /** Until rows are accepted again. */
  readonly writes: number;
}

/** Something that goes wrong, and how it is put right again. */
export interface Fault {
  /** For `--only`. */
  readonly name: string;
  /** For a person. */
  readonly what: string;
  inject(scene: Scene): Promise<void>;
  /** Where nobody serves while it lasts, it is over when this returns: from then on a node may become active. */
  undo(scene: Scene): Promise<void>;
  /** What is waited for after that, before the pair is looked at: machines that boot. */
  comesBack?(scene: Scene): Promise<void>;
  /** Who serves while it lasts: the standby has taken over, the active node is not impressed, nobody can, or the fault may go either way. */
  readonly serves: 'standby' | 'active' | 'nobody' | 'either';
  /** Seconds that it lasts at least. Default: until the standby serves. */
  readonly lasts?: number | ((timing: Timing) => number);
  /** With fencing: whether the node that takes over has the other one fenced before it serves, or cannot have. Default: either may be. */
  readonly fences?: boolean;
  /** The active node is cut off from the share for longer than the lease: before that ends it has to have let go of it, or to reboot. */
  readonly isolates?: true;
  /** From where rows are written meanwhile. Default: the NFS server, which a fault may take away together with the share. */
  readonly client?: 'standby';
  /** The design's promise. */
  bound(timing: Timing): Bound;
  /** Seconds in which two nodes may answer for the virtual IP, all together. Default 1: a handover's last frames. */
  readonly twoHolders?: (timing: Timing) => number;
  /** Whether it can be made only with fencing, or only without. Default: with both. */
  readonly fencing?: 'only' | 'never';
  /** Damage that the design cannot rule out, to what was acknowledged or written while the fault lasted: it is recorded then, and is no finding. */
  readonly mayDamage?: RegExp;
  /** The same, where only fencing can rule it out. */
  readonly mayDamageUnfenced?: RegExp;
}

/** The bound of a takeover from a node that lets go of the lock, and from one that only the lease ends. */
export const handover = ({ skew, start }: Timing): Bound => ({ vip: skew, writes: skew + start });
export const afterLease = (timing: Timing): Bound => ({ vip: timing.masterDown, writes: timing.masterDown + untilLock(timing) + timing.start });
/** How long a dead node keeps the lock: for the lease, or until its heartbeat has been missed and the server has fenced it. */
export const untilLock = ({ fencing, lease }: Timing): number => (fencing ? 5 + 3 : lease);
/** A node whose check fails: the services and the lock go when the peer has taken over. */
export const afterCheck = ({ checkInterval, masterDown, start }: Timing): Bound => ({
  vip: masterDown,
  writes: checkInterval + masterDown + start,
});
export const unnoticed = (): Bound => ({ vip: 0, writes: 3 });
export const longerThanLease = ({ lease }: Timing): number => lease + 5;

/** A command on a node, as root; what it says is of no interest, its failure is. */
export async function asRoot(lab: Lab, node: NodeName | 'nfs', command: string, accept: 'any' | readonly number[] = [0], timeout = 120_000): Promise<string> {
  const { stdout } = await lab.machine(node).ssh(`sudo bash -c ${shellQuote(command)}`, { accept, timeout });
  return stdout.trim();
}

export const sleep = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));

export async function nothing(): Promise<void> {
  // It comes back by itself.
}
