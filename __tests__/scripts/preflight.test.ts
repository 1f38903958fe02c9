import { DeployNode } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => (node = new DeployNode()));
afterEach(() => node.destroy());

test('a unit that an interrupted installation has left masked is the next stage\'s to finish', () => {
  node.write('fake/units/keepalived.service', 'masked-runtime inactive\n');
  expect(node.step('preflight').out).toContain('FAILED [keepalived/masked]');
  node.write('var/lib/nim-ha/before/packages.unfinished', '');
  expect(node.step('preflight')).toEqual({ code: 0, out: expect.any(String) });
});

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
  ['one machine for both nodes', { PEER_HOST: '192.0.2.11', PEER_NAME: 'primary' }, 'data/same-node'],
])('%s', (_, values, id) => {
  node.upload(values as unknown as Record<string, string>);
  const { code, out } = node.step('preflight');
  expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(`FAILED [${id}]`) });
});

test.each<[id: string, break_: () => unknown]>([
  ['node/tool', () => node.without('systemd-escape')],
  ['node/systemd', () => node.wrap('systemctl', '[[ $1 == --version ]] && echo "systemd 239 (239-78)" && exit; next "$@"')],
  ['node/cgroup', () => node.bash('rm "$NIM_HA_ROOT/sys/fs/cgroup/cgroup.controllers"')],
  ['node/packages', () => node.without('apt-get', 'dnf', 'yum')],
  ['node/maintenance', () => node.write('var/lib/nim-ha/maintenance', '')],
  ['nim/user', () => node.wrap('id', '[[ $* != nms ]] || exit 1; next "$@"')],
  ['nim/scripts', () => node.bash('rm -r "$NIM_HA_ROOT/etc/nms/scripts"')],
  ['nim/conf', () => node.bash('rm "$NIM_HA_ROOT/etc/nms/nms.conf"')],
  ['storage/tools', () => node.without('mount.nfs4')],
  ['storage/probe', () => node.wrap('unshare', 'exit 1')],
  ['storage/write', () => node.wrap('mktemp', '[[ $* != */nms/.nim-ha-probe* ]] || exit 1; next "$@"')],
  ['storage/lock', () => node.wrap('flock', '[[ $* != "-n 9" ]] || exit 1; next "$@"')],
  ['storage/root-squash', () => node.wrap('chown', '[[ $1 != nms ]] || exit 1; next "$@"')],
  ['storage/other-mount', () => node.write('proc/mounts', `/dev/sdb ${node.root}/var/lib/nms ext4 rw 0 0\n`)],
  ['network/link', () => node.wrap('ip', '[[ $* != *"dev ens32 up" ]] || exit 0; next "$@"')],
  ['network/own-address', () => node.set('vip')],
])('%s is refused, and nothing else', (id, break_) => {
  break_();
  const before = node.tree();
  const { code, out } = node.step('preflight');
  expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('changed so far: nothing') });
  expect([...new Set([...out.matchAll(/FAILED \[(.*?)\]/g)].map(([, found]) => found))]).toEqual([id]);
  const ours = (tree: Record<string, string>) => Object.entries(tree).filter(([path]) => !path.startsWith('run/nim-ha'));
  expect(ours(node.tree())).toEqual(ours(before));
});

test('little room is refused for each file system', () => {
  const { code, out } = node.bash('NIM_HA_FREE_KIB=65536 bash "$HOME/.nim-ha/scripts/run-step.sh" preflight');
  expect(code).toBe(3);
  expect(out.match(/FAILED \[node\/disk\]: space in \/(var|usr)/g)).toHaveLength(2);
});

test('where SELinux is enforcing, both scripts need the label that lets keepalived run them', () => {
  node.wrap('getenforce', 'echo Enforcing');
  node.wrap('matchpathcon', 'echo system_u:object_r:etc_t:s0');
  const { code, out } = node.step('preflight');
  expect(code).toBe(3);
  expect(out.match(/FAILED \[node\/selinux\]: label of .*, got system_u:object_r:etc_t:s0/g)).toHaveLength(2);
  node.wrap('matchpathcon', 'echo system_u:object_r:keepalived_unconfined_script_exec_t:s0');
  expect(node.step('preflight')).toEqual({ code: 0, out: expect.any(String) });
});

describe('data that must not meet, nor be hidden', () => {
  const refusal = (id: string): string => {
    const { code, out } = node.step('preflight');
    expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(`FAILED [${id}]`) });
    expect(out).not.toMatch(/empty the/);
    return out;
  };

  test('an empty share is refused to a node that has served from another one, mounted or not', () => {
    node.write('var/lib/nim-ha/manifest', '');
    expect(refusal('storage/other-share')).toContain('192.0.2.13:/mnt/nfs_share/nms, got empty, while this node has served from another share');
  });

  test.each(['primary', 'secondary'])('what the %s has stored since the pair was removed from it is not hidden by the next deploy', (role) => {
    node.upload({ ROLE: role });
    node.write('fake/nfs/nms/.nim-ha/imported', 'clickhouse=101:101\nnms=102:102\n');
    node.write('fake/nfs/nms/.nim-ha/removed/node-primary', '');
    // Of a removal that has not come to its end.
    node.write('var/lib/nim-ha/manifest', '');
    expect(refusal('storage/data-on-both')).toContain('what this node has served since the pair was removed from it');
    node.bash('rm -rf "$NIM_HA_ROOT/var/lib/nms" "$NIM_HA_ROOT/var/lib/clickhouse"; mkdir "$NIM_HA_ROOT/var/lib/nms" "$NIM_HA_ROOT/var/lib/clickhouse"');
    expect(node.step('preflight').code).toBe(0);
  });

  test('the same export, mounted under another name of its server, is not taken for a second set of data', () => {
    for (const name of ['clickhouse', 'nms']) {
      node.write(`fake/nfs/${name}/data`, '');
      node.bash(`mount -t nfs4 -o x nfs.example.org:/mnt/nfs_share/${name} "$NIM_HA_ROOT/var/lib/${name}"`);
    }
    const out = refusal('storage/other-name');
    expect(out).toContain('/var/lib/nms, got nfs.example.org:/mnt/nfs_share/nms mounted, which is the same export under another name, expected 192.0.2.13:/mnt/nfs_share/nms');
    expect(out).not.toContain('data-on-both');
  });

  test('a mount point that is a symbolic link is refused, for the data behind it would not be seen', () => {
    node.bash('mv "$NIM_HA_ROOT/var/lib/clickhouse" "$NIM_HA_ROOT/data"; ln -s "$NIM_HA_ROOT/data" "$NIM_HA_ROOT/var/lib/clickhouse"');
    expect(refusal('storage/symlink')).toContain('/var/lib/clickhouse, got a symbolic link to ');
  });
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
