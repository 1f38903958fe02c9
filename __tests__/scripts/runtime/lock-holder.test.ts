import { type ChildProcess, execFileSync, spawnSync } from 'child_process';
import { chmodSync, readFileSync } from 'fs';
import { dirname, join } from 'path';
import { StandInNode } from './node';

const LOCK = 'var/lib/nms/.nim-ha/lock';
/** As the kernel has it in a set of signals. */
const TERM_INT_USR1 = (1 << 14) | (1 << 1) | (1 << 9);

describe('lock-holder.sh', () => {
  let node: StandInNode;
  beforeEach(() => {
    node = new StandInNode();
    node.write('run/nim-ha/want-master', '');
    node.mount();
  });
  afterEach(() => node.destroy());

  const free = () => spawnSync('flock', ['-n', join(node.root, LOCK), 'true']).status === 0;
  const start = () => node.start(node.script('lock-holder.sh'));
  const held = () => node.until('the lock is held', () => node.has('run/nim-ha/lock-held'));

  /** The keeper, the heartbeat and the watch over the lease, as they were forked. */
  const children = (holder: ChildProcess) =>
    spawnSync('pgrep', ['-P', String(holder.pid), '-f', 'lock-holder.sh'], { encoding: 'utf8' }).stdout.trim().split('\n').map(Number).sort((a, b) => a - b);
  const forked = (holder: ChildProcess) => node.until('all three are forked', () => children(holder).length >= 3);

  test('says that it holds the lock, and lets go when it is asked to', async () => {
    const holder = start();
    await held();
    await node.until('systemd is told', () => node.read('calls').includes('notify --ready'));
    expect(free()).toBe(false);
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
    expect(holder.exitCode).toBe(0);
    expect(node.has('run/nim-ha/lock-held')).toBe(false);
    expect(free()).toBe(true);
    // What is left open there would keep the share mounted, and a machine from shutting down.
    expect(node.bash('. ./paths.sh; . ./services.sh; users_of "$share_dir"').stdout).toBe('');
  });

  test('is not taken for one that comes to its end, whatever the last one has left', async () => {
    node.write('run/nim-ha/letting-go', 'the lock holder died\n');
    const holder = start();
    await held();
    expect(node.has('run/nim-ha/letting-go')).toBe(false);
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('takes none on what lies below a mount point without the share', () => {
    node.mount('/var/lib/nms');
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.read('journal')).toContain('the share is not mounted on both mount points: no lock');
    expect(node.has('run/nim-ha/lock-held')).toBe(false);
    expect(node.has('var/lib/nms/.nim-ha')).toBe(false);
  });

  const MOUNTS = ['clickhouse', 'nms'];
  /** A command that the server answers so about one of the mounts. */
  const says = (error: string, mount: string) => `[[ "$1 $2" != "-f "*/${mount} ]] || { echo "error: ${error}" >&2; exit 1; }`;

  test.each(MOUNTS)('takes none where the mount of %s has gone stale: it has to be mounted anew first', (mount) => {
    node.standIn('stat', says('Stale file handle', mount));
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.read('journal')).toContain(`the mount at /var/lib/${mount} has gone stale: no lock`);
    expect(node.has('run/nim-ha/lock-held')).toBe(false);
  });

  test.each(MOUNTS.flatMap((mount): [string, string, string][] => [[mount, 'is not waited for', 'Stale file handle'], [mount, 'is waited for', 'Input/output error']]))(
    'what was written to the mount of %s %s where that says "%s"',
    async (mount, waits, error) => {
      const holder = start();
      await held();
      node.standIn('sync', says(error, mount));
      node.standIn('stat', says(error, mount));
      holder.kill('SIGTERM');
      const told = () => node.read('journal').includes('does not take what was written last');
      await node.until('it ends, or says that it waits', () => holder.exitCode !== null || told());
      const expected = waits === 'is waited for';
      expect([told(), !free()]).toEqual([expected, expected]);
    },
  );

  test.each([
    ['taken away', ''],
    ['put there by a copy that is brought back', 'another'],
  ])('a lock on a file that is not there any more is none: %s', async (_, another) => {
    const holder = start();
    await held();
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    node.remove(LOCK);
    if (another) node.write(LOCK, another);
    await node.until('the services are killed', () => service.signalCode === 'SIGKILL');
    node.cgroup();
    await node.until('it ends', () => holder.exitCode !== null);
    expect([holder.exitCode, node.read('calls').includes('sync -f')]).toEqual([1, false]);
    expect(node.read('journal')).toContain('/var/lib/nms/.nim-ha/lock is not the file any more that this node has locked');
  });

  test('one look that does not find the file says nothing: it takes two in a row', async () => {
    const holder = start();
    await held();
    // Before each beat comes dd, and after it the look: away for one, there for the next, and so on.
    const file = join(node.root, LOCK);
    node.standIn('dd', `if [[ -e ${file} ]]; then mv ${file} ${file}.away; else mv ${file}.away ${file}; echo >>${node.root}/looks; fi; exec /bin/dd "$@"`);
    await node.until('it has been away four times', () => holder.exitCode !== null || (node.has('looks') && node.read('looks').length >= 4));
    expect([holder.exitCode, node.read('journal').includes('is not the file any more')]).toEqual([null, false]);
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('takes none on what lies below a mount point that the share has left while the lock was taken', () => {
    node.standIn('flock', `: >"${node.root}/proc/mounts"; exec /usr/bin/flock "$@"`);
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.read('journal')).toContain('what was locked is not /var/lib/nms/.nim-ha/lock on the share: no lock');
    expect([node.has('run/nim-ha/lock-held'), free()]).toEqual([false, true]);
  });

  test.each([['2\n', 'in way 2'], ['', 'in way ']])('takes none beside nodes of a later version, which lock %s', (text, way) => {
    node.write(LOCK, 'beats of theirs');
    node.write('var/lib/nms/.nim-ha/protocol', text);
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.read('journal')).toContain(`its nodes lock ${way}, this one in way 1: no lock`);
    expect([node.has('run/nim-ha/lock-held'), node.has('var/lib/nms/.nim-ha/holder'), node.read(LOCK), free()]).toEqual([false, false, 'beats of theirs', true]);
  });

  test('takes the lock where the share says that its nodes lock in the way that this one does', async () => {
    node.write('var/lib/nms/.nim-ha/protocol', '1\n');
    const holder = start();
    await held();
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('takes none on a file that was put aside while the lock was taken', () => {
    node.standIn('flock', `rm -f "${node.root}/${LOCK}"; : >"${node.root}/${LOCK}"; exec /usr/bin/flock "$@"`);
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.read('journal')).toContain('what was locked is not /var/lib/nms/.nim-ha/lock on the share: no lock');
    expect(node.has('run/nim-ha/lock-held')).toBe(false);
  });

  test('leaves behind what it was mounted on, until it has ended in order', async () => {
    node.write('proc/mountinfo', `36 25 0:45 / ${node.root}/var/lib/clickhouse rw - nfs4 192.0.2.13:/x rw\n37 25 0:46 / ${node.root}/var/lib/nms rw - nfs4 192.0.2.13:/y rw\n`);
    const holder = start();
    await node.until('systemd is told', () => node.read('calls').includes('notify --ready'));
    expect(node.read('run/nim-ha/devices')).toBe('0:45\n0:46\n');
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
    expect(node.has('run/nim-ha/devices')).toBe(false);
  });

  test('takes none that it cannot write down: nothing would watch over the lease', () => {
    node.write('run/nim-ha/lock-held/in-the-way', '');
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.read('journal')).toContain('cannot write /run/nim-ha/lock-held: no lock');
    expect(free()).toBe(true);
  });

  test('takes none on a share of NFS version 3, whose locks a dead node keeps for ever', () => {
    node.write('proc/mounts', node.read('proc/mounts').replace('/var/lib/nms nfs4 rw,vers=4.2', '/var/lib/nms nfs rw,vers=3'));
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect([node.read('proc/mounts'), node.has('run/nim-ha/lock-held')]).toEqual([expect.stringContaining('vers=3'), false]);
  });

  test('double start: the second one waits, and has the lock when the first has gone', async () => {
    const first = start();
    await held();
    const second = start();
    await node.until('the second waits', () => node.read('journal').includes('waiting for the lock'));
    first.kill('SIGTERM');
    await node.until('the first ends', () => first.exitCode !== null);
    await node.until('the second holds it', () => node.read('journal').match(/holds the lock/g)?.length === 2);
    expect(second.exitCode).toBeNull();
    second.kill('SIGTERM');
    await node.until('the second ends', () => second.exitCode !== null);
  });

  test('stop while waiting ends it', async () => {
    const first = start();
    await held();
    const second = start();
    await node.until('the second waits', () => node.read('journal').includes('waiting for the lock'));
    second.kill('SIGTERM');
    await node.until('the second ends', () => second.exitCode !== null);
    expect(second.exitCode).toBe(0);
    expect(free()).toBe(false);
    first.kill('SIGTERM');
    await node.until('the first ends', () => first.exitCode !== null);
  });

  test('holds on while a process of the services lives', async () => {
    const holder = start();
    await held();
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    holder.kill('SIGTERM');
    await new Promise((done) => setTimeout(done, 1500));
    expect(holder.exitCode).toBeNull();
    expect(free()).toBe(false);
    node.cgroup();
    await node.until('it ends', () => holder.exitCode !== null);
    expect(free()).toBe(true);
    service.kill('SIGKILL');
  });

  test('killed: the keeper kills the services before the lock is free', async () => {
    const holder = start();
    await held();
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    holder.kill('SIGKILL');
    await node.until('the service is killed', () => service.exitCode !== null || service.signalCode !== null);
    expect(service.signalCode).toBe('SIGKILL');
    expect(free()).toBe(false); // the slice still says populated
    // The agent watches over the lease for as long as somebody could write.
    expect(node.has('run/nim-ha/lock-held')).toBe(true);
    expect(node.read('run/nim-ha/letting-go')).toBe('the lock holder died\n');
    node.cgroup();
    await node.until('the lock is free', free);
    expect(node.has('run/nim-ha/lock-held')).toBe(false);
    await node.until('nothing says any more that it is being let go of', () => !node.has('run/nim-ha/letting-go'));
    expect(node.read('calls')).toContain('--no-block stop nim-ha.target');
  });

  test.each(MOUNTS)('holds on until what was written last is on the mount of %s', async (mount) => {
    const holder = start();
    await held();
    node.standIn('sync', `printf 'sync %s\\n' "$*" >>"${node.root}/calls"; [[ $* != *"/${mount}" ]] || sleep 60`);
    holder.kill('SIGTERM');
    await node.until('it asks for it', () => node.read('calls').includes(`sync -f ${node.root}/var/lib/${mount}`));
    await new Promise((done) => setTimeout(done, 500));
    expect(holder.exitCode).toBeNull();
    expect(free()).toBe(false);
    expect(node.has('run/nim-ha/lock-held')).toBe(true);
    holder.kill('SIGKILL');
  });

  test('a heartbeat that was killed is started again, without a word', async () => {
    const holder = node.start('bash', '-c', 'exec bash ./lock-holder.sh 2>"$NIM_HA_ROOT/stderr"');
    await held();
    await forked(holder);
    await new Promise((done) => setTimeout(done, 2500)); // a second after systemd was told, at the least
    process.kill(children(holder)[1], 'SIGKILL');
    const size = node.read(LOCK).length;
    await node.until('another beat', () => node.read(LOCK).length > size + 1);
    expect(free()).toBe(false);
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
    expect(node.read('stderr')).toBe('');
  });

  test('a lock that cannot be asked for ends it, so that the agent opens the file anew', () => {
    node.standIn('flock', 'exit 65');
    expect(node.run('lock-holder.sh').status).toBe(0);
    expect(node.read('journal')).toContain('flock on the share ended with 65');
    expect(node.has('run/nim-ha/lock-held')).toBe(false);
  });

  test('what was started while the share took what was written last is killed, too, before the lock goes', async () => {
    const holder = start();
    await held();
    node.standIn('sync', `[[ -e "${node.root}/synced" ]] || { : >"${node.root}/synced"; sleep 1; }`);
    holder.kill('SIGTERM');
    await node.until('it waits for the share', () => node.has('synced'));
    const late = node.start('sleep', '60');
    node.cgroup(late.pid!);
    await node.until('the late one is killed', () => late.signalCode === 'SIGKILL');
    expect([free(), node.has('run/nim-ha/lock-held')]).toEqual([false, true]);
    node.cgroup();
    await node.until('it ends', () => holder.exitCode !== null);
    expect(free()).toBe(true);
  });

  test('keeper killed: the services go, then the lock, and it ends as failed', async () => {
    const holder = start();
    await held();
    await forked(holder);
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    process.kill(children(holder)[0], 'SIGKILL');
    await node.until('the services are killed', () => service.signalCode === 'SIGKILL');
    expect(node.read('run/nim-ha/letting-go')).toBe('lock holder ends: keeper-died\n');
    node.cgroup();
    await node.until('it ends', () => holder.exitCode !== null);
    expect(holder.exitCode).toBe(1);
    expect(node.has('run/nim-ha/letting-go')).toBe(false);
    expect(node.read('journal')).toContain('keeper-died');
    expect(free()).toBe(true);
  });

  test('a signal that is meant for the lock holder does not end its keeper', async () => {
    node.write('proc/sysrq', '');
    const holder = start();
    await held();
    await forked(holder);
    const [keeper] = children(holder);
    const ignored = () => parseInt(/^SigIgn:\s*(\w+)$/m.exec(readFileSync(`/proc/${keeper}/status`, 'utf8'))![1], 16);
    await node.until('the keeper is at work', () => (ignored() & TERM_INT_USR1) === TERM_INT_USR1, 10);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR1']) process.kill(keeper, signal);
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    // Only a keeper that lives does something about it.
    holder.kill('SIGKILL');
    await node.until('the services are killed', () => service.signalCode === 'SIGKILL', 10);
    expect([free(), node.read('run/nim-ha/letting-go'), node.read('proc/sysrq')]).toEqual([false, 'the lock holder died\n', '']);
    node.cgroup();
    await node.until('the lock is free', free);
  });

  test('while the services are killed for a keeper that has died, the heartbeat says that nobody serves', async () => {
    const holder = start();
    await held();
    await forked(holder);
    await node.until('a beat', () => node.read(LOCK).endsWith('+'));
    node.cgroup(1_000_000_000); // nobody, and yet it lives
    process.kill(children(holder)[0], 'SIGKILL');
    await node.until('it is being let go of', () => node.has('run/nim-ha/letting-go'));
    const size = node.read(LOCK).length;
    // The next may be on its way by then.
    await node.until('two more beats', () => node.read(LOCK).length >= size + 2);
    expect([node.read(LOCK).slice(size + 1), node.has('run/nim-ha/want-master')]).toEqual([expect.stringMatching(/^-+$/), true]);
    node.cgroup();
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('the heartbeat goes on without the wish, and says that this holder lets go', async () => {
    const holder = start();
    await held();
    await node.until('a beat', () => node.read(LOCK).endsWith('+'));
    node.remove('run/nim-ha/want-master');
    await node.until('another one', () => node.read(LOCK).endsWith('--'));
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('while the services have failed, the heartbeat says so', async () => {
    const holder = start();
    await held();
    await node.until('a beat', () => node.read(LOCK).endsWith('+'));
    node.write('run/nim-ha/failed', '');
    await node.until('another one', () => node.read(LOCK).endsWith('-'));
    node.remove('run/nim-ha/failed');
    await node.until('as before', () => node.read(LOCK).endsWith('+'));
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  /** dd of the heartbeat: what writing through the locked file, and reading directly, end with; empty is success. */
  const dd = (write: string, read: string) =>
    node.standIn('dd', `say() { [[ -z $1 ]] || { echo "dd: error: $1" >&2; exit 1; }; }\ncase "$*" in *iflag=direct*) say '${read}' ;; *) cat >/dev/null; say '${write}' ;; esac`);
  const beat = () => node.read('run/nim-ha/beat').trim();

  test('a share that takes no byte, but answers, renews the lease all the same', async () => {
    const holder = start();
    await held();
    dd('No space left on device', '');
    node.uptime(1010);
    await node.until('a beat', () => beat() === '1010');
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('a byte that only this node has is no heartbeat: the server has to have it', async () => {
    node.standIn('dd', '[[ $* == *conv=*fsync* ]] || { echo "dd: error: Cannot allocate memory" >&2; exit 1; }; exec /bin/dd "$@"');
    const holder = start();
    await node.until('the lock is held, or it ends', () => node.has('run/nim-ha/lock-held') || holder.exitCode !== null);
    expect([holder.exitCode, node.read(LOCK)]).toEqual([null, expect.stringMatching(/^\+/)]);
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('the time of a beat is that of the question: an answer may take as long as the lease', async () => {
    const holder = start();
    await held();
    node.uptime(1005);
    await node.until('a beat', () => beat() === '1005');
    // The first answer takes ten seconds; what it was taken for, the next question sees.
    node.standIn('dd', `cat >/dev/null
      [[ ! -e ${node.root}/slow || -e ${node.root}/taken-for ]] || cp ${node.root}/run/nim-ha/beat ${node.root}/taken-for
      [[ -e ${node.root}/slow ]] || { : >${node.root}/slow; echo 1015.00 1 >${node.root}/proc/uptime; }`);
    await node.until('the next beat', () => node.has('taken-for') && beat() === '1015');
    expect(node.read('taken-for')).toBe('1005\n');
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('an error that says nothing of the lock is no heartbeat', async () => {
    const holder = start();
    await held();
    dd('Cannot allocate memory', 'Cannot allocate memory');
    node.uptime(1010);
    await new Promise((done) => setTimeout(done, 2000));
    expect(beat()).toBe('1000');
    expect(holder.exitCode).toBeNull();
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('an error that a full /run cannot take is no heartbeat either: the lock may be lost', async () => {
    const holder = start();
    await held();
    node.standIn('dd', 'case "$*" in *iflag=direct*) exit 0 ;; *) cat >/dev/null; exit 1 ;; esac');
    node.uptime(1010);
    await new Promise((done) => setTimeout(done, 2000));
    expect(beat()).toBe('1000');
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test.each(['Input/output error', 'Stale file handle', 'Bad file descriptor', 'Permission denied', 'Operation not permitted'])(
    'a lock that is lost (%s) is noticed without the wish, too, while services stop in order', async (error) => {
    const holder = start();
    await held();
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    node.remove('run/nim-ha/want-master');
    node.write('run/nim-ha/devices', '0:45\n');
    dd(error, '');
    await node.until('they are killed', () => service.signalCode === 'SIGKILL', 15);
    // A line comes to the journal by a process of its own.
    await node.until('it says why', () => node.read('journal').includes('lock holder ends: lost; killing the services'));
    node.cgroup();
    await node.until('it ends', () => holder.exitCode !== null);
    // What is still on its way there: a fenced node asks by this whether it may come back. And nothing of it is hurried.
    expect([node.has('run/nim-ha/devices'), node.read('calls').includes('sync -f')]).toEqual([true, false]);
  });

  test('a lock is lost, too, where a full share takes no byte and then does not know the file', async () => {
    const holder = start();
    await held();
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    dd('No space left on device', 'Stale file handle');
    await node.until('they are killed', () => service.signalCode === 'SIGKILL', 15);
    expect(node.read('run/nim-ha/letting-go')).toBe('lock holder ends: lost\n');
    node.cgroup();
    await node.until('it ends', () => holder.exitCode !== null);
    expect([holder.exitCode, node.has('run/nim-ha/lock-held'), free(), node.read('calls').includes('sync -f')]).toEqual([1, false, true, false]);
  });

  test.each(['Input/output error', 'Cannot allocate memory'])('a lock that the share does not confirm (%s) is none', (error) => {
    dd(error, error);
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.read('journal')).toContain('the share has not confirmed the lock');
    expect(node.has('run/nim-ha/lock-held')).toBe(false);
    expect(free()).toBe(true);
  });

  test('while a keeper of another lock still waits for the share there is no new one, and the mark stays', () => {
    node.write('run/nim-ha/lock-held', '');
    node.write('lock-cgroup/cgroup.procs', `${process.pid}\n`);
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.has('run/nim-ha/lock-held')).toBe(true);
  });

  test('while processes of another lock\'s time live there is no new one, and the mark stays', () => {
    node.write('run/nim-ha/lock-held', '');
    node.cgroup(node.start('sleep', '60').pid!);
    expect(node.run('lock-holder.sh').status).toBe(1);
    expect(node.read('journal')).toContain('another lock has not come to its end here');
    expect(node.has('run/nim-ha/lock-held')).toBe(true);
  });

  describe('the watch over the lease', () => {
    beforeEach(() => {
      node.write('proc/mountstats', '\tnfsv4:\tlease_time=40,lease_expired=0\n');
      node.write('proc/sysrq', '');
      node.write('proc/kmsg', '');
    });
    const hangs = async () => {
      const holder = start();
      await held();
      node.standIn('dd', 'exec sleep 60');
      await new Promise((done) => setTimeout(done, 1000)); // the last beat
      return holder;
    };

    test.each([[false], [true]])('nobody has isolated the node when nine tenths are over: it reboots (main killed: %s)', async (killed) => {
      const holder = await hangs();
      if (killed) {
        node.cgroup(1_000_000_000); // nobody, and yet it lives
        holder.kill('SIGKILL');
      }
      node.uptime(1035);
      await new Promise((done) => setTimeout(done, 2000));
      expect(node.read('proc/sysrq')).toBe('');
      node.uptime(1036);
      await node.until('the reboot', () => node.read('proc/sysrq') === 'b\n');
      expect(node.read('proc/kmsg')).toMatch(/^<10>nim-ha: the share answered 36 s ago, its lease is 40 s, and it was not let go of; rebooting at once$/m);
    });

    test.each([
      ['90 40 60', 40],
      ['40 90', 40],
      ['', 90],
    ])('goes by the least lease of all mounts: of %j by %i', (leases, expected) => {
      node.write('proc/mountstats', leases.split(' ').filter(Boolean).map((each) => `\tnfsv4:\tbm0=0x1,lease_time=${each},lease_expired=0\n`).join(''));
      expect(node.bash('. ./paths.sh; . ./lease.sh; read_lease; echo $lease').stdout).toBe(`${expected}\n`);
    });

    test('one that was killed is started again', async () => {
      const holder = start();
      await held();
      await forked(holder);
      process.kill(children(holder)[2], 'SIGKILL');
      await new Promise((done) => setTimeout(done, 2000));
      node.standIn('dd', 'exec sleep 60');
      node.uptime(1036);
      await node.until('the reboot', () => node.read('proc/sysrq') === 'b\n');
      holder.kill('SIGKILL');
    });

    test('a keeper that waits for a share that answers is in no hurry', async () => {
      node.write('sync-hangs', '');
      const holder = start();
      await held();
      holder.kill('SIGKILL');
      await node.until('it waits', () => node.read('calls').includes('sync -f'));
      node.uptime(1036);
      await node.until('a beat', () => beat() === '1036');
      // And says that nobody serves any more.
      expect(node.read(LOCK)).toMatch(/-$/);
      await new Promise((done) => setTimeout(done, 1500));
      expect(node.read('proc/sysrq')).toBe('');
    });

    test('a lock that was confirmed too late is confirmed once more', async () => {
      node.standIn('dd', `cat >/dev/null; [[ -e ${node.root}/slow ]] || { : >${node.root}/slow; echo 1036.00 1 >${node.root}/proc/uptime; }`);
      const holder = start();
      await held();
      expect(beat()).toBe('1036');
      await new Promise((done) => setTimeout(done, 1500));
      expect(node.read('proc/sysrq')).toBe('');
      holder.kill('SIGTERM');
      await node.until('it ends', () => holder.exitCode !== null);
    });

    test('it ends with the lock', async () => {
      const holder = start();
      await held();
      holder.kill('SIGTERM');
      await node.until('it ends', () => holder.exitCode !== null);
      node.uptime(1100);
      await new Promise((done) => setTimeout(done, 2000));
      expect(node.read('proc/sysrq')).toBe('');
    });
  });

  // The limit is a user's, and root has none; only root can become that user.
  (process.getuid!() === 0 ? describe : describe.skip)('where no process can be started any more', () => {
    const USER = '54321'; // nobody else's
    const as = (...command: string[]) => node.start('setpriv', '--reuid', USER, '--regid', USER, '--clear-groups', ...command);

    test('the keeper kills the services all the same, and what it cannot do for the lock a reboot does', async () => {
      node.write('proc/sysrq', '');
      node.write('proc/kmsg', '');
      execFileSync('cp', ['-r', node.script(''), join(node.root, 'lib')]);
      execFileSync('chown', ['-R', USER, node.root]);
      chmodSync(dirname(node.root), 0o711); // of this test run alone
      const holder = as('bash', '-c', `ulimit -u 20; exec bash ${node.root}/lib/lock-holder.sh`);
      await held();
      const service = as('sleep', '60');
      node.cgroup(service.pid!);
      as('bash', '-c', 'for ((i = 0; i < 20; i++)); do sleep 120 & done; wait');
      await node.until('so many', () => Number(execFileSync('pgrep', ['-c', '-u', USER], { encoding: 'utf8' })) > 20);
      holder.kill('SIGKILL');
      await node.until('the service is killed', () => service.signalCode === 'SIGKILL', 5);
      expect(free()).toBe(false);
      // The shell tries for 15 seconds.
      await node.until('the reboot', () => node.read('proc/sysrq') === 'b\n', 40);
      expect(node.read('proc/kmsg')).toContain('the lock holder and its keeper came to an end before the services did');
    }, 60_000);
  });
});
