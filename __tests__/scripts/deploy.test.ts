import { spawn } from 'child_process';
import { join } from 'path';
import { DeployNode, fstabLines, MACHINE_IDS, Result } from './support/deploy-node';

function ok(result: Result): string {
  expect(result).toEqual({ code: 0, out: expect.any(String) });
  return result.out;
}

function stageAgain(node: DeployNode, secret = 's3cret.X'): void {
  node.uploadSecret(secret);
  ok(node.step('stage'));
}

test('what was there before is on the disk before anything is changed', () => {
  const node = new DeployNode();
  try {
    ok(node.step('preflight'));
    ok(node.step('stage'));
    // What is recorded and what is changed, at each sync of the record.
    const look = 'cd "$NIM_HA_ROOT" && printf "%s %s\\n" "$(find var/lib/nim-ha/before/files -type f | wc -l)$(wc -l <var/lib/nim-ha/before/absent)" "$(ls etc/systemd/system | wc -l)" >>"$FAKE/looks"';
    node.write('wrappers/sync', `#!/bin/bash\n[[ $* != *before ]] || { ${look}; }\n`, 0o755);
    ok(node.bash('PATH="$NIM_HA_ROOT/wrappers:$PATH" bash "$HOME/.nim-ha/scripts/run-step.sh" rollout 2'));
    const looks = node.read('fake/looks').trim().split('\n').map((line) => line.split(' ').map(Number));
    const [recorded] = looks.filter(([, changed]) => changed === 0).pop() ?? [0];
    expect(recorded).toBeGreaterThan(30);
  } finally {
    node.destroy();
  }
});

describe('a first deploy', () => {
  let node: DeployNode;
  afterEach(() => node.destroy());

  test('of the primary fails, names what and what was changed, and goes on at the next run', () => {
    node = new DeployNode();
    const before = node.tree();
    expect(ok(node.step('preflight'))).toContain('nim-ha primary: preflight: hostname node-primary; everything needed is there');
    ok(node.step('stage'));
    expect(node.read('etc/nms/scripts/nms-notify-keepalived.sh')).toContain('vendor');

    node.set('services-fail');
    const failed = node.step('rollout', '2');
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('FAILED [rollout/not-active]: phase, got FAILED (nginx is failed), expected ACTIVE');
    expect(failed.out).toContain('the journal that explains it');
    expect(failed.out).toMatch(/changed so far: installed keepalived .*copied \/var\/lib\/clickhouse to the share/);
    node.set('services-fail', false);
    ok(node.step('rollout', '2'));
    expect(node.has('var/lib/nim-ha/applied')).toBe(true);

    ok(node.step('remove', 'restore'));
    expect(node.tree()).toEqual(before);
  });

  test('that broke off is taken back with the uploaded scripts', () => {
    node = new DeployNode();
    const before = node.tree();
    ok(node.step('preflight'));
    ok(node.step('stage'));
    node.set('keepalived-fails');
    expect(node.step('rollout', '2').code).toBe(1);
    ok(node.step('remove', 'restore'));
    expect(node.tree()).toEqual(before);
    expect(node.read('fake/units/nginx.service')).toBe('enabled active\n');
  });

  test('in the RHEL family puts the command where sudo finds it, and a removal takes it away', () => {
    node = new DeployNode();
    node.write('etc/redhat-release', 'Rocky Linux release 9.4\n');
    node.bash('mkdir -p "$NIM_HA_ROOT/usr/sbin"');
    const before = node.tree();
    for (const step of [['preflight'], ['stage'], ['rollout', '2']]) ok(node.step(...step));
    const links = node.bash('cd "$NIM_HA_ROOT/usr" && readlink sbin/nim-ha local/sbin/nim-ha').out;
    expect(links).toBe('/usr/local/lib/nim-ha/nim-ha.sh\n'.repeat(2));
    ok(node.step('remove', 'restore'));
    expect(node.tree()).toEqual(before);
  });

  test('of a secondary with the hostname of the primary is refused before anything changes', () => {
    node = new DeployNode('secondary');
    node.write('fake/nfs/nms/.nim-ha/nodes/primary@192.0.2.12', 'identity=node-secondary\nclickhouse=101:101\nnms=7:7\n');
    const { code, out } = node.step('preflight');
    expect(code).toBe(3);
    expect(out).toContain('FAILED [node/hostname]: hostname, got node-secondary on both nodes, expected two different ones');
    expect(out).toContain('FAILED [node/uid]: uid:gid of nms, got 102:102, expected 7:7 as on the peer');
    expect(out).toContain('changed so far: nothing');
  });
});

describe('a deployed primary', () => {
  const node = new DeployNode();
  let before: Record<string, string>;
  beforeAll(() => {
    before = node.tree();
    for (const step of [['preflight'], ['stage'], ['rollout', '2'], ['rollout', '4']]) ok(node.step(...step));
    node.actions();
    node.snapshot();
  });
  beforeEach(() => node.restore());
  afterAll(() => node.destroy());

  test('serves from the share, and in its boot is only what decides', () => {
    expect(node.read('fake/nfs/clickhouse/data/part.bin')).toBe('rows on this disk');
    expect(node.read('fake/nfs/nms/.nim-ha/imported')).toContain('clickhouse=101:101\nnms=102:102\n');
    expect(node.read('etc/keepalived/keepalived.conf')).toContain('        auth_pass s3cret.X\n');
    expect(node.mode('etc/keepalived/keepalived.conf')).toBe('600');
    expect(node.read('etc/fstab').split('\n')).toHaveLength(4);
    expect(node.read('etc/nms/nms.conf')).toBe('# NIM\nuser: nms\nintegrations:\n  license:\n    mode_of_operation: disconnected\n');
    for (const unit of ['nginx', 'nms-core', 'nms']) expect(node.read(`fake/units/${unit}.service`)).toMatch(/^disabled/);
    for (const unit of ['keepalived', 'nim-ha-agent']) expect(node.read(`fake/units/${unit}.service`)).toBe('enabled active\n');
    expect(node.read('var/lib/nim-ha/generation')).toBe('1\n');
  });

  test('has the password in the file that keepalived reads, and in no other', () => {
    const secrets = Object.entries(node.tree()).filter(([, text]) => text.includes('s3cret.X'));
    expect(secrets.map(([path]) => path)).toEqual(['etc/keepalived/keepalived.conf']);
    expect(node.read('home/ops/.nim-ha/secret/auth_pass')).toBe('');
    expect(node.mode('home/ops/.nim-ha/secret/auth_pass')).toBe('600');
  });

  test('is neither restarted nor rewritten by all steps with the same content', () => {
    const ours = () => Object.entries(node.tree()).filter(([path]) => !/^run\/nim-ha\/step|staged/.test(path));
    const deployed = ours();
    ok(node.step('preflight'));
    stageAgain(node);
    for (const number of ['2', '4']) expect(ok(node.step('rollout', number))).toContain('nothing to do: active, as deployed');
    // Trial mounts of preflight go to a directory of its own.
    expect(node.actions().filter((line) => !line.includes('/run/nim-ha/step/'))).toEqual([]);
    expect(ours()).toEqual(deployed);
  });

  test('reads a changed password without a restart, and restarts only NIM for the mode of operation', () => {
    node.upload({ OPERATION_MODE: 'connected' });
    stageAgain(node, 'other');
    ok(node.step('rollout', '2'));
    expect(node.actions()).toEqual([
      'systemctl daemon-reload',
      'systemctl reload keepalived.service',
      'systemctl restart nms-core.service',
    ]);
    expect(node.read('etc/keepalived/keepalived.conf')).toContain('auth_pass other\n');
  });

  const BEATS = 'while sleep 0.05; do printf + >&9 || exit; done';
  const nimHa = (...args: string[]) => node.bash(`bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/nim-ha.sh" ${args.join(' ')}`);

  test('whose mode of operation somebody has changed is not as deployed, and repairDrift mends it', () => {
    expect(ok(nimHa('generation'))).toBe('1\n');
    node.write('etc/nms/nms.conf', node.read('etc/nms/nms.conf').replace('disconnected', 'connected'));
    expect(ok(nimHa('status'))).toContain('/etc/nms/nms.conf: mode of operation\n');
    expect(ok(nimHa('generation'))).toBe('02\n');
    node.upload({ GENERATION: '2' });
    ok(node.step('preflight'));
    stageAgain(node);
    ok(node.step('rollout', '2'));
    expect(node.read('etc/nms/nms.conf')).toContain('mode_of_operation: disconnected\n');
    expect(node.actions()).toContain('systemctl restart nms-core.service');
    expect(ok(nimHa('generation'))).toBe('2\n');
  });

  test('whose files are new, and whose services did not start with them, is not as deployed before a deploy has come to its end', () => {
    const TODO = '/var/lib/nim-ha/todo: a deploy has not come to its end; if it was interrupted, run it again\n';
    node.upload({ OPERATION_MODE: 'connected' });
    stageAgain(node);
    expect(ok(nimHa('status'))).toMatch(/^config +as deployed$/m);
    node.wrap('systemctl', '[[ $* != "restart nms-core.service" || -e $FAKE/restarts ]] || exit 1\nnext "$@"');
    expect(node.step('rollout', '2').out).toContain('FAILED [rollout/services]');
    expect(ok(nimHa('status'))).toContain(TODO);
    expect(ok(nimHa('generation'))).toBe('02\n');
    node.set('restarts');
    ok(node.step('rollout', '2'));
    expect(ok(nimHa('status'))).toMatch(/^config +as deployed$/m);
  });

  test('that a deploy refuses has begun nothing', () => {
    node.bash('cp -a "$FAKE/nfs" "$FAKE/nfs-192.0.2.99"');
    node.upload({ NFS_SERVER: '192.0.2.99', FSTAB: fstabLines('192.0.2.99') });
    stageAgain(node);
    node.holdLock(BEATS, 'nfs-192.0.2.99');
    try {
      expect(node.step('rollout', '2').out).toContain('FAILED [storage/other-pair]');
      expect(ok(nimHa('status'))).toMatch(/^config +as deployed$/m);
    } finally {
      node.letGo();
    }
  });

  test('whose files are new, and whose systemd did not take them, is not as deployed: the next run does the rest', () => {
    node.upload({ OPERATION_MODE: 'connected' });
    stageAgain(node);
    node.wrap('systemctl', '[[ $1 != daemon-reload || -e $FAKE/reloads ]] || exit 1\nnext "$@"');
    const failed = node.step('rollout', '2');
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('FAILED [node/daemon-reload]')]);
    node.actions();
    node.set('reloads');
    ok(node.step('rollout', '2'));
    expect(node.actions()).toEqual(['systemctl daemon-reload', 'systemctl restart nms-core.service']);
    expect(node.read('var/lib/nim-ha/manifest')).toBe(node.read('var/lib/nim-ha/staged/manifest'));
    expect(ok(node.step('rollout', '4'))).toContain('nothing to do: active, as deployed');
  });

  test('that its new files have not reached yet takes the old virtual IP back, which it still has', () => {
    const address = (is: string) => {
      node.upload({ VIRTUAL_IP: is });
      stageAgain(node, `of${is.slice(-4)}`);
    };
    address('192.0.2.101');
    node.wrap('systemctl', '[[ $1 != reload ]] || exit 1; next "$@"');
    expect(node.step('rollout', '2').out).toContain('FAILED [rollout/keepalived]');
    node.wrap('systemctl', 'next "$@"');
    node.upload({ VIRTUAL_IP: '192.0.2.102' });
    expect(node.step('preflight').out).toContain('FAILED [network/own-address]: virtual IP 192.0.2.102, got an address of this node');
    node.upload({ VIRTUAL_IP: '192.0.2.100' });
    ok(node.step('preflight'));
    address('192.0.2.100');
    ok(node.step('rollout', '2'));
    expect(node.has('var/lib/nim-ha/left.data')).toBe(false);
  });

  test('keeps the lock that it has when its share is to be mounted under another name of the server', () => {
    node.holdLock();
    try {
      node.upload({ NFS_SERVER: 'nfs.example', FSTAB: fstabLines('nfs.example') });
      stageAgain(node);
      expect(ok(node.step('rollout', '2'))).toContain('the share has to be mounted anew');
    } finally {
      node.letGo();
    }
  });

  test('restarts for another router id, and stops what is no longer monitored', () => {
    const [mode, text] = node.files['/etc/keepalived/keepalived.conf'];
    const all = node.files;
    node.files = { ...all, '/etc/keepalived/keepalived.conf': [mode, text.replace('251', '252')] };
    delete node.files['/etc/systemd/system/nms-core.service.d/50-nim-ha.conf'];
    node.upload({ SERVICES: 'nginx' });
    node.files = all;
    stageAgain(node);
    const out = ok(node.step('rollout', '2'));
    expect(out).toContain('another interface or router id: the services stop');
    expect(out).toContain('changed: nms-core is no longer monitored, so it is stopped');
    expect(node.actions().filter((line) => line.includes('keepalived'))).toEqual([
      'systemctl stop keepalived.service',
      'systemctl restart keepalived.service',
    ]);
    expect(node.has('etc/systemd/system/nms-core.service.d/50-nim-ha.conf')).toBe(false);
    expect(node.read('fake/units/nms-core.service')).toBe('disabled inactive\n');
    node.upload({ SERVICES: 'nginx nms-core' });
  });

  test.each(['at once', 'after a wait'])('that has got the lock %s, and whose agent has yet to look, is active', (when) => {
    const looks = 'sleep 4; sed -i s/WAITING/ACTIVE/ state';
    const later = (commands: string) => `(cd "$NIM_HA_ROOT/run/nim-ha"; ${commands}) >/dev/null 2>&1 &`;
    node.bash('sed -i s/ACTIVE/WAITING/ "$NIM_HA_ROOT/run/nim-ha/state"');
    if (when === 'at once') {
      node.bash(later(looks));
    } else {
      // It has the address in force, until it reads its new configuration.
      node.upload({ VIRTUAL_IP: '192.0.2.101' });
      stageAgain(node, 'other');
      node.bash('rm "$NIM_HA_ROOT/run/nim-ha/lock-held"');
      const asked = `[[ -e $FAKE/asked ]] || { : >$FAKE/asked; ${later(`sleep 0.5; : >lock-held; ${looks}`)} }`;
      node.wrap('ip', `[[ $* != *.101 ]] || grep -q "reload keepalived" "$FAKE/calls" || exit 0\n[[ $* != *.100 ]] || ${asked}\nnext "$@"`);
    }
    const out = ok(node.bash('NIM_HA_LOCK_LIMIT=10 bash "$HOME/.nim-ha/scripts/run-step.sh" rollout 2'));
    expect(out).not.toContain('keepalived is stopped here');
    expect(node.actions()).not.toContain('systemctl stop keepalived.service');
  });

  /** While the step looks at the share. */
  const meanwhile = (commands: string) => node.wrap('unshare', `[[ $* != *" holder" ]] || { ${commands}; }; next "$@"`);

  test.each([
    ['with the virtual IP', ':'],
    ['without it yet', 'rm "$FAKE/vip"'],
  ])('that gets the lock while the share is looked at, %s, takes its heartbeat for no other node', (_, make) => {
    stageAgain(node, 'other');
    ok(node.bash(`rm "$NIM_HA_ROOT/run/nim-ha/lock-held"; ${make}`));
    meanwhile(': >"$NIM_HA_ROOT/run/nim-ha/lock-held"; : >"$FAKE/vip"');
    node.holdLock(BEATS);
    try {
      ok(node.step('rollout', '2'));
      expect(node.actions()).toContain('systemctl reload keepalived.service');
    } finally {
      node.letGo();
    }
  });

  test('that loses the virtual IP while the share is looked at is the standby, not a second master', () => {
    stageAgain(node, 'other');
    node.bash('rm "$NIM_HA_ROOT/run/nim-ha/lock-held"');
    meanwhile('rm -f "$FAKE/vip"');
    node.holdLock(BEATS);
    try {
      expect(ok(node.step('rollout', '2'))).toContain('keepalived is stopped here until the other node is as it should be');
    } finally {
      node.letGo();
    }
  });

  test('that has the lock, and whose services have failed, starts anew, and becomes the standby where its peer takes over', () => {
    node.bash('sed -i s/ACTIVE/FAILED/ "$NIM_HA_ROOT/run/nim-ha/state"');
    node.set('peer-active');
    node.holdLock('while sleep 0.05; do printf + >&9 || exit; done');
    try {
      const out = ok(node.step('rollout', '2'));
      expect(out).toContain('this node has the lock, and does not serve (FAILED): the services stop for this change');
      expect(out).toContain('phase STANDBY');
      expect(node.has('var/lib/nim-ha/pending')).toBe(false);
    } finally {
      node.letGo();
    }
  });

  test('that starts anew, and stands by where nobody is seen to serve, is not done', () => {
    node.bash('sed -i s/ACTIVE/FAILED/ "$NIM_HA_ROOT/run/nim-ha/state"');
    node.set('peer-active');
    const failed = node.step('rollout', '2');
    expect(failed.out).toContain('FAILED [rollout/not-active]: phase, got STANDBY');
    expect(failed.code).toBe(1);
  });

  test('whose peer is active steps aside until step 4', () => {
    // The peer has taken over: it holds the lock and writes the heartbeat.
    ok(node.bash('systemctl stop keepalived.service'));
    node.set('peer-active');
    node.holdLock('while sleep 0.05; do printf . >&9 || exit; done');
    try {
      stageAgain(node, 'other');
      expect(ok(node.step('rollout', '2'))).toContain('keepalived is stopped here until the other node is as it should be');
      node.set('peer-unheard');
      const deaf = node.step('rollout', '4');
      expect(deaf.out).toContain('FAILED [rollout/two-masters]');
      expect(deaf.out).toContain('keepalived does not start here, over reboots too');
      expect(node.has('run/nim-ha/stepped-down')).toBe(false);
      expect(node.read('fake/units/keepalived.service')).toMatch(/ inactive$/m);
      node.set('peer-unheard', false);
      expect(ok(node.step('rollout', '4'))).toContain('phase STANDBY');
      // One that answers for the virtual IP while the other holds the lock is one too many.
      node.set('vip');
      const refused = node.step('rollout', '2');
      expect(refused.out).toContain('FAILED [rollout/two-masters]');
      expect(refused.code).toBe(3);
    } finally {
      node.letGo();
    }
  });

  describe('for which another share is named, while the peer serves from the one in force', () => {
    beforeEach(() => {
      ok(node.bash('systemctl stop keepalived.service'));
      node.set('peer-active');
      ok(node.bash('systemctl start keepalived.service'));
      node.holdLock('while sleep 0.05; do printf + >&9 || exit; done');
      ok(node.bash('cp -a "$FAKE/nfs" "$FAKE/nfs-192.0.2.99"'));
      const fstab = ['clickhouse', 'nms'].map((name) => `192.0.2.99:/mnt/nfs_share/${name} /var/lib/${name} nfs defaults 0 0`).join('\n');
      node.upload({ NFS_SERVER: '192.0.2.99', FSTAB: fstab });
      stageAgain(node);
    });
    afterEach(() => {
      node.letGo();
      const fstab = ['clickhouse', 'nms'].map((name) => `192.0.2.13:/mnt/nfs_share/${name} /var/lib/${name} nfs defaults 0 0`).join('\n');
      node.upload({ NFS_SERVER: '192.0.2.13', FSTAB: fstab });
    });

    test('it steps aside until its peer has it, too', () => {
      expect(ok(node.step('rollout', '2'))).toContain('keepalived is stopped here until the other node is as it should be');
      expect(node.has('var/lib/nim-ha/pending')).toBe(true);
      expect(node.read('proc/mounts')).toContain('192.0.2.99:/mnt/nfs_share/nms');
      expect(node.read('fake/units/keepalived.service')).toMatch(/ inactive$/m);

      // Interrupted here, and run again: the node's own record names the new share by now.
      expect(ok(node.step('rollout', '2'))).toContain('keepalived is stopped here until the other node is as it should be');
      expect(node.has('var/lib/nim-ha/pending')).toBe(true);
      ok(node.step('rollout', '4'));
      expect(node.has('var/lib/nim-ha/left.data')).toBe(false);
    });

    test('it leaves the pair where it finds that out by VRRP alone', () => {
      node.letGo();
      node.bash('rm "$NIM_HA_ROOT/etc/nim-ha/node.data"');
      const { code, out } = node.step('rollout', '2');
      expect(code).toBe(1);
      expect(out).toContain('FAILED [rollout/another-master]');
      expect(out).toContain('keepalived does not start here, over reboots too');
      expect(node.read('fake/units/keepalived.service')).toMatch(/ inactive$/m);
    });
  });

  test('can be taken away again when a removal has stopped half-way', () => {
    node.write('wrappers/apt-get', '#!/bin/bash\nexit 1\n', 0o755);
    const removal = 'bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/remove.sh" restore';
    const failed = node.bash(`PATH="$NIM_HA_ROOT/wrappers:$PATH" ${removal}`);
    expect({ ...failed }).toEqual({ code: 1, out: expect.stringContaining('FAILED [keepalived/remove]') });
    expect(node.has('etc/systemd/system/nim-ha-agent.service')).toBe(false);
    ok(node.bash(removal));
    expect(node.tree()).toEqual(before);
  });

  test('names what keeps the share busy; the next removal goes on from there, and waits for what is about to go', () => {
    node.write('fake/busy', '9');
    const user = spawn('sleep', ['60'], { cwd: join(node.root, 'var/lib/nms') });
    try {
      const failed = node.bash(`NIM_HA_UNMOUNT_LIMIT=0 bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/remove.sh" restore`);
      expect(failed.code).toBe(1);
      expect(failed.out).toMatch(/FAILED \[storage\/unmount\]: umount \/var\/lib\/clickhouse, got .*target is busy/);
      expect(node.bash(`slice_cgroup=; . ./services.sh; users_of "$(readlink -f "$NIM_HA_ROOT/var/lib/nms")"`).out).toBe(`${user.pid} (sleep) `);
      node.write('fake/busy', '1');
    } finally {
      user.kill();
    }
  });

  test('is after a removal as it was, to the byte, with its services running', () => {
    const removed = ok(node.bash('bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/remove.sh" restore'));
    expect(removed).toContain("as before; the pair's data is on the share");
    expect(node.tree()).toEqual(before);
    for (const unit of ['nginx', 'nms-core', 'nms']) expect(node.read(`fake/units/${unit}.service`)).toBe('enabled active\n');
    expect(node.has('fake/units/keepalived.service')).toBe(false);
    expect(node.read('fake/packages')).toBe('bash\nnginx\n');
    expect(node.has('home/ops/.nim-ha')).toBe(false);
    expect(node.read('fake/nfs/clickhouse/data/part.bin')).toBe('rows on this disk');
    expect(node.script('remove.sh', ['restore']).out).toContain('nothing to remove');
  });

  test('whose lines in fstab somebody has edited is not left with the share by a removal', () => {
    const fstab = node.read('etc/fstab').replaceAll(' nfs defaults', ' nfs defaults,nofail');
    node.write('etc/fstab', fstab);
    const out = ok(node.step('remove', 'restore'));
    expect(out).toContain(`/etc/fstab: taken out, for it was this pair's line, edited since: ${fstab.split('\n')[1]}\n`);
    expect(out).not.toContain('mounted /var/lib/nms, as before');
    expect(node.read('proc/mounts')).toBe('');
    expect(node.tree()).toEqual(before);
  });

  test('whose share is not mounted is told by a removal what a later deploy would hide', () => {
    node.write('proc/mounts', node.read('proc/mounts').replace(/ nfs4 /g, ' nfs '));
    expect(ok(node.step('remove', 'restore'))).toContain('the share is not mounted, so it takes no note of this removal: before a later deploy look at what this node has stored by then in /var/lib/clickhouse and /var/lib/nms');
  });

  test('is told nothing of the kind by a removal that goes on where one has stopped after its note', () => {
    node.wrap('sync', '[[ $* != *usr/local* ]] || exit 1; next "$@"');
    expect(node.step('remove', 'restore').code).not.toBe(0);
    expect(node.read(`fake/nfs/nms/.nim-ha/removed/${MACHINE_IDS.primary}`)).toBe('node-primary\n');
    node.wrap('sync', 'next "$@"');
    expect(ok(node.step('remove', 'restore'))).not.toContain('takes no note');
  });

  test('a removal has what it put back on the disk before the originals go', () => {
    node.write('fake/synced', '');
    node.wrap('sync', 'printf "%s before: %s\\n" "$*" "$(ls "$NIM_HA_ROOT/var/lib/nim-ha/before" | wc -l)" >>"$FAKE/synced"; next "$@"');
    ok(node.step('remove', 'restore'));
    expect(node.read('fake/synced').split('\n').filter((line) => line.includes('/usr/local before: '))).toEqual([expect.not.stringMatching(/ 0$/), expect.not.stringMatching(/ 0$/)]);
    node.restore();
    node.wrap('sync', '[[ $* != *usr/local* ]] || exit 1; next "$@"');
    const failed = node.step('remove', 'restore');
    expect([failed.code === 0, failed.out]).toEqual([false, expect.stringContaining('FAILED [remove/file]: what was put back in /etc and /usr/local')]);
    expect(node.read('var/lib/nim-ha/before/files/etc/nms/scripts/nms-notify-keepalived.sh')).toContain('vendor');
  });

  test('a removal takes away what deploys by other users have uploaded, and nothing else of that name', () => {
    const home = (user: string) => `${node.root}/home/${user}`;
    for (const user of ['eve', 'mallory']) node.bash(`mkdir -p ${home(user)} && cp -R ${home('ops')}/.nim-ha ${home(user)}`);
    ok(node.bash(`bash ${home('eve')}/.nim-ha/scripts/run-step.sh rollout 2`));
    ok(node.bash('bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/remove.sh" restore'));
    expect(['ops', 'eve', 'mallory'].filter((user) => node.has(`home/${user}/.nim-ha`))).toEqual(['mallory']);
  });

  test('keeps on removal what somebody wrote into nms.conf meanwhile; retain keeps everything', () => {
    const fstab = node.read('etc/fstab');
    expect(ok(node.step('remove', 'retain'))).toContain('left in place and serving');
    expect(node.read('etc/fstab')).toBe(fstab);
    node.write('etc/nms/nms.conf', `${node.read('etc/nms/nms.conf')}extra: 1\n`);
    ok(node.step('remove', 'restore'));
    expect(node.read('etc/nms/nms.conf')).toBe('# NIM\nuser: nms\nintegrations:\n  license:\nextra: 1\n');
  });

  test('keeps on removal what was written into nms.conf between two changes of the mode', () => {
    node.write('etc/nms/nms.conf', `${node.read('etc/nms/nms.conf')}extra: 1\n`);
    node.upload({ OPERATION_MODE: 'connected' });
    stageAgain(node);
    ok(node.step('rollout', '2'));
    ok(node.step('remove', 'restore'));
    node.upload({ OPERATION_MODE: 'disconnected' });
    expect(node.read('etc/nms/nms.conf')).toContain('extra: 1\n');
    expect(node.read('etc/nms/nms.conf')).not.toContain('mode_of_operation');
  });
});

describe('a deployed secondary', () => {
  const node = new DeployNode('secondary');
  let aside = '';
  beforeAll(() => {
    node.set('peer-active');
    ok(node.step('preflight'));
    ok(node.step('stage'));
    aside = ok(node.step('rollout', '1'));
    ok(node.step('rollout', '3'));
    node.actions();
    node.snapshot();
  });
  beforeEach(() => node.restore());
  afterAll(() => node.destroy());

  test('had its services stopped before it started as standby; its own data stays beneath the mounts', () => {
    expect(aside).toContain("the data on this node's own disk in /var/lib/nms");
    expect(aside).toContain('keepalived is stopped here');
    expect(node.read('fake/units/nginx.service')).toBe('disabled inactive\n');
    expect(node.read('var/lib/clickhouse.beneath/data/part.bin')).toBe('rows on this disk');
    expect(ok(node.step('rollout', '1'))).toContain('nothing to do: standby, as deployed');
  });

  test('is not stopped by a new generation alone', () => {
    node.upload({ GENERATION: '2' });
    stageAgain(node);
    ok(node.step('rollout', '1'));
    expect(node.actions()).toEqual(['systemctl daemon-reload']);
    expect(node.read('var/lib/nim-ha/generation')).toBe('2\n');
  });

  test('whose agent does not run is not as deployed: it is started, and nothing else', () => {
    node.write('fake/units/nim-ha-agent.service', 'enabled failed\n');
    ok(node.step('rollout', '1'));
    expect(node.actions().filter((line) => /start|stop/.test(line))).toEqual(['systemctl stop nim-ha-agent.service', 'systemctl start nim-ha-agent.service']);
    expect(node.read('fake/units/nim-ha-agent.service')).toBe('enabled active\n');
    expect(ok(node.step('rollout', '3'))).toContain('nothing to do: standby, as deployed');
  });

  test('on which a service that is new to the pair runs stops it at the next run, too, when systemd did not take the files', () => {
    const all = node.files;
    node.files = { ...all, '/etc/systemd/system/extra.service.d/50-nim-ha.conf': ['0644', '[Unit]\n'] };
    node.write('fake/units/extra.service', 'enabled active\n');
    node.write('fake/groups/extra.service', '/system.slice/extra.service\n');
    node.upload({ SERVICES: 'nginx nms-core extra' });
    node.files = all;
    stageAgain(node);
    node.wrap('systemctl', '[[ $1 != daemon-reload || -e $FAKE/reloads ]] || exit 1\nnext "$@"');
    expect(node.step('rollout', '1').code).toBe(1);
    expect(node.read('fake/units/extra.service')).toMatch(/ active\n$/);
    node.set('reloads');
    ok(node.step('rollout', '1'));
    expect(node.read('fake/units/extra.service')).toBe('disabled inactive\n');
  });

  describe('whose deploy is interrupted', () => {
    const PENDING = 'var/lib/nim-ha/pending';
    const keepalived = () => node.read('fake/units/keepalived.service');
    const nimHa = (...args: string[]) => node.bash(`bash "$NIM_HA_ROOT/usr/local/lib/nim-ha/nim-ha.sh" ${args.join(' ')}`);

    beforeEach(() => node.write('fake/synced', ''));

    test('before the other node is as it should be starts no keepalived, at a boot or by hand, and says so, until the next', () => {
      stageAgain(node, 'other');
      expect(ok(node.step('rollout', '1'))).toContain('keepalived is stopped here');
      expect(node.bash('systemctl start keepalived.service')).toEqual({ code: 0, out: '' });
      expect(keepalived()).toBe('enabled inactive\n');
      const page = ok(nimHa('status'));
      expect(page).toMatch(/reason +keepalived does not start .*if that was interrupted, run it again/);
      expect(page).toContain('/var/lib/nim-ha/pending: a deploy has not come to its end');
      expect(ok(nimHa('generation'))).toBe('02\n');
      expect(nimHa('maintenance', 'off')).toEqual({ code: 1, out: expect.stringContaining('maintenance is off, but keepalived does not start') });

      stageAgain(node, 'other');
      ok(node.step('rollout', '1'));
      expect(ok(node.step('rollout', '3'))).toContain('phase STANDBY');
      expect([keepalived(), node.has(PENDING)]).toEqual(['enabled active\n', false]);
      expect(node.read('fake/synced')).toMatch(/\/var\/lib\/nim-ha\n/);
      expect(ok(nimHa('generation'))).toBe('1\n');
    });

    test('before the other node has the new virtual IP takes the old one back, which that one has', () => {
      node.upload({ VIRTUAL_IP: '192.0.2.101' });
      stageAgain(node, 'other');
      expect(ok(node.step('rollout', '1'))).toContain('keepalived is stopped here');
      node.set('stranger');
      node.upload({ VIRTUAL_IP: '192.0.2.102' });
      expect(node.step('preflight').out).toContain('FAILED [network/stranger]: virtual IP 192.0.2.102, got used by 52:54:00:00:00:99');
      for (const address of ['192.0.2.101', '192.0.2.100']) {
        node.upload({ VIRTUAL_IP: address });
        ok(node.step('preflight'));
      }
      stageAgain(node);
      for (const number of ['1', '3']) ok(node.step('rollout', number));
      expect(node.has('var/lib/nim-ha/left.data')).toBe(false);
      node.upload({ VIRTUAL_IP: '192.0.2.101' });
      expect(node.step('preflight').out).toContain('FAILED [network/stranger]');
    });

    test('before keepalived stops has its mark on the disk and says so; with nothing left to do the next takes it back', () => {
      node.upload({ NFS_EXPORT_PATH: '/mnt/other' });
      stageAgain(node);
      node.set('keepalived-stays');
      expect(node.step('rollout', '1').out).toMatch(/FAILED \[rollout\/keepalived\]: systemctl stop [^]*keepalived does not start here, over reboots too[^]*changed so far/);
      expect(node.read('fake/synced')).toContain(`/${PENDING}\n`);
      node.upload({ NFS_EXPORT_PATH: '/mnt/nfs_share', GENERATION: '1' });
      stageAgain(node);
      expect(ok(node.step('rollout', '1'))).toContain('nothing to do: standby, as deployed');
      expect(node.has(PENDING)).toBe(false);
    });

    test('is taken back by a removal, whose report is no longer about keepalived once its drop-in is gone', () => {
      stageAgain(node, 'other');
      ok(node.step('rollout', '1'));
      ok(node.bash('cd "$NIM_HA_ROOT/etc/systemd/system" && rm nim-ha.target && mkdir nim-ha.target'));
      const { code, out } = node.step('remove', 'restore');
      expect([code, out]).toEqual([1, expect.stringContaining('FAILED [remove/file]: /etc/systemd/system/nim-ha.target')]);
      expect(out).not.toContain('keepalived does not start here');
      ok(node.bash('rmdir "$NIM_HA_ROOT/etc/systemd/system/nim-ha.target"'));
      ok(node.step('remove', 'restore'));
      expect([node.has('var/lib/nim-ha'), node.has('fake/units/keepalived.service')]).toEqual([false, false]);
    });
  });

  test('that has become the active node leaves its turn to step 3', () => {
    node.set('peer-active', false);
    ok(node.bash('systemctl stop keepalived.service; systemctl start keepalived.service'));
    expect(ok(node.step('rollout', '1'))).toContain('active node: its turn comes after');
    expect(ok(node.step('rollout', '3'))).toContain('nothing to do: active, as deployed');
  });
});

test('waiting for what comes after a while ends well, and for what does not come, does not', () => {
  const node = new DeployNode();
  const wait = (limit: number) => node.bash(`declare -A data=(); . ./paths.sh; . ./pause.sh; . ./report.sh; . ./settle.sh; (sleep 0.3; : >"$FAKE/come") & wait_until ${limit} it test -e "$FAKE/come"; echo "rc $?"`).out;
  expect(wait(10)).toBe('rc 0\n');
  node.set('come', false);
  expect(wait(0)).toBe('rc 1\n');
  node.destroy();
});
