import { labShare } from '../app-config';
import { NFS_EXPORT_PATH, NODES } from '../machines';
import { Observer } from '../observer';
import { Fault, Scene, asRoot } from './fault';

const OTHER = '/mnt/other_share';
const PARTS = ['clickhouse', 'nms'];
const OPTIONS = 'rw,sync,no_subtree_check,no_root_squash';

const EXPORTED = PARTS.map((part) => `10.77.0.0/24:${OTHER}/${part}`).join(' ');

/** What the message of the refusal asks for: the whole share, the directory .nim-ha too. */
async function copyShare({ lab }: Scene, from: string, to: string): Promise<void> {
  // The directories of a share that is mounted stay: what is put in their place would be another file to every node.
  const copy = (part: string): string => `find ${to}/${part} -mindepth 1 -delete && cp -a ${from}/${part}/. ${to}/${part}/`;
  // Of a share in use a file may go away before cp comes to it: then once more, up to ten times.
  const copies = PARTS.map((part) => `mkdir -p ${to}/${part} && tries=0 && until ${copy(part)}; do [ $((tries += 1)) -lt 10 ] || exit 1; done`);
  await asRoot(lab, 'nfs', [...copies, 'sync'].join(' && '));
}

async function deployOn({ lab, operator }: Scene, share: string): Promise<void> {
  // With fencing the deploy exports it, and takes the exports of the other one back.
  if (share === OTHER && !operator.fencing) await asRoot(lab, 'nfs', `exportfs -o ${OPTIONS} ${EXPORTED}`);
  operator.intend(share === OTHER ? { nfsShare: labShare(lab, OTHER, operator.fencing) } : {});
  await operator.deploy();
  if (share !== OTHER) await asRoot(lab, 'nfs', `${operator.fencing ? ':' : `exportfs -u ${EXPORTED}`}; rm -rf ${OTHER}`);
}

/** Both nodes out of the pair until the deploy starts them again, the standby first: it must not take over. */
async function stopPair({ lab }: Scene): Promise<void> {
  const active = await new Observer(lab).exactlyOneActive(120);
  if (!active) throw new Error('not exactly one node is active');
  for (const name of [...NODES.filter((node) => node !== active), active]) await asRoot(lab, name, 'systemctl stop keepalived && for each in {1..100}; do [ -e /run/nim-ha/lock-held ] || exit 0; sleep 1; done; exit 1');
}

async function move(scene: Scene, from: string, to: string): Promise<void> {
  await stopPair(scene);
  await copyShare(scene, from, to);
  await deployOn(scene, to);
}

/** The pair on another share. */
export const otherShareFaults: readonly Fault[] = [
  {
    name: 'change-share',
    what: 'the pair stopped, its data copied to another share, cdktf deploy with that share; and back the same way',
    inject: (scene) => move(scene, NFS_EXPORT_PATH, OTHER),
    undo: (scene) => move(scene, OTHER, NFS_EXPORT_PATH),
    serves: 'either',
    bound: () => ({ vip: 900, writes: 900 }),
  },
  {
    name: 'change-share-serving',
    what: 'cdktf deploy on a serving pair with another share, where a copy of the data has been put before; and back',
    inject: async (scene) => {
      await copyShare(scene, NFS_EXPORT_PATH, OTHER);
      await deployOn(scene, OTHER);
    },
    undo: (scene) => deployOn(scene, NFS_EXPORT_PATH),
    serves: 'either',
    bound: ({ masterDown, start }) => ({ vip: 60 + masterDown, writes: 60 + masterDown + start }),
    // What was written to one share is not on the other.
    mayDamage: / are lost: /,
  },
];
