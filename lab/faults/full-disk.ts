import type { Lab } from '../lab';
import type { NodeName } from '../machines';
import { asRoot } from './fault';

/** KiB that may be left. */
const LEFT = 1024;
/** An emulated machine writes a few MiB a second. */
const TIMEOUT_MS = 600_000;

/**
 * Fills the file system that the file is on.
 * @throws unless it is full then: what else happens would say nothing
 */
export async function fillWith(lab: Lab, machine: NodeName | 'nfs', file: string): Promise<void> {
  // More than once, for a journal that has no place left deletes some of itself. dd fails each time, as it is to.
  const command = [
    'for each in 1 2 3; do',
    `  dd if=/dev/zero of=${file} bs=1M oflag=append conv=notrunc 2>/dev/null; sync`,
    `  left=$(df --output=avail --block-size=1K ${file} | tail -n 1)`,
    `  [[ -z $left ]] || ((left >= ${LEFT})) || exit 0`,
    'done',
    `echo "${file}: not full, \${left:-unknown} KiB left" >&2; exit 1`,
  ].join('\n');
  await asRoot(lab, machine, command, [0], TIMEOUT_MS);
}
