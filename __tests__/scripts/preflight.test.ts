import { DeployNode, Result } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => (node = new DeployNode()));
afterEach(() => node.destroy());

function ok(result: Result): string {
  expect(result).toEqual({ code: 0, out: expect.any(String) });
  return result.out;
}

test('a unit that an interrupted installation has left masked is the next stage\'s to finish', () => {
  node.write('fake/units/keepalived.service', 'masked-runtime inactive\n');
  expect(node.step('preflight').out).toContain('FAILED [keepalived/masked]');
  node.write('var/lib/nim-ha/before/packages.unfinished', '');
  expect(node.step('preflight')).toEqual({ code: 0, out: expect.any(String) });
});

test('a line of somebody else is shown, and moves no cursor of an operator', () => {
  node.write('etc/fstab', '/dev/\u001b[2Jsdb /var/lib/nms ext4 \u009b1mé 0 2\n');
  expect(node.step('preflight').out).toContain('FAILED [storage/fstab]: /etc/fstab, got /dev/?[2Jsdb /var/lib/nms ext4 ?1mé 0 2, expected');
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

test('options that came as tokens and are refused at synth otherwise are refused before the share is touched', () => {
  const lines = ['clickhouse', 'nms'].map((name) => `192.0.2.13:/mnt/nfs_share/${name} /var/lib/${name} nfs defaults,noauto,vers=3 0 0`);
  node.upload({ MOUNT_OPTIONS: 'rw,vers=4.2,soft,bg,noauto', FSTAB: lines.join('\n') });
  const { code, out } = node.step('preflight');
  expect(code).toBe(3);
  expect([...out.matchAll(/FAILED \[data\/option\]: (.*?), expected/g)].map(([, what]) => what)).toEqual([
    'nfsShare.mountOptions, got soft',
    'nfsShare.mountOptions, got bg',
    'nfsShare.fstabOptions, got noauto',
    'nfsShare.fstabOptions, got vers=3',
  ]);
  expect(out).toContain('expected one that fits: a write must wait for the server, one that is given up can corrupt data; write "hard"\n');
  expect(out).toContain('changed so far: nothing');
  expect(node.actions().filter((action) => action.startsWith('mount'))).toEqual([]);
});

test('where SELinux is enforcing, scripts with the label that lets keepalived run them are fine', () => {
  node.wrap('getenforce', 'echo Enforcing');
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

  test('nor where its hostname is another one by then; the note of the removal goes with the deploy', () => {
    const removed = 'ls "$FAKE/nfs/nms/.nim-ha/removed"';
    for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['remove', 'restore']]) ok(node.step(...step));
    node.write('fake/hostname', 'renamed\n');
    node.upload();
    node.uploadSecret('s3cret.X');
    refusal('storage/data-on-both');
    // Another machine has nothing to do with it.
    const id = node.read('etc/machine-id');
    node.write('etc/machine-id', `${'c'.repeat(32)}\n`);
    ok(node.step('preflight'));
    // This one was installed anew.
    node.write('fake/hostname', 'node-primary\n');
    refusal('storage/data-on-both');
    node.write('etc/machine-id', id);
    node.write('fake/hostname', 'renamed\n');
    node.bash('cd "$NIM_HA_ROOT/var/lib" && mkdir old && mv nms clickhouse old && mkdir nms clickhouse');
    node.write('fake/nfs/nms/.nim-ha/removed/node-secondary', '');
    for (const step of [['preflight'], ['stage'], ['rollout', '2']]) ok(node.step(...step));
    expect(node.bash(removed).out).toBe('node-secondary\n');
  });

  test('a machine without an id is known by its hostname', () => {
    const removed = 'ls "$FAKE/nfs/nms/.nim-ha/removed"';
    node.write('etc/machine-id', 'uninitialized\n');
    for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['remove', 'restore']]) ok(node.step(...step));
    expect(node.bash(removed).out).toBe('node-primary\n');
    node.upload();
    refusal('storage/data-on-both');
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
