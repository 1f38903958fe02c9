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
    expect(node.read('run/nim-ha/isolating')).toBe('0:45\n0:46\n');
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
