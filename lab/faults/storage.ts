import { Fault, asRoot, longerThanLease, nothing } from './fault';
import { fillWith } from './full-disk';

const SHARE = '/mnt/nfs_share';

export const storageFaults: readonly Fault[] = [
  {
    name: 'nfs-restarted',
    what: 'the NFS service restarted',
    inject: async ({ lab }) => void (await asRoot(lab, 'nfs', 'systemctl restart nfs-server')),
    undo: nothing,
    serves: 'either',
    lasts: 20,
    bound: ({ lease, start }) => ({ vip: 0, writes: lease + start }),
  },
  {
    name: 'nfs-stopped',
    what: 'the NFS service stopped for longer than the lease',
    inject: async ({ lab }) => void (await asRoot(lab, 'nfs', 'systemctl stop nfs-server')),
    undo: async ({ lab }) => void (await asRoot(lab, 'nfs', 'systemctl start nfs-server')),
    serves: 'nobody',
    lasts: longerThanLease,
    isolates: true,
    // Grace: a restarted server gives no new lock until it is over.
    bound: ({ lease, start, masterDown }) => ({ vip: masterDown, writes: 10 + lease + 15 + lease + start }),
  },
  {
    name: 'nfs-hung',
    what: 'the NFS server frozen for longer than the lease',
    inject: async ({ lab }) => lab.nfs.freeze(),
    undo: async ({ lab }) => lab.nfs.thaw(),
    comesBack: ({ lab }) => lab.nfs.waitForSsh(),
    serves: 'nobody',
    lasts: longerThanLease,
    isolates: true,
    client: 'standby',
    bound: ({ lease, start, masterDown }) => ({ vip: masterDown, writes: 10 + lease + 15 + lease + start }),
  },
  {
    name: 'nfs-rebooted',
    what: 'power cut of the NFS server, and switched on at once',
    inject: ({ lab }) => lab.nfs.powerCut(),
    undo: async ({ lab }) => {
      await lab.nfs.start();
      await lab.nfs.waitForSsh();
    },
    // The longer the lease, the longer the services are borne with.
    serves: 'either',
    lasts: 1,
    client: 'standby',
    bound: ({ lease, start, masterDown }) => ({ vip: masterDown, writes: 40 + 15 + lease + start }),
  },
  {
    name: 'nfs-restored',
    what: 'both exports put back from a copy while the NFS service is stopped, so that every mount of them is stale',
    inject: async ({ lab }) =>
      void (await asRoot(
        lab,
        'nfs',
        `systemctl stop nfs-server && cd ${SHARE} && for each in clickhouse nms; do cp -a $each $each.copy && mv $each $each.old && mv $each.copy $each || exit 1; done && systemctl start nfs-server`,
      )),
    undo: async ({ lab }) => void (await asRoot(lab, 'nfs', `rm -rf ${SHARE}/*.old`)),
    serves: 'either',
    lasts: 60,
    // Grace, then five tries in vain to ask for the lock, on the one node and perhaps on the other.
    bound: ({ lease, checkInterval, start, masterDown }) => ({ vip: masterDown, writes: 10 + lease + 15 + 2 * 25 + checkInterval + start }),
  },
  {
    name: 'share-full',
    what: 'the share full for 40 s',
    inject: ({ lab }) => fillWith(lab, 'nfs', `${SHARE}/ballast`),
    undo: async ({ lab }) => void (await asRoot(lab, 'nfs', `rm -f ${SHARE}/ballast; sync`)),
    // The active node starts its services again and again, and says no more than that before the deadline of a start is over.
    serves: 'either',
    lasts: 40,
    bound: ({ holdDown, checkInterval, masterDown, start }) => ({ vip: masterDown, writes: 40 + holdDown + checkInterval + masterDown + start }),
  },
  {
    name: 'share-read-only',
    // It is made with the one export that the nodes share then.
    fencing: 'never',
    what: 'both exports read-only for 40 s',
    // In one call: each puts what it does not name back to what /etc/exports says.
    inject: async ({ lab }) => void (await asRoot(lab, 'nfs', `exportfs -o ro,sync,no_subtree_check,no_root_squash 10.77.0.0/24:${SHARE}/clickhouse 10.77.0.0/24:${SHARE}/nms && exportfs -f`)),
    undo: async ({ lab }) => void (await asRoot(lab, 'nfs', 'exportfs -ra && exportfs -f')),
    // The active node starts its services again and again, and says no more than that before the deadline of a start is over.
    serves: 'either',
    lasts: 40,
    bound: ({ holdDown, checkInterval, masterDown, start }) => ({ vip: masterDown, writes: 40 + holdDown + checkInterval + masterDown + start }),
  },
];
