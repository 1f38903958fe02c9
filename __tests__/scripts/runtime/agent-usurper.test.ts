import { StandInNode } from './node';

/** What agent-usurper.sh makes of what it reads, second by second: the agent around it is not needed for that. */
describe('agent-usurper.sh', () => {
  let node: StandInNode;
  beforeEach(() => (node = new StandInNode()));
  afterEach(() => node.destroy());

  const BEGIN = `
    . ./paths.sh
    . ./log.sh
    . ./agent-usurper.sh
    mkdir -p "$run_dir"
    holder_probe=$$ # what it would read is put there instead
    letting_go_why='' vrrp=MASTER phase=WAITING
    watch() { # SECOND [SIZE [LAST]]: size and last byte of the file with the lock, where they could be read
      now=$1
      (($# < 2)) || printf '%s %s\\n' "$2" "\${3-+}" >"$heartbeat_seen"
      watch_holder
    }
    look() { watch "$@"; step_down_or_return; }
    beats() { # FROM TO [LAST]: a beat every two seconds
      for ((second = $1; second <= $2; second += 2)); do look $second $second "\${3-+}"; done
    }
    stepped_down() { # keepalived has ended, and with it the wish
      vrrp=STOP phase=STANDBY
    }
    says() { if [[ -e $stepped_down_file ]]; then echo "$now away"; else echo "$now here"; fi; }`;
  const run = (code: string): string[] => node.bash(`${BEGIN}\n${code}`).stdout.split('\n').filter(Boolean);
  const calls = () => node.read('calls').split('\n').filter(Boolean);

  test('a master that has seen the heartbeat of another for ten seconds stops its keepalived', () => {
    // The first byte is one that was there before; the ten seconds begin with the next.
    expect(run('beats 1000 1010; says; look 1011; says; look 1012 1012; says')).toEqual(['1010 here', '1011 here', '1012 away']);
    expect(calls()).toEqual(['--no-block stop keepalived.service']);
  });

  test.each([
    ['beats that are those of its own last lock', "letting_go_why='lock holder ends: keeper-died'; beats 1000 1040"],
    ['dashes: a holder that gives way', 'beats 1000 1040 -'],
    ['one beat, however long ago', 'look 998 1; look 1000 2; look 1010 2'],
    ['what was read first, which may be a minute old', 'look 1000 1; look 1009 2; look 1010'],
    ['beats before a silence', 'look 1000 1; look 1002 2; look 1004 3; look 1011 3; look 1015 3; look 1016 4; look 1017'],
    ['beats after which nothing could be read', 'look 1000 1; look 1002 2; look 1004 3; look 1015'],
  ])('what is no reason to: %s', (_, what) => {
    expect(run(`${what}; says`)).toEqual([expect.stringMatching(/ here$/)]);
    expect(calls()).toEqual([]);
  });

  test('a standby that a deploy has taken the mark from does not step down', () => {
    expect(run('beats 1000 1012; says; stepped_down; beats 1014 1030; says; watch 1032 1032; rm "$stepped_down_file"; step_down_or_return; says')).toEqual([
      '1012 away',
      '1030 away',
      '1032 here',
    ]);
    expect(calls()).toEqual(['--no-block stop keepalived.service']);
  });

  test('stays away five times as long, an hour at most, where the next time comes within a minute of the return', () => {
    const times = run(`
      is_beating() { true; }
      now=5000
      again() { back_at=$((now - $1)); rm -f "$stepped_down_file"; step_down_or_return; cat "$stepped_down_file"; }
      back_at=0; step_down_or_return; cat "$stepped_down_file"
      for i in 1 2 3 4 5; do again 59; done; again 60`);
    expect(times.map((line) => line.split(' ')[1])).toEqual(['60', '300', '1500', '3600', '3600', '3600', '60']);
  });

  const AWAY = 'beats 1000 1012; stepped_down';

  test('comes back when the heartbeat has stood still, and keepalived has had its time to stop', () => {
    // The last beat was nine seconds ago when it steps down.
    const last = 'look 1000 1; look 1002 2; look 1003 3; look 1012; says; stepped_down; look 1014 3; says; look 1021 3; says; look 1022 3; says';
    expect(run(last)).toEqual(['1012 away', '1014 away', '1021 away', '1022 here']);
    expect(calls()).toEqual(['--no-block stop keepalived.service', '--no-block start keepalived.service']);
  });

  test('a keepalived that is about to stop is none that somebody has started; one that runs ten seconds later is', () => {
    expect(run(`${AWAY}; vrrp=MASTER; beats 1014 1020; says; look 1021 1021; says; look 1022 1022; says`)).toEqual(['1020 away', '1021 away', '1022 here']);
  });

  test('comes back after a minute, heartbeat or not', () => {
    expect(run(`${AWAY}; beats 1014 1070; says; look 1071 1071; says; look 1072 1072; says`)).toEqual(['1070 away', '1071 away', '1072 here']);
  });

  test('tries again where systemd does not take the start: nobody else would', () => {
    node.standIn('systemctl', `printf '%s\\n' "$*" >>"${node.root}/calls"; [[ $2 != start || -e ${node.root}/works ]]`);
    expect(run(`${AWAY}; look 1072 1072; says; : >"${node.root}/works"; look 1073 1073; says`)).toEqual(['1072 away', '1073 here']);
    expect(calls().filter((call) => call.includes(' start '))).toHaveLength(2);
  });

  test('reads the file by one process at a time, for each of them may hang', () => {
    node.standIn('timeout', `echo x >>"${node.root}/reads"; exec sleep 3`);
    node.bash(`${BEGIN}\nholder_probe=''; exec >/dev/null 2>&1; watch 1000; watch 1001; watch 1002; until [[ -e ${node.root}/reads ]]; do sleep 0.05; done; sleep 0.5`);
    expect(node.read('reads')).toBe('x\n');
  });
});
