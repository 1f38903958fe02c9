import { DeployNode } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => (node = new DeployNode()));
afterEach(() => node.destroy());

test('reports everything that is wrong at once, and changes nothing', () => {
  node.set('script-user');
  node.set('stranger');
  node.write('etc/keepalived/keepalived.conf', '# somebody else\n');
  node.write('etc/fstab', '/dev/sdb /var/lib/nms ext4 defaults 0 2\n');
  node.bash('rm "$FAKE/units/nms-core.service"');
  node.write('fake/nfs/clickhouse/theirs', 'x');
  node.write('fake/hostname', 'localhost\n');
  const before = node.tree();
  const { code, out } = node.step('preflight');
  expect(code).toBe(3);
  expect([...out.matchAll(/FAILED \[(.*?)\]/g)].map((match) => match[1])).toEqual([
    'nim/service',
    'keepalived/script-user',
    'keepalived/foreign-conf',
    'storage/fstab',
    'storage/data-on-both',
    'node/hostname',
    'network/stranger',
  ]);
  expect(out).toContain('nim-ha primary: preflight: FAILED [network/stranger]: virtual IP 192.0.2.100, got used by 52:54:00:00:00:99, expected used by no one');
  expect(out).toContain('changed so far: nothing');
  const ours = (tree: Record<string, string>) => Object.entries(tree).filter(([path]) => !path.startsWith('run/nim-ha'));
  expect(ours(node.tree())).toEqual(ours(before));
  expect(node.read('proc/mounts')).toBe('');
});

test.each([
  ['a virtual IP outside of every subnet', { VIRTUAL_IP: '198.51.100.7' }, 'network/subnet'],
  ['an interface that is not there', { INTERFACE: 'eth9' }, 'network/interface'],
  ['no keepalived where none is to be installed', { INSTALL_KEEPALIVED: 'no' }, 'keepalived/missing'],
  ['data that is not as it should be', { ROLE: 'third' }, 'data/value'],
])('%s', (_, values, id) => {
  node.upload(values as unknown as Record<string, string>);
  const { code, out } = node.step('preflight');
  expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(`FAILED [${id}]`) });
});

test("the trial file of the other node's preflight is no data", () => {
  node.write('fake/nfs/clickhouse/.nim-ha-probe.AbCdEf', '');
  expect(node.step('preflight')).toEqual({ code: 0, out: expect.any(String) });
});

test('a virtual IP that answers is fine on a node that is new to a pair which has served', () => {
  node.set('stranger');
  node.write('fake/nfs/nms/.nim-ha/holder', 'node-secondary 1234\n');
  node.write('fake/nfs/nms/.nim-ha/imported', 'clickhouse=101:101\nnms=102:102\n');
  expect(node.step('preflight')).toEqual({ code: 0, out: expect.any(String) });
});

test('an NFS server that is away is one line, not a hang', () => {
  node.set('server-away');
  expect(node.step('preflight').out).toContain('FAILED [storage/server]: TCP port 2049 of 192.0.2.13, got no answer');
});
