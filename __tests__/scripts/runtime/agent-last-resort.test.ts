import { StandInNode } from './node';

const RESTART = '--no-block try-restart keepalived.service';
const ISOLATE = '--no-block start nim-ha-isolate.service';

/** What the agent does when the ordinary way leads nowhere. */
describe('agent.sh: the last resorts', () => {
  let node: StandInNode;
  beforeEach(() => {
    node = new StandInNode();
    node.mount();
    node.write('etc/nim-ha/node.data', `VIRTUAL_IP=${Buffer.from('192.0.2.10/24').toString('base64')}\n`);
  });
  afterEach(() => node.destroy());

  describe('a start that takes too long', () => {
    const start = (state: string) => {
      node.elect();
      node.holdLock();
      node.units(['nginx', 'active'], ['nms-core', state]);
    };
    const electAnew = (at: number) => {
      const notify = '. "$NIM_HA_ROOT/etc/nms/scripts/nms-notify-keepalived.sh"';
      node.bash(notify, 'INSTANCE', 'VI_28', 'BACKUP', '100');
      node.tick(at);
      node.bash(notify, 'INSTANCE', 'VI_28', 'MASTER', '100');
      node.tick(at + 1);
    };

    test('names the service that is still at it, and gets twice the time when its turn comes again', () => {
      start('activating');
      node.tick(1000);
      expect(node.tick(1241)).toMatchObject({ phase: 'FAILED', reason: 'services not active after 240 s: nms-core.service is activating' });
      electAnew(1300);
      expect(node.tick(1780)).toMatchObject({ phase: 'STARTING', able: 'yes' });
      expect(node.tick(1782)).toMatchObject({ phase: 'FAILED', reason: 'services not active after 480 s: nms-core.service is activating' });
    });

    test('that is down gets no more: there is nothing to wait for', () => {
      start('failed');
      node.tick(1000);
      expect(node.tick(1241)).toMatchObject({ phase: 'FAILED', reason: 'nms-core.service is failed' });
      electAnew(1300);
      expect(node.tick(1542)).toMatchObject({ phase: 'FAILED' });
    });

    test('and has come to its end counts no more', () => {
      start('activating');
      node.tick(1000);
      node.tick(1241);
      electAnew(1300);
      start('active');
      expect(node.tick(1700)).toMatchObject({ phase: 'ACTIVE' });
      expect(node.has('run/nim-ha/start-deadline')).toBe(true);
      node.tick(1761);
      expect(node.has('run/nim-ha/start-deadline')).toBe(false);
    });
  });

  describe('letting go that comes to no end', () => {
    beforeEach(() => {
      node.holdLock();
      node.cgroup(node.start('sleep', '60').pid!, node.start('sleep', '60').pid!);
    });

    /** What the agent says in `seconds` of the node's, by the second. */
    const says = async (seconds: number, step: number): Promise<Map<number, Record<string, string>>> => {
      const said = new Map<number, Record<string, string>>();
      await node.watch(seconds, step, () => {
        if (node.has('run/nim-ha/state')) said.set(Number(node.state().updated) - 1000, node.state());
        return false;
      });
      return said;
    };
    const between = (said: Map<number, Record<string, string>>, from: number, to: number) =>
      [...said].filter(([at]) => at >= from && at < to).map(([, state]) => state);

    test('is told after a minute, by the processes that do not end: no standby to count on', async () => {
      const said = await says(110, 10);
      for (const state of between(said, 0, 60)) expect(state).toMatchObject({ phase: 'DRAINING', able: 'yes', reason: '' });
      const late = between(said, 70, 120);
      expect(late.length).toBeGreaterThan(2);
      for (const state of late) expect(state).toMatchObject({ able: 'no', reason: expect.stringMatching(/waiting for processes that do not end: sleep$/) });
      // An agent that was restarted goes on from there.
      node.cgroup();
      expect(node.tick(1120)).toMatchObject({ phase: 'DRAINING', reason: expect.stringMatching(/^letting go for more than 60 s, .* waiting for the share to take what was written last$/) });
      expect(node.read('calls')).not.toContain(ISOLATE);
    });

    test('is done by force after five', async () => {
      let forcedAt = 0;
      await node.watch(400, 29, () => {
        if (!forcedAt && node.read('calls').includes(ISOLATE)) forcedAt = Number(node.read('proc/uptime').split('.')[0]) - 1000;
        return forcedAt > 0;
      });
      expect(forcedAt).toBeGreaterThan(290);
      node.write('run/nim-ha/isolating', 'lease 90\n');
      node.write('run/nim-ha/beat', '1400\n');
      expect(node.tick(1400)).toMatchObject({ phase: 'ISOLATED', reason: 'letting go of the share by force' });
    });

    describe('where it is asked for, and', () => {
      /** Until the node reboots; seconds. */
      const reboots = async (): Promise<number> => {
        let at = 0;
        await node.watch(700, 29, () => {
          // There before anything is in it.
          if (!at && node.has('proc/sysrq') && node.read('proc/sysrq') !== '') at = Number(node.read('proc/uptime').split('.')[0]) - 1000;
          return at > 0;
        });
        return at;
      };

      test('has not begun two minutes later, for systemd does not answer: the node reboots', async () => {
        expect(await reboots()).toBeGreaterThan(420);
        expect(node.read('proc/sysrq')).toBe('b\n');
        expect(node.read('proc/kmsg')).toMatch(/^<10>nim-ha: the share could not be let go of: its isolation, asked for 1[2-9]\d s ago, has not begun; rebooting at once$/m);
        // Asked for again meanwhile.
        expect(node.read('calls').split(ISOLATE).length).toBeGreaterThan(2);
      });

      test.each<[string, () => void]>([
        ['has begun: it has its own watch', () => node.standIn('systemctl', `[[ $* != "${ISOLATE}" ]] || echo 'lease 90' >"${node.root}/run/nim-ha/isolating"; exit 3`)],
        ['could not write down that it has', () => node.write('nim-ha-isolate.service/cgroup.events', 'populated 1\n')],
      ])('%s: it does not', async (_, begins) => {
        begins();
        expect(await reboots()).toBe(0);
      });
    });
  });

  describe('a lock that comes to no end while this node is elected', () => {
    beforeEach(() => {
      // The unit of a lock holder whose main process was killed has failed by then.
      node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"; case "$2" in is-failed) exit 0 ;; *) exit 3 ;; esac`);
      node.elect();
      node.holdLock();
      node.write('run/nim-ha/letting-go', 'lock holder ends: keeper-died\n');
    });

    test('is no lock that cannot be asked for, and no standby to count on after a minute', async () => {
      await node.watch(30, 5);
      expect(node.state()).toMatchObject({ phase: 'WAITING', able: 'yes', reason: 'letting go of the last lock, then another one is asked for: lock holder ends: keeper-died' });
      await node.watch(50, 10);
      expect(node.state()).toMatchObject({ phase: 'WAITING', able: 'no', reason: expect.stringMatching(/keeper-died; for more than 60 s, by force after 300; waiting for the share to take what was written last$/) });
      expect(node.read('calls')).not.toContain('restart');
    });

    test('is ended by force after five minutes', async () => {
      await node.watch(270, 29);
      expect(node.read('calls')).not.toContain(ISOLATE);
      await node.watch(100, 29, () => node.read('calls').includes(ISOLATE));
      expect(node.read('calls')).toContain(ISOLATE);
    });
  });

  describe('a keepalived that has the virtual IP though nobody has been told so', () => {
    const hears = (state: string, address: boolean) => {
      node.write('run/nim-ha/vrrp-state', `${state}\n`);
      node.standIn('ip', `[[ $* != *192.0.2.10* || $* == */24* ]] || echo ${address ? 'inet' : ''}`);
    };

    test('is restarted, for the notify of the election could not run', async () => {
      hears('BACKUP', true);
      let told = '';
      await node.watch(40, 2, () => {
        told ||= node.has('run/nim-ha/state') ? node.state().reason : '';
        return node.read('calls').includes(RESTART);
      });
      expect(node.read('calls')).toContain(RESTART);
      expect(told).toBe('master without the wish to serve; keepalived is restarted after 15 s');
    });

    test.each([['BACKUP', false], ['STOP', true]])('is another case when it said %s last and has the address: %s', async (state, address) => {
      hears(state, address);
      await node.watch(40, 2);
      expect(node.read('calls')).not.toContain(RESTART);
    });
  });

  describe('a node that has failed, and does not hear that another one is master', () => {
    const RELIEVED = 'without the virtual IP for 15 s, and the wish to serve is still there';
    const failed = (address: boolean) => {
      node.elect();
      node.holdLock();
      node.write('run/nim-ha/failed', '');
      node.write('run/nim-ha/hold-down', '990 nginx.service is failed\n');
      node.write('run/nim-ha/vrrp-state', 'MASTER\n');
      node.standIn('ip', address ? 'echo inet' : '');
    };
    /** Its keepalived goes on running the check. */
    const pass = (seconds: number) =>
      node.watch(seconds, 2, () => {
        node.write('run/nim-ha/checked', node.read('proc/uptime').replace(/\..*/, ''));
        return node.read('calls').includes(RESTART);
      });

    test('has its keepalived restarted, which takes the wish and the lock away', async () => {
      failed(false);
      await pass(60);
      expect(node.read('calls')).toContain(RESTART);
      expect(node.read('journal')).toContain(RELIEVED);
    });

    test('is left alone while it has the address: nobody else is there', async () => {
      failed(true);
      await pass(40);
      expect(node.read('calls')).not.toContain(RESTART);
    });

    test('is left alone while a deploy is at work, which may be changing the address', async () => {
      failed(false);
      node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"; case "$*" in "is-active nim-ha-step.service") echo activating ;; *) exit 3 ;; esac`);
      await pass(40);
      expect(node.read('calls')).not.toContain(RESTART);
    });
  });

  describe('a share that cannot be read while its server takes connections', () => {
    const said = async (readable: boolean) => {
      const all: Record<string, string>[] = [];
      node.elect();
      if (readable) node.write('var/lib/nms/.nim-ha/lock', '.');
      await node.watch(230, 10, () => {
        if (node.has('run/nim-ha/state')) all.push(node.state());
        return false;
      });
      return all;
    };

    test('makes the node that waits for its lock unable, a minute after a lease would have been over', async () => {
      const all = await said(false);
      const at = (state: Record<string, string>) => Number(state.updated) - 1000;
      expect(all.filter((state) => at(state) > 0 && at(state) < 140 && state.able !== 'yes')).toEqual([]);
      const late = all.filter((state) => at(state) > 170);
      expect(late.length).toBeGreaterThan(2);
      for (const state of late) expect(state).toMatchObject({ phase: 'WAITING', able: 'no', reason: 'the share does not answer this node, though its server does on port 2049' });
    });

    test('is no such case where it can be read: another node has the lock', async () => {
      for (const state of (await said(true)).slice(2)) expect(state).toMatchObject({ phase: 'WAITING', able: 'yes' });
    });
  });

  describe('a machine that stood still', () => {
    const KILL = '--no-block kill --kill-who=all --signal=KILL keepalived.service';
    test('finds its keepalived as it was: it has missed no check', async () => {
      node.write('run/nim-ha/vrrp-state', 'BACKUP\n');
      node.write('run/nim-ha/checked', '999\n');
      node.write('etc/nms/scripts/nms-check-keepalived.sh', `#!/bin/bash\n. ${node.script('nms-check-keepalived.sh')}\n`, 0o755);
      const agent = node.start(node.script('agent.sh'));
      await node.until('it has looked', () => node.has('run/nim-ha/state'));
      node.uptime(1035);
      await node.until('it looks again', () => node.state().updated === '1035');
      node.uptime(1041);
      await node.until('and once more', () => Number(node.state().updated) > 1035);
      agent.kill('SIGKILL');
      expect(node.read('calls')).not.toContain(KILL);
    });
  });

  describe('a lock that cannot even be asked for', () => {
    const mountAnew = '--no-block restart var-lib-clickhouse.mount var-lib-nms.mount';
    beforeEach(() => {
      node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"; case "$2" in is-failed) exit 0 ;; *) exit 3 ;; esac`);
      node.elect();
    });

    test('has the share mounted anew, for the mount may be stale', async () => {
      await node.watch(60, 5, () => node.read('calls').includes(mountAnew));
      expect(node.read('calls')).toContain(mountAnew);
    });

    test('also where elections come to nothing in between, for the peer may be no better off', async () => {
      let [passed, mostAble] = [0, 'no'];
      await node.watch(120, 5, () => {
        passed += 1;
        // Elected for three tries at the most, too few for one of them alone.
        if (passed % 4) node.elect();
        else node.remove('run/nim-ha/want-master');
        if (node.has('run/nim-ha/state') && node.state().phase === 'STANDBY') mostAble = node.state().able;
        return node.read('calls').includes(mountAnew);
      });
      expect(node.read('calls')).toContain(mountAnew);
      // Which it cannot know while it is not elected.
      expect(mostAble).toBe('yes');
    });

    test('not while a process of the services lives', async () => {
      node.cgroup(node.start('sleep', '60').pid!);
      // Without a lock holder the agent would be busy with killing it, and not come to count the tries.
      node.write('lock-cgroup/cgroup.events', 'populated 1\n');
      await node.watch(60, 5);
      expect(node.read('calls').match(/is-failed/g)!.length).toBeGreaterThanOrEqual(5);
      expect(node.read('calls')).not.toContain(mountAnew);
    });

    test.each(['active', 'activating'])('not while a step of a deploy is %s, which mounts by itself', async (state) => {
      node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"; case "$*" in *is-failed*) exit 0 ;; "is-active nim-ha-step.service") echo ${state} ;; *) exit 3 ;; esac`);
      await node.watch(60, 5);
      expect(node.read('calls')).not.toContain(mountAnew);
    });
  });

  describe('cut off from the share', () => {
    beforeEach(() => {
      node.elect();
      node.holdLock();
      node.units(['nginx', 'active'], ['nms-core', 'active']);
    });

    test('a journal that hangs holds up no isolation', async () => {
      node.standIn('logger', 'exec sleep 60');
      node.write('run/nim-ha/beat', '950\n');
      const agent = node.start(node.script('agent.sh'));
      await node.until('the isolation', () => node.read('calls').includes(ISOLATE), 5);
      agent.kill('SIGKILL');
    });

    test('a heartbeat that cannot be written down any more is none', async () => {
      node.write('run/nim-ha/beat', '1000\n');
      node.beats = false;
      await node.watch(60, 5, () => {
        if (node.has('run/nim-ha/state')) node.write('run/nim-ha/beat', '');
        return node.read('calls').includes(ISOLATE);
      });
      expect(node.read('calls')).toContain(ISOLATE);
    });
  });
});
