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
});
