import { spawn, spawnSync } from 'child_process';
import { createHash } from 'crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'fs';
import { join } from 'path';
import { askingSudo, SUDO_PASSWORD } from './support/asking-sudo';
import { NODE, Operator, SSH_NODE, STATUS, WITH_KEY } from './support/operator';

const KEYS = [
  'reachable', 'reason', 'vrrp_state', 'holds_virtual_ip', 'holds_lock', 'phase', 'able', 'fenced', 'keepalived', 'services', 'mounts',
  'config_in_sync', 'drifted', 'since',
];

let operator: Operator;
let dir: string;
beforeEach(() => {
  operator = new Operator();
  dir = operator.root;
});
afterEach(() => operator.destroy());

const standIn = (name: string, body: string) => operator.standIn(name, body);
const answer = (code: number, text: string, error = '') => operator.answer(code, text, error);
const read = (name: string) => operator.read(name);
const run = (args: string[], environment?: Record<string, string>) => operator.run(args, environment);

const agentLives = () => !/^(Z.*)?$/.test(spawnSync('ps', ['-o', 'stat=', '-p', read('agent').trim()], { encoding: 'utf8' }).stdout.trim());

const observe = (args: string[], environment?: Record<string, string>) => {
  const { code, out } = run(['observe', ...args], environment);
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(1);
  return JSON.parse(out);
};

test('observe prints what the node says; the key is in no argument, file or environment of ssh', () => {
  answer(0, `Welcome to this machine\n${STATUS}`);
  expect(observe(WITH_KEY)).toEqual(JSON.parse(STATUS));
  expect(read('added')).toBe('PRIVATE KEY\n');
  for (const name of ['config', 'arguments', 'environment', 'add-arguments', 'add-environment']) expect(read(name)).not.toContain('PRIVATE KEY');
  expect(read('config')).toMatch(/ForwardAgent no[^]*BatchMode yes/);
  expect(read('config')).toContain('StrictHostKeyChecking yes');
  expect(read('known_hosts.node')).toBe('[192.0.2.11]:2222 ssh-ed25519 AAAA\n@cert-authority [192.0.2.11]:2222 ssh-rsa BBBB\n');
  // The agent of its own is gone.
  expect(agentLives()).toBe(false);
});

test('the key outlives no run, not even one that is killed', async () => {
  run(['observe', ...WITH_KEY]);
  expect(read('agent-arguments')).toMatch(/\n-t\n300\n/);
  run(['remove', 'restore', ...WITH_KEY, 'NIM_HA_CONNECT_LIMIT=7']);
  expect(read('agent-arguments')).toMatch(/\n-t\n2467\n/);

  standIn('ssh', 'echo >"$OUT/asked"; exec /bin/sleep 1');
  const script = spawn('bash', [SSH_NODE, 'observe', ...WITH_KEY], { env: { PATH: `${dir}:${process.env.PATH}`, OUT: dir, TMPDIR: join(dir, 'tmp'), TF_VAR_key: 'PRIVATE KEY' }, stdio: 'ignore' });
  const until = async (condition: () => boolean) => {
    for (let tries = 0; tries < 150 && !condition(); tries += 1) await new Promise((done) => setTimeout(done, 100));
    return condition();
  };
  expect(await until(() => operator.has('asked'))).toBe(true);
  expect(agentLives()).toBe(true);
  script.kill('SIGKILL');
  expect(await until(() => !agentLives() && readdirSync(join(dir, 'tmp')).length === 0)).toBe(true);
}, 40_000);

test('settings may come from the environment, and the text may be run without a file', () => {
  const settings = Object.fromEntries(WITH_KEY.map((setting) => [setting.slice(0, setting.indexOf('=')), setting.slice(setting.indexOf('=') + 1)]));
  const done = spawnSync('bash', ['-c', `set -- observe\n${readFileSync(SSH_NODE, 'utf8')}`], {
    env: { PATH: `${dir}:${process.env.PATH}`, OUT: dir, TF_VAR_key: 'PRIVATE KEY', ...settings },
    encoding: 'utf8',
  });
  expect(done.stdout.trim()).toBe(STATUS);
});

test.each([
  ['unreachable', 255, 'ssh: connect to host 192.0.2.11 port 22: No route to host', false],
  ['unreachable', 255, 'Timeout, server 192.0.2.11 not responding.', false],
  ['unreachable', 255, 'Permission denied to all others\r\nTimeout, server 192.0.2.11 not responding.', false],
  ['refused', 255, 'kex_exchange_identification: Connection closed by remote host', false],
  ['host-key', 255, 'Host key verification failed.', false],
  ['permission-denied', 255, 'ops@192.0.2.11: Permission denied (publickey).', false],
  ['not-installed', 93, '', true],
  ['sudo-needs-password', 94, '', true],
  ['no-answer', 124, '', false],
  ['no-status', 1, '', true],
])('%s is an answer with every key', (reason, code, error, reachable) => {
  answer(code, '', error);
  const state = observe(WITH_KEY);
  expect(Object.keys(state)).toEqual(KEYS);
  expect(state).toMatchObject({ reason, reachable, vrrp_state: 'UNKNOWN' });
});

test('without credentials it says so, and asks nobody', () => {
  expect(observe(NODE)).toMatchObject({ reachable: null, reason: 'no-credentials' });
  expect(observe(WITH_KEY, {})).toMatchObject({ reachable: null, reason: 'no-credentials' });
  expect(observe(WITH_KEY, { TF_VAR_key: 'nonsense' })).toMatchObject({ reachable: null, reason: 'unusable-key' });
  expect(readdirSync(dir)).not.toContain('arguments');
});

test.each(['-oProxyCommand=reboot', 'a b', '$(reboot)', ''])('the host %j is refused', (host) => {
  expect(observe([...WITH_KEY, `NIM_HA_HOST=${host}`])).toMatchObject({ reachable: null, reason: 'bad-settings' });
  expect(readdirSync(dir)).not.toContain('arguments');
});

test('the name of a variable is no code', () => {
  for (const setting of ['NIM_HA_KEY_ENV', 'NIM_HA_PASSWORD_ENV', 'NIM_HA_SUDO_ENV']) {
    expect(observe([...WITH_KEY, `${setting}=x[$(touch "$OUT/pwned")]`])).toMatchObject({ reachable: null, reason: 'bad-settings' });
  }
  expect(readdirSync(dir)).not.toContain('pwned');
});

test('the path of a key is that file, whatever ssh would put in for a part of it', () => {
  const file = (name: string) => {
    operator.write(name, 'KEY');
    return observe([...NODE, `NIM_HA_KEY_FILE=${join(dir, name)}`]);
  };
  expect(file('my key %h')).toEqual(JSON.parse(STATUS));
  expect(read('config')).toContain(`  IdentityFile "${dir}/my key %%h"\n`);
  for (const name of ['a\\b', 'a"b', 'a\nb', '${HOME}']) expect(file(name)).toMatchObject({ reason: 'no-credentials' });
});

test('a key in the home is in that of whoever runs Terraform', () => {
  operator.write('id', 'KEY');
  expect(observe([...NODE, 'NIM_HA_KEY_FILE=~/id'], { HOME: dir })).toEqual(JSON.parse(STATUS));
  expect(read('config')).toContain(`  IdentityFile "${dir}/id"\n`);
});

test('a temporary directory with a blank in its path is as good as any', () => {
  const scratch = join(dir, 'a b');
  mkdirSync(scratch);
  const variables = { TF_VAR_key: 'PRIVATE KEY', TMPDIR: scratch };
  const args = [...WITH_KEY, 'NIM_HA_BASTION_HOST=b.example', 'NIM_HA_BASTION_HOST_KEYS=ssh-ed25519 CCCC'];
  expect(observe(args, variables)).toEqual(JSON.parse(STATUS));
  expect(read('add-environment')).toMatch(/^SSH_AUTH_SOCK=\S+\/a b\/[^/]+\/agent$/m);
  expect(agentLives()).toBe(false);
  for (const word of ['IdentityAgent', 'UserKnownHostsFile']) expect(read('config')).toMatch(new RegExp(`^  ${word} "[^"\n]+/a b/[^"\n]+"$`, 'm'));
  expect(read('config')).toContain(`ProxyCommand ssh -F ${dir}/a\\ b/`);
  expect(readdirSync(scratch)).toEqual([]);
});

test('what is said of a setting moves no cursor', () => {
  expect(run(['remove', 'restore', ...WITH_KEY, 'NIM_HA_USER=a\u001b[2J']).out).toContain("got user 'a?[2J'");
});

test('a bastion, a password, no host keys', () => {
  const args = [...NODE.slice(0, 3), 'NIM_HA_PASSWORD_ENV=SECRET', 'NIM_HA_BASTION_HOST=b.example', 'NIM_HA_BASTION_HOST_KEYS=ssh-ed25519 CCCC'];
  observe(args, { SECRET: 'pass word' });
  expect(read('config')).toMatch(/Host node\n[^]*StrictHostKeyChecking no\n[^]*ProxyCommand ssh -F \S+\/config -W '\[%h\]:%p' bastion\nHost bastion\n  HostName b.example\n  Port 22\n  User ops\n  StrictHostKeyChecking yes/);
  expect(read('environment')).toContain('SSH_ASKPASS_REQUIRE=force');
  expect(read('known_hosts.bastion')).toBe('b.example ssh-ed25519 CCCC\n');
  expect(read('arguments')).not.toContain('pass word');
});

describe('a password for sudo', () => {
  const SUDO = [...WITH_KEY, 'NIM_HA_SUDO_ENV=TF_VAR_sudo'];
  const VARIABLES = { TF_VAR_key: 'PRIVATE KEY', TF_VAR_sudo: SUDO_PASSWORD };
  const { eachTime, ways } = askingSudo('-S --prompt=', 2);

  beforeEach(() => {
    // The node: its shell runs what ssh is given, as somebody who is not root.
    const there = 'command="${@: -1}"; exec sh -c "${command//\\/usr\\/local\\/lib\\/nim-ha/$OUT/lib}"';
    standIn('ssh', `cp "$2" "$OUT/config"; env >"$OUT/environment"; printf "%s\\n" "$@" >"$OUT/arguments"; ${there}`);
    standIn('id', 'echo 1000');
    operator.write('expected', `${SUDO_PASSWORD}\n`);
    operator.write('lib/nim-ha.sh', `echo '${STATUS}'\n`);
    operator.write('lib/remove.sh', 'echo "nim-ha node-a: remove $1: as before"\n');
  });

  test.each(ways)('goes through ssh itself, and is in no argument and no environment: sudo asks %s', (_, sudo) => {
    standIn('sudo', sudo);
    expect(observe(SUDO, VARIABLES)).toEqual(JSON.parse(STATUS));
    expect(run(['remove', 'restore', ...SUDO], VARIABLES)).toEqual({ code: 0, out: 'nim-ha node-a: remove restore: as before\n' });
    for (const name of ['arguments', 'environment', 'config', 'add-environment']) expect(read(name)).not.toContain(SUDO_PASSWORD);
  });

  test('a wrong one is a reason', () => {
    standIn('sudo', eachTime);
    expect(observe(SUDO, { ...VARIABLES, TF_VAR_sudo: 'no' })).toMatchObject({ reachable: true, reason: 'sudo-needs-password' });
  });

  test('without its variable nobody is asked', () => {
    expect(observe(SUDO, { TF_VAR_key: 'PRIVATE KEY' })).toMatchObject({ reachable: null, reason: 'no-credentials' });
    expect(readdirSync(dir)).not.toContain('arguments');
  });

  test('it may be the one that logs in, too', () => {
    standIn('sudo', eachTime);
    expect(observe([...NODE, 'NIM_HA_PASSWORD_ENV=TF_VAR_sudo', 'NIM_HA_SUDO_ENV=TF_VAR_sudo'], { TF_VAR_sudo: SUDO_PASSWORD })).toEqual(JSON.parse(STATUS));
  });
});

test.each([['observe'], ['generation'], ['remove', 'restore'], ['remove', 'retain'], ['remove-fencing', 'restore']])('%s %s is for sh, whatever shell the user has', (...verb) => {
  run([...verb, ...WITH_KEY, 'NIM_HA_FENCING_NAME=demo']);
  expect(read('arguments')).toMatch(/\nnode\nexec sh -c '[^'\n]+'\n$/);
});

test('generation is a number, 0 where nobody answers', () => {
  answer(0, '4');
  expect(run(['generation', ...WITH_KEY])).toEqual({ code: 0, out: '4\n' });
  answer(255, '', 'No route to host');
  expect(run(['generation', ...WITH_KEY])).toEqual({ code: 0, out: '0\n' });
  answer(93, '');
  expect(run(['generation', ...WITH_KEY])).toEqual({ code: 0, out: '-1\n' });
});

test('generation says in words why it will never get a number, and 0 where it may the next time', () => {
  const generation = (args: string[], environment?: Record<string, string>) => run(['generation', ...args], environment);
  const said = (out: string) => ({ code: 0, out: `${out}\n` });
  expect(generation(NODE)).toEqual(said('no-credentials (no key to log in with, for that of the program is no Terraform variable, got observeWith)'));
  expect(generation(WITH_KEY, {})).toEqual(said('no-credentials (no key to log in with, got TF_VAR_key)'));
  expect(generation([...WITH_KEY, 'NIM_HA_SUDO_ENV=TF_VAR_\u001bsudo'])).toEqual(said('bad-settings'));
  expect(generation([...WITH_KEY, 'NIM_HA_SUDO_ENV=TF_VAR_sudo'])).toEqual(said('no-credentials (no password for sudo, got TF_VAR_sudo)'));
  expect(generation(WITH_KEY, { TF_VAR_key: 'nonsense' })).toEqual(said('unusable-key'));
  answer(94, '');
  expect(generation(WITH_KEY)).toEqual(said('sudo-needs-password'));
  // A file of a key may be made by the deploy that asks.
  expect(generation([...NODE, `NIM_HA_KEY_FILE=${join(dir, 'id')}`])).toEqual(said('0'));
  for (const code of [124, 255, 1]) {
    answer(code, '', 'ops@192.0.2.11: Permission denied (publickey).');
    expect(generation(WITH_KEY)).toEqual(said('0'));
  }
});

test('remove shows what the node says, and ends with its code', () => {
  answer(0, 'nim-ha node-a: remove restore: as before');
  expect(run(['remove', 'restore', ...WITH_KEY])).toEqual({ code: 0, out: 'nim-ha node-a: remove restore: as before\n' });
  answer(1, 'FAILED');
  expect(run(['remove', 'restore', ...WITH_KEY]).code).toBe(1);
  answer(93, '');
  expect(run(['remove', 'restore', ...WITH_KEY])).toEqual({ code: 0, out: expect.stringContaining('nothing to remove') });
  answer(255, '', 'ssh: connect to host 192.0.2.11 port 22: No route to host');
  expect(run(['remove', 'restore', ...WITH_KEY, 'NIM_HA_CONNECT_LIMIT=0'])).toEqual({ code: 0, out: expect.stringMatching(/SKIPPED \[ssh\/unreachable\].*No route to host/) });
});

test('remove asks again while the node cannot be reached, but not one that refuses the key', () => {
  standIn('sleep', '[[ $1 == 60 ]] || printf 0 >"$OUT/code"');
  answer(255, 'nim-ha node-a: remove restore: as before', 'kex_exchange_identification: Connection closed by remote host');
  expect(run(['remove', 'restore', ...WITH_KEY])).toMatchObject({ code: 0, out: expect.stringMatching(/no connection \(kex_exchange[^]*as before/) });
  answer(255, '', 'ops@192.0.2.11: Permission denied (publickey).');
  expect(run(['remove', 'restore', ...WITH_KEY])).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/permission-denied]') });
});

test('a node that refuses is asked again for as long as one that is away, and then is not forgotten', () => {
  // The clock is that of bash: a sleep takes a second.
  standIn('sleep', '[[ $1 == 60 ]] && exec /bin/sleep 60; echo >>"$OUT/slept"; exec /bin/sleep 1');
  answer(255, '', 'kex_exchange_identification: Connection closed by remote host');
  expect(run(['remove', 'restore', ...WITH_KEY, 'NIM_HA_CONNECT_LIMIT=2'])).toEqual({ code: 5, out: expect.stringMatching(/no connection \(kex_exchange.*trying for 2 s[^]*FAILED \[ssh\/refused\]/) });
  expect(read('slept').length).toBeGreaterThan(0);
});

test('behind a bastion a removal waits for what the bastion says of a dead node; a reading does not, and tells no difference', () => {
  const bastion = [...WITH_KEY, 'NIM_HA_BASTION_HOST=b.example', 'NIM_HA_BASTION_HOST_KEYS=ssh-ed25519 CCCC'];
  answer(255, '', 'Connection timed out during banner exchange\r\nConnection to UNKNOWN port 65535 timed out\r\n');
  expect(observe(bastion)).toMatchObject({ reachable: false, reason: 'unreachable' });
  expect(read('config')).not.toContain('ConnectTimeout 150');
  expect(run(['remove', 'restore', ...bastion, 'NIM_HA_CONNECT_LIMIT=0'])).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/refused]') });
  expect(read('config')).toMatch(/Host node\n[^]*ConnectTimeout 150\nHost bastion\n[^]*ConnectTimeout 20\n/);
});

test('ssh says why, and what it says of a login that went well is not shown', () => {
  answer(0, 'nim-ha node-a: as before', "Warning: Permanently added 'x' (ED25519) to the list of known hosts.\r\nnode: words of its own\n");
  const done = spawnSync('bash', [SSH_NODE, 'remove', 'restore', ...WITH_KEY], { env: { PATH: `${dir}:${process.env.PATH}`, OUT: dir, TF_VAR_key: 'PRIVATE KEY' }, encoding: 'utf8' });
  expect(done).toMatchObject({ status: 0, stderr: 'node: words of its own\n' });
  expect(read('config')).toContain('LogLevel INFO');
});

describe('the same machine under another address', () => {
  const KEY = 'ssh-ed25519 AAAA';
  const gone = (machine: string, program: string[], ...more: string[]) =>
    run(['remove', 'restore', ...WITH_KEY, `NIM_HA_MACHINE=${machine}`, `NIM_HA_PROGRAM=${program.join('\n')}`, 'NIM_HA_RESOURCE=terraform_data.x', ...more]);
  const refused = { code: 5, out: expect.stringMatching(/FAILED \[ssh\/same-machine\]: 192.0.2.11 is not in the program any more, got its address or one of its host keys at a.example,.* terraform state rm 'terraform_data.x\["192.0.2.11"\]'/) };
  const removed = { code: 0, out: 'nim-ha node-a: as before\n' };
  beforeEach(() => answer(0, 'nim-ha node-a: as before'));

  test('is not removed, and nobody is asked', () => {
    expect(gone('192.0.2.11', ['192.0.2.12 ssh-ed25519 BBBB', `a.example ${KEY}`])).toEqual(refused);
    expect(readdirSync(dir)).not.toContain('arguments');
  });

  test.each<[string, string[], string[]]>([
    ['it is in the program as it was: it is a destroy', [`192.0.2.11 ${KEY}`, `a.example ${KEY}`], []],
    ['others are in the program', ['192.0.2.12 ssh-ed25519 BBBB', 'a.example ssh-ed25519 AAAAB', 'b.example ssh-rsa AAAA'], []],
    ['nothing is known of the program', [], []],
    ['host keys are not verified', [`a.example ${KEY}`], ['NIM_HA_HOST_KEYS=']],
  ])('is removed where %s', (_, program, more) => {
    expect(gone('192.0.2.11', program, ...more)).toEqual(removed);
  });

  test('is known by its address where two were behind one, and nothing is known of host keys', () => {
    const forwarded = (program: string[]) => gone('192.0.2.11:2222', program, 'NIM_HA_HOST_KEYS=');
    expect(forwarded(['192.0.2.11 ', '192.0.2.11 at=192.0.2.11:2222', 'b.example ', 'b.example at=b.example:22'])).toEqual({
      code: 5,
      out: expect.stringMatching(/FAILED \[ssh\/same-machine\]: 192.0.2.11:2222 is not in the program any more, got its address or one of its host keys at 192.0.2.11,/),
    });
    expect(readdirSync(dir)).not.toContain('arguments');
    expect(forwarded(['192.0.2.11 ', '192.0.2.11 at=192.0.2.11:22', 'b.example ', 'b.example at=b.example:2222'])).toEqual(removed);
  });

  test('on an NFS server another name is another pair', () => {
    const server = (program: string) => run(['remove-fencing', 'restore', ...WITH_KEY, 'NIM_HA_FENCING_NAME=demo', 'NIM_HA_MACHINE=demo@192.0.2.11', `NIM_HA_PROGRAM=${program}`, 'NIM_HA_RESOURCE=terraform_data.x']).code;
    expect(server(`demo@a.example ${KEY}`)).toBe(5);
    expect(server(`other@a.example ${KEY}`)).toBe(0);
    expect(server(`demo@192.0.2.11 ${KEY}`)).toBe(0);
  });
});

describe('a pair that is retained', () => {
  const retained = (verb: string, program: string[], ...more: string[]) =>
    run([verb, 'retain', ...WITH_KEY, 'NIM_HA_FENCING_NAME=demo', 'NIM_HA_MACHINE=demo@192.0.2.11', `NIM_HA_PROGRAM=${program.join('\n')}`, 'NIM_HA_RESOURCE=terraform_data.x', ...more]);
  const asked = () => read('arguments').trim().split('\n').pop()!;
  const KEYS = 'NIM_HA_HOST_KEYS=ssh-ed25519 AAAA';
  beforeEach(() => {
    operator.write('arguments', '');
    answer(0, 'nim-ha node: ok');
  });

  test('is asked to stay where the program still has the machine', () => {
    expect(retained('remove', ['demo@192.0.2.11 ssh-ed25519 AAAA'], KEYS).code).toBe(0);
    expect(asked()).toContain('remove.sh retain');
  });

  test('stays on a server that the program still has, which nobody has to be asked for', () => {
    expect(retained('remove-fencing', ['demo@192.0.2.11 ssh-ed25519 AAAA'], KEYS)).toEqual({
      code: 0,
      out: 'nim-ha 192.0.2.11: remove-fencing: left in place, as removalPolicy retain says; to take it away later, run on it: sudo /usr/local/lib/nim-ha-fence/setup.sh remove demo\n',
    });
    expect(asked()).toBe('');
  });

  test.each([
    ['remove', 'remove.sh restore', ['demo@192.0.2.12 ssh-ed25519 BBBB']],
    ['remove-fencing', 'remove "$n"', ['demo@192.0.2.12 ssh-ed25519 BBBB']],
    ['remove-fencing', 'remove "$n"', []],
  ])('%s: is taken off a machine that is another one', (verb, command, program) => {
    const { code, out } = retained(verb, program, KEYS);
    expect([code, out]).toEqual([0, expect.stringContaining('the pair is removed from it, for removalPolicy retain is for what is')]);
    expect(asked()).toContain(command);
  });

  test.each([
    ['no host keys are verified', ['demo@192.0.2.12 ssh-ed25519 BBBB'], ['NIM_HA_HOST_KEYS=']],
    ['a machine of the program has none that is known', ['demo@a.example ssh-ed25519 BBBB', 'demo@b.example '], [KEYS]],
  ])('stays where it may be one machine under another address: %s', (_, program, more) => {
    expect(retained('remove', program, ...more)).toEqual({ code: 0, out: expect.stringContaining('left as it is; to take the pair off it, run on it: sudo /usr/local/lib/nim-ha/remove.sh restore') });
    expect(asked()).toBe('');
  });

  test('is taken off a server where the program has none, whatever its host keys', () => {
    expect(retained('remove-fencing', [], 'NIM_HA_HOST_KEYS=')).toEqual({ code: 0, out: expect.stringContaining('the pair is removed from it') });
    expect(asked()).toContain('remove "$n"');
  });

  test('is not taken off one that the program has under another address', () => {
    expect(retained('remove', ['demo@a.example ssh-ed25519 AAAA'], KEYS)).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/same-machine]') });
    expect(asked()).toBe('');
  });
});

describe('remove-fencing, of an NFS server', () => {
  const SERVER = [...WITH_KEY, 'NIM_HA_FENCING_NAME=demo-nim_ha'];

  test('runs what is installed there, as root, with the name of the pair', () => {
    answer(0, 'nim-ha nfs: fencing: removed');
    expect(run(['remove-fencing', 'restore', ...SERVER])).toEqual({ code: 0, out: 'nim-ha nfs: fencing: removed\n' });
    const command = read('arguments').trim().split('\n').pop()!;
    // With a setup.sh in place of the installed one, and a sudo that says what it is asked.
    const home = join(dir, 'server');
    operator.write('server/setup.sh', 'echo "setup $*"\n');
    standIn('sudo', 'shift; [[ $1 == true ]] || "$@"');
    standIn('id', 'echo 1000');
    const there = (path: string) => spawnSync('sh', ['-c', command.replace('/usr/local/lib/nim-ha-fence', path)], { cwd: home, env: { PATH: `${dir}:${process.env.PATH}` }, encoding: 'utf8' });
    // What deploys have left in the home, of this pair and of another one.
    const hash = (name: string) => createHash('sha256').update(name).digest('hex');
    const uploaded = (name: string) => [`.nim-ha-fence/${name}`, `.nim-ha-fence/secret/${hash(name)}`, `.nim-ha-fence-${hash(name)}-1234.sh`];
    const left = () => [...uploaded('demo-nim_ha'), ...uploaded('other'), '.nim-ha-fence'].filter((path) => existsSync(join(home, path)));
    [...uploaded('demo-nim_ha'), ...uploaded('other')].forEach((path) => operator.write(`server/${path}`, ''));
    standIn('sudo', 'exit 1');
    expect(there(home).status).toBe(94);
    standIn('sudo', 'shift; [[ $1 == true ]] || exit 3');
    expect(there(home).status).toBe(3);
    expect(left()).toHaveLength(7);
    standIn('sudo', 'shift; [[ $1 == true ]] || "$@"');
    expect(there(home)).toMatchObject({ status: 0, stdout: 'setup remove demo-nim_ha\n', stderr: '' });
    expect(left()).toEqual([...uploaded('other'), '.nim-ha-fence']);
    uploaded('other').forEach((path) => rmSync(join(home, path)));
    uploaded('demo-nim_ha').forEach((path) => operator.write(`server/${path}`, ''));
    expect(there(join(dir, 'nowhere')).status).toBe(93);
    expect(left()).toEqual(['.nim-ha-fence']);
    expect(there(home).status).toBe(0);
    expect(left()).toEqual([]);
  });

  test.each([
    [93, '', 0, 'nim-ha is not there: nothing to remove'],
    [94, '', 5, 'FAILED [ssh/sudo-needs-password]'],
    [3, '', 3, ''],
    [124, '', 5, 'expected the node, which has taken the connection, to answer within 300 s; nothing is known to have been removed there, and it may be serving: mend it and run this again'],
    [255, 'ssh: connect to host 192.0.2.11 port 22: No route to host', 0, 'SKIPPED [ssh/unreachable]'],
  ])('ends as it ended there: %i %s', (code, error, expected, out) => {
    answer(code, '', error);
    const result = run(['remove-fencing', 'restore', ...SERVER, 'NIM_HA_CONNECT_LIMIT=0']);
    expect(result).toEqual({ code: expected, out: expect.stringContaining(out) });
    if (out.startsWith('SKIPPED')) expect(result.out).toContain('run on it: sudo /usr/local/lib/nim-ha-fence/setup.sh remove demo-nim_ha');
  });

  test.each(['', 'a b', '$(reboot)', '-x', 'a;b'])('the name %j is refused', (name) => {
    expect(run(['remove-fencing', 'restore', ...WITH_KEY, `NIM_HA_FENCING_NAME=${name}`])).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/bad-settings]') });
  });
});

test('wrong arguments end with 2', () => {
  for (const args of [[], ['status'], ['remove'], ['remove', 'all'], ['remove-fencing'], ['remove-fencing', 'all', 'NIM_HA_FENCING_NAME=demo'], ['observe', 'HOST=x']]) expect(run(args).code).toBe(2);
});
