import { StandInNode } from './node';

const NOTIFY = 'etc/nms/scripts/nms-notify-keepalived.sh';

describe('notify.sh', () => {
  let node: StandInNode;
  beforeEach(() => (node = new StandInNode()));
  afterEach(() => node.destroy());

  const notify = (...args: string[]) => node.bash(`exec "$NIM_HA_ROOT/${NOTIFY}" "$@"`, ...args);

  test('MASTER writes the wish and nudges systemd without waiting', () => {
    expect(notify('INSTANCE', 'VI_28', 'MASTER', '110').status).toBe(0);
    expect(node.has('run/nim-ha/want-master')).toBe(true);
    expect(node.read('run/nim-ha/vrrp-state')).toBe('MASTER\n');
    expect(node.read('calls')).toBe('--no-block start nim-ha.target\n');
  });

  test.each(['BACKUP', 'FAULT', 'STOP'])('%s takes the wish away and stops services and lock', (state) => {
    notify('INSTANCE', 'VI_28', 'MASTER', '110');
    expect(notify('INSTANCE', 'VI_28', state, '110').status).toBe(0);
    expect(node.has('run/nim-ha/want-master')).toBe(false);
    expect(node.read('calls')).toContain('--no-block stop nim-ha.target nim-ha-lock.service');
  });

  test('double MASTER and double BACKUP end as one of them', () => {
    for (const state of ['MASTER', 'MASTER']) notify('INSTANCE', 'VI_28', state, '110');
    expect(node.has('run/nim-ha/want-master')).toBe(true);
    for (const state of ['BACKUP', 'BACKUP']) notify('INSTANCE', 'VI_28', state, '110');
    expect(node.has('run/nim-ha/want-master')).toBe(false);
  });

  test('a call that was overtaken by a later one changes nothing', async () => {
    // Forked first, gets to work last: what keepalived does when the machine is busy.
    const early = node.start('bash', '-c', `until [[ -e ${node.root}/go ]]; do sleep 0.1; done; check_nms_services=(nginx); set -- INSTANCE VI_28 MASTER 110; . ${node.script('notify.sh')}`);
    await new Promise((done) => setTimeout(done, 200));
    notify('INSTANCE', 'VI_28', 'BACKUP', '110');
    node.write('go', '');
    await node.until('the early call ends', () => early.exitCode !== null);
    expect(node.has('run/nim-ha/want-master')).toBe(false);
    expect(node.read('run/nim-ha/vrrp-state')).toBe('BACKUP\n');
    expect(node.read('journal')).toContain('a later word is already in force');
  });

  test('prints the guide\'s array', () => {
    expect(notify('--services').stdout).toBe('nginx\nnms-core\n');
  });

  test.each([[['GROUP', 'g', 'MASTER', '1']], [[]], [['INSTANCE', 'VI_28', 'DELETED', '0']]])('refuses %j', (args) => {
    const { status, stderr } = notify(...args);
    expect(status).toBe(2);
    expect(stderr).toContain('usage:');
    expect(node.has('run/nim-ha/want-master')).toBe(false);
  });
});
