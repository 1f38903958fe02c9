import { existsSync, readdirSync, readFileSync } from 'fs';
import { basename, join, resolve } from 'path';

const SCRIPTS = resolve(__dirname, '../../scripts');
const UNITS = join(SCRIPTS, 'units');

/** Lines of a unit as "[Section] Key=Value". */
function linesOf(unit: string): string[] {
  let section = '';
  return readFileSync(join(UNITS, unit), 'utf8').split('\n').flatMap((line) => {
    if (/^\[.*\]$/.test(line)) section = line;
    return /^[A-Za-z]+=/.test(line) ? [`${section} ${line}`] : [];
  });
}

const LOCK = 'nim-ha-lock.service';
const KEEPALIVED = 'keepalived.conf';

/** What no stand-in for systemd would miss, and a pair would. */
const MUST: [unit: string, line: string, why: string][] = [
  [LOCK, '[Service] Type=notify', 'the services start when the lock is held, not when its process is there'],
  [LOCK, '[Service] NotifyAccess=all', 'systemd-notify is a process of its own, which systemd would not listen to'],
  [LOCK, '[Service] KillMode=process', 'the keeper outlives its main process, and empties the slice before the lock can go'],
  [LOCK, '[Service] TimeoutStartSec=infinity', 'the lock of a dead node is waited for as long as the server keeps it'],
  [LOCK, '[Service] TimeoutStopSec=infinity', 'a lock that systemd cuts short is free while the services still write'],
  [LOCK, '[Unit] ConditionPathExists=/run/nim-ha/want-master', 'a start by hand makes no master of a node that was not elected'],
  [LOCK, '[Unit] RequiresMountsFor=/var/lib/clickhouse /var/lib/nms', 'there is no lock without the share, and no unmount under the lock'],
  [LOCK, '[Unit] After=nim-ha-agent.service', 'a shutdown ends the lock before the agent, which watches over its end'],
  [LOCK, '[Unit] StartLimitIntervalSec=0', 'the agent asks again for as long as the wish is there'],
  [LOCK, '[Service] Nice=-10', 'services that take all of the processors must not hold up the heartbeat'],
  [LOCK, '[Service] OOMScoreAdjust=-900', 'memory that the services have used up must not cost the lock'],
  [KEEPALIVED, '[Unit] ConditionPathExists=!/var/lib/nim-ha/maintenance', 'a node in maintenance stays out over a boot'],
  [KEEPALIVED, '[Unit] ConditionPathExists=!/var/lib/nim-ha/pending', 'a deploy that was interrupted leaves no node on another share than the active one'],
  [KEEPALIVED, '[Unit] After=nim-ha-agent.service', 'the check says what the agent has found'],
  [KEEPALIVED, '[Unit] StartLimitIntervalSec=0', 'a keepalived that ends again and again is started again'],
  [KEEPALIVED, '[Service] Restart=always', 'one that was killed, or has ended by itself, comes back'],
  [KEEPALIVED, '[Service] ExecStopPost=-/usr/local/lib/nim-ha/keepalived-stopped.sh', 'one that was killed leaves the virtual IP and the services behind'],
  [KEEPALIVED, '[Service] Nice=-10', 'an advert that is late by three seconds is a second master'],
  ['nim-ha-isolate.service', '[Unit] DefaultDependencies=no', 'a node is isolated while it shuts down, too'],
  ['nim-ha-isolate.service', '[Service] Type=oneshot', 'it is over when nothing is held any more'],
  ['nim-ha-isolate.service', '[Service] TimeoutStartSec=infinity', 'the end of an isolation is an empty node or a reboot, not a time limit'],
  ['nim-ha-isolate.service', '[Service] Nice=-10', 'it has to come before the end of the lease'],
  ['nim-ha-agent.service', '[Service] Restart=always', 'a node without an agent is not able'],
  ['nim-ha-agent.service', '[Unit] StartLimitIntervalSec=0', 'and none that ends again and again is given up'],
  ['nim-ha-agent.service', '[Service] Nice=-10', 'a state that is old looks like a node that fails'],
  ['nim-ha-agent.service', '[Install] WantedBy=multi-user.target', 'it is there after a boot'],
  ['nim-ha-rejoin.service', '[Service] Type=oneshot', 'a fenced node is back when this has ended'],
  ['nim-ha-rejoin.service', '[Service] TimeoutStartSec=infinity', 'a server may take its time with an answer'],
];

test.each(MUST)('%s has %s: %s', (unit, line) => {
  expect(linesOf(unit)).toContain(line);
});

// The last one wins, or both hold: a line that is there may still not be in force.
test.each(['Type', 'NotifyAccess', 'KillMode', 'TimeoutStartSec', 'TimeoutStopSec', 'Restart', 'DefaultDependencies'])('no unit has two lines of %s', (key) => {
  for (const unit of readdirSync(UNITS)) {
    expect([unit, linesOf(unit).filter((line) => line.includes(`] ${key}=`)).length < 2]).toEqual([unit, true]);
  }
});

describe('what a unit runs', () => {
  const COMMANDS = readdirSync(UNITS).flatMap((unit) =>
    linesOf(unit).flatMap((line): [string, string][] => {
      const command = /\] Exec\w+=[-@:+!]*(\S+)/.exec(line)?.[1];
      return command ? [[unit, command]] : [];
    }),
  );

  test('is found at all', () => {
    expect(COMMANDS.length).toBeGreaterThanOrEqual(5);
  });

  test.each(COMMANDS)('%s: %s is a script of ours that a kernel can start', (_, command) => {
    const script = join(SCRIPTS, basename(command));
    expect(command).toBe(`/usr/local/lib/nim-ha/${basename(command)}`);
    expect(existsSync(script)).toBe(true);
    expect(readFileSync(script, 'utf8')).toMatch(/^#!\/bin\/bash\n/);
  });
});
