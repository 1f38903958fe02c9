import * as fs from 'node:fs';

/**
 * Processes of ours by recorded pid. A pid may have been given to somebody else since, so nothing is signalled whose
 * command line does not name the lab's private directory.
 */

export function recordedPid(pidFile: string, workdir: string): number | undefined {
  let pid: number;
  try {
    pid = Number(fs.readFileSync(pidFile, 'utf8'));
  } catch {
    return undefined;
  }
  return isOurs(pid, workdir) ? pid : undefined;
}

export function isOurs(pid: number, workdir: string): boolean {
  try {
    return Number.isInteger(pid) && pid > 1 && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(workdir);
  } catch {
    return false;
  }
}

/** Signals the recorded process, if it is still ours; says whether there was one. */
export function signalRecorded(pidFile: string, workdir: string, signal: NodeJS.Signals): boolean {
  const pid = recordedPid(pidFile, workdir);
  if (pid === undefined) return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // It ended between the look and the signal.
    return false;
  }
}

/** Waits until the recorded process is no more. @throws after `timeout` milliseconds */
export async function gone(pidFile: string, workdir: string, timeout = 10_000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (recordedPid(pidFile, workdir) !== undefined) {
    if (Date.now() > deadline) throw new Error(`the process of ${pidFile} did not end within ${timeout / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
