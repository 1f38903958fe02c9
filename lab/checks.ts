import { progress } from './progress';

/** Claims that were seen to hold or not; the run's result. Timings are printed beside their bound, and judged only where asked. */
export class Checks {
  private passed = 0;
  private readonly failures: string[] = [];

  public claim(what: string, holds: boolean, got = ''): void {
    if (holds) this.passed += 1;
    else this.failures.push(got ? `${what}: got ${got}` : what);
    progress(`${holds ? 'ok    ' : 'FAILED'} ${what}${got ? ` (${got})` : ''}`);
  }

  public get failed(): boolean {
    return this.failures.length > 0;
  }

  public summary(): string {
    return [...this.failures.map((failure) => `FAILED ${failure}`), `${this.passed} passed, ${this.failures.length} failed`].join('\n');
  }
}

/** A login costs an emulated machine a second of its processor: who asks all the time slows down what he waits for. */
export const GENTLY_MS = 3000;

/** Asks until the answer is there; undefined when the time is over. */
export async function eventually<T>(seconds: number, ask: () => Promise<T | undefined>, pauseMs = 500): Promise<T | undefined> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) return undefined;
    await new Promise((done) => setTimeout(done, pauseMs));
  }
}
