/** Progress lines with the time since this process began: `[mm:ss] text`, on stderr, so that stdout stays for results. */

const began = process.hrtime.bigint();

export function elapsedSeconds(): number {
  return Number(process.hrtime.bigint() - began) / 1e9;
}

export function progress(text: string): void {
  const total = Math.floor(elapsedSeconds());
  const minutes = String(Math.floor(total / 60)).padStart(2, '0');
  const seconds = String(total % 60).padStart(2, '0');
  process.stderr.write(`[${minutes}:${seconds}] ${text}\n`);
}

/** Says that `what` begins, and how long it took when it has ended. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = elapsedSeconds();
  progress(`${what} …`);
  const result = await work();
  progress(`${what}: ${(elapsedSeconds() - start).toFixed(1)} s`);
  return result;
}
