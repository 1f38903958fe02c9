import { eventually } from '../checks';
import type { Lab } from '../lab';
import type { NodeName } from '../machines';
import { asRoot } from './fault';

const BOOT = 'cat /proc/sys/kernel/random/boot_id';

/** Tells the node to reboot. @returns its boot that comes to an end */
export async function reboot(lab: Lab, node: NodeName): Promise<string> {
  const boot = await asRoot(lab, node, BOOT);
  // The connection dies with the machine, so its exit code says nothing.
  await asRoot(lab, node, 'systemctl reboot', 'any');
  return boot;
}

/** Waits until the operator can log in to another boot than that one: to a machine that is about to go down anybody can. */
export async function rebooted(lab: Lab, node: NodeName, before: string, seconds = 600): Promise<void> {
  const other = await eventually(seconds, async () => {
    const boot = await asRoot(lab, node, BOOT);
    return (boot !== '' && boot !== before) || undefined;
  });
  if (!other) throw new Error(`${node} has not rebooted within ${seconds} s`);
}
