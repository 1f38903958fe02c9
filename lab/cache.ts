import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { progress } from './progress';

/** Where images and binaries are kept between runs: never inside the project. */
export function cacheDir(): string {
  const base = process.env.NIM_HA_LAB_CACHE ?? process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  const dir = path.join(base, 'nim-ha-lab');
  fs.mkdirSync(dir, { recursive: true });
  return dir;
}

/** A name that changes when one of the inputs does. */
export function keyOf(...inputs: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(String(input.length)).update('\0').update(input);
  return hash.digest('hex').slice(0, 16);
}

/**
 * The directory `NAME-KEY` of the cache, built if it is not there. It is built under another name and renamed at
 * the end, so that an interrupted build is never taken for a finished one; whoever comes second waits for the first.
 */
export async function cached(name: string, key: string, build: (dir: string) => Promise<void>): Promise<string> {
  const target = path.join(cacheDir(), `${name}-${key}`);
  if (fs.existsSync(target)) return target;
  const unlock = await lock(`${target}.lock`);
  try {
    if (fs.existsSync(target)) return target;
    const unfinished = `${target}.unfinished`;
    fs.rmSync(unfinished, { recursive: true, force: true });
    fs.mkdirSync(unfinished);
    await build(unfinished);
    fs.renameSync(unfinished, target);
    return target;
  } finally {
    unlock();
  }
}

async function lock(file: string): Promise<() => void> {
  for (let waited = 0; !tryLock(file); waited += 1) {
    if (waited === 0) progress(`waiting for another process that builds ${path.basename(file, '.lock')}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  return () => fs.rmSync(file, { force: true });
}

function tryLock(file: string): boolean {
  try {
    fs.writeFileSync(file, `${process.pid} ${startOf(process.pid)}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const [pid, start] = readOwner(file);
  // A builder that died leaves its lock; the start time tells it from a stranger that got its pid.
  if (pid !== undefined && startOf(pid) !== start) fs.rmSync(file, { force: true });
  return false;
}

function readOwner(file: string): [number | undefined, string] {
  try {
    const [pid, start] = fs.readFileSync(file, 'utf8').split(' ');
    // Empty: its owner has made it and not yet written to it.
    return start === undefined ? [undefined, ''] : [Number(pid), start];
  } catch {
    return [undefined, ''];
  }
}

/** When a process began, in clock ticks since boot; empty when there is no such process. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}
