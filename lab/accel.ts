import * as fs from 'node:fs';
import * as path from 'node:path';
import { cacheDir } from './cache';
import type { Image } from './image';
import { progress } from './progress';
import { run } from './run';

/** How the virtual machines run: by the processor, or by software. */
export type Accel = 'kvm' | 'tcg';

const TRIAL_MS = 20_000;

/**
 * KVM where it works. /dev/kvm may be there and still hang, so a kernel without a disk is started under a time limit: with
 * KVM it panics and ends within two seconds. The answer holds until the machine boots again.
 */
export async function bestAccel(image: Image): Promise<Accel> {
  const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const note = path.join(cacheDir(), `accel-${boot}`);
  if (fs.existsSync(note)) return fs.readFileSync(note, 'utf8') as Accel;
  const accel = (await kvmWorks(image)) ? 'kvm' : 'tcg';
  fs.writeFileSync(note, accel);
  progress(accel === 'kvm' ? 'KVM works' : 'KVM does not work here: the machines run under software emulation');
  return accel;
}

async function kvmWorks(image: Image): Promise<boolean> {
  try {
    fs.accessSync('/dev/kvm', fs.constants.R_OK | fs.constants.W_OK);
  } catch {
    return false;
  }
  const args = ['-accel', 'kvm', '-cpu', 'host', '-m', '128', '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'];
  const kernel = ['-kernel', image.kernel, '-append', 'console=ttyS0 panic=-1'];
  const result = await run('qemu-system-x86_64', [...args, ...kernel], { timeout: TRIAL_MS, accept: 'any' });
  return !result.timedOut && result.code === 0 && result.stdout.includes('Linux version');
}
