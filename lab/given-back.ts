import { GUIDE_SERVICES } from '../lib/config/model';
import { eventually, type Checks } from './checks';
import type { Lab } from './lab';
import { NODES, type NodeName } from './machines';
import { differences, takePictures } from './node-picture';
import { Observer } from './observer';
import type { Pair } from './pair';
import { timed } from './progress';

const SERVICES_UP = `systemctl is-active ${GUIDE_SERVICES.join(' ')}`;

/** Both nodes as stand-alone installations: before the first deploy, and again after the removal. */
export async function takeStandAlonePictures(lab: Lab): Promise<Map<NodeName, string[]>> {
  await timed('waiting for the stand-alone installations to be up', async () => {
    for (const name of NODES) {
      await eventually(240, async () => ((await lab.machine(name).ssh(SERVICES_UP, { accept: 'any' })).code === 0 ? true : undefined));
    }
  });
  return takePictures(lab);
}

/** Removes the pair, and claims that it has left nothing on the nodes, and all on the share. */
export async function giveBack(lab: Lab, pair: Pair, before: Map<NodeName, string[]>, checks: Checks): Promise<void> {
  const { code } = await timed('cdktf destroy', () => pair.destroy());
  checks.claim('cdktf destroy ends with 0', code === 0, String(code));
  const after = await takeStandAlonePictures(lab);
  for (const name of NODES) {
    const found = differences(before.get(name)!, after.get(name)!);
    checks.claim(`${name} is as it was before the deploy`, found.length === 0, found.slice(0, 12).join(' | '));
  }
  const share = await lab.machine('nfs').ssh('sudo ls /mnt/nfs_share/clickhouse/data/demo/rows', { accept: 'any' });
  checks.claim('the data on the share is untouched', share.code === 0 && share.stdout.trim() !== '');
  checks.claim('nobody answers for the virtual IP', (await new Observer(lab).holders()).length === 0);
}
