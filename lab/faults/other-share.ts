import { labShare } from '../app-config';
import { NFS_EXPORT_PATH, NODES } from '../machines';
import { Observer } from '../observer';
import { Fault, Scene, asRoot, unnoticed } from './fault';

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

// With fencing the deploy exports it, and takes the exports of the other one back.
const expose = async ({ lab, operator }: Scene): Promise<unknown> => operator.fencing || asRoot(lab, 'nfs', `exportfs -o ${OPTIONS} ${EXPORTED}`);
const putAway = ({ lab, operator }: Scene): Promise<unknown> => asRoot(lab, 'nfs', `${operator.fencing ? ':' : `exportfs -u ${EXPORTED}`}; rm -rf ${OTHER}`);

function deployWith({ lab, operator }: Scene, share: string): Promise<void> {
  operator.intend(share === OTHER ? { nfsShare: labShare(lab, OTHER, operator.fencing) } : {});
  return operator.deploy();
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
  if (to === OTHER) await expose(scene);
  await deployWith(scene, to);
  if (from === OTHER) await putAway(scene);
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
    what: 'cdktf deploy on a serving pair with another share, where a copy of the data has been put before: refused',
    inject: async (scene) => {
      await copyShare(scene, NFS_EXPORT_PATH, OTHER);
      await expose(scene);
      const refusal = await deployWith(scene, OTHER).then(() => 'nothing', (error: Error) => error.message);
      if (!refusal.includes('[storage/moves-while-serving]')) throw new Error(`the deploy was to be refused with storage/moves-while-serving, and said: ${refusal}`);
    },
    undo: async (scene) => {
      await deployWith(scene, NFS_EXPORT_PATH);
      await putAway(scene);
    },
    serves: 'active',
    bound: unnoticed,
  },
];
