import type { Bound } from './faults/fault';
import type { Entry } from './history';
import type { Attempt } from './load';
import type { NodeName } from './machines';
import type { Sighting } from './sighting';

/** What came of one fault. Times are the host's clock in milliseconds, durations seconds. */
export interface Outcome {
  readonly fault: string;
  readonly what: string;
  readonly round: number;
  readonly active: NodeName;
  readonly standby: NodeName;
  readonly from: number;
  readonly injected: number;
  readonly undone: number;
  readonly until: number;
  readonly bound: Bound;
  /** What the services took at most, of those that became active. */
  readonly start: number;
  /** Longest time without an answer from the virtual IP, without an acknowledged row; all the time with two holders, or two masters. */
  readonly vipAway: number;
  readonly writesAway: number;
  readonly twoHolders: number;
  readonly findings: readonly string[];
  /** Damage that the design does not rule out for this fault. */
  readonly expected: readonly string[];
  /** What the nodes' journals say, where there are findings. */
  readonly explanation?: string;
  readonly timeline: readonly Sighting[];
  readonly journal: readonly Entry[];
  readonly attempts: readonly Attempt[];
}
