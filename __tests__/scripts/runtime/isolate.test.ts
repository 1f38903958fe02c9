import { spawn, spawnSync } from 'child_process';
import { copyFileSync, mkdirSync } from 'fs';
import { join } from 'path';
import { StandInNode } from './node';

describe('isolate.sh', () => {
  let node: StandInNode;
  beforeEach(() => {
    node = new StandInNode();
    node.write('proc/mounts', mounts());
    node.write('proc/mountinfo', `36 25 0:45 / ${node.root}/var/lib/clickhouse rw - nfs4 192.0.2.13:/x rw\n37 25 0:46 / ${node.root}/var/lib/nms rw - nfs4 192.0.2.13:/y rw\n38 25 0:47 / /mnt/other rw - nfs4 192.0.2.14:/z rw\n`);
    node.write('proc/nfs-volumes', 'NV SERVER   PORT DEV          FSID FSC\nv4 c000020d  801 0:45 1:0 no\nv4 c000020d  801 0:46 1:0 no\nv4 c000020e  801 0:47 1:0 no\n');
    node.write('proc/mountstats', '\tnfsv4:\tlease_time=40,lease_expired=20\n');
    node.write('proc/sysrq', '');
    node.write('run/nim-ha/beat', '980\n');
    node.write('run/nim-ha/lock-held', '');
    // "umount -f" as the kernel does it: busy the first time, and gone the second.
    node.standIn('umount', `printf 'umount %s\\n' "$*" >>"${node.root}/calls"
      [[ -e ${node.root}/stuck ]] && exit 32
      if [[ ! -e ${node.root}/once.\${2##*/} ]]; then : >${node.root}/once.\${2##*/}; exit 32; fi
      sed -i "\\\\| $2 |d" ${node.root}/proc/mounts
      [[ $2 == */nms ]] && sed -i '/0:46/d' ${node.root}/proc/nfs-volumes || sed -i '/0:45/d' ${node.root}/proc/nfs-volumes`);
  });
  afterEach(() => node.destroy());

  const mounts = () => ['clickhouse', 'nms'].map((name) => `192.0.2.13:/x ${node.root}/var/lib/${name} nfs4 rw 0 0\n`).join('');

  test('kills the services, forces the mounts off until the kernel holds nothing of them, then lets go of the lock', async () => {
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    const run = node.start(node.script('isolate.sh'));
    await node.until('the service is killed', () => service.signalCode === 'SIGKILL');
    expect(node.has('run/nim-ha/lock-held')).toBe(true);
    expect(node.read('run/nim-ha/isolating')).toBe('lease 40\n0:45\n0:46\n');
    node.cgroup();
    await node.until('it ends', () => run.exitCode !== null);
    expect(run.exitCode).toBe(0);
    for (const file of ['lock-held', 'isolating']) expect(node.has(`run/nim-ha/${file}`)).toBe(false);
    expect(node.read('calls')).toMatch(/^--no-block stop nim-ha.target$/m);
    expect(node.read('calls')).toMatch(/^kill --kill-who=all --signal=KILL nim-ha-lock.service$/m);
    expect(node.read('proc/nfs-volumes')).toContain('0:47');
    expect(node.read('proc/sysrq')).toBe('');
    expect(node.read('journal')).toContain('nothing of the share is held here any more');
  });

  test('with no mount there, it ends at once: the heading of the list is nothing that the kernel holds', async () => {
    node.write('proc/mounts', '');
    node.write('proc/mountinfo', '38 25 0:47 / /mnt/other rw - nfs4 192.0.2.14:/z rw\n');
    node.cgroup();
    const run = node.start(node.script('isolate.sh'));
    await node.until('it ends', () => run.exitCode !== null);
    expect([run.exitCode, node.has('run/nim-ha/isolating'), node.read('proc/sysrq')]).toEqual([0, false, '']);
  });

  test('its last word is in the journal when it ends: systemd kills what is left of a unit then', async () => {
    node.standIn('logger', `shift 2; sleep 1; printf '%s\\n' "$*" >>"${node.root}/journal"`);
    node.cgroup();
    const run = node.start(node.script('isolate.sh'));
    await node.until('it ends', () => run.exitCode !== null);
    expect(node.read('journal')).toMatch(/^isolation: nothing of the share is held here any more, after \d+ s of 40$/m);
  });

  test('what was mounted when this node had the lock is waited for, too, whoever has taken it off lazily', async () => {
    node.write('proc/mounts', '');
    node.write('proc/mountinfo', '');
    node.write('run/nim-ha/devices', '0:45\n0:46\n');
    node.cgroup();
    const run = node.start(node.script('isolate.sh'));
    await node.until('it has begun', () => node.has('run/nim-ha/isolating'));
    await new Promise((done) => setTimeout(done, 1500));
    expect([run.exitCode, node.has('run/nim-ha/lock-held')]).toEqual([null, true]);
    node.write('proc/nfs-volumes', 'NV SERVER   PORT DEV          FSID FSC\n');
    await node.until('it ends', () => run.exitCode !== null);
    expect(['lock-held', 'isolating', 'devices'].map((name) => node.has(`run/nim-ha/${name}`))).toEqual([false, false, false]);
  });

  test('the name of a process is no number of another one', async () => {
    const bystander = node.start('sleep', '60');
    mkdirSync(join(node.root, 'var/lib/nms'), { recursive: true });
    const named = join(node.root, `)${bystander.pid} (`);
    copyFileSync('/bin/sleep', named);
    const user = spawn(named, ['60'], { cwd: join(node.root, 'var/lib/nms'), stdio: 'ignore' });
    node.cgroup();
    const run = node.start(node.script('isolate.sh'));
    await node.until('it ends', () => run.exitCode !== null);
    expect([user.signalCode, bystander.signalCode]).toEqual(['SIGKILL', null]);
  });

  test('a share that answers is given the time to take what was written, and no call is aborted before', async () => {
    node.cgroup();
    node.write('sync-hangs', '');
    node.write('run/nim-ha/beat', '999\n');
    const run = node.start(node.script('isolate.sh'));
    await node.until('the flush', () => node.read('calls').includes('sync -f'));
    for (const uptime of [1020, 1060]) {
      node.write('run/nim-ha/beat', `${uptime}\n`);
      node.uptime(uptime);
      await new Promise((done) => setTimeout(done, 1000));
    }
    expect(node.read('calls')).not.toContain('umount');
    expect(node.read('proc/sysrq')).toBe('');
    spawnSync('pkill', ['-f', `${node.root}/stand-ins/sync`]);
    await node.until('it ends', () => run.exitCode !== null);
    expect(node.read('calls')).toMatch(/sync -f[^]*signal=KILL nim-ha-lock.service[^]*umount -f/);
  });

  test('the heartbeat of an earlier lock is no reason to reboot at once', async () => {
    node.remove('run/nim-ha/lock-held');
    node.write('run/nim-ha/beat', '100\n');
    node.cgroup();
    const run = node.start(node.script('isolate.sh'));
    await node.until('it ends', () => run.exitCode !== null);
    expect(node.read('proc/sysrq')).toBe('');
  });

  test('what the kernel still holds when the lease is nearly over ends in a reboot', async () => {
    node.write('stuck', '');
    node.cgroup();
    const run = node.start(node.script('isolate.sh'));
    await new Promise((done) => setTimeout(done, 1500));
    node.write('proc/uptime', '1015.00 1.00\n');
    await new Promise((done) => setTimeout(done, 1000));
    expect(node.read('proc/sysrq')).toBe('');
    node.write('proc/uptime', '1016.00 1.00\n');
    await node.until('it reboots', () => node.read('proc/sysrq') === 'b\n');
    expect(node.has('run/nim-ha/lock-held')).toBe(true);
    run.kill('SIGKILL');
  });

  test('one that was started again goes on with what the first one has written down: the kernel tells neither the lease nor the devices by then', async () => {
    const begun = 'lease 40\n0:45\n0:46\n';
    node.write('run/nim-ha/isolating', begun);
    for (const file of ['mounts', 'mountinfo', 'mountstats']) node.write(`proc/${file}`, '');
    node.write('proc/nfs-volumes', 'NV SERVER   PORT DEV          FSID FSC\nv4 c000020d  801 0:46 1:0 no\n');
    node.cgroup();
    node.uptime(1015);
    const run = node.start(node.script('isolate.sh'));
    await new Promise((done) => setTimeout(done, 2000));
    expect([run.exitCode, node.has('run/nim-ha/lock-held'), node.read('run/nim-ha/isolating'), node.read('proc/sysrq')]).toEqual([null, true, begun, '']);
    // The last beat at 980, and nine tenths of the lease.
    node.uptime(1016);
    await node.until('it reboots', () => node.read('proc/sysrq') === 'b\n', 10);
    run.kill('SIGKILL');
  });

  test('a share that answers gives no more time to processes that cannot be killed', async () => {
    node.cgroup(1_000_000_000); // nobody, and yet it lives
    const run = node.start(node.script('isolate.sh'));
    await node.until('it has begun', () => node.has('run/nim-ha/isolating'));
    node.write('run/nim-ha/beat', '1010\n');
    await new Promise((done) => setTimeout(done, 1500));
    node.uptime(1016);
    await node.until('it reboots', () => node.read('proc/sysrq') === 'b\n', 10);
    run.kill('SIGKILL');
  });

  test('processes that cannot be killed keep the lock here, though nothing is mounted any more', async () => {
    node.cgroup(1_000_000_000);
    const run = node.start(node.script('isolate.sh'));
    await node.until('both are gone', () => node.read('proc/mounts') === '');
    await new Promise((done) => setTimeout(done, 2000));
    expect([run.exitCode, node.has('run/nim-ha/lock-held'), node.read('calls').includes('nim-ha-lock')]).toEqual([null, true, false]);
    run.kill('SIGKILL');
  });

  test('one that has come to its end reboots nothing later', async () => {
    node.cgroup();
    const run = node.start(node.script('isolate.sh'));
    await node.until('it ends', () => run.exitCode !== null);
    node.uptime(1100);
    await new Promise((done) => setTimeout(done, 2000));
    expect(node.read('proc/sysrq')).toBe('');
  });

  describe('a mount that is gone', () => {
    // As "umount -f" leaves it while calls are pending: in no list of mounts, and what was written is still on its way.
    beforeEach(() => {
      node.standIn('umount', `printf 'umount %s\\n' "$*" >>"${node.root}/calls"; sed -i "\\| $2 |d" ${node.root}/proc/mounts`);
      node.cgroup();
    });
    const unmounted = () => node.until('both are gone', () => node.read('proc/mounts') === '');

    test.each(['0:45', '0:46'])('and that the kernel still holds, as %s, ends in a reboot, not in a lock that is let go of', async (device) => {
      node.write('proc/nfs-volumes', `NV SERVER   PORT DEV          FSID FSC\nv4 c000020d  801 ${device} 1:0 no\n`);
      const run = node.start(node.script('isolate.sh'));
      await unmounted();
      await new Promise((done) => setTimeout(done, 1500));
      expect([run.exitCode, node.has('run/nim-ha/lock-held'), node.has('run/nim-ha/isolating')]).toEqual([null, true, true]);
      expect(node.read('proc/sysrq')).toBe('');
      node.uptime(1016);
      await node.until('it reboots', () => node.read('proc/sysrq') === 'b\n');
      expect(node.has('run/nim-ha/lock-held')).toBe(true);
      run.kill('SIGKILL');
    });

    test('and that the kernel holds no more is the end of it', async () => {
      node.write('proc/nfs-volumes', '');
      const run = node.start(node.script('isolate.sh'));
      await node.until('it ends', () => run.exitCode !== null);
      expect([run.exitCode, node.has('run/nim-ha/lock-held'), node.read('proc/mounts')]).toEqual([0, false, '']);
      expect(node.read('proc/sysrq')).toBe('');
    });
  });

  test('what was written to either mount is asked for, before the lock holder is killed', async () => {
    node.cgroup();
    const run = node.start(node.script('isolate.sh'));
    await node.until('it ends', () => run.exitCode !== null);
    const [asked] = /^sync -f [^]*?signal=KILL nim-ha-lock\.service$/m.exec(node.read('calls'))!;
    for (const name of ['clickhouse', 'nms']) expect(asked).toMatch(new RegExp(`^sync -f .*${node.root}/var/lib/${name}\\b`, 'm'));
  });

  test('a journal that does not answer holds up no reboot', async () => {
    node.write('stuck', '');
    node.cgroup();
    node.standIn('logger', '[[ $* != *reboot* ]] || exec sleep 60');
    const run = node.start(node.script('isolate.sh'));
    node.write('proc/uptime', '1016.00 1.00\n');
    await node.until('it reboots', () => node.read('proc/sysrq') === 'b\n');
    run.kill('SIGKILL');
  });

  test('the lock holder goes last, when what the killed have left is on its way no more', async () => {
    const service = node.start('sleep', '60');
    const holder = node.start('bash', '-c', `mkdir -p ${node.root}/var/lib/nms && cd ${node.root}/var/lib/nms && exec sleep 60`);
    node.cgroup(service.pid!);
    node.write('lock-cgroup/cgroup.procs', `${holder.pid}\n`);
    // A mount with an open file on it stays, forced or not.
    node.standIn('umount', `[[ $2 == */nms && -d /proc/${holder.pid} ]] && exit 32; sed -i "\\| $2 |d" ${node.root}/proc/mounts; : >${node.root}/proc/nfs-volumes`);
    node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"; [[ $* != *nim-ha-lock* ]] || kill -KILL ${holder.pid}`);
    node.write('sync-hangs', '');
    const run = node.start(node.script('isolate.sh'));
    await node.until('the service is killed', () => service.signalCode === 'SIGKILL');
    await new Promise((done) => setTimeout(done, 1500));
    // The slice still says populated.
    expect(node.read('calls')).not.toMatch(/^sync|nim-ha-lock/m);
    node.cgroup();
    await node.until('the rest is asked for', () => node.read('calls').includes('sync -f'));
    await new Promise((done) => setTimeout(done, 1500));
    expect(holder.signalCode).toBeNull();
    expect(node.read('calls')).not.toContain('nim-ha-lock');
    spawnSync('pkill', ['-f', `${node.root}/stand-ins/sync`]);
    await node.until('it ends', () => run.exitCode !== null);
    expect(node.read('calls')).toMatch(/sync -f[^]*signal=KILL nim-ha-lock.service/);
    expect(holder.signalCode).toBe('SIGKILL');
  });

  test('a shell that somebody left in the share is killed, too', async () => {
    node.cgroup();
    node.write('var/lib/nms/some.file', '');
    const shell = node.start('bash', '-c', `cd ${node.root}/var/lib/nms && sleep 60; true`);
    await new Promise((done) => setTimeout(done, 300));
    const run = node.start(node.script('isolate.sh'));
    await node.until('it ends', () => run.exitCode !== null);
    expect(shell.signalCode).toBe('SIGKILL');
  });
});
