import { createHash } from 'crypto';
import { StandInNode } from './node';

const KEYS = ['reachable', 'reason', 'vrrp_state', 'holds_virtual_ip', 'holds_lock', 'phase', 'able', 'fenced', 'keepalived', 'services', 'mounts', 'config_in_sync', 'drifted', 'since'];

describe('nim-ha status', () => {
  let node: StandInNode;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const put = (path: string, text: string) => {
    node.write(path, text);
    return `644 ${createHash('sha256').update(text).digest('hex')} /${path}\n`;
  };

  beforeEach(() => {
    node = new StandInNode();
    node.standIn('ip', '[[ "$*" == *"to 192.0.2.100"* ]] && echo "2: lan0 inet 192.0.2.100/24"');
    node.standIn('systemctl', 'shift; for unit in "$@"; do echo active; done');
    node.write('etc/nim-ha/node.data', `VIRTUAL_IP=${base64('192.0.2.100/24')}\nINTERFACE=${base64('lan0')}\n`);
    node.write('run/nim-ha/state', 'phase=ACTIVE\nable=yes\nreason=say "no"\nsince=2026-01-01T00:00:00Z\nupdated=999\n');
    node.write('run/nim-ha/vrrp-state', 'MASTER\n');
    node.write('run/nim-ha/lock-held', '');
    node.write('proc/mounts', `192.0.2.13:/x/nms ${node.root}/var/lib/nms nfs4 rw,vers=4.2 0 0\n`);
    node.write('var/lib/nim-ha/manifest', put('etc/a.conf', 'a\n') + put('etc/b.conf', 'b\n'));
  });
  afterEach(() => node.destroy());

  const status = () => {
    const { stdout, stderr, status: code } = node.run('nim-ha.sh', 'status', '--json');
    expect([stderr, code]).toEqual(['', 0]);
    return JSON.parse(stdout);
  };

  test('every key of the outputs is there, and says what is the case', () => {
    const found = status();
    expect(Object.keys(found)).toEqual(KEYS);
    expect(found).toMatchObject({
      reachable: true, reason: 'say "no"', vrrp_state: 'MASTER', holds_virtual_ip: true, holds_lock: true, phase: 'ACTIVE', able: true, fenced: null, keepalived: 'active',
      services: { nginx: 'active', 'nms-core': 'active' }, config_in_sync: true, drifted: [], since: '2026-01-01T00:00:00Z',
    });
    expect(found.mounts).toEqual({
      '/var/lib/clickhouse': { mounted: false, source: null, type: null, options: null },
      '/var/lib/nms': { mounted: true, source: '192.0.2.13:/x/nms', type: 'nfs4', options: 'rw,vers=4.2' },
    });
  });

  test('two looks at an unchanged node are the same to the byte', () => {
    const look = () => node.run('nim-ha.sh', 'status', '--json').stdout;
    expect(look()).toBe(look());
  });

  test('names each file that is not as it was deployed', () => {
    node.write('etc/a.conf', 'edited\n');
    node.remove('etc/b.conf');
    expect(status()).toMatchObject({ config_in_sync: false, drifted: ['/etc/a.conf: content', '/etc/b.conf: missing'] });
    node.write('etc/a.conf', 'a\n', 0o600);
    expect(status().drifted).toContain('/etc/a.conf: mode');
  });

  // Only root can give a file away; elsewhere stat says that somebody has.
  test('names a file that is not root\'s any more, who could write it anew at any time', () => {
    node.standIn('stat', 'exec /usr/bin/stat "$@" > >(sed -E "s|^([0-7]+) [0-9]+ (.*/etc/b.conf)$|\\1 12345 \\2|")');
    expect(status()).toMatchObject({ config_in_sync: false, drifted: ['/etc/b.conf: owner'] });
  });

  test('a systemd that does not answer leaves the rest to be told, and no state of VRRP that nobody knows', () => {
    node.standIn('systemctl', 'exec sleep 60');
    expect(status()).toMatchObject({ phase: 'ACTIVE', keepalived: 'unknown', vrrp_state: 'UNKNOWN', services: { nginx: 'unknown', 'nms-core': 'unknown' } });
    expect(node.run('nim-ha.sh', 'status').stdout).toMatch(/^services +nginx +unknown$/m);
  });

  test.each([['inactive', 'STOP'], ['failed', 'STOP'], ['deactivating', 'MASTER']])('keepalived is %s: %s', (state, expected) => {
    node.standIn('systemctl', `shift; for unit in "$@"; do echo ${state}; done; exit 3`);
    expect(status()).toMatchObject({ keepalived: state, vrrp_state: expected });
  });

  describe('whether a standby is able, as a person means it', () => {
    const able = (keepalived: string, vrrp: string, phase = 'STANDBY') => {
      node.standIn('systemctl', `shift; for unit in "$@"; do echo ${keepalived}; done`);
      node.write('run/nim-ha/vrrp-state', `${vrrp}\n`);
      // To keepalived's check it is: or it would stay out of the election for ever.
      node.write('run/nim-ha/state', `phase=${phase}\nable=yes\nreason=\nsince=\nupdated=999\n`);
      return /^able +(.*)$/m.exec(node.run('nim-ha.sh', 'status').stdout)![1];
    };

    test.each([
      ['active', 'BACKUP', 'yes'],
      ['active', 'FAULT', 'no'],
      ['active', 'STOP', 'no'],
      ['inactive', 'BACKUP', 'no'],
      ['failed', 'BACKUP', 'no'],
    ])('keepalived is %s, and said %s last: %s', (keepalived, vrrp, expected) => expect(able(keepalived, vrrp)).toBe(expected));

    test('one that has stepped down is not, nor one whose keepalived waits for a deploy', () => {
      node.write('run/nim-ha/stepped-down', '990 60\n');
      expect(able('active', 'BACKUP')).toBe('no');
      node.remove('run/nim-ha/stepped-down');
      node.write('var/lib/nim-ha/pending', '');
      expect(able('inactive', 'BACKUP')).toBe('no');
    });

    test('a systemd that does not answer says nothing of it, and a node that serves has been elected', () => {
      expect(able('', 'BACKUP')).toBe('yes');
      expect(able('active', 'FAULT', 'ACTIVE')).toBe('yes');
    });
  });

  test('a list of what was deployed that a crash has left empty is none', () => {
    node.write('var/lib/nim-ha/manifest', '');
    expect(status()).toMatchObject({ config_in_sync: false, drifted: ['/var/lib/nim-ha/manifest: missing'] });
  });

  test('names a line of fstab that is gone', () => {
    node.write('var/lib/nim-ha/fstab.lines', '192.0.2.13:/x/nms /var/lib/nms nfs defaults 0 0\n');
    expect(status().drifted).toEqual(['/etc/fstab: 192.0.2.13:/x/nms /var/lib/nms nfs defaults 0 0']);
  });

  test('names a line of fstab that is gone, and was there before the pair', () => {
    const lines = ['clickhouse', 'nms'].map((name) => `192.0.2.13:/x/${name} /var/lib/${name} nfs defaults 0 0`);
    node.write('etc/nim-ha/node.data', `${node.read('etc/nim-ha/node.data')}FSTAB=${base64(lines.join('\n'))}\n`);
    node.write('var/lib/nim-ha/fstab.lines', '');
    node.write('etc/fstab', `${lines.join('\n')}\n`);
    expect(status().drifted).toEqual([]);
    node.write('etc/fstab', lines[0]);
    expect(status().drifted).toEqual([`/etc/fstab: ${lines[1]}`]);
  });

  test.each([
    ['disconnected', 'disconnected', []],
    ['disconnected', 'connected', ['/etc/nms/nms.conf: mode of operation']],
    ['disconnected', undefined, ['/etc/nms/nms.conf: mode of operation']],
    ['', 'connected', []],
  ])('deployed as %j, the mode of operation in nms.conf is %s', (deployed, found, drifted) => {
    node.write('etc/nim-ha/node.data', `${node.read('etc/nim-ha/node.data')}OPERATION_MODE=${base64(deployed)}\n`);
    if (found) node.write('etc/nms/nms.conf', `integrations:\n  license:\n    mode_of_operation: ${found}\n`);
    expect(status()).toMatchObject({ config_in_sync: drifted.length === 0, drifted });
  });

  test.each([
    ['echo enabled; echo enabled', []],
    ['echo disabled; echo enabled', ['keepalived.service: not in the boot']],
    ['echo enabled; echo disabled', ['nim-ha-agent.service: not in the boot']],
    ['echo masked; echo enabled', []],
    ['echo disabled', []],
  ])('names what somebody has taken out of the boot: %s', (answer, drifted) => {
    node.standIn('systemctl', `[[ $* != "is-enabled keepalived.service nim-ha-agent.service" ]] || { ${answer}; exit 1; }; shift; for unit in "$@"; do echo active; done`);
    expect(status()).toMatchObject({ config_in_sync: drifted.length === 0, drifted });
  });

  test('an agent that stopped writing is not believed', () => {
    node.write('proc/uptime', '1100.00 1.00\n');
    expect(status()).toMatchObject({ phase: 'UNKNOWN', able: false, reason: 'the agent has written nothing for more than 30 s' });
  });

  test.each([
    ['STANDBY', 'yes', '', true],
    // A takeover would wait for the lease, and would take place.
    ['STANDBY', 'yes', 'the NFS server does not answer questions about fences', true],
    ['STANDBY', 'no', 'the share is not mounted on both mount points', false],
    ['WAITING', 'yes', 'waits for the lock on the share', true],
    ['STARTING', 'yes', 'services not active yet: nginx', true],
    ['FAILED', 'no', '', false],
    ['STANDBY', '', '', null],
  ])('able in phase %s, where the agent says "%s" and "%s": %s', (phase, able, reason, expected) => {
    node.write('run/nim-ha/state', `phase=${phase}\nable=${able}\nreason=${reason}\nsince=\nupdated=999\n`);
    expect(status().able).toBe(expected);
    const word = { true: 'yes', false: 'no', null: 'unknown' }[`${expected}`];
    expect(node.run('nim-ha.sh', 'status').stdout).toMatch(new RegExp(`^able +${word}$`, 'm'));
  });

  test('a deploy that has stopped keepalived leaves nobody who is able', () => {
    node.standIn('systemctl', 'shift; for unit in "$@"; do echo inactive; done; exit 3');
    node.write('run/nim-ha/state', 'phase=STANDBY\nable=yes\nreason=\nsince=\nupdated=999\n');
    node.write('var/lib/nim-ha/pending', '');
    expect(status()).toMatchObject({ able: false, reason: expect.stringMatching(/^keepalived does not start before the deploy/) });
  });

  test('the page says the same to a person', () => {
    const { stdout } = node.run('nim-ha.sh', 'status');
    expect(stdout).toMatch(/phase +ACTIVE since 2026/);
    expect(stdout).toMatch(/virtual IP +192\.0\.2\.100\/24 held here/);
    expect(stdout).toMatch(/config +as deployed/);
  });

  test.each([[['dance']], [['maintenance']], [[]]])('refuses %j with its usage', (args) => {
    const { status: code, stderr } = node.run('nim-ha.sh', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain('usage: nim-ha');
  });
});
