import type { Rows } from './rows';

/** One attempt to write a row through the virtual IP. */
export interface Attempt {
  readonly number: number;
  readonly at: number;
  /** When the answer came, or nobody waited for one any more. */
  readonly until: number;
  readonly acknowledged: boolean;
}

const EVERY_MS = 500;
const PATIENCE_MS = 4000;
/** At most: it adds to what is measured as an outage. */
const REST_MS = 1000;

/**
 * A client that writes numbered rows, one after the other, and notes which were acknowledged: those must never be lost. One
 * that was not may be there or not.
 */
export class Load {
  public readonly attempts: Attempt[] = [];
  private stopped = false;
  private readonly done: Promise<void>;

  public constructor(private readonly rows: Rows, private next: number) {
    this.done = this.write();
  }

  public async stop(): Promise<void> {
    this.stopped = true;
    await this.done;
  }

  public get acknowledged(): number[] {
    return this.attempts.filter(({ acknowledged }) => acknowledged).map(({ number }) => number);
  }

  /** Numbers of the rows that were on their way in that span, or for a part of it. */
  public onTheirWay(from: number, to: number): Set<number> {
    return new Set(this.attempts.filter(({ at, until }) => until >= from && at <= to).map(({ number }) => number));
  }

  /** Whether a row that was sent after that moment has been acknowledged. */
  public acceptedSince(moment: number): boolean {
    return this.attempts.some(({ at, acknowledged }) => acknowledged && at >= moment);
  }

  /** Seconds of the longest time in a span in which no row was acknowledged. */
  public longestOutage(since: number, until: number): number {
    const accepted = this.attempts.filter((attempt) => attempt.acknowledged && attempt.until >= since && attempt.until <= until).map((attempt) => attempt.until);
    return longestGap([since, ...accepted, until]) / 1000;
  }

  private async write(): Promise<void> {
    while (!this.stopped) {
      const at = Date.now();
      const number = this.next++;
      const acknowledged = await this.rows.insert(number, 1, PATIENCE_MS).then(() => true, () => false);
      const until = Date.now();
      this.attempts.push({ number, at, until, acknowledged });
      // A slow machine gets a rest, or the load alone would be all that it does.
      const rest = Math.max(50, acknowledged ? Math.min(until - at, REST_MS) : 0, at + EVERY_MS - until);
      await new Promise((resolve) => setTimeout(resolve, rest));
    }
  }
}

export function longestGap(moments: readonly number[]): number {
  return moments.slice(1).reduce((longest, moment, index) => Math.max(longest, moment - moments[index]), 0);
}
