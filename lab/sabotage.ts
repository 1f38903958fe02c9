import { Audit, type Settled } from './audit';
import { Checks, eventually, GENTLY_MS } from './checks';
import { asRoot, sleep } from './faults/fault';
import { Lab } from './lab';
import { Load } from './load';
import { LAN_INTERFACE, LAN_PREFIX, VIRTUAL_IP } from './machines';
import { Operator } from './operator';
import { elapsedSeconds, progress, timed } from './progress';
import { Rows } from './rows';

const ROWS = 100;
const PROGRAM = '/usr/local/lib/nim-ha/nim-ha.sh';
const DROP_IN = '/etc/systemd/system/nginx.service.d/50-nim-ha.conf';

interface Stage extends Settled {
  readonly lab: Lab;
  readonly operator: Operator;
  readonly rows: Rows;
}

/** A product that is broken on purpose, and what the audit has to say then. */
interface Sabotage {
  readonly what: string;
  readonly finding: RegExp;
  do(stage: Stage): Promise<unknown>;
  undo(stage: Stage): Promise<unknown>;
}

const ADDRESS = `${VIRTUAL_IP}/${LAN_PREFIX} dev ${LAN_INTERFACE}`;
const nothing = async (): Promise<void> => undefined;

const SABOTAGES: readonly Sabotage[] = [
  {
    what: 'the standby has the virtual IP, too',
    finding: /^the virtual IP is answered by: node-\w, node-\w$/m,
    do: async ({ lab, standby }) => (await asRoot(lab, standby, `ip address add ${ADDRESS}`), await sleep(2)),
    undo: ({ lab, standby }) => asRoot(lab, standby, `ip address del ${ADDRESS}`),
  },
  {
    what: 'a service that the lock does not bind runs on the standby',
    finding: /^services run on the standby/m,
    do: ({ lab, standby }) => asRoot(lab, standby, `mv ${DROP_IN} /root/kept; systemctl daemon-reload; systemctl start nginx`),
    undo: ({ lab, standby }) => asRoot(lab, standby, `systemctl stop nginx; mv /root/kept ${DROP_IN}; systemctl daemon-reload`),
  },
  {
    what: 'a line that a service has written for good is gone',
    finding: /^1 lines that were written for good are lost: nms-dpm /m,
    // The node's note of one that the share does not have: the file itself cannot lose a line under the hands of its writer without damage to others.
    do: ({ lab, active }) => asRoot(lab, active, 'f=/var/log/nms/nms-dpm; tail -n 1 $f | sed "s/^[0-9]*/999999/" >>$f'),
    undo: nothing,
  },
  {
    what: 'an acknowledged row is gone',
    finding: /^1 acknowledged rows are lost: 50$/m,
    do: async ({ rows }) => {
      await rows.forget(50);
      await eventually(60, async () => ((await rows.numbers()).includes(50) ? undefined : true));
    },
    undo: nothing,
  },
  {
    what: 'a row is there twice',
    finding: /^1 rows are there twice$/m,
    do: ({ rows }) => rows.insert(51, 1),
    undo: nothing,
  },
  {
    what: 'the standby says what it said when it was active',
    finding: /^observed of node-\w: ACTIVE, holds the virtual IP: true/m,
    do: ({ lab, active, standby }) =>
      asRoot(lab, active, 'nim-ha status --json').then((status) =>
        asRoot(lab, standby, `cp -a ${PROGRAM} /root/kept; printf "%s\\n" "#!/bin/bash" "cat /root/stale" >${PROGRAM}; printf "%s\\n" "${status.replace(/"/g, '\\"')}" >/root/stale`),
      ),
    undo: ({ lab, standby }) => asRoot(lab, standby, `cp -a /root/kept ${PROGRAM}; rm -f /root/stale`),
  },
  {
    what: "keepalived's scripts pile up",
    finding: /^node-\w: 6 scripts of keepalived pile up$/m,
    do: ({ lab, standby }) => asRoot(lab, standby, 'for i in 1 2 3 4 5 6; do (exec -a nms-check-keepalived.sh sleep 120) >/dev/null 2>&1 </dev/null & done'),
    undo: ({ lab, standby }) => asRoot(lab, standby, 'pkill -f "^nms-check-keepalived.sh 120"', 'any'),
  },
  {
    what: 'the pair is not what the program says',
    finding: /^cdktf diff shows resources: /m,
    do: async ({ operator }) => operator.intend({ monitoredServices: ['clickhouse-server', 'nginx', 'nms-core', 'nms-dpm', 'nms-integrations'] }),
    undo: async ({ operator }) => operator.intend({}),
  },
  // Last, for the file does not recover from it.
  {
    what: 'the standby writes to the share',
    // Whoever writes last wins: what the other one has written for good is gone, or stands among the lines of the first.
    finding: /^\d+ lines that were written for good are lost: nms-core|^nms-core: line \d+: node-\w writes on after node-\w has begun$/m,
    do: ({ lab, standby }) => asRoot(lab, standby, 'timeout 8 runuser -u nms /usr/lib/nms/stand-in.pl nms-core >/dev/null 2>&1', [124]),
    undo: nothing,
  },
];

/** Breaks the product on real machines in each way that the audit is there for, and sees it go red. @returns whether it did */
export async function sabotage(): Promise<boolean> {
  const lab = await Lab.up();
  const operator = await Operator.of(lab);
  await timed('cdktf deploy', () => operator.deploy());
  const rows = await Rows.through(lab.sshArgs('nfs'), VIRTUAL_IP);
  if (!(await eventually(120, async () => (await rows.create(), true)))) throw new Error('ClickHouse does not answer through the virtual IP');
  await rows.insert(1, ROWS);
  const load = new Load(rows, ROWS + 1);
  const checks = new Checks();
  const audit = new Audit(lab, operator.pair, rows, load, ROWS);
  const all = async (roles: Settled): Promise<string[]> => [...(await audit.findings(roles)), ...(await audit.damage()).map(({ what }) => what)];
  const settled = await audit.settled();
  if (!settled) throw new Error(`the pair is not whole: ${await audit.reasons()}`);
  const clean = await all(settled);
  checks.claim('a pair in order has no findings', clean.length === 0, clean.join('; '));
  for (const { what, finding, do: spoil, undo } of SABOTAGES) {
    progress(`── ${what}`);
    const stage = { lab, operator, rows, ...settled };
    const failed = await spoil(stage).then(() => undefined, (error: Error) => `could not be done: ${error.message}`);
    const found = await all(settled);
    checks.claim(`${what}: the audit is red`, !failed && finding.test(found.join('\n')), failed ?? found.join('; '));
    await undo(stage);
    await eventually(120, async () => ((await audit.findings(settled)).length === 0 ? true : undefined), GENTLY_MS);
  }
  const after = await audit.findings(settled);
  checks.claim('all is in order again', after.length === 0, after.join('; '));
  await load.stop();
  rows.close();
  process.stdout.write(`${checks.summary()}\n`);
  await lab.down();
  progress(`done after ${Math.round(elapsedSeconds())} s`);
  return !checks.failed;
}
