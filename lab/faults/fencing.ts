import { eventually } from '../checks';
import { STACK } from '../app-config';
import { NODES } from '../machines';
import { Fault, Scene, afterLease, nothing, sleep } from './fault';
import { asleep } from './machines';

const RECORD = `/var/lib/nim-ha-fence/${STACK}-nim_ha/fenced`;

const isFenced = ({ lab, active }: Scene): Promise<true | undefined> =>
  eventually(120, async () => ((await lab.nfs.ssh(`sudo grep -qw ${active} ${RECORD}`, { accept: 'any' })).code === 0 ? true : undefined));

const frozen = (name: string, seconds: number): Fault =>
  asleep(
    name,
    `frozen for ${seconds} s at least, with files held open and rows that nobody has acknowledged, and woken up`,
    { sleep: async ({ lab, active }) => lab.machine(active).freeze(), wake: async ({ lab, active }) => lab.machine(active).thaw() },
    seconds,
  );

const vrrpBlocked = ({ lab }: Scene, blocked: boolean): Promise<unknown> =>
  lab.switch.setDrops(blocked ? NODES.map((from) => ({ from, to: NODES.find((name) => name !== from), match: 'vrrp' })) : []);

/** What fencing is there for, and what happens to it. Those that need none are made without it, too. */
export const fencingFaults: readonly Fault[] = [
  // Shorter than the lease: nothing may happen to what is on the share, without fencing neither.
  { ...frozen('frozen-10', 10), serves: 'either', fences: undefined, mayDamageUnfenced: undefined, bound: (timing) => ({ vip: timing.masterDown, writes: 10 + afterLease(timing).writes }) },
  frozen('frozen-60', 60),
  frozen('frozen-300', 300),
  {
    name: 'split-brain-again',
    what: 'VRRP blocked between the nodes for 20 s, three times, the share within reach of both',
    inject: async (scene) => {
      for (let round = 0; round < 3; round += 1) {
        await vrrpBlocked(scene, true);
        await sleep(20);
        await vrrpBlocked(scene, false);
        await sleep(15);
      }
    },
    undo: nothing,
    serves: 'either',
    bound: ({ masterDown, arp, start }) => ({ vip: masterDown, writes: 3 * 20 + arp + start }),
    // The second one sees the heartbeat for ten seconds before it gives the address up, and on a slow machine may not have come so far in any of the three.
    twoHolders: () => 3 * (20 + 2),
  },
  {
    name: 'power-cut-and-nfs-rebooted',
    what: 'power cut of the active node, and of the NFS server as soon as it has fenced it; both switched on again',
    fencing: 'only',
    inject: async (scene) => {
      await scene.lab.machine(scene.active).powerCut();
      if (!(await isFenced(scene))) throw new Error(`the server has no fence of ${scene.active} in ${RECORD}`);
      await scene.lab.nfs.powerCut();
      await scene.lab.nfs.start();
      await scene.lab.nfs.waitForSsh();
      if (!(await isFenced(scene))) throw new Error('the fence has not outlived the power cut of the server');
    },
    undo: async ({ lab, active }) => {
      await lab.machine(active).start();
      await lab.machine(active).waitForSsh();
    },
    serves: 'standby',
    fences: true,
    bound: (timing) => ({ vip: timing.masterDown, writes: 60 + timing.lease + 15 + timing.masterDown + timing.start }),
  },
  {
    name: 'power-cut-unfenced',
    what: 'the way to the sshd of the NFS server blocked for both nodes, and a power cut of the active one: the lease decides',
    fencing: 'only',
    inject: async ({ lab, active }) => {
      await lab.switch.setDrops(NODES.map((from) => ({ from, to: 'nfs', match: 'ssh' })));
      await lab.machine(active).powerCut();
    },
    undo: async ({ lab, active }) => {
      await lab.switch.setDrops([]);
      await lab.machine(active).start();
      await lab.machine(active).waitForSsh();
    },
    serves: 'standby',
    fences: false,
    bound: (timing) => ({ vip: timing.masterDown, writes: timing.masterDown + timing.lease + 45 + timing.start }),
  },
];
