import { exportPathOf } from './export-path';
import { MOUNTS, NodeModel, PairModel } from './model';

/** The settings of the pair on an NFS server that fences, in the form of `scripts/server/fence.sh`. Empty without fencing. */
export function renderFencingSettings({ nfs, primary, secondary }: PairModel): string {
  if (!nfs.fencing) {
    return '';
  }
  const { exportOptions, primaryAddresses, secondaryAddresses, primaryHostKeys, secondaryHostKeys } = nfs.fencing;
  const node = ({ name }: NodeModel, addresses: string[]): string => `NODE=${[name, ...addresses].join(' ')}`;
  const keys = ({ name }: NodeModel, hostKeys: string[]): string => `KEYS=${name} ${hostKeys.join(',')}`.trimEnd();
  return [
    ...Object.keys(MOUNTS).map((directory) => `EXPORT=${exportPathOf(nfs, directory)}`),
    `OPTIONS=${exportOptions.join(',')}`,
    node(primary, primaryAddresses),
    node(secondary, secondaryAddresses),
    keys(primary, primaryHostKeys),
    keys(secondary, secondaryHostKeys),
  ].join('\n');
}
