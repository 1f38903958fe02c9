import { DeployNode, fstabLines, Result } from './support/deploy-node';

/** What the guide's reader has written by hand: the share under a name of its own, soft, and a keepalived with the virtual IP. */
const CONF = 'vrrp_instance VI_1 {\n  interface ens32\n  virtual_ipaddress {\n    192.0.2.100/24\n  }\n}\n';
const LINES = ['clickhouse', 'nms'].map((name) => `nfs.example:/mnt/nfs_share/${name}\t/var/lib/${name}/ nfs vers=4.2,soft 0 0\n`);
const FSTAB = `LABEL=root / ext4 defaults 0 1\n${LINES[0]}# scratch\n${LINES[1]}tmpfs /scratch tmpfs defaults 0 0\n`;

function ok(result: Result): string {
  expect(result).toEqual({ code: 0, out: expect.any(String) });
  return result.out;
}

/** A node of a pair that was built by hand, and serves. */
function builtByHand(role: 'primary' | 'secondary' = 'primary'): DeployNode {
  const node = new DeployNode(role);
  node.write('etc/keepalived/keepalived.conf', CONF, 0o644);
  node.write('etc/fstab', FSTAB);
  node.write('fake/units/keepalived.service', 'enabled active\n');
  node.write('fake/packages', 'bash\nkeepalived\nnginx\n');
  node.write('fake/nfs/clickhouse/data/part.bin', 'rows of the pair');
  node.write('fake/nfs/nms/state.json', '{"of":"the pair"}');
  for (const name of ['clickhouse', 'nms']) ok(node.bash(`mount /var/lib/${name}`));
  node.set('stranger');
  node.actions();
  return node;
}

let node: DeployNode;
afterEach(() => node.destroy());

test('without takeOver all of it is refused, and nothing is touched', () => {
  node = builtByHand();
  const before = node.tree();
  const { code, out } = node.step('preflight');
  expect(code).toBe(3);
  expect([...out.matchAll(/FAILED \[(.*?)\]/g)].map(([, id]) => id)).toEqual([
    'keepalived/foreign-conf', 'storage/fstab', 'storage/fstab', 'storage/other-name', 'storage/other-name', 'network/stranger',
  ]);
  expect(out).toContain('got nfs.example:/mnt/nfs_share/nms mounted, which is the same export in another way, expected 192.0.2.13:/mnt/nfs_share/nms; takeOver, to have it mounted anew');
  const ours = (tree: Record<string, string>) => Object.entries(tree).filter(([path]) => !path.startsWith('run/'));
  expect(ours(node.tree())).toEqual(ours(before));
});

test.each(['primary', 'secondary'] as const)('a %s is taken over with its data, and is after a removal as it was, mounted, its old keepalived running', (role) => {
  node = builtByHand(role);
  if (role === 'secondary') node.set('peer-active');
  node.upload({ TAKE_OVER: 'yes' });
  const before = node.tree();
  const mounts = node.read('proc/mounts');
  const looked = ok(node.step('preflight'));
  expect(looked).toContain('/etc/keepalived/keepalived.conf is not ours; the roll-out replaces it, and a removal puts it back');
  expect(looked).toContain(`/etc/fstab, '${LINES[0].trim().replace('\t', '?')}' is not ours; the roll-out replaces it`);
  expect(looked).toContain('/var/lib/nms: the share is mounted in another way (nfs.example:/mnt/nfs_share/nms mounted); the roll-out mounts it anew');
  ok(node.step('stage'));
  expect(node.read('etc/keepalived/keepalived.conf')).toBe(CONF);
  for (const step of role === 'primary' ? ['2', '4'] : ['1', '3']) ok(node.step('rollout', step));

  // Its other node knows of no lock: nothing may serve here when that one becomes master.
  const stops = node.actions().filter((action) => /^systemctl stop (keepalived|.*nginx)/.test(action));
  expect(stops.slice(0, 2)).toEqual([expect.stringContaining('nginx.service'), 'systemctl stop keepalived.service']);
  const [first, second] = fstabLines('192.0.2.13').split('\n');
  expect(node.read('etc/fstab')).toBe(FSTAB.replace(LINES[0], `${first}\n`).replace(LINES[1], `${second}\n`));
  expect(node.read('proc/mounts').match(/192\.0\.2\.13:.*hard/g)).toHaveLength(2);
  expect(node.read('proc/mounts')).not.toContain('soft');
  expect(node.read('etc/keepalived/keepalived.conf')).toContain('auth_pass s3cret.X');
  expect(node.read('fake/nfs/clickhouse/data/part.bin')).toBe('rows of the pair');
  expect(node.read('var/lib/clickhouse.beneath/data/part.bin')).toBe('rows on this disk');
  // With the prop left in the program, and taken out of it, nothing more happens.
  expect(ok(node.step('rollout', role === 'primary' ? '4' : '3'))).toContain('nothing to do');
  node.actions();
  node.upload({ TAKE_OVER: 'no' });
  node.uploadSecret('s3cret.X');
  for (const step of [['preflight'], ['stage'], ['rollout', role === 'primary' ? '4' : '3']]) ok(node.step(...step));
  expect(node.actions().filter((action) => /^(systemctl (stop|restart|start)|u?mount .*\/var\/lib)/.test(action))).toEqual([]);

  ok(node.step('remove', 'restore'));
  const without = (tree: Record<string, string>) => Object.entries(tree).filter(([path]) => !/^var\/lib\/(nms|clickhouse)$/.test(path));
  expect(without(node.tree())).toEqual(without(before));
  expect(node.read('proc/mounts')).toBe(mounts);
  // The old keepalived decides where the services run.
  expect(node.read('fake/units/keepalived.service')).toBe('enabled active\n');
  for (const unit of ['nginx', 'nms-core']) expect(node.read(`fake/units/${unit}.service`)).toBe('enabled inactive\n');
});

test('a mount of another share is refused, and its line in fstab is no reason to take it off', () => {
  node = builtByHand();
  node.bash('mkdir -p "$FAKE/nfs-nfs.example/nms"; for n in nms clickhouse; do umount "$NIM_HA_ROOT/var/lib/$n"; done; mount /var/lib/nms');
  node.upload({ TAKE_OVER: 'yes' });
  const { code, out } = node.step('preflight');
  expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('FAILED [storage/other-mount]: /var/lib/nms, got nfs.example:/mnt/nfs_share/nms mounted, which is not 192.0.2.13:/mnt/nfs_share/nms, expected nothing, or the share') });
});

test('an address that no keepalived.conf of this node names is still a stranger\'s', () => {
  node = builtByHand();
  node.write('etc/keepalived/keepalived.conf', CONF.replace('192.0.2.100/24', '192.0.2.10'));
  node.upload({ TAKE_OVER: 'yes' });
  expect(node.step('preflight').out).toContain('FAILED [network/stranger]');
});

test('a removal that cannot mount what was mounted starts nothing, and goes on when it is run again', () => {
  node = builtByHand();
  node.upload({ TAKE_OVER: 'yes' });
  for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['rollout', '4']]) ok(node.step(...step));
  node.wrap('mount', '(($# > 1)) || { echo "mount: no"; exit 32; }; next "$@"');
  const { code, out } = node.step('remove', 'restore');
  expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('FAILED [remove/mount]: mount /var/lib/clickhouse, which /etc/fstab has without this pair, got mount: no, expected mounted, as before') });
  expect(node.read('fake/units/keepalived.service')).toContain('inactive');
  node.wrap('mount', 'next "$@"');
  ok(node.bash('bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/remove.sh" restore'));
  expect(node.read('fake/units/keepalived.service')).toBe('enabled active\n');
  expect(node.read('etc/fstab')).toBe(FSTAB);
});

describe('a removal that fails when all is mounted and runs as before', () => {
  /** What the old keepalived has started there. */
  const inUse = () => node.write('fake/busy', '99');
  const remove = () => node.bash('NIM_HA_UNMOUNT_LIMIT=0 bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/run-step.sh" remove restore');
  beforeEach(() => {
    node = builtByHand();
    node.upload({ TAKE_OVER: 'yes' });
    for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['rollout', '4']]) ok(node.step(...step));
    node.wrap('systemctl', '[[ "$*" != "--quiet enable "* ]] || exit 1; next "$@"');
    expect(remove()).toEqual({ code: 1, out: expect.stringContaining('FAILED [remove/unit]') });
    node.wrap('systemctl', 'next "$@"');
    expect(node.read('fake/units/keepalived.service')).toContain(' active');
    node.bash('rm -f "$NIM_HA_ROOT/run/nim-ha/lock-held"'); // the old keepalived starts no lock holder, the stand-in does
    node.actions();
  });

  test('leaves that alone when it is run again, and comes to its end', () => {
    inUse();
    const mounts = node.read('proc/mounts');
    ok(remove());
    expect(node.actions().filter((action) => /^systemctl stop keepalived|^umount .*var.lib/.test(action))).toEqual([]);
    expect([node.read('proc/mounts'), node.read('etc/fstab'), node.has('var/lib/nim-ha')]).toEqual([mounts, FSTAB, false]);
    expect(node.read('fake/units/keepalived.service')).toBe('enabled active\n');
  });

  test('stops a keepalived again that does not have its own file back', () => {
    node.write('etc/keepalived/keepalived.conf', `${CONF}# ours\n`);
    inUse();
    ok(remove());
    expect(node.actions()).toEqual(expect.arrayContaining(['systemctl stop keepalived.service']));
    expect([node.read('etc/keepalived/keepalived.conf'), node.read('fake/units/keepalived.service')]).toEqual([CONF, 'enabled active\n']);
  });

  test('takes off what a deploy in between has mounted', () => {
    node.set('stranger', false);
    node.uploadSecret('s3cret.X');
    for (const step of [['stage'], ['rollout', '2'], ['rollout', '4']]) ok(node.step(...step));
    expect(node.read('proc/mounts')).not.toContain('soft');
    node.actions();
    ok(remove());
    expect(node.actions().filter((action) => /^systemctl stop keepalived|^umount .*var.lib.(nms|clickhouse)$/.test(action))).toHaveLength(3);
    expect(node.read('proc/mounts')).toContain('soft');
    expect(node.read('fake/units/keepalived.service')).toBe('enabled active\n');
  });
});

describe('lines that systemd mounts by autofs', () => {
  const AUTOFS = FSTAB.replaceAll('vers=4.2,soft', 'noauto,x-systemd.automount,vers=4.2');
  beforeEach(() => {
    node = builtByHand();
    node.write('etc/fstab', AUTOFS);
    node.upload({ TAKE_OVER: 'yes' });
    for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['rollout', '4']]) ok(node.step(...step));
  });

  test('are mounted before a removal starts what ran on the share', () => {
    node.wrap('systemctl', 'if [[ "$*" == "start var-lib-"*.automount ]]; then at="${2%.automount}"; mount "/${at//-//}"; exit; fi; next "$@"');
    const out = ok(node.step('remove', 'restore'));
    for (const point of ['/var/lib/clickhouse', '/var/lib/nms']) expect(out).toContain(`mounted ${point}, as before`);
    expect(node.read('fake/units/keepalived.service')).toBe('enabled active\n');
    expect(node.read('var/lib/nms/state.json')).toBe('{"of":"the pair"}');
  });

  test('or nothing is started', () => {
    node.wrap('systemctl', '[[ "$*" != "start var-lib-"*.automount ]] || { echo "no such unit"; exit 5; }; next "$@"');
    const { code, out } = node.step('remove', 'restore');
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('FAILED [remove/mount]: mount /var/lib/clickhouse by var-lib-clickhouse.automount, which /etc/fstab has without this pair, got no such unit, expected mounted, as before') });
    expect(node.read('fake/units/keepalived.service')).toContain('inactive');
  });
});

test('a removal starts nothing on the share while the other node serves from it', () => {
  node = builtByHand();
  node.upload({ TAKE_OVER: 'yes' });
  for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['rollout', '4']]) ok(node.step(...step));
  node.write('fake/nfs/nms/.nim-ha/holder', 'node-b 1\n');
  node.holdLock();
  const { code, out } = node.bash('NIM_HA_DRAIN_LIMIT=1 bash "$HOME/.nim-ha/scripts/run-step.sh" remove restore');
  expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('FAILED [remove/peer-serves]: the lock on the share, got held by node-b 1, expected free') });
  for (const unit of ['nginx', 'keepalived']) expect(node.read(`fake/units/${unit}.service`)).toContain('inactive');
  node.letGo();
  ok(node.step('remove', 'restore'));
  expect(node.read('fake/units/keepalived.service')).toBe('enabled active\n');
});

describe('lines of /etc/fstab', () => {
  const apply = (...args: string[]) => node.script('fstab.sh', ['apply', ...args], fstabLines('192.0.2.13'));

  test.each([
    ['one for each mount point', FSTAB],
    ['two for one of them, without a newline at the end', `/dev/sdb /var/lib/nms ext4 noauto 0 2\n/dev/sdc /var//lib/nms ext4 noauto 0 2`],
    ['line ends of another system', 'LABEL=root / ext4 defaults 0 1\r\n/dev/sdb /var/lib/clickhouse ext4 defaults 0 2\r\n'],
  ])('%s, are back after a removal, to the byte', (_, before) => {
    node = new DeployNode();
    node.write('etc/fstab', before);
    expect(apply('take-over').out).toBe('changed\n');
    expect(node.script('fstab.sh', ['foreign'], fstabLines('192.0.2.13')).out).toBe('');
    expect(node.read('etc/fstab').match(/192\.0\.2\.13/g)).toHaveLength(2);
    // Again, and by a deploy that takes nothing over.
    for (const args of [['take-over'], []]) expect(apply(...args).out).toBe('');
    node.script('fstab.sh', ['remove']);
    expect(node.read('etc/fstab')).toBe(before);
    expect(node.has('var/lib/nim-ha/fstab.taken')).toBe(false);
  });

  test.each(['fstab.taken', 'fstab.lines', 'etc/fstab'])('are lost by no interruption before %s is written', (file) => {
    node = new DeployNode();
    node.write('etc/fstab', FSTAB);
    node.wrap('mv', `[[ $* != *${file} ]] && next "$@"`);
    expect(apply('take-over').code).toBe(1);
    expect(node.read('etc/fstab')).toBe(FSTAB);
    node.wrap('mv', 'next "$@"');
    expect(apply('take-over').out).toBe('changed\n');
    node.script('fstab.sh', ['remove']);
    expect(node.read('etc/fstab')).toBe(FSTAB);
  });

  test('that somebody has put back meanwhile are there once after a removal', () => {
    node = new DeployNode();
    node.write('etc/fstab', FSTAB);
    apply('take-over');
    node.write('etc/fstab', FSTAB);
    node.script('fstab.sh', ['remove']);
    expect(node.read('etc/fstab')).toBe(FSTAB);
  });
});
