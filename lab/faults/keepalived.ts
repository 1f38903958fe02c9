import { Fault, afterCheck, afterLease, asRoot, handover, nothing, sleep, unnoticed } from './fault';

const SCRIPTS = '/etc/nms/scripts';
const NOTIFY = `${SCRIPTS}/nms-notify-keepalived.sh`;
const LOCK_HOLDER = '/usr/local/lib/nim-ha/lock-holder.sh';

/** A script of keepalived's on the active node that is no longer what it was. */
function spoiled(script: 'check' | 'notify', how: string, command: string, rest: Pick<Fault, 'serves' | 'bound'>): Fault {
  const file = `${SCRIPTS}/nms-${script}-keepalived.sh`;
  return {
    name: `${script}-script-${how}`,
    what: `the ${script} script of the active node: ${how}`,
    inject: ({ lab, active }) => asRoot(lab, active, `cp -a ${file} /root/kept && ${command.replace(/FILE/g, file)}`).then(() => undefined),
    undo: ({ lab, active }) => asRoot(lab, active, `mv -f /root/kept ${file}`).then(() => undefined),
    // The agent bears a keepalived that runs no check for 30 s.
    lasts: script === 'check' ? 60 : 30,
    ...rest,
  };
}

export const keepalivedFaults: readonly Fault[] = [
  {
    name: 'keepalived-restarted',
    what: 'keepalived restarted on the active node',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl restart keepalived')),
    undo: nothing,
    serves: 'standby',
    bound: handover,
  },
  {
    name: 'keepalived-stopped',
    what: 'keepalived stopped on the active node',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl stop keepalived')),
    undo: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl start keepalived')),
    serves: 'standby',
    bound: handover,
  },
  {
    name: 'keepalived-killed',
    what: 'keepalived killed with SIGKILL on the active node',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl kill --kill-who=all --signal=KILL keepalived')),
    undo: nothing,
    // It is back within two seconds, as the backup of whoever was quicker.
    serves: 'either',
    lasts: 20,
    bound: ({ masterDown, start }) => ({ vip: masterDown, writes: masterDown + start }),
  },
  {
    name: 'keepalived-frozen',
    what: 'keepalived stopped with SIGSTOP on the active node, and woken up after a minute',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl kill --kill-who=all --signal=STOP keepalived')),
    undo: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl kill --kill-who=all --signal=CONT keepalived', 'any')),
    serves: 'either',
    lasts: 60,
    // Noticed after 30 s without a check; the peer has the address meanwhile, too, until it sees that the lock is alive, and clients
    // believe whoever spoke last.
    bound: ({ start }) => ({ vip: 45, writes: 45 + start }),
    twoHolders: () => 35,
  },
  // keepalived takes one that cannot be executed for a success.
  spoiled('check', 'deleted', 'rm FILE', { serves: 'either', bound: afterCheck }),
  spoiled('check', 'hanging', 'printf "#!/bin/bash\\nsleep 1000\\n" >FILE', { serves: 'standby', bound: (timing) => ({ ...afterCheck(timing), writes: afterCheck(timing).writes + timing.checkInterval }) }),
  spoiled('check', 'crlf', 'sed -i "s/$/\\r/" FILE', { serves: 'either', bound: afterCheck }),
  spoiled('check', 'mode-0644', 'chmod 0644 FILE', { serves: 'either', bound: afterCheck }),
  // Nothing calls it while nothing changes; a standby without it would not be able.
  spoiled('notify', 'deleted', 'rm FILE', { serves: 'active', bound: unnoticed }),
  spoiled('notify', 'hanging', 'printf "#!/bin/bash\\nsleep 1000\\n" >FILE', { serves: 'active', bound: unnoticed }),
  spoiled('notify', 'crlf', 'sed -i "s/$/\\r/" FILE', { serves: 'active', bound: unnoticed }),
  spoiled('notify', 'mode-0644', 'chmod 0644 FILE', { serves: 'active', bound: unnoticed }),
  {
    name: 'vrrp-address-deleted',
    what: 'the virtual IP deleted from the interface of the active node',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'ip address del 10.77.0.100/24 dev lan0')),
    undo: nothing,
    // keepalived takes it for a sign that it must not be master, and says so.
    serves: 'standby',
    bound: handover,
  },
  {
    name: 'agent-killed',
    what: 'the agent killed with SIGKILL on the active node',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl kill --kill-who=all --signal=KILL nim-ha-agent')),
    undo: nothing,
    serves: 'active',
    lasts: 20,
    bound: () => ({ vip: 0, writes: 3 }),
  },
  {
    name: 'lock-holder-killed',
    what: 'the main process of the lock holder killed with SIGKILL on the active node',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl kill --kill-who=main --signal=KILL nim-ha-lock')),
    undo: nothing,
    // The services go with it; the node takes the lock again, unless the check was due just then.
    serves: 'either',
    lasts: 30,
    bound: ({ masterDown, checkInterval, start }) => ({ vip: masterDown, writes: checkInterval + masterDown + start }),
  },
  {
    name: 'lock-holder-crlf',
    what: "the lock holder's script of the standby made CRLF, and keepalived restarted on the active node; put right after a minute",
    inject: async ({ lab, active, standby }) => {
      await asRoot(lab, standby, `cp -a ${LOCK_HOLDER} /root/kept && sed -i "s/$/\\r/" ${LOCK_HOLDER}`);
      await asRoot(lab, active, 'systemctl restart keepalived');
    },
    undo: ({ lab, standby }) => asRoot(lab, standby, `mv -f /root/kept ${LOCK_HOLDER}`).then(() => undefined),
    // Three times in vain, five seconds apart, and the next check gives the address back.
    serves: 'either',
    lasts: 60,
    bound: ({ masterDown, checkInterval, start }) => ({ vip: masterDown, writes: 4 * 5 + checkInterval + masterDown + start }),
  },
  {
    name: 'lock-unit-killed',
    what: 'all processes of the lock holder killed with SIGKILL on the active node',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl kill --kill-who=all --signal=KILL nim-ha-lock')),
    undo: nothing,
    serves: 'either',
    lasts: 30,
    bound: (timing) => ({ vip: timing.masterDown, writes: afterLease(timing).writes }),
  },
  {
    name: 'lock-holder-starved',
    what: 'no process can be started any more in the lock holder of the active node, for a minute',
    inject: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl set-property --runtime nim-ha-lock.service TasksMax=1')),
    undo: async ({ lab, active }) => {
      await lab.machine(active).waitForSsh(); // it may have rebooted
      await asRoot(lab, active, 'systemctl set-property --runtime nim-ha-lock.service TasksMax=infinity');
    },
    // No heartbeat: the node isolates itself. What then starts there again fails three times, or the peer is quicker.
    serves: 'either',
    lasts: 60,
    bound: ({ lease, masterDown, checkInterval, start }) => ({ vip: masterDown, writes: lease + 4 * 5 + checkInterval + masterDown + start }),
  },
  {
    name: 'election-unheard',
    what: 'the notify script of the standby mode 0644 for ten seconds, in which keepalived is stopped on the active node',
    inject: async ({ lab, active, standby }) => {
      await asRoot(lab, standby, `chmod 0644 ${NOTIFY}`);
      await asRoot(lab, active, 'systemctl stop keepalived');
      await sleep(10);
      await asRoot(lab, standby, `chmod 0755 ${NOTIFY}`);
    },
    undo: async ({ lab, active }) => void (await asRoot(lab, active, 'systemctl start keepalived')),
    serves: 'standby',
    // The agent sees the address without the wish every five seconds, bears it for fifteen, and has VRRP elect anew.
    bound: ({ masterDown, start }) => ({ vip: 2 + masterDown, writes: 10 + 5 + 15 + 5 + 2 + masterDown + start }),
  },
];
