import type { DropRule } from '../switch';
import { NODES } from '../machines';
import { Fault, Scene, afterLease, asRoot, longerThanLease, nothing, sleep, unnoticed } from './fault';

const ISOLATE = '/usr/local/lib/nim-ha/isolate.sh';

const heal = ({ lab }: Scene): Promise<void> => lab.switch.setDrops([]).then(() => undefined);
const drop = ({ lab }: Scene, ...rules: DropRule[]): Promise<void> => lab.switch.setDrops(rules).then(() => undefined);

/** Between two nodes, both ways. */
const between = ({ active, standby }: Scene, match?: DropRule['match']): DropRule[] => [
  { from: active, to: standby, match },
  { from: standby, to: active, match },
];

const unplugBoth = ({ lab }: Scene): Promise<void> => Promise.all(NODES.map((name) => lab.machine(name).unplug())).then(() => undefined);
const plugBoth = ({ lab }: Scene): Promise<void> => Promise.all(NODES.map((name) => lab.machine(name).plug())).then(() => undefined);

export const networkFaults: readonly Fault[] = [
  {
    name: 'cable-active',
    what: 'the LAN cable of the active node pulled for longer than the lease',
    inject: ({ lab, active }) => lab.machine(active).unplug(),
    undo: ({ lab, active }) => lab.machine(active).plug(),
    serves: 'standby',
    lasts: longerThanLease,
    fences: true,
    isolates: true,
    bound: afterLease,
  },
  {
    name: 'cable-active-short',
    what: 'the LAN cable of the active node pulled for ten seconds',
    inject: async ({ lab, active }) => {
      await lab.machine(active).unplug();
      await sleep(10);
      await lab.machine(active).plug();
    },
    undo: nothing,
    serves: 'standby',
    bound: (timing) => ({ vip: timing.masterDown, writes: 10 + afterLease(timing).writes }),
  },
  {
    name: 'cable-standby',
    what: 'the LAN cable of the standby pulled for longer than the lease',
    inject: ({ lab, standby }) => lab.machine(standby).unplug(),
    undo: ({ lab, standby }) => lab.machine(standby).plug(),
    serves: 'active',
    lasts: longerThanLease,
    bound: unnoticed,
  },
  {
    name: 'cable-standby-short',
    what: 'the LAN cable of the standby pulled for ten seconds',
    inject: ({ lab, standby }) => lab.machine(standby).unplug(),
    undo: ({ lab, standby }) => lab.machine(standby).plug(),
    serves: 'active',
    lasts: 10,
    bound: unnoticed,
  },
  {
    name: 'cable-both',
    what: 'the LAN cables of both nodes pulled for longer than the lease, and plugged in together',
    inject: unplugBoth,
    undo: plugBoth,
    serves: 'nobody',
    lasts: ({ lease }) => lease * 1.5 + 5,
    isolates: true,
    bound: ({ lease, masterDown, start }) => ({ vip: lease * 1.5 + 5 + masterDown + 10, writes: 5 + lease * 1.5 + masterDown + 10 + lease + start }),
    twoHolders: () => 20,
  },
  {
    name: 'cable-both-short',
    what: 'the LAN cables of both nodes pulled for ten seconds, and plugged in together',
    inject: unplugBoth,
    undo: plugBoth,
    // Too short for the node to let go of the share.
    serves: 'either',
    lasts: 10,
    bound: ({ lease, masterDown, start }) => ({ vip: 10 + masterDown + 10, writes: 10 + masterDown + 10 + lease + start }),
    twoHolders: () => 20,
  },
  {
    name: 'partition-active',
    what: 'the active node cut off by the switch, its link still up, for longer than the lease',
    inject: (scene) => drop(scene, { from: scene.active }, { to: scene.active }),
    undo: heal,
    serves: 'standby',
    lasts: longerThanLease,
    fences: true,
    isolates: true,
    bound: afterLease,
    twoHolders: () => 3,
  },
  {
    name: 'partition-one-way',
    what: 'nothing of the active node reaches the standby, all else passes, for 40 s',
    inject: (scene) => drop(scene, { from: scene.active, to: scene.standby }),
    undo: heal,
    serves: 'either',
    lasts: 40,
    bound: ({ masterDown, start }) => ({ vip: masterDown, writes: masterDown + start }),
    // The standby gives the address up when it has seen the other one's heartbeat for ten seconds, and stays away from it for a minute.
    twoHolders: () => 25,
  },
  {
    name: 'split-brain-seconds',
    what: 'VRRP blocked between the nodes for eight seconds, the share within reach of both',
    inject: async (scene) => {
      await drop(scene, ...between(scene, 'vrrp'));
      await sleep(8);
      await heal(scene);
    },
    undo: nothing,
    serves: 'either',
    lasts: 15,
    bound: ({ masterDown, start }) => ({ vip: masterDown, writes: 8 + masterDown + start }),
    twoHolders: () => 12,
  },
  {
    name: 'split-brain-minutes',
    what: 'VRRP blocked between the nodes for two minutes, the share within reach of both',
    inject: (scene) => drop(scene, ...between(scene, 'vrrp')),
    undo: heal,
    serves: 'active',
    lasts: 120,
    // The second holder comes, sees the heartbeat for ten seconds, and goes; after a minute once more. A slow machine takes half a minute for it.
    bound: ({ masterDown, arp }) => ({ vip: masterDown, writes: 20 + arp }),
    twoHolders: () => 2 * 30,
  },
  {
    name: 'nfs-path-active',
    what: 'the way to the NFS server blocked for the active node only, for longer than the lease',
    inject: (scene) => drop(scene, { from: scene.active, to: 'nfs' }, { from: 'nfs', to: scene.active }),
    undo: heal,
    serves: 'standby',
    lasts: longerThanLease,
    fences: true,
    isolates: true,
    client: 'standby',
    // The check says so when the server has not answered the agent's next two questions.
    bound: ({ checkInterval, masterDown, lease, start }) => ({ vip: masterDown, writes: 10 + checkInterval + masterDown + lease + start }),
    twoHolders: () => 3,
  },
  {
    name: 'isolate-crlf',
    what: "the isolation's script of the active node made CRLF, and the way to the NFS server blocked for longer than the lease",
    inject: async (scene) => {
      await asRoot(scene.lab, scene.active, `cp -a ${ISOLATE} /root/kept && sed -i "s/$/\\r/" ${ISOLATE} && sync`);
      await drop(scene, { from: scene.active, to: 'nfs' }, { from: 'nfs', to: scene.active });
    },
    undo: async (scene) => {
      await heal(scene);
      // The watch over the lease has rebooted it.
      await scene.lab.machine(scene.active).waitForSsh();
      await asRoot(scene.lab, scene.active, `mv -f /root/kept ${ISOLATE}`);
    },
    serves: 'standby',
    lasts: longerThanLease,
    fences: true,
    isolates: true,
    client: 'standby',
    bound: ({ checkInterval, masterDown, lease, start }) => ({ vip: masterDown, writes: 10 + checkInterval + masterDown + lease + start }),
    twoHolders: () => 3,
  },
];
