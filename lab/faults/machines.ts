import { NODES } from '../machines';
import { Fault, Scene, afterLease, asRoot, handover, longerThanLease, nothing, sleep, type Timing } from './fault';
import { fillWith } from './full-disk';
import { reboot, rebooted } from './reboot';

/** Without fencing at the share nothing keeps such a node from writing when it wakes up. */
export function asleep(name: string, what: string, how: { sleep(scene: Scene): Promise<void>; wake(scene: Scene): Promise<void> }, lasts: number | ((timing: Timing) => number) = longerThanLease): Fault {
  return {
    name,
    what: `the active node ${what}`,
    inject: how.sleep,
    undo: async (scene) => {
      await how.wake(scene);
      // It finds that its time is over, and may reboot itself.
      await sleep(20);
      await scene.lab.machine(scene.active).waitForSsh();
    },
    serves: 'standby',
    lasts,
    fences: true,
    bound: afterLease,
    // Woken up, it still believes to be master until it hears the other one.
    twoHolders: () => 20,
    // What it had pending is written before it can know that its lock is gone, over what the other one has stored.
    mayDamageUnfenced: /./,
  };
}

function reboots(role: 'active' | 'standby', what: string, rest: Pick<Fault, 'serves' | 'lasts' | 'bound'>): Fault {
  let before = '';
  return {
    name: `reboot-${role}`,
    what,
    inject: async (scene) => {
      before = await reboot(scene.lab, scene[role]);
    },
    undo: (scene) => rebooted(scene.lab, scene[role], before),
    ...rest,
  };
}

export const machineFaults: readonly Fault[] = [
  reboots('active', 'the active node rebooted', {
    serves: 'standby',
    // It shuts down in order: keepalived says so, services stop, the lock is let go.
    bound: ({ masterDown, start }) => ({ vip: masterDown, writes: masterDown + start + 20 }),
  }),
  reboots('standby', 'the standby rebooted', { serves: 'active', lasts: 5, bound: () => ({ vip: 0, writes: 3 }) }),
  {
    name: 'power-cut-active',
    what: 'power cut of the active node, and switched on again a minute later',
    inject: ({ lab, active }) => lab.machine(active).powerCut(),
    undo: async ({ lab, active }) => {
      await lab.machine(active).start();
      await lab.machine(active).waitForSsh();
    },
    serves: 'standby',
    lasts: 60,
    fences: true,
    bound: afterLease,
  },
  {
    name: 'power-cut-both',
    what: 'power cut of both nodes, and both switched on together',
    inject: ({ lab }) => Promise.all(NODES.map((name) => lab.machine(name).powerCut())).then(() => undefined),
    undo: ({ lab }) => Promise.all(NODES.map((name) => lab.machine(name).start())).then(() => undefined),
    comesBack: ({ lab }) => Promise.all(NODES.map((name) => lab.machine(name).waitForSsh())).then(() => undefined),
    serves: 'nobody',
    lasts: 5,
    bound: ({ masterDown, lease, start }) => ({ vip: 5 + 60 + masterDown, writes: 5 + 60 + masterDown + lease + start }),
    twoHolders: () => 20,
  },
  {
    name: 'power-cut-all',
    what: 'power cut of both nodes and the NFS server; the nodes are switched on 60 s before the server',
    inject: ({ lab }) => Promise.all(lab.all.map((vm) => vm.powerCut())).then(() => undefined),
    undo: async ({ lab }) => {
      await Promise.all(NODES.map((name) => lab.machine(name).start()));
      await sleep(60);
      await lab.nfs.start();
    },
    comesBack: ({ lab }) => Promise.all(lab.all.map((vm) => vm.waitForSsh())).then(() => undefined),
    serves: 'nobody',
    lasts: 5,
    bound: ({ masterDown, lease, start }) => ({ vip: 5 + 60 + 60 + masterDown, writes: 5 + 60 + 60 + masterDown + lease + start + 60 }),
    twoHolders: () => 20,
  },
  {
    name: 'frozen-short',
    what: 'the active node frozen for less than the lease, and woken up',
    inject: async ({ lab, active, timing }) => {
      lab.machine(active).freeze();
      await sleep(timing.lease / 3);
      lab.machine(active).thaw();
    },
    undo: nothing,
    serves: 'either',
    lasts: 20,
    bound: ({ masterDown, lease, start }) => ({ vip: masterDown, writes: lease / 3 + masterDown + lease + start }),
    // Woken up, it still believes to be master until it hears the other one.
    twoHolders: () => 20,
  },
  asleep('frozen-long', 'frozen for longer than the lease, its clock going on, and woken up while the other one serves', {
    sleep: async ({ lab, active }) => lab.machine(active).freeze(),
    wake: async ({ lab, active }) => lab.machine(active).thaw(),
  }),
  asleep('paused-long', 'paused by its hypervisor for longer than the lease, its clock standing still, and woken up while the other one serves', {
    sleep: ({ lab, active }) => lab.machine(active).pause(),
    wake: ({ lab, active }) => lab.machine(active).resume(),
  }),
  {
    name: 'clock-jumped',
    what: 'the clock of the active node set an hour ahead',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'date -s "+1 hour"')),
    undo: async ({ lab, active }) => void (await asRoot(lab, active, 'date -s "-1 hour"')),
    serves: 'active',
    lasts: 30,
    bound: () => ({ vip: 0, writes: 3 }),
  },
  {
    name: 'disk-full',
    what: 'the disk of the active node full',
    inject: ({ lab, active }) => fillWith(lab, active, '/root/ballast'),
    undo: async ({ lab, active }) => void (await asRoot(lab, active, 'rm -f /root/ballast')),
    serves: 'either',
    lasts: 40,
    bound: ({ checkInterval, masterDown, start }) => ({ vip: masterDown, writes: checkInterval + masterDown + start }),
  },
  {
    name: 'switchover',
    what: 'nim-ha switchover on the active node',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'nim-ha switchover')),
    undo: nothing,
    serves: 'standby',
    bound: (timing) => ({ ...handover(timing), writes: handover(timing).writes + 20 }),
  },
  {
    name: 'switchover-killed',
    what: 'nim-ha switchover killed while it waits for the services to stop',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'timeout -s KILL 2 nim-ha switchover', 'any')),
    undo: nothing,
    serves: 'standby',
    // The agent, which looks every five seconds, gives it 15, and the services take up to 20 to stop.
    bound: (timing) => ({ ...handover(timing), writes: handover(timing).writes + 20 + 15 + 5 }),
  },
  {
    name: 'maintenance',
    what: 'nim-ha maintenance on, a reboot of that node, and maintenance off',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'nim-ha maintenance on')),
    undo: async ({ lab, active }) => {
      await rebooted(lab, active, await reboot(lab, active));
      await sleep(20);
      const phase = await asRoot(lab, active, 'nim-ha status | head -1');
      if (!/MAINTENANCE/.test(phase)) throw new Error(`maintenance does not outlive a reboot: ${phase}`);
      await asRoot(lab, active, 'nim-ha maintenance off');
    },
    serves: 'standby',
    bound: handover,
  },
];
