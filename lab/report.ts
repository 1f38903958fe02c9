import type { Bound, Timing } from './faults/fault';
import type { NodeName } from './machines';
import type { Outcome } from './outcome';

export interface Report {
  readonly command: string;
  readonly seed: number;
  readonly profile: string;
  readonly timing: Timing;
  readonly accel: string;
  readonly skipped: number;
  /** Why a turn could not begin, or the run broke off. */
  readonly broken: readonly string[];
  readonly outcomes: readonly Outcome[];
}

/** One line of the table: a fault over all its runs. */
export interface Row {
  readonly fault: string;
  readonly what: string;
  readonly runs: number;
  /** How many of them began with each node as the active one. */
  readonly from: Readonly<Record<NodeName, number>>;
  readonly failed: number;
  /** How many of them took more than a second longer than the design promises. */
  readonly late: number;
  readonly vip: Spread;
  readonly vipBound: number;
  readonly writes: Spread;
  readonly writesBound: number;
  readonly twoHolders: number;
}

export interface Spread {
  readonly best: number;
  readonly average: number;
  readonly worst: number;
}

type Measured = Pick<Outcome, 'fault' | 'what' | 'active' | 'bound' | 'vipAway' | 'writesAway' | 'twoHolders' | 'findings'>;

export function rowsOf(outcomes: readonly Measured[]): Row[] {
  const names = [...new Set(outcomes.map(({ fault }) => fault))].sort();
  return names.map((fault) => {
    const runs = outcomes.filter((outcome) => outcome.fault === fault);
    return {
      fault,
      what: runs[0].what,
      runs: runs.length,
      from: { 'node-a': runs.filter(({ active }) => active === 'node-a').length, 'node-b': runs.filter(({ active }) => active === 'node-b').length },
      failed: runs.filter(({ findings }) => findings.length > 0).length,
      late: runs.filter(isLate).length,
      vip: spread(runs.map(({ vipAway }) => vipAway)),
      vipBound: boundOfWorst(runs, ({ vipAway }) => vipAway, ({ vip }) => vip),
      writes: spread(runs.map(({ writesAway }) => writesAway)),
      writesBound: boundOfWorst(runs, ({ writesAway }) => writesAway, ({ writes }) => writes),
      twoHolders: Math.max(...runs.map(({ twoHolders }) => twoHolders)),
    };
  });
}

/** Measured, not judged: an emulated machine may be slow. */
export function isLate({ vipAway, writesAway, bound }: Pick<Outcome, 'vipAway' | 'writesAway' | 'bound'>): boolean {
  return vipAway > bound.vip + 1 || writesAway > bound.writes + 1;
}

/** The bound depends on what the services took to start in that run. */
function boundOfWorst(runs: readonly Measured[], away: (run: Measured) => number, bound: (bound: Bound) => number): number {
  return bound(runs.reduce((worst, run) => (away(run) > away(worst) ? run : worst)).bound);
}

function spread(values: readonly number[]): Spread {
  return { best: Math.min(...values), average: values.reduce((sum, value) => sum + value, 0) / values.length, worst: Math.max(...values) };
}
