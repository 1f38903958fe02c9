import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Audit } from '../../lab/audit';
import type { Lab } from '../../lab/lab';
import type { Load } from '../../lab/load';
import { MACHINES, type MachineName, type NodeName } from '../../lab/machines';
import { CONFLICTS, LOCK_CLIENTS, Observer } from '../../lab/observer';
import type { Observed, Pair, PlanResult } from '../../lab/pair';
import type { Rows } from '../../lab/rows';
import { run, type RunOptions } from '../../lab/run';

const ROLES = { active: 'node-a', standby: 'node-b' } as const;
const SERVICES = ['clickhouse-server', 'nginx'];

function observed(active: boolean): Observed {
  return {
    reachable: true, reason: '', vrrp_state: active ? 'MASTER' : 'BACKUP', holds_virtual_ip: active, holds_lock: active, phase: active ? 'ACTIVE' : 'STANDBY', keepalived: 'active',
    services: Object.fromEntries(SERVICES.map((service) => [service, active ? 'active' : 'inactive'])),
    mounts: {}, config_in_sync: true, drifted: [], since: '',
  };
}

const ledgerLine = (sequence: number): string => `${sequence} node-a 11111111-2222-3333-4444-555555555555 0.50 ${sequence}.50\n`;

/** What a node's five looks at its processes show. */
function looks(processes: (look: number) => readonly string[]): string {
  return [1, 2, 3, 4, 5].map((look) => ['    1 Ss /sbin/init', ' 10 D [kworker/0:1]', ...processes(look)].map((line) => `${line}\n`).join('') + '--\n').join('');
}

/** A pair in order, as seen by all that the audit looks at. Each test spoils one of its views. */
class World {
  public holders: MachineName[] = ['node-a'];
  public nodes: Record<NodeName, Observed> = { 'node-a': observed(true), 'node-b': observed(false) };
  public rows?: number[] = [1, 2, 3, 4];
  public conflicts = '';
  public lockClients = ['10.77.0.11'];
  public ledger = [1, 2, 3].map(ledgerLine).join('');
  public notes = this.ledger;
  public processes = looks(() => []);
  /** The same of the standby alone. */
  public there = '';
  /** What a stand-in has written last at a look, the first of which is 1; unset: a new line at each. */
  public last: (look: number, service: string) => string = ledgerLine;
  private looked = 0;
  /** Rows that were on their way while the fault lasted. */
  public fresh = [4];
  public plan: PlanResult = {
    resources: [], outputs: [],
    planned: {
      virtual_ip: '10.77.0.100', active_node: 'node-a',
      primary: { declared: { name: 'node-a', host: '', role: 'primary' }, observed: observed(true) },
      secondary: { declared: { name: 'node-b', host: '', role: 'secondary' }, observed: observed(false) },
    },
  };

  /** Earlier answers, each given once. */
  public plans?: PlanResult[];

  public off: NodeName[] = [];
  public standIns = ['nms-core', 'nms-dpm', 'nms-ingestion', 'nms-integrations'];

  private serverSays(command: string): string {
    if (command.includes('conflicts')) return this.conflicts;
    if (command.includes('nfsd/clients')) return this.lockClients.map((address) => `address: "${address}:728"\n`).join('');
    if (command.includes('tail')) {
      this.looked += 1;
      return this.standIns.map((service) => `\x1e${service}\n${this.last(this.looked, service)}`).join('');
    }
    return `\x1enms-core\n${this.ledger}`;
  }

  public audit(): Audit {
    const lab = {
      switch: { holders: async () => this.holders.map((name) => MACHINES.find((machine) => machine.name === name)!.lanMac) },
      machine: (name: NodeName) => ({ running: !this.off.includes(name), ssh: async (command: string) => ({ code: 0, stdout: this.says(name, command) }) }),
      nfs: { ssh: async (command: string) => ({ code: 0, stdout: this.serverSays(command) }) },
    };
    const pair = { diff: async () => this.plans?.shift() ?? this.plan };
    return new Audit(lab as unknown as Lab, pair as unknown as Pair, { numbers: async () => this.rows } as unknown as Rows, { acknowledged: [3, 4], onTheirWay: () => new Set(this.fresh) } as unknown as Load, 2);
  }

  private says(name: NodeName, command: string): string {
    if (command.includes('status --json')) return JSON.stringify(this.nodes[name]);
    if (command.includes('tail')) return `\x1enms-core\n${name === 'node-a' ? this.notes : ''}`;
    return (name === 'node-b' && this.there) || this.processes;
  }
}

async function found(spoil: (world: World) => void): Promise<string> {
  const world = new World();
  spoil(world);
  const audit = world.audit();
  return [...(await audit.findings(ROLES)), ...(await audit.damage()).map(({ what }) => what)].join('\n');
}

test('a pair in order has no findings, and is settled', async () => {
  const world = new World();
  expect(await found(() => undefined)).toBe('');
  expect(await world.audit().settled()).toEqual(ROLES);
});

test.each<[string, (world: World) => void, RegExp]>([
  ['two answer for the virtual IP', (world) => (world.holders = ['node-a', 'node-b']), /^the virtual IP is answered by: node-a, node-b$/],
  ['nobody does', (world) => (world.holders = []), /^the virtual IP is answered by: nobody$/],
  ['services on the standby', (world) => (world.nodes['node-b'] = { ...observed(false), services: { nginx: 'active' } }), /^services run on the standby node-b/],
  ['two hold the lock', (world) => (world.nodes['node-b'] = { ...observed(false), holds_lock: true }), /^the lock is held by: true, true$/],
  ['a standby that does not know its services', (world) => (world.nodes['node-b'] = { ...observed(false), services: {} }), /^services run on the standby node-b: {}/],
  ['a service on the standby that systemd does not know of', (world) => (world.there = looks(() => ['7 Ssl /usr/bin/clickhouse-server --config=/etc/clickhouse-server/config.xml'])), /^node-b: a service's process on the standby: .*clickhouse-server/],
  ['a stand-in on the standby', (world) => (world.there = looks(() => ['7 Ss /usr/bin/perl /usr/lib/nms/stand-in.pl nms-dpm'])), /^node-b: a service's process on the standby: .*nms-dpm/],
  ['nobody has the lock on the server', (world) => (world.lockClients = []), /^the NFS server says that the lock is held by: nobody$/],
  ['another one has the lock on the server', (world) => (world.lockClients = ['10.77.0.12']), /^the NFS server says that the lock is held by: 10.77.0.12$/],
  ['a stand-in whose file is not on the share', (world) => (world.standIns = ['nms-core']), /^files of nms-core are on the share, not of nms-core, nms-dpm/],
  ['a stand-in that was written last by the standby', (world) => (world.last = (look) => ledgerLine(look).replace('node-a', 'node-b')), /^nms-core was written last by node-b, and node-a is active/],
  ['a file that is not as deployed', (world) => (world.nodes['node-a'] = { ...observed(true), config_in_sync: false, drifted: ['/etc/x'] }), /^drifted: \/etc\/x$/],
  ['an acknowledged row is lost', (world) => (world.rows = [1, 2, 4]), /^1 acknowledged rows are lost: 3$/],
  ['a row from before is lost', (world) => (world.rows = [1, 3, 4]), /^1 acknowledged rows are lost: 2$/],
  ['a row is there twice', (world) => (world.rows = [1, 2, 3, 4, 4]), /^1 rows are there twice$/],
  ['a second writer', (world) => (world.conflicts = 'node-b wrote while node-a did\n'), /^a service saw a second writer: node-b wrote/],
  ['a lost write of a service', (world) => (world.ledger = [1, 3].map(ledgerLine).join('')), /^nms-core: line 2 of node-a is number 3, not 2$/m],
  ['a line that was written for good, and is lost', (world) => (world.notes += ledgerLine(4)), /^1 lines that were written for good are lost: nms-core 4 node-a/],
  ['a hole of zeros in a file', (world) => (world.ledger = `${ledgerLine(1)}\0\0\n${ledgerLine(2)}${ledgerLine(3)}`), /^nms-core: line 2 is torn: "\\u0000\\u0000"$/],
  ['a file that is lost', (world) => (world.ledger = ''), /^\d lines that were written for good are lost: nms-core 1 node-a/],
  ['a process that nothing can kill', (world) => (world.processes = looks(() => ['7 D umount -f /x'])), /^node-a: in D state: umount -f \/x \(process 7\)\nnode-b: in D state/],
  ['scripts that pile up', (world) => (world.processes = looks((look) => Array.from({ length: 5 + look }, (_, at) => `${at + 20} S /bin/bash /etc/nms/scripts/nms-check-keepalived.sh`))), /^node-a: 6 scripts of keepalived pile up/],
  ['a look that failed', (world) => (world.processes = '--\n'), /^node-a: 1 looks at the processes, not 5/],
  ['a resource in the plan', (world) => (world.plan = { ...world.plan, resources: ['null_resource.x'] }), /^cdktf diff shows resources: null_resource.x$/],
  ['a stale active_node', (world) => (world.plan = { ...world.plan, planned: { ...world.plan.planned, active_node: 'node-b' } }), /^active_node is node-b, and node-a answers/],
  [
    'a stale observed',
    (world) => (world.plan = { ...world.plan, planned: { ...world.plan.planned, secondary: { ...world.plan.planned.secondary, observed: observed(true) } } }),
    /^observed of node-b: ACTIVE, holds the virtual IP: true/,
  ],
])('%s: red', async (_, spoil, finding) => {
  expect(await found(spoil)).toMatch(finding);
});

test('a plan that does not know the services yet is made again, and the next one counts', async () => {
  const unknown = ({ plan }: World): PlanResult => {
    const services = Object.fromEntries(SERVICES.map((service) => [service, 'unknown']));
    return { ...plan, planned: { ...plan.planned, secondary: { ...plan.planned.secondary, observed: { ...observed(false), services } } } };
  };
  expect(await found((world) => (world.plans = [unknown(world)]))).toBe('');
  expect(await found((world) => { world.plans = [unknown(world)]; world.plan = { ...world.plan, resources: ['null_resource.x'] }; })).toMatch(/^cdktf diff shows resources/);
}, 30_000);

test.each<[string, (look: number) => readonly string[]]>([
  ['many that wait for the disk for a moment, of the same name', (look) => [`${look} Ds sshd: ops [priv]`]],
  ['one that does now and then', (look) => [`7 ${look === 3 ? 'S' : 'D'} rsyslogd`]],
  ['a check, a notification, and what they call', () => [1, 2, 3, 4].map((pid) => `${pid} S /etc/nms/scripts/nms-check-keepalived.sh`)],
  ['one whose command ends like a look', () => ['7 S login --', '8 S sh']],
  ['a person who reads a script', () => [1, 2, 3, 4, 5].map((pid) => `${pid} S less -N /etc/nms/scripts/nms-check-keepalived.sh`)],
])('processes that are no finding: %s', async (_, processes) => {
  expect(await found((world) => (world.processes = looks(processes)))).toBe('');
});

test('damage is counted once, for the fault that did it', async () => {
  const world = new World();
  world.rows = [1, 2, 4];
  const audit = world.audit();
  expect(await audit.damage()).toHaveLength(1);
  expect(await audit.damage()).toEqual([]);
});

test('what was lost of what was there before the fault is told from what came while it lasted', async () => {
  const world = new World();
  const audit = world.audit();
  world.last = () => ledgerLine(3);
  await audit.remember();
  world.rows = [1];
  world.notes += ledgerLine(4) + ledgerLine(5);
  world.ledger = [1, 2].map(ledgerLine).join('');
  expect(await audit.damage()).toEqual([
    { what: '1 acknowledged rows are lost: 4', fresh: true },
    { what: '2 acknowledged rows are lost: 2, 3', fresh: false },
    { what: expect.stringMatching(/^2 lines that were written for good are lost: nms-core 4 .*, nms-core 5 /), fresh: true },
    { what: expect.stringMatching(/^1 lines that were written for good are lost: nms-core 3 /), fresh: false },
  ]);
  // Those that come later are not counted with the others.
  world.fresh = [];
  world.rows = [];
  expect(await audit.damage()).toEqual([{ what: '1 acknowledged rows are lost: 1', fresh: false }]);
});

test('rows that are there twice, from before the fault and from the time of it', async () => {
  const world = new World();
  world.rows = [1, 1, 2, 2, 2, 3, 4, 4];
  expect(await world.audit().damage()).toEqual([{ what: '1 rows are there twice', fresh: true }, { what: '2 rows are there twice', fresh: false }]);
});

test('a power cut that makes a node forget what it has noted hides no lost line', async () => {
  const world = new World();
  const audit = world.audit();
  await audit.remember();
  world.notes = ledgerLine(1);
  world.ledger = [1, 2].map(ledgerLine).join('');
  expect((await audit.damage()).map(({ what }) => what)).toEqual([expect.stringMatching(/^1 lines that were written for good are lost: nms-core 3 /)]);
});

test('a stand-in that stands still has written nothing, whatever it wrote before the pair was whole again', async () => {
  const world = new World();
  const audit = world.audit();
  expect(await audit.findings(ROLES)).toEqual([]);
  world.last = (look, service) => ledgerLine(service === 'nms-dpm' ? 100 : 100 + look);
  expect(await audit.findings(ROLES)).toEqual(['nms-dpm has written nothing since the pair has settled']);
});

test('nobody serves: no node is active, and each that is on says why', async () => {
  const world = new World();
  const out = (reason: string): Observed => ({ ...observed(false), phase: 'WAITING', reason });
  world.nodes = { 'node-a': out('the share is full'), 'node-b': out('the share is full') };
  expect(await world.audit().nobodyServes()).toBe(true);
  world.nodes['node-b'] = out('');
  expect(await world.audit().nobodyServes()).toBeUndefined();
  world.off = ['node-b'];
  expect(await world.audit().nobodyServes()).toBe(true);
  world.nodes['node-a'] = { ...observed(true), reason: 'so it says' };
  expect(await world.audit().nobodyServes()).toBeUndefined();
});

test('a ClickHouse that cannot be asked is no loss that a fault may excuse: the audit breaks off', async () => {
  jest.useFakeTimers();
  const world = new World();
  world.rows = undefined;
  world.ledger = world.notes = [1, 3].map(ledgerLine).join('');
  const asked = expect(world.audit().damage()).rejects.toThrow('ClickHouse does not answer through the virtual IP; nms-core: line 2 of node-a is number 3, not 2');
  await jest.advanceTimersByTimeAsync(200_000);
  jest.useRealTimers();
  await asked;
});

test('who has the lock is read from what the NFS server says of its clients', () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'clients-'));
  try {
    const lock = path.join(root, 'lock');
    fs.writeFileSync(lock, '');
    const { ino } = fs.statSync(lock);
    const state = (type: string, inode: number): string => `- 0x00: { type: ${type}, superblock: "fe:00:${inode}", filename: ".nim-ha/lock", owner: "${type} id:\\x00" }\n`;
    const client = (name: string, address: string, states: string): void => {
      fs.mkdirSync(path.join(root, 'clients', name), { recursive: true });
      fs.writeFileSync(path.join(root, 'clients', name, 'info'), `clientid: 0x1\naddress: "${address}:728"\nname: "x"\n`);
      fs.writeFileSync(path.join(root, 'clients', name, 'states'), states);
    };
    client('4', '10.77.0.11', state('open', ino) + state('lock', ino));
    client('5', '10.77.0.12', state('open', ino) + state('deleg', ino) + state('lock', ino + 1));
    const said = execFileSync('bash', ['-c', LOCK_CLIENTS], { env: { ...process.env, CLIENTS: path.join(root, 'clients'), LOCK: lock }, encoding: 'utf8' });
    expect(said).toBe('address: "10.77.0.11:728"\n');
  } finally {
    fs.rmSync(root, { recursive: true });
  }
});

test('who cannot be asked for what the stand-ins complained of has not said that it is nothing', async () => {
  const share = fs.mkdtempSync(path.join(os.tmpdir(), 'nim-ha-share-'));
  const asked = (directory: string): Promise<string[]> => {
    // The machine's own shell takes the quotes off.
    const ssh = (command: string, options?: RunOptions) => run('bash', ['-c', command.replace(/^sudo /, '')], { ...options, env: { ...process.env, SHARE: directory } });
    return new Observer({ nfs: { ssh } } as unknown as Lab).conflicts();
  };
  try {
    expect(CONFLICTS).toContain('/mnt/nfs_share/nms');
    expect(await asked(share)).toEqual([]);
    for (const service of ['nms-core', 'nms-dpm']) fs.mkdirSync(path.join(share, service));
    fs.writeFileSync(path.join(share, 'nms-core', 'conflicts'), '1 node-b wrote\n');
    expect(await asked(share)).toEqual(['1 node-b wrote']);
    await expect(asked(path.join(share, 'no-such'))).rejects.toThrow('no-such');
  } finally {
    fs.rmSync(share, { recursive: true });
  }
});
