import { spawnSync } from 'child_process';
import { symlinkSync } from 'fs';
import { createServer } from 'net';
import { join } from 'path';
import { StandInNode } from './node';

const MOUNTED = ['/var/lib/clickhouse', '/var/lib/nms'];

describe('agent.sh', () => {
  let node: StandInNode;
  beforeEach(() => {
    node = new StandInNode();
    node.mount();
  });
  afterEach(() => node.destroy());

  const units: StandInNode['units'] = (...states) => node.units(...states);
  const elect = () => node.elect();
  const lock = () => node.holdLock();
  const tick = (uptime?: number) => node.tick(uptime);

  test('a standby with both mounts is able', () => {
    expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'yes', updated: '1000' });
  });

  describe('a share that is mounted with NFS version 3, as a boot may leave it', () => {
    beforeEach(() => node.write('proc/mounts', node.read('proc/mounts').replace('/var/lib/clickhouse nfs4 rw,vers=4.2', '/var/lib/clickhouse nfs rw,vers=3')));

    test('is none, and is mounted anew', () => {
      expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'no', reason: 'the share is mounted with NFS version 3, whose locks have no lease; mounting it anew' });
      expect(node.read('calls')).toMatch(/^--no-block restart \S*clickhouse.mount \S*nms.mount$/m);
    });

    test('not while a process of the services lives', () => {
      node.cgroup(node.start('sleep', '60').pid!);
      tick();
      expect(node.read('calls')).not.toContain('restart');
    });
  });

  test('a full /run leaves the last state, which grows old', () => {
    expect(tick(1000)).toMatchObject({ phase: 'STANDBY', updated: '1000' });
    symlinkSync('/dev/full', join(node.root, 'run/nim-ha/state.new'));
    node.uptime(1010);
    node.run('agent.sh', 'once');
    expect(node.state()).toMatchObject({ phase: 'STANDBY', updated: '1000' });
  });

  test('a full /run leaves the last metrics, whole', () => {
    tick(1000);
    const before = node.read('run/nim-ha/nim-ha.prom');
    expect(before).toMatch(/^nim_ha_phase\{phase="STANDBY"\} 1$/m);
    symlinkSync('/dev/full', join(node.root, 'run/nim-ha/nim-ha.prom.new'));
    node.elect();
    tick(1100);
    expect(node.read('run/nim-ha/nim-ha.prom')).toBe(before);
  });

  test('the server is asked by the address that the mount has: its name may not resolve any more', () => {
    const address = () => node.bash('. ./paths.sh; . ./services.sh; . ./agent-probes.sh; nfs_server=nfs.example.com; nfs_address').stdout;
    node.write('proc/mounts', `nfs.example.com:/x ${node.root}/var/lib/nms nfs4 rw,vers=4.2,clientaddr=192.0.2.11,addr=192.0.2.13 0 0\n`);
    expect(address()).toBe('192.0.2.13');
    node.write('proc/mounts', '');
    expect(address()).toBe('nfs.example.com');
  });

  describe('a probe of the server that takes long, as a name does whose first nameserver is dead,', () => {
    const BEGIN = '. ./paths.sh; . ./services.sh; . ./agent-probes.sh; probe_every=5 probe_limit=15 nfs_probe= next_probe=0 nfs_answers=';

    test('leaves the last answer until it has taken fifteen seconds', () => {
      const { stdout } = node.bash(`${BEGIN}yes; nfs_address() { sleep 10; }
        for now in 1000 1005 1006 1014 1015 1020; do probe_nfs_server; printf '%s %s\\n' "$now" "$nfs_answers"; done
        kill -KILL "$nfs_probe"`);
      expect(stdout).toBe('1000 yes\n1005 yes\n1006 yes\n1014 yes\n1015 no\n1020 no\n');
    });

    test('gives an answer in the end', async () => {
      node.write('run/nim-ha/booted', '');
      // This test run's own.
      const address = `127.77.${(process.pid >> 8) % 256}.${process.pid % 256}`;
      const server = createServer();
      await new Promise<void>((listening) => server.listen(2049, address, listening));
      try {
        // Six seconds of the node's, each time.
        const { stdout } = node.bash(`${BEGIN}no; nfs_address() { until read -r clock <"$NIM_HA_ROOT/clock" && ((clock >= now + 6)); do sleep 0.05; done; printf ${address}; }
          for ((now = 1000; now < 1080; now++)); do echo "$now" >"$NIM_HA_ROOT/clock"; probe_nfs_server; [[ $nfs_answers != yes ]] || break; sleep 0.1; done; echo "$nfs_answers"
          echo 9999 >"$NIM_HA_ROOT/clock"; until ! kill -0 "$nfs_probe" 2>/dev/null; do sleep 0.1; done`);
        expect(stdout).toBe('yes\n');
      } finally {
        server.close();
      }
    });
  });

  test('the number of a child that has ended is forgotten at once: it may be another\'s later', () => {
    node.holdLock();
    const { stdout } = node.bash(`. ./paths.sh; . ./agent-probes.sh; . ./agent-usurper.sh; . ./agent-fencing.sh
      true & ended=$!; wait
      now=1000 next_probe=2000 phase=ACTIVE letting_go_why= fence_server=nfs nfs_probe=$ended holder_probe=$ended fence_probe=$ended
      probe_nfs_server; watch_holder; look_at_fence
      echo "[$nfs_probe$holder_probe$fence_probe]"
      sleep 5 >/dev/null 2>&1 & nfs_probe=$! holder_probe=$! fence_probe=$!
      probe_nfs_server; watch_holder; look_at_fence
      [[ "$nfs_probe $holder_probe $fence_probe" != "$! $! $!" ]] || echo and no other`);
    expect(stdout).toBe('[]\nand no other\n');
  });

  test('one that runs for long has no list of the children that have ended, and says nothing of one that was killed', async () => {
    node.elect();
    node.write('var/lib/nms/.nim-ha/lock', '.');
    // A child at each look.
    node.standIn('tail', `printf . >>"${node.root}/looks"; exec /usr/bin/tail "$@"`);
    node.write('looks', '');
    const agent = node.start('bash', '-c', `trap 'jobs >"$NIM_HA_ROOT/jobs"; exit' TERM; . ./agent.sh 2>"$NIM_HA_ROOT/stderr"`);
    await node.until('it has looked often', () => node.read('looks').length >= 20);
    // One that hangs.
    node.remove('var/lib/nms/.nim-ha/lock');
    spawnSync('mkfifo', [join(node.root, 'var/lib/nms/.nim-ha/lock')]);
    await new Promise((done) => setTimeout(done, 1500));
    expect(spawnSync('pkill', ['-KILL', '-P', String(agent.pid)]).status).toBe(0);
    await new Promise((done) => setTimeout(done, 1000));
    agent.kill('SIGTERM');
    await node.until('it ends', () => agent.exitCode !== null);
    expect(node.read('jobs').split('\n').length).toBeLessThan(8);
    expect(node.read('stderr')).toBe('');
  });

  test.each([[' '], ['\t'], ['  \t ']])('the line in /etc/fstab may have %j between its fields', (blank) => {
    node.write('proc/mounts', '');
    const line = (point: string) => ['192.0.2.13:/x', `${node.root}${point}`, 'nfs4', 'defaults', '0', '0'].join(blank);
    node.write('etc/fstab', `#${line('/var/lib/clickhouse')}\n${line('/var/lib/nms/more')}\n${line('/var/lib/nms')}`);
    tick();
    expect(node.read('calls')).toContain('--no-block start var-lib-nms.mount');
    expect(node.read('calls')).not.toContain('var-lib-clickhouse.mount');
  });

  test('a standby without a mount is not, and asks systemd for it', () => {
    node.write('proc/mounts', '');
    node.write('etc/fstab', `192.0.2.13:/x ${node.root}/var/lib/nms nfs defaults 0 0\n`);
    expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'no', reason: 'the share is not mounted on both mount points' });
    expect(node.read('calls')).toContain('--no-block start var-lib-nms.mount');
    expect(node.read('calls')).not.toContain('var-lib-clickhouse.mount');
  });

  test('but not while a step of a deploy is at work, which mounts by itself', () => {
    node.write('proc/mounts', '');
    node.write('etc/fstab', `192.0.2.13:/mnt/nfs_share/nms ${node.root}/var/lib/nms nfs4 defaults 0 0\n`);
    node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"; case "$*" in show*) cat "${node.root}/units" ;; "is-active nim-ha-step.service") echo activating ;; *) exit 3 ;; esac`);
    expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'no' });
    expect(node.read('calls')).not.toContain('var-lib-nms.mount');
  });

  test('a local file system on the mount point is not the share', () => {
    node.write('proc/mounts', MOUNTED.map((point) => `/dev/sda1 ${node.root}${point} ext4 rw 0 0\n`).join(''));
    expect(tick()).toMatchObject({ able: 'no' });
  });

  test.each([['clickhouse', '/var/lib/clickhouse from 127.0.0.2:/x/clickhouse, not 127.0.0.1:/x/clickhouse'], ['nms', '/var/lib/nms from 127.0.0.2:/x/nms, not 127.0.0.1:/x/nms']])(
    'another share than the pair\'s, on the mount point of %s, is none to take over with, until it is gone',
    async (which, what) => {
      const base64 = (text: string) => Buffer.from(text).toString('base64');
      const mounts = node.read('proc/mounts').replaceAll('192.0.2.13', '127.0.0.1');
      node.write('etc/nim-ha/node.data', `NFS_SERVER=${base64('127.0.0.1')}\nNFS_EXPORT_PATH=${base64('/x')}\n`);
      node.write('proc/mounts', mounts);
      expect(tick(1000)).toMatchObject({ phase: 'STANDBY', able: 'yes' });
      node.write('proc/mounts', mounts.replace(`127.0.0.1:/x/${which}`, `127.0.0.2:/x/${which}`));
      expect(tick(1020)).toMatchObject({ able: 'no', reason: `another share than the pair's is mounted: ${what}` });
      // Mounted anew by a deploy: at once, and not when node.data is read the next time, for the clock of this node stands still.
      node.remove('run/nim-ha/state');
      const agent = node.start(node.script('agent.sh'));
      await node.until('the agent runs', () => node.has('run/nim-ha/state') && node.state().reason.startsWith('another share'));
      node.write('proc/mounts', mounts);
      await node.until('it sees the share', () => !node.state().reason.startsWith('another share'));
      agent.kill('SIGKILL');
    },
  );

  test('elected, locked, started: WAITING, STARTING, ACTIVE, each one line in the journal', () => {
    elect();
    units(['nginx', 'inactive'], ['nms-core', 'inactive']);
    expect(tick(1000)).toMatchObject({ phase: 'WAITING', able: 'yes', reason: expect.stringMatching(/^waits for the lock on the share: .* for up to \d+ s$/) });
    expect(node.read('calls')).toContain('--no-block start nim-ha.target nginx.service nms-core.service');
    lock();
    expect(tick(1001)).toMatchObject({ phase: 'STARTING', able: 'yes', reason: 'services not active yet: nginx.service is inactive' });
    expect(node.read('run/nim-ha/nim-ha.prom')).toContain('nim_ha_able 1\n');
    units(['nginx', 'active'], ['nms-core', 'activating']);
    expect(tick(1002)).toMatchObject({ phase: 'STARTING', able: 'yes', reason: 'services not active yet: nms-core.service is activating' });
    units();
    expect(tick(1003)).toMatchObject({ phase: 'STARTING', able: 'yes', reason: 'services not active yet: no answer from systemd' });
    units(['nginx', 'active'], ['nms-core', 'active']);
    expect(tick(1003)).toMatchObject({ phase: 'ACTIVE', able: 'yes', reason: '' });
    expect(tick(1004)).toMatchObject({ phase: 'ACTIVE', able: 'yes' });
    expect(node.read('journal')).toBe('STANDBY -> WAITING\nWAITING -> STARTING\nSTARTING -> ACTIVE\n');
  });

  const active = () => {
    elect();
    lock();
    units(['nginx', 'active'], ['nms-core', 'active']);
    expect(tick(1000).phase).toBe('ACTIVE');
  };

  test('a stopped service fails the node at once, names it, and keeps it unable for the hold-down', () => {
    active();
    units(['nginx', 'active'], ['nms-core', 'inactive']);
    expect(tick(1001)).toMatchObject({ phase: 'FAILED', able: 'no', reason: 'nms-core.service is inactive' });
    node.bash('. "$NIM_HA_ROOT/etc/nms/scripts/nms-notify-keepalived.sh"', 'INSTANCE', 'VI_28', 'BACKUP', '100');
    expect(tick(1002)).toMatchObject({ phase: 'DRAINING', able: 'no' });
    node.remove('run/nim-ha/lock-held');
    expect(tick(1003)).toMatchObject({ phase: 'STANDBY', able: 'no', reason: 'hold-down after a failure: nms-core.service is inactive' });
    expect(tick(1110)).toMatchObject({ phase: 'STANDBY', able: 'no' });
    expect(tick(1130)).toMatchObject({ phase: 'STANDBY', able: 'yes' });
  });

  test('a service that somebody restarts is not a failure', () => {
    active();
    units(['nginx', 'active'], ['nms-core', 'inactive', '4711']);
    expect(tick(1001)).toMatchObject({ phase: 'STARTING', able: 'yes' });
  });

  test('a service that was seen while it was being stopped fails the node, too, and is not started over that', () => {
    active();
    node.write('calls', '');
    units(['nginx', 'active'], ['nms-core', 'deactivating', '4711']);
    expect(tick(1001)).toMatchObject({ phase: 'STARTING', able: 'yes' });
    units(['nginx', 'active'], ['nms-core', 'inactive']);
    expect(tick(1007)).toMatchObject({ phase: 'FAILED', able: 'no', reason: 'nms-core.service is inactive' });
    expect(node.read('calls')).not.toContain('start nim-ha.target');
  });

  test('and one that somebody restarts then does not', () => {
    active();
    units(['nginx', 'active'], ['nms-core', 'deactivating', '4711']);
    expect(tick(1001).phase).toBe('STARTING');
    units(['nginx', 'active'], ['nms-core', 'activating']);
    expect(tick(1007).phase).toBe('STARTING');
    units(['nginx', 'active'], ['nms-core', 'active']);
    expect(tick(1013).phase).toBe('ACTIVE');
    units(['nginx', 'active'], ['nms-core', 'failed']);
    expect(tick(1014).phase).toBe('FAILED');
  });

  test('failed and no peer took over: tries again after the hold-down', () => {
    active();
    units(['nginx', 'active'], ['nms-core', 'failed']);
    expect(tick(1001)).toMatchObject({ phase: 'FAILED', able: 'no' });
    node.write('calls', '');
    expect(tick(1060)).toMatchObject({ phase: 'FAILED', able: 'no' });
    expect(node.read('calls')).not.toContain('start');
    expect(tick(1130)).toMatchObject({ phase: 'STARTING', able: 'yes' });
    expect(node.read('calls')).toContain('--no-block start nim-ha.target');
  });

  test('elected again within the hold-down, because the peer is gone: starts at once', () => {
    active();
    units(['nginx', 'active'], ['nms-core', 'failed']);
    tick(1001);
    const notify = '. "$NIM_HA_ROOT/etc/nms/scripts/nms-notify-keepalived.sh"';
    node.bash(notify, 'INSTANCE', 'VI_28', 'BACKUP', '100');
    expect(tick(1003)).toMatchObject({ phase: 'DRAINING', able: 'no' });
    node.bash(notify, 'INSTANCE', 'VI_28', 'MASTER', '100');
    expect(tick(1005)).toMatchObject({ phase: 'STARTING', able: 'yes' });
  });

  test('services that never come up: FAILED when the deadline has passed, not before', () => {
    elect();
    lock();
    units(['nginx', 'active'], ['nms-core', 'activating']);
    tick(1000);
    expect(tick(1239)).toMatchObject({ phase: 'STARTING', able: 'yes' });
    expect(tick(1242)).toMatchObject({ phase: 'FAILED', able: 'no' });
  });

  describe('a service that dies, and is restarted by systemd', () => {
    const dies = (at: number) => {
      tick(at - 1);
      units(['nginx', 'active'], ['nms-core', 'activating']);
      const { phase } = tick(at);
      units(['nginx', 'active'], ['nms-core', 'active']);
      return [phase, tick(at + 2).phase];
    };

    test('again and again: it has not started, and the node has failed when the deadline is over', () => {
      active();
      expect([1070, 1120, 1170, 1220, 1270].map(dies)).toEqual(Array(5).fill(['STARTING', 'ACTIVE']));
      expect(dies(1311)[0]).toBe('FAILED');
    });

    test('now and then: it has', () => {
      active();
      expect([1080, 1160, 1240, 1320, 1400].map(dies)).toEqual(Array(5).fill(['STARTING', 'ACTIVE']));
    });
  });

  test('what runs without a lock, be it started while the last one came to its end, is killed', async () => {
    elect();
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    node.write('lock-cgroup/cgroup.events', 'populated 1\nfrozen 0\n');
    tick(1000);
    expect(service.signalCode).toBeNull(); // a lock holder lives, and systemd ends with it what it has started
    node.write('lock-cgroup/cgroup.events', 'populated 0\nfrozen 0\n');
    tick(1001);
    await node.until('it is killed', () => service.signalCode === 'SIGKILL');
    expect(node.read('journal')).toContain(`services run here without the lock: killing ${service.pid} (sleep)`);
  });

  test('services that the lock holder kills have not failed, and none is started before it has ended', () => {
    active();
    node.write('run/nim-ha/letting-go', 'lock holder ends: lost\n');
    node.write('calls', '');
    units(['nginx', 'inactive'], ['nms-core', 'inactive']);
    expect(tick(1010)).toMatchObject({ phase: 'WAITING', able: 'yes', reason: 'letting go of the last lock, then another one is asked for: lock holder ends: lost' });
    expect(node.has('run/nim-ha/hold-down')).toBe(false);
    expect(node.read('calls')).not.toContain('start nim-ha.target');
    // A share that does not answer then is one that this node is cut off from, all the same.
    node.write('run/nim-ha/beat', '1000\n');
    expect(tick(1060)).toMatchObject({ phase: 'ISOLATED' });
    node.remove('run/nim-ha/lock-held');
    node.write('lock-cgroup/cgroup.events', 'populated 0\nfrozen 0\n');
    expect(tick(1061)).toMatchObject({ phase: 'WAITING' });
    expect([node.has('run/nim-ha/letting-go'), node.read('calls')]).toEqual([false, expect.stringContaining('start nim-ha.target')]);
  });

  test.each([
    ['says so by then', 'echo "the lock holder died" >"$NIM_HA_ROOT/run/nim-ha/letting-go"'],
    ['has come to its end by then', 'rm -f "$NIM_HA_ROOT/run/nim-ha/lock-held"'],
  ])('services that the lock holder kills while systemd is asked about them have not failed: it %s', (_, meanwhile) => {
    active();
    units(['nginx', 'inactive'], ['nms-core', 'inactive']);
    const show = node.read('stand-ins/systemctl');
    node.standIn('systemctl', `[[ $1 != show ]] || { ${meanwhile}; }\n${show.replace(/^#!.*\n/, '')}`);
    expect(tick(1010)).toMatchObject({ phase: 'WAITING' });
    expect(node.has('run/nim-ha/hold-down')).toBe(false);
  });

  test('all processes that held the lock killed: what still runs is killed, and the mark goes with it', async () => {
    active();
    const service = node.start('sleep', '60');
    node.cgroup(service.pid!);
    node.write('lock-cgroup/cgroup.events', 'populated 0\nfrozen 0\n');
    tick(1010);
    await node.until('the service is killed', () => service.signalCode === 'SIGKILL');
    // The slice of this stand-in goes on saying that somebody lives there.
    expect(node.has('run/nim-ha/lock-held')).toBe(true);
    node.cgroup();
    expect(tick(1012)).toMatchObject({ phase: 'WAITING' });
    expect(node.has('run/nim-ha/lock-held')).toBe(false);
    expect(node.read('calls')).toContain('--no-block stop nim-ha.target');
  });

  test('a lock that stayed behind without the wish is asked to go', () => {
    lock();
    expect(tick()).toMatchObject({ phase: 'DRAINING' });
    expect(node.read('calls')).toContain('--no-block stop nim-ha.target nim-ha-lock.service');
  });

  describe('another list of services, from a deploy', () => {
    const list = (...names: string[]) =>
      node.write('etc/nms/scripts/nms-notify-keepalived.sh', `#!/bin/bash\ncheck_nms_services=(${names.join(' ')})\n. ${node.script('notify.sh')}\n`, 0o755);

    test('with one more: it is started, and is no failure', () => {
      active();
      list('nginx', 'nms-core', 'extra');
      units(['nginx', 'active'], ['nms-core', 'active'], ['extra', 'inactive']);
      expect(tick(1001)).toMatchObject({ phase: 'STARTING', able: 'yes' });
      expect(node.read('calls')).toContain('--no-block start nim-ha.target nginx.service nms-core.service extra.service');
      units(['nginx', 'active'], ['nms-core', 'active'], ['extra', 'active']);
      expect(tick(1002)).toMatchObject({ phase: 'ACTIVE' });
    });

    test('with one less: it is stopped, and is no failure', () => {
      active();
      list('nginx');
      units(['nginx', 'active']);
      expect(tick(1001)).toMatchObject({ phase: 'ACTIVE', able: 'yes' });
      expect(node.has('run/nim-ha/failed')).toBe(false);
    });
  });

  describe('no answer from systemd', () => {
    const live = (...names: string[]) => {
      for (const name of ['nginx', 'nms-core']) node.write(`cgroup/${name}.service/cgroup.events`, `populated ${names.includes(name) ? 1 : 0}\n`);
    };

    test('is no news of services whose processes live', () => {
      elect();
      lock();
      units();
      expect(tick(1000)).toMatchObject({ phase: 'STARTING' });
      units(['nginx', 'active'], ['nms-core', 'active']);
      expect(tick(1001)).toMatchObject({ phase: 'ACTIVE' });
      units();
      live('nginx', 'nms-core');
      for (const at of [1010, 1300, 2000]) expect(tick(at)).toMatchObject({ phase: 'ACTIVE', able: 'yes' });
    });

    test('of a service without a process: the deadline of a start decides', () => {
      active();
      expect(tick(1070).phase).toBe('ACTIVE');
      units();
      live('nginx');
      expect(tick(1075)).toMatchObject({ phase: 'STARTING', able: 'yes', reason: 'services not active yet: no answer from systemd' });
      expect(tick(1300)).toMatchObject({ phase: 'STARTING', able: 'yes' });
      expect(tick(1312)).toMatchObject({ phase: 'FAILED', able: 'no', reason: 'services not active after 240 s: no answer from systemd' });
    });

    test('that comes late is one: the service was restarted meanwhile', () => {
      active();
      units();
      live('nginx');
      expect(tick(1075).phase).toBe('STARTING');
      units(['nginx', 'active'], ['nms-core', 'active']);
      expect(tick(1080)).toMatchObject({ phase: 'ACTIVE', reason: '' });
    });
  });

  describe('cut off from the share while it holds the lock', () => {
    const lease = (seconds: number) => node.write('proc/mountstats', `device x mounted on y with fstype nfs4\n\tnfsv4:\tbm0=0x1,lease_time=${seconds},lease_expired=0\n`);

    test('is isolated when half of the lease is over, not before', () => {
      active();
      lease(40);
      node.write('run/nim-ha/beat', '1000\n');
      expect(tick(1019)).toMatchObject({ phase: 'ACTIVE', able: 'yes' });
      node.write('calls', '');
      expect(tick(1020)).toMatchObject({ phase: 'ISOLATED', able: 'no', reason: 'no answer from the share for half of its lease of 40 s' });
      expect(node.read('calls')).toContain('--no-block start nim-ha-isolate.service');
    });

    test('without a word from the kernel the lease is taken for 90 s', () => {
      active();
      node.write('run/nim-ha/beat', '1000\n');
      expect(tick(1044)).toMatchObject({ phase: 'ACTIVE' });
      expect(tick(1045)).toMatchObject({ phase: 'ISOLATED' });
    });

    test('stays so until nothing is held any more, and mounts nothing meanwhile', () => {
      active();
      node.write('run/nim-ha/isolating', '0:45\n');
      node.write('proc/mounts', '');
      node.write('etc/fstab', `192.0.2.13:/x ${node.root}/var/lib/nms nfs defaults 0 0\n`);
      expect(tick(1001)).toMatchObject({ phase: 'ISOLATED' });
      expect(node.read('calls')).not.toContain('var-lib-nms.mount');
      node.remove('run/nim-ha/isolating');
      node.remove('run/nim-ha/lock-held');
      expect(tick(1002)).toMatchObject({ phase: 'WAITING', able: 'no', reason: 'the share is not mounted on both mount points' });
      expect(node.read('calls')).toContain('--no-block start var-lib-nms.mount');
    });

    test('a standby is never isolated: it holds nothing that could be written', () => {
      node.write('run/nim-ha/beat', '1\n');
      expect(tick(1000)).toMatchObject({ phase: 'STANDBY', able: 'yes' });
    });
  });

  describe('keepalived that runs no check', () => {
    const KILL = '--no-block kill --kill-who=all --signal=KILL keepalived.service';
    const watch = async (until: () => boolean) => {
      const agent = node.start(node.script('agent.sh'));
      for (let second = 0; second < 40 && !until(); second++) {
        node.write('run/nim-ha/beat', `${1000 + 4 * second}\n`);
        node.write('proc/uptime', `${1000 + 4 * second}.00 1.00\n`);
        await new Promise((done) => setTimeout(done, 150));
      }
      agent.kill('SIGKILL');
    };
    const check = (text: string, mode = 0o755) => node.write('etc/nms/scripts/nms-check-keepalived.sh', text, mode);

    test('is killed when it has not for thirty seconds', async () => {
      node.write('run/nim-ha/vrrp-state', 'MASTER\n');
      node.write('run/nim-ha/checked', '999\n');
      check(`#!/bin/bash\n. ${node.script('nms-check-keepalived.sh')}\n`);
      await watch(() => node.read('calls').includes(KILL));
      expect(node.read('calls')).toContain(KILL);
      expect(Number(node.read('proc/uptime').split('.')[0])).toBeGreaterThan(1030);
    });

    test.each([
      ['is not running', 'STOP', '#!/bin/bash\ntrue\n', 0o755],
      ['is not to blame: the check itself does not work', 'MASTER', '#!/bin/bash\r\nexit 0\r\n', 0o755],
      ['is not to blame: the check may not be run', 'MASTER', '#!/bin/bash\nexit 0\n', 0o644],
    ])('%s', async (_, state, text, mode) => {
      node.write('run/nim-ha/vrrp-state', `${state}\n`);
      check(text, mode);
      await watch(() => Number(node.read('proc/uptime').split('.')[0]) > 1090);
      expect(node.read('calls')).not.toContain(KILL);
    });

    test.each([['when it cannot be run, has keepalived restarted', false], ['which can be run, says it to keepalived itself', true]])('a node that has failed: its check, %s', async (_, works) => {
      const RESTART = '--no-block try-restart keepalived.service';
      active();
      node.write('run/nim-ha/vrrp-state', 'MASTER\n');
      check(works ? `#!/bin/bash\n. ${node.script('nms-check-keepalived.sh')}\n` : '#!/bin/bash\r\nexit 0\r\n');
      units(['nginx', 'active'], ['nms-core', 'failed']);
      await watch(() => node.read('calls').includes(RESTART) || Number(node.read('proc/uptime').split('.')[0]) > 1080);
      expect(node.state().phase).toBe('FAILED');
      if (works) expect(node.read('calls')).not.toContain(RESTART);
      else expect(node.read('calls')).toContain(RESTART);
    });

    test('because the check does not work: a standby says so, until it works again', async () => {
      node.write('run/nim-ha/vrrp-state', 'BACKUP\n');
      check('#!/bin/bash\r\nexit 0\r\n');
      await watch(() => node.has('run/nim-ha/state') && node.state().able === 'no');
      expect(node.state()).toMatchObject({ phase: 'STANDBY', able: 'no', reason: expect.stringContaining('the check script does not run') });
    });
  });

  describe('waiting for the lock', () => {
    const waits = async (isFailed: number) => {
      node.standIn('systemctl', `case "$2" in is-failed) exit ${isFailed} ;; *) exit 3 ;; esac`);
      elect();
      const agent = node.start(node.script('agent.sh'));
      for (let second = 0; second < 14; second++) {
        node.write('proc/uptime', `${1000 + 2 * second}.00 1.00\n`);
        await new Promise((done) => setTimeout(done, 200));
      }
      agent.kill('SIGKILL');
      return node.state();
    };

    test('is no fault', async () => {
      expect(await waits(1)).toMatchObject({ phase: 'WAITING', able: 'yes' });
    });

    test('in vain, because it cannot even be asked for: not able, for the peer may be', async () => {
      expect(await waits(0)).toMatchObject({ phase: 'WAITING', able: 'no', reason: expect.stringContaining('systemctl status nim-ha-lock') });
    });
  });

  describe('keepalived that says nothing', () => {
    const RESTART = '--no-block try-restart keepalived.service';
    const watch = async (runs: boolean) => {
      if (runs) node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"`);
      const agent = node.start(node.script('agent.sh'));
      for (let second = 0; second < 14; second++) {
        node.write('proc/uptime', `${1000 + 6 * second}.00 1.00\n`);
        await new Promise((done) => setTimeout(done, 250));
      }
      agent.kill('SIGKILL');
    };

    test('is restarted: it lets go of a notify script that it could not run when it started', async () => {
      await watch(true);
      expect(node.read('calls')).toContain(RESTART);
    });

    test.each([
      ['when it does not run', false, undefined, undefined],
      ['when it has spoken', true, 'BACKUP\n', undefined],
      ['while the notify script still does not run', true, undefined, '#!/bin/bash\r\n'],
    ])('not %s', async (_, runs, state, notify) => {
      if (state) node.write('run/nim-ha/vrrp-state', state);
      if (notify) node.write('etc/nms/scripts/nms-notify-keepalived.sh', notify, 0o755);
      await watch(runs);
      expect(node.read('calls')).not.toContain(RESTART);
    });
  });

  test('without a notify script that runs, a node is not able', () => {
    node.write('etc/nms/scripts/nms-notify-keepalived.sh', '#!/bin/bash\r\n', 0o755);
    expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'no', reason: expect.stringContaining('the notify script does not run') });
  });

  test('a notify script that never ends does not hold up the agent', () => {
    node.write('etc/nms/scripts/nms-notify-keepalived.sh', '#!/bin/bash\nsleep 60\n. /notify.sh\n', 0o755);
    expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'no', reason: expect.stringContaining('the notify script does not run') });
  });

  test('the notify script of NIM, as an upgrade may put it back, is not run by the agent', () => {
    node.write('etc/nms/scripts/nms-notify-keepalived.sh', `#!/bin/bash\ncheck_nms_services=(nginx)\necho "$*" >>"${node.root}/vendor"\necho nginx\n`, 0o755);
    expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'no', reason: expect.stringContaining('the notify script does not run') });
    expect(node.has('vendor')).toBe(false);
  });

  test('a standby whose keepalived is in state FAULT says so, and may come back by itself', () => {
    node.write('run/nim-ha/vrrp-state', 'FAULT\n');
    expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'yes', reason: expect.stringContaining('VRRP state FAULT') });
    expect(node.read('run/nim-ha/nim-ha.prom')).toContain('nim_ha_able 0\n');
  });

  test('without it an active node goes on with the services that it knows', () => {
    active();
    node.write('etc/nms/scripts/nms-notify-keepalived.sh', '#!/bin/bash\r\n', 0o755);
    units(['nginx', 'active'], ['nms-core', 'active']);
    expect(tick(1010)).toMatchObject({ phase: 'ACTIVE', able: 'yes', services: 'nginx nms-core', reason: expect.stringContaining('the notify script does not run') });
    expect(node.read('run/nim-ha/nim-ha.prom')).toContain('nim_ha_able 0\n');
    units(['nginx', 'failed'], ['nms-core', 'active']);
    expect(tick(1020)).toMatchObject({ phase: 'FAILED', able: 'no', reason: 'nginx.service is failed' });
  });

  test('the state is there for a node exporter, too', () => {
    active();
    const metrics = node.read('run/nim-ha/nim-ha.prom');
    expect(metrics).toContain('nim_ha_phase{phase="ACTIVE"} 1\n');
    expect(metrics.match(/^nim_ha_phase\{.*\} 1$/gm)).toHaveLength(1);
    for (const line of ['nim_ha_able 1', 'nim_ha_elected 1', 'nim_ha_lock_held 1', 'nim_ha_phase_changes_total 1']) expect(metrics).toContain(`${line}\n`);
  });

  describe('a master that waits while the holder\'s heartbeat advances', () => {
    let agent: ReturnType<StandInNode['start']>;
    let clock: number;
    /** One second of the node's, in a fifth of ours. */
    const pass = async (beats: boolean): Promise<void> => {
      clock += 1;
      node.write('proc/uptime', `${clock}.00 1.00\n`);
      if (beats) node.write('var/lib/nms/.nim-ha/lock', '.'.repeat(clock - 999));
      await new Promise((done) => setTimeout(done, 200));
    };
    const steppedDown = (): boolean => node.has('run/nim-ha/stepped-down');
    const until = async (what: () => boolean, beats: boolean): Promise<number> => {
      const began = clock;
      while (!what() && clock - began < 60) await pass(beats);
      return clock - began;
    };

    beforeEach(async () => {
      clock = 1000;
      elect();
      node.write('var/lib/nms/.nim-ha/lock', '.');
      agent = node.start(node.script('agent.sh'));
      await until(steppedDown, true);
      node.remove('run/nim-ha/want-master');
    });
    afterEach(() => agent.kill('SIGKILL'));

    test('steps down, says why, and comes back after a minute, or five when that was of no use', async () => {
      expect(node.read('calls')).toContain('--no-block stop keepalived.service');
      await pass(true);
      await node.until('the reason is told', () => node.state().reason.startsWith('stepped down: another node has the lock'));
      expect(node.read('calls')).not.toContain('start keepalived.service');
      clock += 50;
      await until(() => !steppedDown(), true);
      expect(node.read('calls')).toContain('--no-block start keepalived.service');
      elect();
      await until(steppedDown, true);
      expect(node.read('run/nim-ha/stepped-down')).toMatch(/^\d+ 300$/m);
    });

    test('is back when somebody has started keepalived by hand', async () => {
      node.write('run/nim-ha/vrrp-state', 'STOP\n');
      for (let second = 0; second < 15; second++) await pass(true);
      expect(steppedDown()).toBe(true);
      node.write('run/nim-ha/vrrp-state', 'BACKUP\n');
      // Long before the minute is over, of which 15 s have gone: a second of the node's is a fifth of ours.
      expect(await until(() => !steppedDown(), true)).toBeLessThan(20);
    });

    test('a heartbeat that cannot be read is no news, nor is one that was read before the agent was restarted', async () => {
      node.remove('var/lib/nms/.nim-ha/lock');
      for (let second = 0; second < 15; second++) await pass(false);
      expect(steppedDown()).toBe(true);
      agent.kill('SIGKILL');
      agent = node.start(node.script('agent.sh'));
      for (let second = 0; second < 5; second++) await pass(true);
      expect(steppedDown()).toBe(true);
    });

    test('is back when the holder says that its services have failed', async () => {
      const failing = async (): Promise<void> => {
        node.write('var/lib/nms/.nim-ha/lock', `${'.'.repeat(clock - 999)}-`);
        await pass(false);
      };
      for (let second = 0; second < 25 && steppedDown(); second++) await failing();
      expect(steppedDown()).toBe(false);
    });

    test('comes back at once when the heartbeat stands still', async () => {
      for (let second = 0; second < 8; second++) await pass(true);
      expect(steppedDown()).toBe(true);
      expect(await until(() => !steppedDown(), false)).toBeLessThan(30);
      expect(node.read('calls')).toContain('--no-block start keepalived.service');
    });
  });

  test('a heartbeat that stands still keeps it waiting', async () => {
    elect();
    node.write('var/lib/nms/.nim-ha/lock', '.');
    const agent = node.start(node.script('agent.sh'));
    for (let second = 1; second < 16; second++) {
      node.write('proc/uptime', `${1000 + 3 * second}.00 1.00\n`);
      await new Promise((done) => setTimeout(done, 300));
    }
    expect(node.read('calls')).not.toMatch(/(start|stop|kill).* keepalived/);
    expect(node.state()).toMatchObject({ phase: 'WAITING' });
    agent.kill('SIGKILL');
  });

  test('a master that nobody wants to serve, after a switchover that was interrupted, is elected anew', async () => {
    node.write('run/nim-ha/vrrp-state', 'MASTER\n');
    const agent = node.start(node.script('agent.sh'));
    for (let second = 1; second < 14; second++) {
      node.write('proc/uptime', `${1000 + 2 * second}.00 1.00\n`);
      await new Promise((done) => setTimeout(done, 300));
    }
    await node.until('it asks for it', () => node.read('calls').includes('--no-block try-restart keepalived.service'));
    agent.kill('SIGKILL');
  });

  test.each([['BACKUP', ''], ['STOP', 'keepalived does not run']])('a standby whose keepalived said %s last', (word, reason) => {
    node.write('run/nim-ha/vrrp-state', `${word}\n`);
    expect(tick()).toMatchObject({ phase: 'STANDBY', able: 'yes', reason });
    expect(node.read('run/nim-ha/nim-ha.prom')).toContain(`nim_ha_able ${reason ? 0 : 1}\n`);
  });
});
