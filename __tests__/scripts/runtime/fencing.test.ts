import { spawnSync } from 'child_process';
import { statSync, utimesSync } from 'fs';
import { dirname, join } from 'path';
import { StandInNode } from './node';

const LOCK = 'var/lib/nms/.nim-ha/lock';
const MARKS = 'var/lib/nms/.nim-ha/marks';
const AT_LARGE = 'run/nim-ha/at-large';
const NAME = '11111111-2222-3333-4444-555555555555';
const FENCED_ITSELF = `refused: fenced itself, as ${NAME}`;

/** A node of a pair with fencing. What the NFS server says to each request lies in the file `server`, `REQUEST=ANSWER` per line. */
class FencedNode extends StandInNode {
  constructor() {
    super();
    const data = { NAME: 'node-a', PEER_NAME: 'node-b', FENCE_SERVER: 'nfs', FENCE_PORT: '2222', FENCE_HOST_KEYS: 'ssh-ed25519 AAAA\necdsa-sha2-nistp256 BBBB' };
    this.write('etc/nim-ha/node.data', Object.entries(data).map(([key, value]) => `${key}=${Buffer.from(value).toString('base64')}\n`).join(''));
    this.standIn('ssh', `
      printf '%s\\n' "\${@: -1}" >>"${this.root}/asked"
      printf '%s\\n' "$*" >"${this.root}/ssh-arguments"
      for each in "$@"; do [[ $each != UserKnownHostsFile=* ]] || cp "\${each#*=}" "${this.root}/known-hosts"; done
      ls -l /proc/$$/fd >"${this.root}/ssh-fds"
      echo $$ >"${this.root}/ssh-pid"
      [[ ! -e ${this.root}/server-hangs ]] || exec sleep 60
      request="\${@: -1}"
      line="$(grep "^\${request%% *}=" "${this.root}/server")" || { echo 'ssh: connect to host nfs: No route' >&2; exit 255; }
      printf '%s\\n' "\${line#*=}"`);
    this.standIn('systemctl', `printf '%s\\n' "$*" >>"${this.root}/calls"; case "$*" in show*) cat "${this.root}/units" ;; --quiet*) exit 3 ;; "start nim-ha-isolate.service") [[ -e ${this.root}/stuck ]] || : >"${this.root}/proc/mounts" ;; start*.mount*) [[ -e ${this.root}/away ]] && exit 1; cp "${this.root}/mounted" "${this.root}/proc/mounts"; [[ ! -e ${this.root}/falls-back ]] || sed -i "s/ nfs4 / nfs /" "${this.root}/proc/mounts" ;; restart*.mount*) cp "${this.root}/mounted" "${this.root}/proc/mounts" ;; esac`);
    this.write('server', '');
    this.write('asked', '');
    this.mount();
    this.write('mounted', this.read('proc/mounts'));
  }

  public answers(answers: Record<string, string>): void {
    this.write('server', Object.entries(answers).map(([request, answer]) => `${request}=${answer}\n`).join(''));
  }

  /** Lines come to the journal by a process of their own. */
  public notes(line: string): Promise<void> {
    return this.until(`the journal says: ${line}`, () => this.read('journal').includes(line));
  }

  /** Lets seconds pass until a condition holds. */
  public async passing(what: string, condition: () => boolean): Promise<void> {
    const clock = setInterval(() => this.uptime(Number(/^\d+/.exec(this.read('proc/uptime'))![0]) + 1), 100);
    try {
      await this.until(what, condition);
    } finally {
      clearInterval(clock);
    }
  }

  public async pass(seconds: number): Promise<void> {
    const end = Number(/^\d+/.exec(this.read('proc/uptime'))![0]) + seconds;
    await this.passing(`${seconds} seconds`, () => Number(/^\d+/.exec(this.read('proc/uptime'))![0]) >= end);
  }

  public get asked(): string[] {
    return this.read('asked').split('\n').filter(Boolean);
  }
}

let node: FencedNode;
beforeEach(() => (node = new FencedNode()));
afterEach(() => node.destroy());

describe('the lock holder', () => {
  beforeEach(() => node.elect());

  const start = () => node.start(node.script('lock-holder.sh'));
  const told = () => node.read('calls').includes('notify --ready');
  const ready = () => node.until('systemd is told', told);
  const readyAtLast = () => node.passing('systemd is told', told);
  const free = () => spawnSync('flock', ['-n', join(node.root, LOCK), 'true']).status === 0;

  test('leaves its mark before the services start, and takes it back when all is written', async () => {
    const holder = start();
    await ready();
    expect(node.has(`${MARKS}/node-a`)).toBe(true);
    expect(node.asked).toEqual([]);
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null);
    expect([holder.exitCode, node.has(`${MARKS}/node-a`), free()]).toEqual([0, false, true]);
    const calls = node.read('calls');
    expect(calls.indexOf(`sync -f`)).toBeGreaterThan(calls.indexOf('notify --ready'));
  });

  test('what an earlier one has said of a peer at large is over with the next lock', async () => {
    node.write(AT_LARGE, 'no answer\n');
    start();
    await ready();
    expect(node.has(AT_LARGE)).toBe(false);
  });

  test('keeps its mark until the share has taken what was written last', async () => {
    const holder = start();
    await ready();
    node.write('calls', '');
    node.write('sync-hangs', '');
    holder.kill('SIGTERM');
    await node.until('it asks the share', () => node.read('calls').includes('sync -f'));
    // By now a mark that goes first would be gone.
    await new Promise((done) => setTimeout(done, 1000));
    expect([holder.exitCode, node.has(`${MARKS}/node-a`), free()]).toEqual([null, true, false]);
    node.remove('sync-hangs');
    spawnSync('pkill', ['-KILL', '-f', `${node.root}/stand-ins/sync`]);
    await node.until('it ends', () => holder.exitCode !== null);
    expect([holder.exitCode, node.has(`${MARKS}/node-a`), free()]).toEqual([0, false, true]);
  });

  test('shows life while it lets go, or it would be fenced for its silence', async () => {
    const holder = start();
    await ready();
    node.cgroup(node.start('sleep', '60').pid!);
    node.remove('run/nim-ha/want-master');
    holder.kill('SIGTERM');
    const beats = node.read(LOCK).length;
    await node.until('two more', () => /--$/.test(node.read(LOCK)) && node.read(LOCK).length >= beats + 2);
    expect(holder.exitCode).toBeNull();
    node.cgroup();
    await node.until('it ends', () => holder.exitCode !== null);
  });

  test('fences a peer that has left its mark, before the services start', async () => {
    node.write(`${MARKS}/node-b`, '');
    node.write('server-hangs', '');
    node.answers({ fence: `fenced ${NAME}` });
    start();
    await node.until('the server is asked', () => node.asked.length > 0);
    expect(node.has(`${MARKS}/node-a`)).toBe(true);
    // The heartbeat goes on: a holder that is silent could be fenced itself.
    const size = () => node.read(LOCK).length;
    const before = size();
    await node.until('a heartbeat', () => size() > before);
    expect(node.read('calls')).not.toContain('notify --ready');
    expect(node.read('ssh-fds')).not.toContain(LOCK);
    node.remove('server-hangs');
    spawnSync('pkill', ['-KILL', '-f', `${node.root}/stand-ins/ssh`]);
    expect(node.asked).toEqual(['fence']);
  });

  test('says what it was told, and knows the server by its keys', async () => {
    node.write(`${MARKS}/node-b`, '');
    node.answers({ fence: `fenced ${NAME}` });
    start();
    await ready();
    await node.notes('the NFS server has fenced node-b');
    expect(node.asked).toEqual(['fence']);
    expect(node.read('known-hosts')).toBe('nfs-server ssh-ed25519 AAAA\nnfs-server ecdsa-sha2-nistp256 BBBB\n');
    expect(node.read('ssh-arguments')).toMatch(/-p 2222 .*StrictHostKeyChecking=yes .*nim-ha-fence@nfs fence$/m);
  });

  test('asks again before it serves, and serves as soon as the peer is fenced', async () => {
    node.write(`${MARKS}/node-b`, '');
    start();
    await node.passing('two questions', () => node.asked.length >= 2);
    expect(told()).toBe(false);
    node.answers({ fence: `fenced ${NAME}` });
    await readyAtLast();
    await node.notes('the NFS server has fenced node-b');
    expect(new Set(node.asked)).toEqual(new Set(['fence']));
  });

  describe('where the server cannot be asked', () => {
    beforeEach(() => node.write(`${MARKS}/node-b`, ''));
    const serving = async () => {
      const holder = start();
      await readyAtLast();
      expect(Number(/^\d+/.exec(node.read('proc/uptime'))![0])).toBeGreaterThan(1015);
      const said = 'node-b is not fenced, and only the lease has ended its lock; asking on while this node serves: no answer from the NFS server: ';
      await node.notes(said);
      // The next question may be under way by then.
      expect(node.read('journal').split(said)[1]).toMatch(/^(ssh: connect to host nfs: No route|not yet)\n/);
      expect(node.read(AT_LARGE)).toMatch(/^no answer from the NFS server: /);
      return holder;
    };

    test('it serves after a while, for the lease has decided, and asks on until the peer is fenced', async () => {
      const holder = await serving();
      const before = node.asked.length;
      await node.passing('another question', () => node.asked.length > before);
      node.answers({ fence: `fenced ${NAME}` });
      await node.passing('the answer', () => node.read('journal').includes('the NFS server has fenced node-b'));
      expect(node.has(AT_LARGE)).toBe(false);
      const after = node.asked.length;
      await node.pass(12);
      expect([node.asked.length, holder.exitCode]).toEqual([after, null]);
    });

    test('it asks no more when the peer has taken its mark back', async () => {
      // After each question it looks for the mark, and by the first look that finds none the last question is over.
      node.standIn('stat', `/usr/bin/stat "$@" || { rc=$?; [[ $* != */marks/node-b ]] || : >"${node.root}/not-there"; exit $rc; }`);
      await serving();
      node.remove(`${MARKS}/node-b`);
      await node.passing('a look that finds none', () => node.has('not-there'));
      const before = node.asked.length;
      await node.until('the agent hears of no peer at large', () => !node.has(AT_LARGE));
      // It comes by once a second of ours, and by then three of its own have passed each time.
      await node.pass(60);
      expect(node.asked.length).toBe(before);
    });

    test('it stops when it learns that it is fenced itself', async () => {
      const holder = await serving();
      node.answers({ fence: FENCED_ITSELF });
      await node.passing('it ends', () => holder.exitCode !== null);
      expect([holder.exitCode, node.read('run/nim-ha/fenced'), node.has(`${MARKS}/node-a`), free()]).toEqual([1, `${NAME}\n`, true, true]);
    });
  });

  test('asks on more and more seldom, for each question costs the server, until it has an answer', () => {
    const { stdout } = node.bash(`. ./paths.sh; . ./lock-fencing.sh
      note() { :; }; read_uptime() { :; }; may_be_marked() { :; }; fenced_file="$run_dir/fenced"
      begin_asking() { asking=999999999; printf '%s ' "$now"; [[ $now -lt 1200 && $1 == fence ]] && echo 'refused: the peer still reaches the share' >"$run_dir/fence-answer" || echo 'fenced ${NAME}' >"$run_dir/fence-answer"; }
      mkdir -p "$run_dir"; at_large=yes peer_name=node-b
      for ((now = 1000; now < 1500; now++)); do ask_on || echo denied; done`);
    const asked = stdout.trim().split(' ').map(Number);
    expect(asked.slice(1).map((at, index) => at - asked[index])).toEqual([4, 7, 13, 25, 49, 61, 61]);
  });

  test('does not have a peer fenced that has come back in order since the last question', () => {
    const { stdout } = node.bash(`. ./paths.sh; . ./lock-fencing.sh
      note() { :; }; read_uptime() { :; }; may_be_marked() { echo looked; return "$gone"; }; begin_asking() { echo asked; }
      mkdir -p "$run_dir"; at_large=why next_asked=1060; : >"$at_large_file"
      for now in 1059 1060 1061; do for gone in 0 1; do ask_on; echo "$now $? <$at_large>"; done; done`);
    expect(stdout.split('\n')).toEqual([
      '1059 0 <why>', '1059 0 <why>',
      'looked', 'asked', '1060 0 <why>', 'looked', '1060 0 <>',
      '1061 0 <>', '1061 0 <>', '',
    ]);
    expect(node.has(AT_LARGE)).toBe(false);
  });

  test('a mark that cannot be seen for an error counts as one', async () => {
    node.standIn('stat', `[[ $* != */marks/node-b ]] || { echo "stat: cannot statx '$4': Input/output error" >&2; exit 1; }; exec /usr/bin/stat "$@"`);
    node.answers({ fence: `fenced ${NAME}` });
    start();
    await ready();
    expect(node.asked).toEqual(['fence']);
  });

  test('does not serve where the share does not take its mark: nobody would fence it', async () => {
    node.write(MARKS, 'a file in the way');
    node.answers({ fence: `fenced ${NAME}` });
    const holder = start();
    await node.until('it ends, or serves', () => holder.exitCode !== null || told());
    expect([holder.exitCode, told(), free()]).toEqual([1, false, true]);
    await node.notes("the share does not take this node's mark");
  });

  test('has its mark on the share before the services start: the file before it has its name, and then the name', async () => {
    node.standIn('sync', `[[ $* != */marks* ]] || printf 'sync %s of %s\\n' "$*" "$(cd ${node.root}/${MARKS} && echo *)" >>"${node.root}/calls"`);
    start();
    await ready();
    const calls = node.read('calls').split('\n').filter((call) => /marks|--ready/.test(call));
    expect(calls).toEqual([`sync ${node.root}/${MARKS}/node-a.new of node-a.new`, `sync ${node.root}/${MARKS} of node-a`, expect.stringContaining('notify --ready')]);
  });

  test.each(['marks/node-a.new', 'marks'])('does not serve where the share has its mark and does not take it for good: sync of %s', async (path) => {
    node.standIn('sync', `[[ $* != */${path} ]]`);
    const holder = start();
    await node.until('it ends, or serves', () => holder.exitCode !== null || told());
    expect([holder.exitCode, told()]).toEqual([1, false]);
    await node.notes("the share does not take this node's mark");
  });

  test('what it learns of a fence while it takes the lock keeps it from serving', async () => {
    node.standIn('sync', `[[ $* != */marks ]] || echo '${NAME}' >"${node.root}/run/nim-ha/fenced"`);
    const holder = start();
    await node.until('it ends', () => holder.exitCode !== null);
    expect([told(), free(), node.has(`${MARKS}/node-a`)]).toEqual([false, true, true]);
  });

  test('on a full share the file with the lock gets a new time instead of a byte: the server must see life', async () => {
    node.standIn('dd', `[[ $* != *conv=notrunc* ]] || { echo 'dd: No space left on device' >&2; exit 1; }; exec /bin/dd "$@"`);
    start();
    await ready();
    const path = join(node.root, LOCK);
    utimesSync(path, 1, 1);
    await node.until('a new time', () => statSync(path).mtimeMs > 2000);
    expect(node.read(LOCK)).toBe('');
  });

  test('serves where the fence is void, and says so', async () => {
    node.write(`${MARKS}/node-b`, '');
    node.answers({ fence: 'refused: the peer still reaches the share: /mnt to * in /etc/exports is exported, too' });
    start();
    await readyAtLast();
    await node.notes('/mnt to * in /etc/exports is exported, too');
    expect(node.read(AT_LARGE)).toContain('/mnt to * in /etc/exports is exported, too');
  });

  test('does not serve when it is fenced itself', async () => {
    node.write(`${MARKS}/node-b`, '');
    node.answers({ fence: FENCED_ITSELF });
    const holder = start();
    await node.until('it ends', () => holder.exitCode !== null);
    expect(holder.exitCode).toBe(1);
    expect(node.read('calls')).not.toContain('notify --ready');
    expect(node.read('run/nim-ha/fenced')).toBe(`${NAME}\n`);
    expect([free(), node.has('run/nim-ha/lock-held')]).toEqual([true, false]);
  });

  test('an answer that comes after its time is not taken for one to this lock', async () => {
    node.write(`${MARKS}/node-b`, '');
    node.write('run/nim-ha/fence-answer', `fenced ${NAME}\n`);
    start();
    await readyAtLast();
    await node.notes('node-b is not fenced, and only the lease has ended its lock');
  });

  test('takes no lock where it cannot read whether there is fencing', () => {
    node.write('var/lib/nim-ha/fence_key', '');
    node.write('etc/nim-ha/node.data', '');
    expect([node.run('lock-holder.sh').status, node.has(LOCK)]).toEqual([1, false]);
  });

  test('asks for no lock while it is fenced', async () => {
    node.write('run/nim-ha/fenced', `${NAME}\n`);
    expect(node.run('lock-holder.sh').status).toBe(0);
    await node.notes('fenced at the share, or yet to ask whether it is: no lock');
    expect(node.has(LOCK)).toBe(false);
  });

  test('a lock that is lost while the server is asked starts nothing', async () => {
    node.write(`${MARKS}/node-b`, '');
    node.answers({ fence: `fenced ${NAME}` });
    // Answers come too late: the first question is heard at once, then the share denies what is written through the locked file.
    node.standIn('dd', `[[ ! -s ${node.root}/asked ]] || { echo 'dd: Permission denied' >&2; exit 1; }; exec /bin/dd "$@"`);
    const holder = start();
    await node.until('it ends', () => holder.exitCode !== null);
    expect(node.read('calls')).not.toContain('notify --ready');
    // What it has written is not taken for ended: nobody knows what of it is still on its way.
    expect(node.has(`${MARKS}/node-a`)).toBe(true);
  });

  test('is stopped while the server is asked, and does not wait for the answer', async () => {
    node.write(`${MARKS}/node-b`, '');
    node.write('server-hangs', '');
    const holder = node.start('bash', '-c', 'exec bash ./lock-holder.sh 2>"$NIM_HA_ROOT/stderr"');
    await node.until('the server is asked', () => node.has('ssh-pid'));
    holder.kill('SIGTERM');
    await node.until('it ends', () => holder.exitCode !== null, 10);
    expect(node.read('stderr')).toBe('');
    expect([holder.exitCode, node.has(`${MARKS}/node-a`), free()]).toEqual([0, false, true]);
    // Nothing that it has started is left, or a node would not come back from a fence.
    await node.until('the question has ended, too', () => spawnSync('kill', ['-0', node.read('ssh-pid').trim()]).status !== 0, 5);
  });

  describe('while another one has the lock', () => {
    let other: ReturnType<FencedNode['start']>;
    beforeEach(async () => {
      node.write(LOCK, '+');
      // Its child does not have the lock, so it goes with the process.
      other = node.start('flock', '-o', join(node.root, LOCK), 'sleep', '60');
      await node.until('it is held', () => !free());
    });
    const waits = () => node.until('it waits', () => node.read('journal').includes('waiting for the lock'));
    const later = async () => {
      for (let second = 1001; second < 1012; second += 1) {
        node.uptime(second);
        await new Promise((done) => setTimeout(done, 200));
      }
    };

    test('asks again and again whether it is silent, if it has heard its peer', async () => {
      node.write('run/nim-ha/heard-peer', '');
      node.answers({ 'fence-silent': 'refused: the holder of the lock shows life' });
      start();
      await waits();
      await later();
      expect(node.asked.length).toBeGreaterThan(1);
      expect(new Set(node.asked)).toEqual(new Set(['fence-silent']));
    });

    test('asks for nothing before it has heard its peer', async () => {
      start();
      await waits();
      await later();
      expect(node.asked).toEqual([]);
    });

    test('goes on trying for the lock while a question hangs', async () => {
      node.write('run/nim-ha/heard-peer', '');
      node.write('server-hangs', '');
      start();
      await node.until('the server is asked', () => node.asked.length > 0);
      other.kill('SIGKILL');
      await ready();
    });

    test('what it has asked while it waited is no answer to a question with the lock', async () => {
      node.write('run/nim-ha/heard-peer', '');
      node.write(`${MARKS}/node-b`, '');
      node.answers({ fence: `fenced ${NAME}` });
      node.write('server-hangs', '');
      start();
      await node.until('the server is asked', () => node.has('ssh-pid'));
      const first = node.read('ssh-pid').trim();
      other.kill('SIGKILL');
      await node.until('it is asked with the lock', () => node.asked.includes('fence'), 15);
      expect([node.asked, told()]).toEqual([['fence-silent', 'fence'], false]);
      await node.until('the first question has ended', () => spawnSync('kill', ['-0', first]).status !== 0, 5);
    });

    test('gives up when the agent learns that it is fenced', async () => {
      const holder = start();
      await waits();
      node.write('run/nim-ha/fenced', `${NAME}\n`);
      await node.until('it ends', () => holder.exitCode !== null);
      expect(holder.exitCode).toBe(0);
    });

    test('gives up when it is fenced itself', async () => {
      node.write('run/nim-ha/heard-peer', '');
      node.answers({ 'fence-silent': FENCED_ITSELF });
      const holder = start();
      await node.until('it ends', () => holder.exitCode !== null);
      expect([holder.exitCode, node.read('run/nim-ha/fenced')]).toEqual([0, `${NAME}\n`]);
    });
  });
});

describe('the lock holder, while the server lets nobody open the file of the lock,', () => {
  // A FIFO that nobody reads, as the file of a node that has died with a delegation of it.
  beforeEach(() => {
    node.elect();
    node.remove(LOCK);
    spawnSync('mkdir', ['-p', dirname(join(node.root, LOCK))]);
    spawnSync('mkfifo', [join(node.root, LOCK)]);
  });
  const start = () => node.start(node.script('lock-holder.sh'));

  test('asks after three seconds whether the holder is silent, and ends when it is not wanted any more', async () => {
    node.write('run/nim-ha/heard-peer', '');
    node.answers({ 'fence-silent': `fenced ${NAME}` });
    const begun = Date.now();
    const holder = start();
    await node.until('the server is asked', () => node.asked.length > 0);
    expect(Date.now() - begun).toBeGreaterThan(3000);
    await node.notes('the NFS server has fenced the silent holder of the lock');
    expect([node.asked, holder.exitCode]).toEqual([['fence-silent'], null]);
    node.remove('run/nim-ha/want-master');
    await node.until('it ends', () => holder.exitCode !== null);
    expect([holder.exitCode, node.has('run/nim-ha/lock-held')]).toEqual([0, false]);
  });

  test('ends when it is fenced itself', async () => {
    node.write('run/nim-ha/heard-peer', '');
    node.answers({ 'fence-silent': FENCED_ITSELF });
    const holder = start();
    await node.until('it ends', () => holder.exitCode !== null);
    expect([holder.exitCode, node.read('run/nim-ha/fenced')]).toEqual([0, `${NAME}\n`]);
  });

  test('goes on when it can be opened', async () => {
    const holder = start();
    await new Promise((done) => setTimeout(done, 1000));
    expect([holder.exitCode, node.has('run/nim-ha/lock-held')]).toEqual([null, false]);
    const file = join(node.root, LOCK);
    // There is a file again before one that reads lets the process go on that waits in open.
    spawnSync('bash', ['-c', 'ln "$0" "$0.old"; : >"$0.new"; mv "$0.new" "$0"; exec 3<"$0.old"; rm "$0.old"', file]);
    await node.until('systemd is told', () => node.read('calls').includes('notify --ready'));
  });
});

describe('rejoin.sh', () => {
  beforeEach(() => {
    node.write('run/nim-ha/fenced', '?\n');
    node.write(`${MARKS}/node-a`, '');
  });
  const rejoin = () => node.run('rejoin.sh').status;
  const isolated = () => node.read('calls').includes('start nim-ha-isolate.service');

  test('lets go of everything, asks under the name of the fence, mounts, and takes the old mark back', () => {
    node.answers({ status: `fenced ${NAME}`, rejoin: 'back' });
    expect(rejoin()).toBe(0);
    expect(node.asked).toEqual(['status', `rejoin ${NAME}`]);
    expect([isolated(), node.has('run/nim-ha/fenced'), node.has(`${MARKS}/node-a`)]).toEqual([true, false, false]);
    expect(node.read('proc/mounts')).toBe(node.read('mounted'));
  });

  test('has mounted anew what a boot has mounted with version 3, while the export was not there', () => {
    node.write('proc/mounts', '');
    node.write('falls-back', '');
    node.answers({ status: `fenced ${NAME}`, rejoin: 'back' });
    expect(rejoin()).toBe(0);
    expect([node.read('proc/mounts'), node.has('run/nim-ha/fenced')]).toEqual([node.read('mounted'), false]);
  });

  test('isolates nothing where there is nothing, as after a boot', () => {
    node.write('proc/mounts', '');
    node.answers({ status: `fenced ${NAME}`, rejoin: 'back' });
    expect([rejoin(), node.asked, isolated()]).toEqual([0, ['status', `rejoin ${NAME}`], false]);
  });

  test('does not ask to come back while anything of the share is held', async () => {
    node.answers({ status: `fenced ${NAME}`, rejoin: 'back' });
    node.write('stuck', '');
    expect(rejoin()).toBe(1);
    expect(node.asked).toEqual(['status']);
    expect(node.read('run/nim-ha/fenced')).toBe(`${NAME}\n`);
    await node.notes('not back at the share yet: something of the share is held here');
  });

  test.each<[string, () => void]>([
    ['a process of the services', () => node.cgroup(1_000_000_000)],
    ['a lock holder', () => node.write('lock-cgroup/cgroup.events', 'populated 1\n')],
    ['the mount of clickhouse', () => node.mount('/var/lib/clickhouse')],
    ['the mount of nms', () => node.mount('/var/lib/nms')],
  ])('does not ask to come back while there is %s', (_, put) => {
    node.answers({ status: `fenced ${NAME}`, rejoin: 'back' });
    node.write('proc/mounts', '');
    node.write('stuck', '');
    put();
    expect([rejoin(), node.asked, isolated(), node.read('run/nim-ha/fenced')]).toEqual([1, ['status'], true, `${NAME}\n`]);
  });

  test.each<[string, () => void]>([
    ['no process can be started for it', () => node.standIn('base64', 'exit 1')],
    ['the file is being replaced', () => node.remove('etc/nim-ha/node.data')],
  ])('whether there is fencing cannot be read just now, for %s: stays out', (_, break_) => {
    node.answers({ status: 'free' });
    break_();
    expect([rejoin(), node.asked, node.read('run/nim-ha/fenced'), node.read('run/nim-ha/rejoin-why')]).toEqual([1, [], '?\n', 'node.data cannot be read\n']);
  });

  test('does not ask to come back when the isolation has not come to its end', async () => {
    node.answers({ status: `fenced ${NAME}`, rejoin: 'back' });
    node.write('run/nim-ha/isolating', 'lease 40\n');
    expect([rejoin(), node.asked]).toEqual([1, ['status']]);
  });

  test('stays out while the server refuses', () => {
    node.answers({ status: `fenced ${NAME}`, rejoin: 'refused: fenced under another name' });
    expect([rejoin(), node.has('run/nim-ha/fenced'), node.has(`${MARKS}/node-a`)]).toEqual([1, true, true]);
  });

  test('stays out, under the name that it knows, while the server is not to be asked', () => {
    node.write('run/nim-ha/fenced', `${NAME}\n`);
    expect([rejoin(), rejoin(), rejoin(), rejoin()]).toEqual([1, 1, 1, 1]);
    expect([node.read('run/nim-ha/fenced'), isolated()]).toEqual([`${NAME}\n`, false]);
  });

  test('after a boot, not fenced: takes its old mark back, and holds on to its mounts', () => {
    node.answers({ status: 'free' });
    expect([rejoin(), isolated(), node.has('run/nim-ha/fenced'), node.has(`${MARKS}/node-a`)]).toEqual([0, false, false, false]);
  });

  test('after a boot, the server not to be asked: goes on after a minute and a half, however often it has asked', async () => {
    node.write('run/nim-ha/fenced', '? 950\n');
    expect([rejoin(), rejoin(), rejoin(), rejoin(), node.read('run/nim-ha/fenced')]).toEqual([1, 1, 1, 1, '? 950\n']);
    node.uptime(1039);
    expect(rejoin()).toBe(1);
    node.uptime(1040);
    expect([rejoin(), node.has('run/nim-ha/fenced'), node.has(`${MARKS}/node-a`)]).toEqual([0, false, true]);
    await node.notes('after the boot: no answer from the NFS server');
  });

  test('after a boot, a server that cannot tell is one that does not answer: the lease decides', async () => {
    node.answers({ status: 'refused: /var/lib cannot be written' });
    node.write('run/nim-ha/fenced', '? 950\n');
    node.uptime(1039);
    expect([rejoin(), node.read('run/nim-ha/fenced')]).toEqual([1, '? 950\n']);
    node.uptime(1040);
    expect([rejoin(), node.has('run/nim-ha/fenced'), node.has(`${MARKS}/node-a`)]).toEqual([0, false, true]);
    await node.notes('after the boot: refused: /var/lib cannot be written; the lease decides');
    // A fence that is known is another matter.
    node.write('run/nim-ha/fenced', `${NAME}\n`);
    expect([rejoin(), node.read('run/nim-ha/fenced')]).toEqual([1, `${NAME}\n`]);
  });

  test('is not back without the share, and tries again', async () => {
    node.write('away', '');
    node.write('proc/mounts', '');
    node.answers({ status: 'free' });
    expect([rejoin(), node.has('run/nim-ha/fenced'), node.has(`${MARKS}/node-a`)]).toEqual([1, true, true]);
    await node.notes('not back at the share yet: the share cannot be mounted');
    node.remove('away');
    expect([rejoin(), node.has('run/nim-ha/fenced'), node.has(`${MARKS}/node-a`)]).toEqual([0, false, false]);
  });

  test('says why a node that the server has back does not stand by, and asks the server again all the same', async () => {
    node.write('run/nim-ha/booted', '');
    node.write('away', '');
    node.write('run/nim-ha/fenced', `${NAME}\n`);
    node.write('proc/mounts', '');
    node.answers({ status: `fenced ${NAME}`, rejoin: 'back' });
    expect([rejoin(), node.read('run/nim-ha/fenced')]).toEqual([1, 'back\n']);
    expect(node.tick().reason).toBe('not fenced at the share any more, and not back there yet: the share cannot be mounted');
    // The other node has fenced it anew.
    expect([rejoin(), node.asked.slice(2)]).toEqual([1, ['status', `rejoin ${NAME}`]]);
    node.answers({ status: 'free' });
    node.remove('away');
    expect([rejoin(), node.has('run/nim-ha/fenced'), node.has('run/nim-ha/rejoin-why')]).toEqual([0, false, false]);
  });

  test('says what keeps a fenced node out', () => {
    node.write('run/nim-ha/booted', '');
    node.answers({ status: `fenced ${NAME}`, rejoin: 'refused: /var/lib cannot be written' });
    expect(rejoin()).toBe(1);
    expect(node.tick().reason).toBe(
      `fenced at the share as ${NAME}: the other node has taken over; this one comes back by itself, as soon as it holds nothing of the share any more; not back yet: refused: /var/lib cannot be written`,
    );
  });

  test('does not ask to come back while the kernel holds what was taken off lazily: whoever has a file open there could write again', async () => {
    node.answers({ status: `fenced ${NAME}`, rejoin: 'back' });
    node.write('proc/mounts', '');
    node.write('run/nim-ha/devices', '0:45\n0:46\n');
    node.write('proc/nfs-volumes', 'NV SERVER   PORT DEV          FSID FSC\nv4 c000020d  801 0:46 1:0 no\n');
    expect([rejoin(), node.asked, isolated()]).toEqual([1, ['status'], true]);
    await node.notes('not back at the share yet: something of the share is held here');
    node.write('proc/nfs-volumes', 'NV SERVER   PORT DEV          FSID FSC\nv4 c000020d  801 0:47 1:0 no\n');
    expect([rejoin(), node.asked.slice(1)]).toEqual([0, ['status', `rejoin ${NAME}`]]);
  });

  test('a mark is not taken back while a lock holder is there that may have left it', async () => {
    node.answers({ status: 'free' });
    node.write('lock-cgroup/cgroup.events', 'populated 1\n');
    expect([rejoin(), node.has(`${MARKS}/node-a`), node.has('run/nim-ha/fenced')]).toEqual([1, true, true]);
    await node.notes('not back at the share yet: a lock holder waits for its end');
    node.write('lock-cgroup/cgroup.events', 'populated 0\n');
    expect([rejoin(), node.has(`${MARKS}/node-a`)]).toEqual([0, false]);
  });

  test('an active node keeps its mark, whatever somebody has written into the file', () => {
    node.answers({ status: 'free' });
    node.holdLock();
    expect([rejoin(), node.has(`${MARKS}/node-a`), node.has('run/nim-ha/fenced')]).toEqual([0, true, false]);
  });

  test('what is no answer of the server is none', () => {
    for (const answer of ['fenced', 'fenced $(reboot)', 'Welcome', 'back']) {
      node.write('run/nim-ha/fenced', `${NAME}\n`);
      node.answers({ status: answer });
      expect([answer, rejoin()]).toEqual([answer, 1]);
    }
  });
});

describe('the agent', () => {
  const REJOIN = '--no-block start nim-ha-rejoin.service';

  test('one that needs long to begin has not stood still, and goes on', () => {
    node.standIn('base64', `read -r now _ <"${node.root}/proc/uptime"; echo "$((\${now%.*} + 4)).00 1.00" >"${node.root}/proc/uptime"; exec /usr/bin/base64 "$@"`);
    expect(node.tick(1000).phase).toBe('FENCED');
    expect(Number(node.read('proc/uptime').split('.')[0])).toBeGreaterThan(1010);
  });

  test('after a boot it asks before anything else, and mounts nothing', () => {
    node.write('proc/mounts', '');
    node.write('etc/fstab', `x ${node.root}/var/lib/clickhouse nfs defaults 0 0\nx ${node.root}/var/lib/nms nfs defaults 0 0\n`);
    expect(node.tick(1000)).toMatchObject({ phase: 'FENCED', able: 'no', reason: 'after the boot: asking the NFS server whether this node is fenced' });
    expect(node.read('calls')).toContain(REJOIN);
    expect(node.read('calls')).not.toContain('.mount');
    node.remove('run/nim-ha/fenced');
    expect(node.tick(1010)).toMatchObject({ phase: 'STANDBY' });
  });

  test('after a boot it asks nobody before the server is there, and counts from then', () => {
    const server = `NFS_SERVER=${Buffer.from('127.0.0.1').toString('base64')}\n`;
    node.write('etc/nim-ha/node.data', `${node.read('etc/nim-ha/node.data')}${server}`);
    node.tick(1000);
    node.write('calls', '');
    node.write('run/nim-ha/nfs-answers', 'no\n');
    expect(node.tick(1060)).toMatchObject({ phase: 'FENCED', reason: 'after the boot: waiting for the NFS server, to ask it whether this node is fenced' });
    expect([node.read('calls').includes(REJOIN), node.read('run/nim-ha/fenced')]).toEqual([false, '? 1060\n']);
    node.write('run/nim-ha/nfs-answers', 'yes\n');
    node.tick(1070);
    expect([node.read('calls').includes(REJOIN), node.read('run/nim-ha/fenced')]).toEqual([true, '? 1060\n']);
    // A fence that is known by its name keeps it.
    node.write('run/nim-ha/fenced', `${NAME}\n`);
    node.write('run/nim-ha/nfs-answers', 'no\n');
    expect([node.tick(1080).phase, node.read('run/nim-ha/fenced')]).toEqual(['FENCED', `${NAME}\n`]);
  });

  test('one that is started anew on an active node asks nothing', () => {
    node.elect();
    node.holdLock();
    expect(node.tick(1000).phase).toBe('STARTING');
  });

  test('a standby learns that it is fenced, and comes back', async () => {
    node.write('run/nim-ha/booted', '');
    node.answers({ status: `fenced ${NAME}` });
    expect(node.tick(1000).phase).toBe('STANDBY');
    await node.until('the server has answered', () => node.has('run/nim-ha/fence-status'));
    expect(node.tick(1001)).toMatchObject({ phase: 'FENCED', able: 'no', reason: expect.stringContaining(`fenced at the share as ${NAME}`) });
    expect(node.read('calls')).toContain(REJOIN);
  });

  test('a late answer says nothing of a node that has the lock by now', () => {
    node.write('run/nim-ha/booted', '');
    node.elect();
    node.holdLock();
    node.write('run/nim-ha/fence-status', `fenced ${NAME}\n`);
    expect(node.tick(1000).phase).toBe('STARTING');
    expect([node.has('run/nim-ha/fenced'), node.has('run/nim-ha/fence-status')]).toEqual([false, false]);
  });

  test('a standby that is not fenced asks once a minute', async () => {
    node.write('run/nim-ha/booted', '');
    node.answers({ status: 'free' });
    await node.watch(130, 5);
    expect(node.asked.filter((request) => request === 'status').length).toBeGreaterThanOrEqual(2);
    expect(node.asked.length).toBeLessThanOrEqual(5);
    expect(node.state().phase).toBe('STANDBY');
  });

  describe('of a standby whose questions the NFS server does not answer', () => {
    const NO_FENCE = 'no fence to be had, so a takeover would wait for the lease: ';
    const metric = (name: string) => new RegExp(`^nim_ha_${name} (\\d)$`, 'm').exec(node.read('run/nim-ha/nim-ha.prom'))?.[1];
    /** A look, after which the question that it began has come to its end. */
    const look = async (at: number) => {
      const state = node.tick(at);
      await node.until('the question has ended', () => node.has('run/nim-ha/fence-status'));
      return state;
    };
    beforeEach(() => {
      node.write('run/nim-ha/booted', '');
      node.write('run/nim-ha/vrrp-state', 'BACKUP\n');
    });

    test.each<[string, Record<string, string>, string]>([
      ['no word', {}, 'no answer from the NFS server: ssh: connect to host nfs: No route'],
      ['a refusal', { status: 'refused: /var/lib cannot be written' }, 'refused: /var/lib cannot be written'],
    ])('says so after three minutes of %s, stays able, and is done with it at the first answer', async (_, answers, why) => {
      node.answers(answers);
      await look(1000);
      expect(await look(1001)).toMatchObject({ phase: 'STANDBY', able: 'yes', reason: '' });
      expect([metric('fence_answers'), metric('able')]).toEqual(['0', '1']);
      expect(await look(1180)).toMatchObject({ phase: 'STANDBY', able: 'yes', reason: '' });
      const said = await look(1181);
      expect(said).toMatchObject({ phase: 'STANDBY', able: 'yes', reason: `${NO_FENCE}${why}` });
      // Whatever time it is: a plan shows it.
      expect((await look(1300)).reason).toBe(said.reason);
      expect([metric('fence_answers'), metric('able')]).toEqual(['0', '1']);
      node.answers({ status: 'free' });
      await look(1310);
      expect(await look(1311)).toMatchObject({ able: 'yes', reason: '' });
      expect(metric('fence_answers')).toBe('1');
    });

    test('is told of by one that could take over, and not when it has', async () => {
      await look(1000);
      await look(1001);
      node.elect();
      node.holdLock();
      node.units(['nginx', 'active'], ['nms-core', 'active']);
      expect(node.tick(1190)).toMatchObject({ phase: 'ACTIVE', reason: '' });
      expect([metric('fence_answers'), node.has('run/nim-ha/fence-unheard')]).toEqual(['1', false]);
    });

    test('is no word of a pair that has no fencing any more', async () => {
      await look(1000);
      await look(1001);
      node.write('etc/nim-ha/node.data', 'NAME=\n');
      expect(node.tick(1190)).toMatchObject({ phase: 'STANDBY', reason: '' });
      expect([metric('fence_answers'), node.has('run/nim-ha/fence-unheard')]).toEqual([undefined, false]);
    });
  });

  test('of an active node says that its peer may still write, and that stays no trouble of its own', () => {
    node.elect();
    node.holdLock();
    node.units(['nginx', 'active'], ['nms-core', 'active']);
    node.write(AT_LARGE, 'refused: /mnt to * is exported, too\n');
    expect(node.tick(1000)).toMatchObject({
      phase: 'ACTIVE', able: 'yes',
      reason: 'the other node has not ended in order and is not fenced, so it may write when it wakes up: refused: /mnt to * is exported, too',
    });
    expect(node.read('run/nim-ha/nim-ha.prom')).toMatch(/^nim_ha_able 1$[^]*^nim_ha_fence_answers 0$/m);
    node.remove(AT_LARGE);
    expect(node.tick(1001)).toMatchObject({ phase: 'ACTIVE', reason: '' });
    expect(node.read('run/nim-ha/nim-ha.prom')).toMatch(/^nim_ha_fence_answers 1$/m);
  });

  test('has heard its peer when keepalived has been a backup for a while, and no more when it has stopped', async () => {
    node.write('run/nim-ha/booted', '');
    node.write('run/nim-ha/vrrp-state', 'BACKUP\n');
    await node.watch(20, 2, () => node.has('run/nim-ha/heard-peer'));
    expect(node.has('run/nim-ha/heard-peer')).toBe(true);
    node.write('run/nim-ha/vrrp-state', 'MASTER\n');
    node.tick();
    expect(node.has('run/nim-ha/heard-peer')).toBe(true);
    // A node that comes back from a fence has yet to hear it.
    node.write('run/nim-ha/fenced', `${NAME}\n`);
    node.tick();
    expect(node.has('run/nim-ha/heard-peer')).toBe(false);
    node.remove('run/nim-ha/fenced');
    node.write('run/nim-ha/heard-peer', '');
    node.write('run/nim-ha/vrrp-state', 'STOP\n');
    node.tick();
    expect(node.has('run/nim-ha/heard-peer')).toBe(false);
  });

  test.each([['no process can be started for it', () => node.standIn('base64', 'exit 1')], ['the file is being replaced', () => node.remove('etc/nim-ha/node.data')]])(
    'whether there is fencing cannot be read just now, for %s: a fenced node stays fenced',
    (_, break_) => {
      node.write('run/nim-ha/fenced', '11111111-2222-3333-4444-555555555555\n');
      expect(node.tick(1000)).toMatchObject({ phase: 'FENCED' });
      break_();
      node.uptime(1020);
      // It says so.
      node.run('agent.sh', 'once');
      expect(node.state()).toMatchObject({ phase: 'FENCED', updated: '1020' });
      expect(node.has('run/nim-ha/fenced')).toBe(true);
    },
  );

  test('a pair without fencing has neither the phase nor a question', () => {
    node.remove('etc/nim-ha/node.data');
    node.write('etc/nim-ha/node.data', 'NAME=\n');
    node.write('run/nim-ha/fenced', '?\n');
    expect(node.tick(1000).phase).toBe('STANDBY');
    expect([node.asked, node.has('run/nim-ha/fenced')]).toEqual([[], false]);
    // Nor a process, or a file, for it.
    node.standIn('base64', `echo base64 >>"${node.root}/asked"; exec /bin/base64 "$@"`);
    node.standIn('rm', `[[ "$*" != *"${node.root}"* ]] || echo rm >>"${node.root}/asked"; exec /bin/rm "$@"`);
    node.write('run/nim-ha/vrrp-state', 'STOP\n');
    expect(node.bash('. ./paths.sh; . ./node-data.sh; . ./fencing.sh; . ./agent-fencing.sh; now=1000 vrrp=STOP; read_fencing; look_at_fence; look_for_peer; echo "$fenced"').stdout).toBe('no\n');
    expect([node.asked, node.has('run/nim-ha/heard-peer')]).toEqual([[], false]);
  });
});
