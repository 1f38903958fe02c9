import { GUIDE_SERVICES } from '../../lib/config/model';
import { eventually } from '../checks';
import { LAN_PREFIX, machineNamed, NODES, secondMac, VIRTUAL_IP, type NodeName } from '../machines';
import { Fault, Scene, asRoot, sleep } from './fault';

/** The steps of a deploy with a node that each is at work on: the one whose power is cut. */
const STEPS: readonly { step: string; node: NodeName }[] = [
  { step: 'preflight', node: 'node-a' },
  { step: 'stage', node: 'node-b' },
  { step: 'rollout 1', node: 'node-b' },
  { step: 'rollout 2', node: 'node-a' },
  { step: 'rollout 3', node: 'node-b' },
  { step: 'rollout 4', node: 'node-a' },
];

interface Interruption {
  readonly name: string;
  readonly what: string;
  strike(scene: Scene, node: NodeName, ctrlC: () => void): Promise<void>;
  mend?(scene: Scene, node: NodeName): Promise<void>;
}

const INTERRUPTIONS: readonly Interruption[] = [
  {
    name: 'ctrl-c',
    what: 'Ctrl-C',
    strike: async (_, __, ctrlC) => ctrlC(),
  },
  {
    name: 'connection-cut',
    what: 'the connections to the node cut',
    // The node's side of every login of the operator; what a step has started is not among them.
    strike: async ({ lab }, node) => void (await asRoot(lab, node, 'pkill -KILL -f "^sshd: ops"', 'any')),
  },
  {
    name: 'power-cut',
    what: 'power cut of the node, switched on again ten seconds later',
    strike: ({ lab }, node) => lab.machine(node).powerCut(),
    mend: async ({ lab }, node) => {
      await sleep(10);
      await lab.machine(node).start();
      await lab.machine(node).waitForSsh();
    },
  },
];

/** A change of the password is on its way: the one that is not done is the one that two nodes may disagree on. */
const interrupted: readonly Fault[] = INTERRUPTIONS.flatMap((interruption) =>
  STEPS.map(({ step, node }): Fault => ({
    name: `deploy-${interruption.name}-${step.replace(' ', '-')}`,
    what: `a deploy of another password, interrupted when the step ${step} begins on ${node}: ${interruption.what}; then the same deploy again`,
    inject: async (scene) => {
      scene.operator.newPassword();
      const { code } = await scene.operator.pair.deployInterrupted(new RegExp(`nim-ha ${node}: ${step}: begins`), (ctrlC) => interruption.strike(scene, node, ctrlC));
      if (code === 0) throw new Error('the deploy was not interrupted: it ended with 0');
      await interruption.mend?.(scene, node);
    },
    undo: ({ operator }) => operator.deploy(),
    serves: 'either',
    // The other node may be out of the pair when this one's power is cut: then nobody serves until it is back, and holds the lock.
    bound: ({ masterDown, lease, start }) =>
      interruption.mend ? { vip: 10 + 90 + masterDown, writes: 10 + 90 + masterDown + lease + start } : { vip: masterDown, writes: masterDown + start },
  })),
);

/** A change that the two nodes cannot make at the same moment, while they serve. */
function change(name: string, what: string, settings: object, more: Partial<Fault> = {}): Fault {
  return {
    name: `change-${name}`,
    what: `cdktf deploy on a serving pair: ${what}; and back`,
    inject: async ({ operator }) => {
      operator.intend(settings);
      await operator.deploy();
    },
    undo: async ({ operator }) => {
      operator.intend({});
      await operator.deploy();
    },
    serves: 'either',
    bound: ({ masterDown, start }) => ({ vip: masterDown, writes: masterDown + start }),
    ...more,
  };
}

const OTHER_ADDRESS = '10.77.0.101';
const OTHER_VIRTUAL_IP = { virtualIp: { address: `${OTHER_ADDRESS}/${LAN_PREFIX}` } };
const OTHER_INTERFACE = 'lan1';

/** @throws when a node has the address still: who answers on the LAN tells nothing of it, for the probe asks for one and for the other */
async function expectAddressGone({ lab }: Scene, address: string): Promise<void> {
  for (const name of NODES) {
    let there = 'no answer';
    const gone = await eventually(5, async () => (there = await asRoot(lab, name, `ip -oneline address show to ${address}`)) === '' || undefined);
    if (!gone) throw new Error(`${name} has the address ${address} still: ${there}`);
  }
}

/** A second network card on the same wire, which answers for nothing but its own addresses. */
async function addInterface({ lab }: Scene): Promise<void> {
  for (const name of NODES) {
    const machine = machineNamed(name);
    const address = machine.lanAddress.replace(/\.(\d+)$/, (_, host) => `.${Number(host) + 20}`);
    await asRoot(lab, name, [
      'sysctl -qw net.ipv4.conf.all.arp_ignore=1',
      `ip link add ${OTHER_INTERFACE} link lan0 address ${secondMac(machine)} type macvlan mode bridge`,
      `ip address add ${address}/24 dev ${OTHER_INTERFACE} noprefixroute`,
      `ip link set ${OTHER_INTERFACE} up`,
    ].join(' && '));
  }
}

const EXTRA = 'lab-extra.service';

/** A service that runs on both nodes, as packages leave them. */
async function addService({ lab }: Scene): Promise<void> {
  const unit = '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n';
  for (const name of NODES) await asRoot(lab, name, `printf "${unit}" >/etc/systemd/system/${EXTRA}; systemctl daemon-reload; systemctl enable --now ${EXTRA}`);
}

/** @throws unless it runs where the lock is, in the slice of the others, and there alone */
async function expectServiceGathered({ lab, active }: Scene): Promise<void> {
  for (const name of NODES) {
    const group = (await asRoot(lab, name, `systemctl show --value --property=ControlGroup ${EXTRA}`)).trim();
    const expected = name === active ? `/nimha.slice/${EXTRA}` : '';
    if (group !== expected) throw new Error(`${EXTRA} on ${name}: got the control group '${group}', expected '${expected}'`);
  }
}

const changes: readonly Fault[] = [
  change('services', 'one more service is monitored, which runs on both nodes already', {}, {
    inject: async (scene) => {
      await addService(scene);
      scene.operator.intend({ monitoredServices: [...GUIDE_SERVICES, EXTRA.replace('.service', '')] });
      await scene.operator.deploy();
      await expectServiceGathered(scene);
    },
    undo: async ({ lab, operator }) => {
      operator.intend({});
      await operator.deploy();
      for (const name of NODES) await asRoot(lab, name, `systemctl --quiet disable --now ${EXTRA}; rm /etc/systemd/system/${EXTRA}; systemctl daemon-reload`);
    },
  }),
  {
    ...change('auth-pass', 'another password', {}),
    inject: async ({ operator }) => {
      operator.newPassword();
      await operator.deploy();
    },
  },
  change('virtual-ip', 'another virtual IP', OTHER_VIRTUAL_IP, {
    inject: async (scene) => {
      const { lab, operator } = scene;
      await lab.switch.setAddresses([VIRTUAL_IP, OTHER_ADDRESS]);
      operator.intend(OTHER_VIRTUAL_IP);
      await operator.deploy();
      await expectAddressGone(scene, VIRTUAL_IP);
    },
    undo: async (scene) => {
      const { lab, operator } = scene;
      operator.intend({});
      await operator.deploy();
      await lab.switch.setAddresses([VIRTUAL_IP]);
      await expectAddressGone(scene, OTHER_ADDRESS);
    },
    // The client knows the first address only, and waits for it to come back.
    bound: ({ masterDown }) => ({ vip: masterDown, writes: 600 }),
  }),
  change('interface', 'another network interface', {}, {
    inject: async (scene) => {
      await addInterface(scene);
      const { primary, secondary } = scene.lab.config();
      const on = (node: object): object => ({ ...node, networkInterface: OTHER_INTERFACE });
      scene.operator.intend({ primary: on(primary), secondary: on(secondary) });
      await scene.operator.deploy();
    },
    undo: async ({ lab, operator }) => {
      operator.intend({});
      await operator.deploy();
      for (const name of NODES) await asRoot(lab, name, `ip link del ${OTHER_INTERFACE}; sysctl -qw net.ipv4.conf.all.arp_ignore=0`);
    },
    // keepalived knows its instance by the interface: the active node gives everything up and is elected anew.
    bound: ({ masterDown, start }) => ({ vip: 60 + masterDown, writes: 60 + masterDown + start }),
  }),
  change('profile', 'the other keepalived profile, with other priorities and weights', {}, {
    inject: async ({ operator }) => {
      operator.intend({ profile: operator.profile === 'guide' ? 'hardened' : 'guide' });
      await operator.deploy();
    },
  }),
];

export const deployFaults: readonly Fault[] = [...changes, ...interrupted];
