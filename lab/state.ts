import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Accel } from './accel';
import type { Image } from './image';
import { MACHINES } from './machines';
import { signalRecorded } from './processes';
import { machinePid, stateFile, switchPid } from './workdir';

/** What another process needs to know to use a running lab. */
export interface LabState {
  readonly workdir: string;
  readonly ownerPid: number;
  readonly keep: boolean;
  readonly accel: Accel;
  readonly image: Image;
  /** The NFS server's lease and grace. */
  readonly leaseSeconds: number;
  /** How long a node whose services failed stays out. */
  readonly holdDownSeconds: number;
}

/** A link to the running lab's directory; per user and per loopback octet, so that two labs can stand side by side. */
function pointer(): string {
  const octet = process.env.NIM_HA_LAB_OCTET ?? '77';
  return path.join(os.tmpdir(), `nim-ha-lab-${os.userInfo().uid}-${octet}`);
}

export function createWorkdir(): string {
  // mkdtemp makes it 0700: keys and disks are nobody else's business.
  return fs.mkdtempSync(path.join(os.tmpdir(), 'nim-ha-lab.'));
}

export function writeState(state: LabState): void {
  fs.writeFileSync(stateFile(state.workdir), JSON.stringify(state, null, 2), { mode: 0o600 });
  fs.rmSync(pointer(), { force: true });
  fs.symlinkSync(state.workdir, pointer());
}

/** The lab that runs here now, if one does. */
export function readState(): LabState | undefined {
  try {
    // Somebody else's link in the shared temporary directory must not lead us anywhere.
    if (fs.lstatSync(pointer()).uid !== os.userInfo().uid) return undefined;
    return JSON.parse(fs.readFileSync(stateFile(fs.readlinkSync(pointer())), 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}

/**
 * Takes a lab away: every process and every file of it. Synchronous, so that it can be the last thing a process does.
 *
 * @param except a pid that ends by itself (the switch, when it is the one that cleans up)
 */
export function destroyLab(workdir: string, except?: number): void {
  for (const { name } of MACHINES) signalRecorded(machinePid(workdir, name), workdir, 'SIGKILL');
  if (except === undefined) signalRecorded(switchPid(workdir), workdir, 'SIGKILL');
  if (readState()?.workdir === workdir) fs.rmSync(pointer(), { force: true });
  fs.rmSync(workdir, { recursive: true, force: true });
}
