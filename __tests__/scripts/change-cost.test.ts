import { readFileSync } from 'fs';
import { join } from 'path';
import { PairModel } from '../../lib/config/model';
import { encodeLiteral, nodeDataEntries } from '../../lib/config/node-data';
import { guidePair } from '../config/pairs';
import { DeployNode, Result } from './support/deploy-node';

type Role = 'primary' | 'secondary';

const STEPS: Record<Role, string[]> = { primary: ['2', '4'], secondary: ['1', '3'] };
const SERVICE = 'extra.service';

const pair = guidePair();
const { primary, secondary, virtualIp, nfs, services } = pair;

/** README's words, and what a node does then. */
const WORDS: Record<string, RegExp[]> = {
  nothing: [],
  'nothing; from the next mount on, or the next boot': [],
  'the same': [],
  'keepalived reads it, and keeps the virtual IP': [/^systemctl reload keepalived.service$/],
  'keepalived starts anew': [/^systemctl stop keepalived.service$/, /^systemctl restart keepalived.service$/],
  'all stops, and starts anew': [/^systemctl stop keepalived.service$/, /^systemctl restart keepalived.service$/],
  'all stops, is mounted anew, and starts': mountedAnew(),
  'keepalived stops, both are mounted anew, keepalived starts': mountedAnew(),
  "NIM's own services start anew": [/^systemctl restart nms-core.service nms-dpm.service nms-integrations.service nms-ingestion.service$/],
  'it starts anew if it runs already': [/^systemctl restart extra.service$/],
  'it stops': [/^systemctl stop nms-ingestion.service$/],
  'it stops if it runs': [/^systemctl stop (extra|nms-ingestion).service$/],
};

function mountedAnew(): RegExp[] {
  const mounts = ['clickhouse', 'nms'].flatMap((name) => [new RegExp(`^umount .*/${name}$`), new RegExp(`^mount .*/${name}$`)]);
  return [/^systemctl stop keepalived.service$/, ...mounts, /^systemctl restart keepalived.service$/];
}

interface Change {
  to: Partial<PairModel>;
  secret?: string;
  /** On the node, before. */
  make?(node: DeployNode): void;
}

const to = (changes: Partial<PairModel>): Change => ({ to: changes });

/** Each row of README's table, with all changes that it names. */
const CHANGES: Record<string, Change[]> = {
  '`authPass`, `virtualIp.address`': [{ to: {}, secret: 'other' }, to({ virtualIp: { ...virtualIp, address: '192.0.2.101' } })],
  '`virtualIp.virtualRouterId`, `networkInterface`': [
    to({ virtualIp: { ...virtualIp, virtualRouterId: 9 } }),
    to({ primary: { ...primary, networkInterface: 'ens33' }, secondary: { ...secondary, networkInterface: 'ens33' } }),
  ],
  '`nfsShare.server`, for the same share under another name of the server; `sync` where the mounts are without it': [
    { to: { nfs: { ...nfs, server: 'nfs.example' } } },
    { to: { nfs: { ...nfs, mountOptions: [...nfs.mountOptions, 'sync'], fstabOptions: 'defaults,sync' } } },
  ],
  'other `mountOptions`, `fstabOptions`': [to({ nfs: { ...nfs, mountOptions: [...nfs.mountOptions, 'noatime'], fstabOptions: 'defaults,noatime' } })],
  '`operationMode`': [to({ operationMode: 'connected' })],
  'a service more': [
    {
      to: { services: [...services, 'extra'] },
      make: (node) => {
        // Out of the boot, so that it is on record for its being stopped alone.
        node.write(`fake/units/${SERVICE}`, 'disabled active\n');
        node.write(`fake/groups/${SERVICE}`, `/system.slice/${SERVICE}\n`);
      },
    },
  ],
  'a service less': [to({ services: services.slice(0, -1) })],
  'names, management addresses and ports, `installKeepalived`, `takeOver`': [
    to({ primary: { ...primary, name: 'x', port: 2222 }, secondary: { ...secondary, host: '192.0.2.22' }, installKeepalived: false, takeOver: true }),
  ],
};

function ok(result: Result): void {
  expect(result).toEqual({ code: 0, out: expect.any(String) });
}

const dataOf = (changes: Partial<PairModel>, role: Role) => {
  const changed = guidePair(changes);
  return Object.fromEntries(nodeDataEntries(changed, changed[role], { GENERATION: '1' }, encodeLiteral));
};

function deployed(role: Role): DeployNode {
  const node = new DeployNode(role);
  for (const name of services) node.write(`fake/units/${name}.service`, 'enabled active\n');
  node.upload(dataOf({}, role));
  if (role === 'secondary') node.set('peer-active');
  for (const step of [['preflight'], ['stage'], ...STEPS[role].map((number) => ['rollout', number])]) ok(node.step(...step));
  node.snapshot();
  return node;
}

const README = readFileSync(join(__dirname, '../../README.md'), 'utf8');
const section = README.slice(README.indexOf('### What a change costs'), README.indexOf('## Outputs'));
const rows = [...section.matchAll(/^\| (?!change |---)(.*?) \| (.*?) \| (.*?) \|$/gm)].map(([, change, ...words]) => ({ change, words }));

test('the README names each change that is tried here, and no other', () => {
  expect(rows.map(({ change }) => change)).toEqual(Object.keys(CHANGES));
});

describe.each(['primary', 'secondary'] as const)('what the README says of a change, on the %s', (role) => {
  let node: DeployNode;
  beforeAll(() => (node = deployed(role)));
  beforeEach(() => node.restore());
  afterAll(() => node.destroy());

  test.each(rows.flatMap(({ change, words }) => (CHANGES[change] ?? []).map((each, index) => ({ change, words: words[role === 'primary' ? 0 : 1], each, index }))))(
    '$change ($index): $words',
    ({ words, each }) => {
      each.make?.(node);
      node.upload(dataOf(each.to, role));
      node.uploadSecret(each.secret ?? 's3cret.X');
      ok(node.step('stage'));
      node.actions();
      for (const number of STEPS[role]) ok(node.step('rollout', number));
      // The agent serves nobody, and a trial mount touches nothing.
      const done = node.actions().filter((action) => !/daemon-reload|--no-reload|nim-ha-agent|\/run\/nim-ha\/step\//.test(action));
      expect(done).toEqual(WORDS[words].map((action) => expect.stringMatching(action)));
      if (each.make && role === 'secondary') expect(node.read('var/lib/nim-ha/before/units')).toContain(`${SERVICE} disabled active\n`);
    },
  );
});
