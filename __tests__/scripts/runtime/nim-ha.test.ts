import { createHash } from 'crypto';
import { hostname } from 'os';
import { StandInNode } from './node';

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('nim-ha on the active node', () => {
  let node: StandInNode;

  /** A node without a peer: its keepalived is elected again as soon as it is restarted. */
  beforeEach(() => {
    node = new StandInNode();
    node.write('etc/nim-ha/node.data', `PROFILE=${base64('guide')}\nVIRTUAL_IP=${base64('192.0.2.100')}\nINTERFACE=${base64('lan0')}\n`);
    node.write('run/nim-ha/state', 'phase=ACTIVE\nable=yes\nreason=\nsince=\nupdated=999\n');
    node.write('run/nim-ha/want-master', '');
    node.holdLock();
    node.write('step', 'inactive\n');
    node.write('keepalived', 'active\n');
    node.standIn('systemctl', `cd ${node.root}
      printf '%s\\n' "$*" >>calls
      case "$*" in
        "is-active nim-ha-step.service") cat step ;;
        *"is-active keepalived.service") [[ "$(cat keepalived)" == active ]] ;;
        *"stop nim-ha.target"*) rm -f run/nim-ha/lock-held ;;
        "try-restart keepalived.service") [[ "$(cat keepalived)" != active ]] || : >run/nim-ha/want-master ;;
        "restart keepalived.service" | "start keepalived.service") echo active >keepalived; : >run/nim-ha/want-master ;;
      esac`);
  });
  afterEach(() => node.destroy());

  const fails = (...args: string[]) => {
    const { status, stderr } = node.run('nim-ha.sh', ...args);
    expect(status).toBe(1);
    return stderr;
  };
  const changes = () => node.read('calls').split('\n').filter((line) => /\b(re)?(start|stop)\b/.test(line));

  describe.each(['active', 'activating', 'deactivating'])('while a step of a deploy is %s', (state) => {
    test.each(['switchover', 'maintenance on', 'maintenance off'])('refuses %s before anything is touched', (command) => {
      node.write('step', `${state}\n`);
      node.write('var/lib/nim-ha/maintenance', '');
      const before = ['run/nim-ha/want-master', 'var/lib/nim-ha/maintenance'];
      expect(fails(...command.split(' '))).toContain(`a step of a deploy is at work on this node; nothing was changed: run ${command} when`);
      expect(changes()).toEqual([]);
      expect(before.filter((path) => node.has(path))).toEqual(before);
    });
  });

  test('refuses a switchover after which a deploy that was interrupted would keep keepalived down', () => {
    node.write('var/lib/nim-ha/pending', '');
    expect(fails('switchover')).toContain('nothing was changed: keepalived does not start before the deploy');
    expect(changes()).toEqual([]);
  });

  test('a switchover restarts keepalived', () => {
    expect(fails('switchover')).toContain('no peer took over');
    expect(changes()).toEqual(['--no-block stop nim-ha.target nim-ha-lock.service', 'try-restart keepalived.service']);
  });

  describe('a switchover after which this node is not elected again', () => {
    const HOLDER = 'var/lib/nms/.nim-ha/holder';
    beforeEach(() => {
      const old = node.read('stand-ins/systemctl').replace(/^#!.*\n/, '');
      node.standIn('systemctl', `[[ $1 != try-restart ]] || exit 0\n${old}`);
    });

    test('tells of the peer when that has the lock', () => {
      node.write(HOLDER, 'node-b 1\n');
      expect(node.run('nim-ha.sh', 'switchover').stdout).toContain('the peer has the lock and starts its services; this node is standby; see there: nim-ha status');
    });

    test('does not where nobody has taken it', () => {
      node.write(HOLDER, `${hostname()} 1\n`);
      const { status, stderr } = node.bash('NIM_HA_TAKEOVER_LIMIT=1 bash ./nim-ha.sh switchover');
      expect(status).toBe(1);
      expect(stderr).toContain('but no other node has taken the lock on the share yet; see on both nodes: nim-ha status');
    });
  });

  test('a switchover does not start the keepalived that a deploy has stopped meanwhile, and says so', () => {
    node.write('keepalived', 'inactive\n');
    expect(fails('switchover')).toContain('keepalived did not start again');
    expect(node.read('keepalived')).toBe('inactive\n');
  });

  test('verify runs the check, which is not one of keepalived', () => {
    for (const name of ['keepalived', 'arping', 'rpcinfo', 'showmount']) node.standIn(name, '');
    node.write('etc/nms/scripts/nms-check-keepalived.sh', `#!/bin/bash\n. ${node.script('nms-check-keepalived.sh')}\n`, 0o755);
    node.write('run/nim-ha/checked', '900\n');
    expect(node.run('nim-ha.sh', 'verify').stdout).toContain('ok    the check lets this node be master\n');
    node.write('run/nim-ha/state', 'able=no\nupdated=999\n');
    expect(node.run('nim-ha.sh', 'verify').stdout).toContain('FAIL  the check lets this node be master\n');
    expect(node.read('run/nim-ha/checked')).toBe('900\n');
  });

  test('verify asks rpcbind where it answers, and NFSv4 does without', () => {
    for (const name of ['keepalived', 'arping']) node.standIn(name, '');
    for (const name of ['rpcinfo', 'showmount']) node.standIn(name, 'echo "no such service"; exit 1');
    node.write('etc/nim-ha/node.data', `NFS_SERVER=${base64('192.0.2.13')}\n`);
    const verdicts = (open: string) => {
      node.standIn('bash', `[[ $2 != *dev/tcp* ]] || { [[ " ${open} " == *" $4:$5 "* ]]; exit; }; exec /bin/bash "$@"`);
      return node.run('nim-ha.sh', 'verify').stdout.split('\n').filter((line) => /NFS server|rpcinfo|showmount/.test(line));
    };
    expect(verdicts('192.0.2.13:2049')).toEqual([
      'ok    NFS server 192.0.2.13 answers on port 2049',
      'skip  rpcinfo -p 192.0.2.13: 192.0.2.13 does not answer on port 111, which NFSv4 does not need',
      'skip  showmount -e 192.0.2.13: 192.0.2.13 does not answer on port 111, which NFSv4 does not need',
    ]);
    expect(verdicts('192.0.2.13:111')).toEqual([
      'FAIL  NFS server 192.0.2.13 answers on port 2049: no connection; is nfs-server running there, and does a firewall let this node through?',
      'FAIL  rpcinfo -p 192.0.2.13: no such service',
      'FAIL  showmount -e 192.0.2.13: no such service',
    ]);
  });

  describe('verify asks where the virtual IP is', () => {
    const state = (phase: string, address: boolean, services: string) => {
      for (const name of ['keepalived', 'rpcinfo', 'showmount']) node.standIn(name, '');
      node.write('etc/nim-ha/node.data', `VIRTUAL_IP=${base64('192.0.2.100/24')}\nINTERFACE=${base64('lan0')}\n`);
      node.write('run/nim-ha/state', `phase=${phase}\nable=yes\nupdated=999\n`);
      node.standIn('ip', address ? 'echo "2: lan0 inet 192.0.2.100/24"' : '');
      node.standIn('systemctl', `shift; for unit in "$@"; do echo ${services}; done`);
    };
    // As the two programs of that name say it.
    const iputils = (answers: number) => node.standIn('arping', `[[ $1 != -V ]] || { echo "arping from iputils 20221126"; exit; }; echo "$*" >"${node.root}/asked"; echo "Unicast reply from 192.0.2.100 [02:00:00:00:00:0b]"; echo "Received ${answers} response(s)"; exit 1`);
    const habets = (answers: number) => node.standIn('arping', `[[ $1 != -V ]] || { echo "arping: invalid option -- 'V'" >&2; exit 1; }; echo "$*" >"${node.root}/asked"; echo "42 bytes from 02:00:00:00:00:0b (192.0.2.100): index=0"; echo "2 packets transmitted, ${answers} packets received, 0% unanswered (0 extra)"; exit 1`);
    const verdicts = () => node.run('nim-ha.sh', 'verify').stdout.split('\n').filter((line) => /virtual IP|holds|arping|services are/.test(line));
    const PLACE = 'the virtual IP is where the services are';

    test.each([['iputils', true], ['Habets', false]])('with the arping of %s', (_, ofIputils) => {
      const says = ofIputils ? iputils : habets;
      state('ACTIVE', true, 'active');
      says(0);
      expect(verdicts()).toEqual([`ok    ${PLACE}`, 'ok    nobody else holds 192.0.2.100', 'ok    services are active, as phase ACTIVE has it']);
      // From the address itself the one would get no answer; to the other this is another option.
      expect(node.read('asked').startsWith('-D ')).toBe(ofIputils);
      says(1);
      expect(verdicts()[1]).toMatch(/^FAIL  nobody else holds 192\.0\.2\.100: .* from .*192\.0\.2\.100/);
      state('STANDBY', false, 'inactive');
      expect(verdicts()).toEqual(['ok    another node holds 192.0.2.100', 'ok    services are inactive, as phase STANDBY has it']);
      expect(node.read('asked')).not.toContain('-D');
      says(0);
      expect(verdicts()[0]).toBe('FAIL  another node holds 192.0.2.100: no answer; is the peer up?');
    });

    test('an arping that cannot ask is no answer', () => {
      state('ACTIVE', true, 'active');
      node.standIn('arping', 'echo "arping: Device lan0 not available." >&2; exit 2');
      expect(verdicts()[1]).toBe('FAIL  arping 192.0.2.100: arping: Device lan0 not available.');
    });

    test('a notify script that names no service is no word of them', () => {
      state('ACTIVE', true, 'active');
      iputils(0);
      node.write('etc/nms/scripts/nms-notify-keepalived.sh', '#!/bin/bash\n', 0o755);
      expect(verdicts()[2]).toBe('FAIL  services are active, as phase ACTIVE has it: the notify script names none');
    });

    test('what does not even end when it is killed is not waited for', () => {
      state('ACTIVE', true, 'active');
      iputils(0);
      node.mount('/var/lib/nms');
      // It leaves the group that timeout kills, with the output open.
      node.standIn('df', 'setsid sleep 60 & exec sleep 60');
      const begin = Date.now();
      expect(node.run('nim-ha.sh', 'verify').stdout).toMatch(/^FAIL {2}df -h /m);
      expect(Date.now() - begin).toBeLessThan(29_000);
    });

    test.each([
      ['ACTIVE', false, 'active', `FAIL  ${PLACE}: the services are here, in phase ACTIVE, and it is not`],
      ['WAITING', true, 'inactive', `FAIL  ${PLACE}: held here, and the lock is not: another node has it, or had`],
      ['STANDBY', true, 'inactive', `FAIL  ${PLACE}: held here in phase STANDBY`],
      ['ACTIVE', true, 'failed', 'FAIL  services are active, as phase ACTIVE has it: got nginx failed nms-core failed'],
      ['STANDBY', false, 'active', 'FAIL  services are inactive, as phase STANDBY has it: got nginx active nms-core active'],
      ['STANDBY', false, 'failed', 'ok    services are inactive, as phase STANDBY has it'],
    ])('%s, address %s, services %s', (phase, address, services, expected) => {
      state(phase, address, services);
      iputils(1);
      expect(verdicts()).toContain(expected);
    });
  });
});

describe('nim-ha maintenance', () => {
  const MARK = 'var/lib/nim-ha/maintenance';
  let node: StandInNode;
  beforeEach(() => {
    node = new StandInNode();
    // Says of each call whether the mark is there by then.
    const marked = `[[ -e ${node.root}/${MARK} ]] && echo marked || echo free`;
    node.standIn('systemctl', `printf '%s, %s\\n' "$*" "$(${marked})" >>"${node.root}/calls"
      case "$*" in
        "is-active nim-ha-step.service") echo inactive ;;
        "stop keepalived.service") [[ ! -e ${node.root}/stays ]] || exit 1; [[ -e ${node.root}/drains ]] || rm -f ${node.root}/run/nim-ha/lock-held ;;
        "start keepalived.service") [[ ! -e ${node.root}/stays ]] || exit 1 ;;
      esac`);
    node.standIn('sync', `printf 'sync %s, %s\\n' "\${1#${node.root}/}" "$(${marked})" >>"${node.root}/calls"; [[ ! -e ${node.root}/no-disk ]] || exit 1`);
  });
  afterEach(() => node.destroy());

  const maintenance = (how: 'on' | 'off') => node.run('nim-ha.sh', 'maintenance', how);
  const done = () => node.read('calls').split('\n').filter((line) => /^(sync|start|stop|restart|--no-block) /.test(line));

  describe('on', () => {
    const LOCK = 'var/lib/nms/.nim-ha/lock';
    let peer: ReturnType<StandInNode['start']>;
    /** The active node, whose peer takes over. */
    beforeEach(() => {
      node.holdLock();
      node.mount();
      node.write('var/lib/nms/.nim-ha/holder', 'node-b 1\n');
      node.write(LOCK, '');
      peer = node.start('bash', '-c', `while sleep 0.2; do printf + >>"${node.root}/${LOCK}"; done`);
    });
    const shortly = () => node.bash('NIM_HA_TAKEOVER_LIMIT=2 bash ./nim-ha.sh maintenance on');
    const NOBODY = 'maintenance is on, and no other node has taken the lock: nobody serves; nim-ha maintenance off brings this one back';

    test.each<[string, () => void]>([
      ['has taken the lock', () => node.write('var/lib/nms/.nim-ha/holder', `${hostname()} 1\n`)],
      ['has a name on the lock of a node that lives', () => peer.kill('SIGKILL')],
    ])('says that nobody serves where no other node %s', (_, make) => {
      make();
      expect(shortly()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(NOBODY) });
      expect(node.has(MARK)).toBe(true);
      // Also when it is asked once more, and of a node that waited for the lock.
      expect(shortly()).toMatchObject({ status: 1, stderr: expect.stringContaining(NOBODY) });
      node.remove(MARK);
      node.elect();
      node.standIn('systemctl', '');
      expect(shortly()).toMatchObject({ status: 1, stderr: expect.stringContaining(NOBODY) });
    });

    test('of a standby asks nobody: another node serves', () => {
      node.remove('run/nim-ha/lock-held');
      node.remove('var/lib/nms/.nim-ha/holder');
      expect(shortly()).toMatchObject({ status: 0, stdout: expect.stringContaining('this node is out of the pair') });
    });

    test('says that it does not know where the share is not mounted any more', () => {
      node.write('proc/mounts', '');
      expect(shortly()).toMatchObject({ status: 1, stderr: expect.stringContaining('whether another node serves cannot be seen from here') });
    });

    test('says that it is on all the same where the services do not stop', () => {
      node.write('drains', '');
      expect(node.bash('NIM_HA_DRAIN_LIMIT=1 bash ./nim-ha.sh maintenance on')).toMatchObject({
        status: 1, stderr: expect.stringContaining('the services did not stop within 1 s; see: systemctl status nimha.slice; maintenance is on all the same, until: nim-ha maintenance off\n'),
      });
    });

    test('is on the disk before keepalived is stopped: it has to outlive a power cut', () => {
      expect(maintenance('on')).toMatchObject({ status: 0, stdout: expect.stringContaining('this node is out of the pair, over reboots too') });
      expect(done()).toEqual([`sync ${MARK}, marked`, 'stop keepalived.service, marked']);
      expect([node.has(MARK), node.has('run/nim-ha/lock-held')]).toEqual([true, false]);
    });

    test('that cannot be written to the disk stops nothing', () => {
      node.write('no-disk', '');
      expect(maintenance('on')).toMatchObject({ status: 1, stderr: expect.stringContaining('maintenance cannot be written; nothing was changed') });
      expect(done().filter((call) => !call.startsWith('sync'))).toEqual([]);
      expect([node.has('run/nim-ha/lock-held'), node.has(MARK)]).toEqual([true, false]);
      // One that is out of the pair already stays so.
      node.write(MARK, '');
      expect([maintenance('on').status, node.has(MARK)]).toEqual([1, true]);
    });

    test.each([
      ['the lock is held', () => node.write('drains', ''), () => node.remove('run/nim-ha/lock-held')],
      ['a process of the services lives', () => node.cgroup(1_000_000_000), () => node.cgroup()],
    ])('is not over while %s', async (_, make, end) => {
      make();
      const call = node.start(node.script('nim-ha.sh'), 'maintenance', 'on');
      await node.until('keepalived is stopped', () => node.read('calls').includes('stop keepalived.service'));
      await new Promise((waited) => setTimeout(waited, 1500));
      expect(call.exitCode).toBeNull();
      end();
      await node.until('it ends', () => call.exitCode !== null);
      expect(call.exitCode).toBe(0);
    });

    test('says so where keepalived does not stop', () => {
      node.write('stays', '');
      expect(maintenance('on')).toMatchObject({ status: 1, stderr: expect.stringContaining('keepalived does not stop; see: systemctl status keepalived; maintenance is on all the same, until: nim-ha maintenance off') });
    });
  });

  describe('off', () => {
    beforeEach(() => node.write(MARK, ''));

    test('is on the disk before keepalived is started, which would not start with it', () => {
      expect(maintenance('off')).toMatchObject({ status: 0, stdout: expect.stringContaining('this node is of the pair again') });
      expect(done()).toEqual(['sync var/lib/nim-ha, free', 'start keepalived.service, free']);
      expect(node.has(MARK)).toBe(false);
    });

    test('that cannot be written to the disk starts nothing', () => {
      node.write('no-disk', '');
      expect(maintenance('off')).toMatchObject({ status: 1, stderr: expect.stringContaining('maintenance is removed, but a power cut may bring it back') });
      expect(done().filter((call) => !call.startsWith('sync'))).toEqual([]);
    });

    test('starts no keepalived that a deploy has stopped, and says so: systemd would tell of a success', () => {
      node.write('var/lib/nim-ha/pending', '');
      expect(maintenance('off')).toMatchObject({ status: 1, stderr: expect.stringContaining('maintenance is off, but keepalived does not start before the deploy') });
      expect([done().filter((call) => call.startsWith('start')), node.has(MARK)]).toEqual([[], false]);
    });

    test('says so where keepalived does not start', () => {
      node.write('stays', '');
      expect(maintenance('off')).toMatchObject({ status: 1, stderr: expect.stringContaining('keepalived does not start; see: systemctl status keepalived') });
    });
  });
});

describe('nim-ha verify', () => {
  const SERVER = '192.0.2.13';
  let node: StandInNode;

  const deployed = (values: Record<string, string>) => {
    const data = { PROFILE: 'guide', NFS_SERVER: SERVER, NFS_EXPORT_PATH: '/x', VIRTUAL_IP: '192.0.2.100/24', INTERFACE: 'lan0', ...values };
    node.write('etc/nim-ha/node.data', Object.entries(data).map(([key, value]) => `${key}=${base64(value)}\n`).join(''));
    const files = ['etc/nms/scripts/nms-check-keepalived.sh', 'etc/nim-ha/node.data'];
    node.write('var/lib/nim-ha/manifest', files.map((path) => `${path.endsWith('.sh') ? 755 : 644} ${createHash('sha256').update(node.read(path)).digest('hex')} /${path}\n`).join(''));
  };

  /** An active node with nothing wrong. */
  beforeEach(() => {
    node = new StandInNode();
    node.write('run/nim-ha/state', 'phase=ACTIVE\nable=yes\nupdated=999\n');
    node.mount();
    for (const name of ['clickhouse', 'nms']) node.write(`var/lib/${name}/data`, '');
    node.write('etc/nms/scripts/nms-check-keepalived.sh', `#!/bin/bash\n. ${node.script('nms-check-keepalived.sh')}\n`, 0o755);
    deployed({});
    for (const name of ['keepalived', 'rpcinfo', 'showmount']) node.standIn(name, '');
    node.standIn('id', '[[ $* != keepalived_script ]]');
    node.standIn('ip', 'echo "2: lan0 inet 192.0.2.100/24"');
    node.standIn('systemctl', 'shift; for unit in "$@"; do echo active; done');
    node.standIn('systemd-escape', 'echo some.mount');
    node.standIn('arping', 'echo "Received 0 response(s)"; exit 1');
    node.standIn('bash', '[[ $2 != *dev/tcp* ]] || exit 0; exec /bin/bash "$@"');
  });
  afterEach(() => node.destroy());

  const verify = () => {
    const { status, stdout } = node.run('nim-ha.sh', 'verify');
    const lines = stdout.trim().split('\n').map((line) => line.replaceAll(node.root, ''));
    return { status, last: lines[lines.length - 1], failed: lines.filter((line) => line.startsWith('FAIL')), ok: lines.filter((line) => line.startsWith('ok ')).length };
  };

  test('where all is well nothing fails', () => {
    const { ok, ...rest } = verify();
    expect(rest).toEqual({ status: 0, last: '0 failed', failed: [] });
    expect(ok).toBeGreaterThan(15);
  });

  const mounted = (point: string, change: (line: string) => string) => () =>
    node.write('proc/mounts', node.read('proc/mounts').split('\n').map((line) => (line.includes(`/var/lib/${point} `) ? change(line) : line)).filter(Boolean).join('\n') + '\n');
  const VIOLATION = 'SECURITY VIOLATION - scripts are being executed but script_security not enabled.';
  const keepalivedSays = (text: string, code: number) => () => node.standIn('keepalived', `[[ $1 == -t ]] || exit 0; echo "${text}" >&2; exit ${code}`);

  test.each<[string, string, () => void]>([
    ['version 3 on one mount', 'FAIL  /var/lib/clickhouse speaks NFSv4: got rw,vers=3,hard', mounted('clickhouse', (line) => line.replace('nfs4', 'nfs').replace('vers=4.2', 'vers=3'))],
    ['version 3 on the other', 'FAIL  /var/lib/nms speaks NFSv4: got rw,vers=3,hard', mounted('nms', (line) => line.replace('nfs4', 'nfs').replace('vers=4.2', 'vers=3'))],
    ['a mount that gives up', 'FAIL  /var/lib/nms is hard and locks on the server: got rw,vers=4.2,soft', mounted('nms', (line) => line.replace('hard', 'soft'))],
    ['locks that stay here', 'FAIL  /var/lib/nms is hard and locks on the server: got rw,vers=4.2,hard,local_lock=all', mounted('nms', (line) => line.replace('hard', 'hard,local_lock=all'))],
    ['a mount point without the share', 'FAIL  /var/lib/clickhouse is mounted from the share: not mounted; try: systemctl start some.mount', mounted('clickhouse', () => '')],
    ['a disk of this node in the place of the share', 'FAIL  /var/lib/nms is mounted from the share: not mounted; try: systemctl start some.mount', mounted('nms', (line) => line.replace(/^\S+ (\S+) .*/, '/dev/sdb $1 ext4 rw 0 0'))],
    ['another share on one mount point', 'FAIL  /var/lib/clickhouse is mounted from the share: got 192.0.2.99:/x/clickhouse, expected 192.0.2.13:/x/clickhouse', mounted('clickhouse', (line) => line.replace(SERVER, '192.0.2.99'))],
    ['the two exports, the wrong way round on one', 'FAIL  /var/lib/nms is mounted from the share: got 192.0.2.13:/x/clickhouse, expected 192.0.2.13:/x/nms', mounted('nms', (line) => line.replace('/x/nms', '/x/clickhouse'))],
    ['a configuration that keepalived does not take', 'FAIL  keepalived -t: code 4, (Line 3) Unknown keyword', keepalivedSays('(Line 3) Unknown keyword', 4)],
    ['a complaint behind the one that the guide\'s block earns', 'FAIL  keepalived -t: code 0, (Line 3) Unknown keyword', keepalivedSays(`${VIOLATION}\n(Line 3) Unknown keyword`, 6)],
    ['a keepalived that is killed', 'FAIL  keepalived -t: code 137, no end within 10 s', keepalivedSays('', 137)],
    ['a keepalived that crashes', 'FAIL  keepalived -t: code 139, no message', keepalivedSays('', 139)],
    ['a keepalived that would run the scripts as another user', 'FAIL  keepalived -t: code 143, no message', keepalivedSays('', 143)],
    ['a configuration of the other profile that is as loose as the guide\'s', `FAIL  keepalived -t: code 6, ${VIOLATION}`, () => {
      deployed({ PROFILE: 'hardened' });
      keepalivedSays(VIOLATION, 6)();
    }],
    ['the user as whom keepalived would run the scripts',
      'FAIL  no user keepalived_script: there, and keepalived would run the scripts as this user, without the rights they need; remove the user, or use the hardened profile',
      () => node.standIn('id', '')],
    ['a file that somebody has changed', 'FAIL  files are as deployed: /etc/nms/scripts/nms-check-keepalived.sh: content', () => node.write('etc/nms/scripts/nms-check-keepalived.sh', `${node.read('etc/nms/scripts/nms-check-keepalived.sh')}# mine\n`, 0o755)],
    ['a file that others may read now', 'FAIL  files are as deployed: /etc/nim-ha/node.data: mode', () => node.write('etc/nim-ha/node.data', node.read('etc/nim-ha/node.data'), 0o666)],
    ['a share that cannot be listed', 'FAIL  ls -lart /var/lib/nms: ls: Stale file handle', () => node.standIn('ls', '[[ $2 != */nms ]] || { echo "ls: Stale file handle" >&2; exit 2; }')],
  ])('%s is the one thing that fails', (_, expected, make) => {
    make();
    expect(verify()).toMatchObject({ status: 1, last: '1 failed', failed: [expected] });
  });

  describe('of a pair with fencing', () => {
    const ANSWERS = 'the NFS server answers, and has this node not fenced';
    beforeEach(() => {
      deployed({ NAME: 'node-a', PEER_NAME: 'node-b', FENCE_SERVER: 'nfs', FENCE_PORT: '22', FENCE_HOST_KEYS: 'ssh-ed25519 AAAA' });
      node.standIn('ssh', 'echo free');
    });

    test('asks the NFS server, and where it answers nothing fails', () => {
      const { stdout } = node.run('nim-ha.sh', 'verify');
      expect(stdout).toContain(`ok    ${ANSWERS}\n`);
      expect(verify()).toMatchObject({ status: 0, failed: [] });
    });

    test.each<[string, string, () => void]>([
      ['a server that does not answer', `FAIL  ${ANSWERS}: no answer from the NFS server: ssh: No route`, () => node.standIn('ssh', 'echo "ssh: No route" >&2; exit 255')],
      ['a server that cannot tell', `FAIL  ${ANSWERS}: refused: /var/lib cannot be written`, () => node.standIn('ssh', 'echo "refused: /var/lib cannot be written"')],
      ['a node that is fenced', `FAIL  ${ANSWERS}: fenced 11111111-2222-3333-4444-555555555555`, () => node.standIn('ssh', 'echo "fenced 11111111-2222-3333-4444-555555555555"')],
      ['a peer that may still write', 'FAIL  the other node is fenced, or has ended in order: refused: exported, too', () => {
        node.holdLock();
        node.write('run/nim-ha/at-large', 'refused: exported, too\n');
      }],
    ])('%s is the one thing that fails', (_, expected, make) => {
      make();
      expect(verify()).toMatchObject({ status: 1, last: '1 failed', failed: [expected] });
    });
  });

  test.each([
    ['locks that are the server\'s by name', mounted('nms', (line) => line.replace('hard', 'hard,local_lock=none'))],
    ['the code that keepalived ends with for the guide\'s block', keepalivedSays(VIOLATION, 5)],
    ['the same since keepalived 2.2', keepalivedSays(VIOLATION, 6)],
    ['the user keepalived_script, where the other profile names root', () => {
      deployed({ PROFILE: 'hardened' });
      node.standIn('id', '');
    }],
  ])('%s: nothing fails', (_, make) => {
    make();
    expect(verify()).toMatchObject({ status: 0, last: '0 failed', failed: [] });
  });
});

describe('nim-ha rejoin', () => {
  const NAME = '11111111-2222-3333-4444-555555555555';
  let node: StandInNode;
  beforeEach(() => {
    node = new StandInNode();
    const data = { NAME: 'node-a', PEER_NAME: 'node-b', FENCE_SERVER: 'nfs', FENCE_PORT: '22', FENCE_HOST_KEYS: 'ssh-ed25519 AAAA' };
    node.write('etc/nim-ha/node.data', Object.entries(data).map(([key, value]) => `${key}=${base64(value)}\n`).join(''));
    node.write('run/nim-ha/vrrp-state', 'BACKUP\n');
    node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"; case "$*" in "start nim-ha-rejoin.service") [[ -e ${node.root}/stuck ]] || rm -f "${node.root}/run/nim-ha/fenced" ;; "is-active nim-ha-step.service") [[ ! -e ${node.root}/step ]] || echo active ;; esac`);
  });
  afterEach(() => node.destroy());
  const serverSays = (answer: string) => node.standIn('ssh', answer ? `echo "${answer}"` : 'echo "ssh: No route" >&2; exit 255');

  test('brings a fenced node back at once', () => {
    serverSays(`fenced ${NAME}`);
    expect(node.run('nim-ha.sh', 'rejoin')).toMatchObject({ status: 0, stdout: expect.stringContaining(`fenced as ${NAME}`) });
    expect(node.read('calls')).toContain('start nim-ha-rejoin.service');
  });

  test('says where it cannot, and why', () => {
    node.write('stuck', '');
    serverSays(`fenced ${NAME}`);
    expect(node.run('nim-ha.sh', 'rejoin')).toMatchObject({ status: 1, stderr: expect.stringContaining('not back yet; see: journalctl -t nim-ha') });
    expect(node.read('run/nim-ha/fenced')).toBe(`${NAME}\n`);
    node.write('run/nim-ha/rejoin-why', 'something of the share is held here\n');
    expect(node.run('nim-ha.sh', 'rejoin').stderr).toContain('not back yet: something of the share is held here; see:');
  });

  test('goes on with one that the server has back, and that could not mount', () => {
    node.write('run/nim-ha/fenced', 'back\n');
    serverSays('free');
    expect(node.run('nim-ha.sh', 'rejoin')).toMatchObject({ status: 0, stdout: expect.stringContaining('this node is back at the share') });
    expect(node.read('calls')).toContain('start nim-ha-rejoin.service');
  });

  test.each([
    ['free', 'this node is not fenced; the NFS server says: free'],
    ['', 'no answer from the NFS server: ssh: No route; the agent goes on asking'],
  ])('changes nothing where the server says %j', (answer, message) => {
    serverSays(answer);
    expect(node.run('nim-ha.sh', 'rejoin')).toMatchObject({ status: 1, stderr: expect.stringContaining(message) });
    expect([node.has('run/nim-ha/fenced'), node.read('calls').includes('rejoin')]).toEqual([false, false]);
  });

  test('is refused without fencing, and while a step of a deploy is at work', () => {
    serverSays('free');
    node.write('step', '');
    expect(node.run('nim-ha.sh', 'rejoin')).toMatchObject({ status: 1, stderr: expect.stringContaining('a step of a deploy is at work') });
    node.remove('step');
    node.write('etc/nim-ha/node.data', `NAME=${base64('node-a')}\n`);
    expect(node.run('nim-ha.sh', 'rejoin')).toMatchObject({ status: 1, stderr: expect.stringContaining('this pair has no fencing') });
  });

  test('status tells who fences, and whether this node is', () => {
    const fenced = (): unknown => JSON.parse(node.run('nim-ha.sh', 'status', '--json').stdout).fenced;
    node.write('run/nim-ha/state', 'phase=STANDBY\nable=yes\nreason=\nsince=\nupdated=999\n');
    expect(node.run('nim-ha.sh', 'status').stdout).toMatch(/^fencing +by the NFS server nfs; this node is not fenced$/m);
    expect(fenced()).toBe(false);
    node.write('run/nim-ha/fenced', `${NAME}\n`);
    expect(node.run('nim-ha.sh', 'status').stdout).toMatch(/^fencing +by the NFS server nfs; this node is fenced, or not back yet$/m);
    expect(fenced()).toBe(true);
  });
});
