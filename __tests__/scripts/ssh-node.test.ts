import { spawnSync } from 'child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, resolve } from 'path';

const SCRIPT = resolve(__dirname, '../../scripts/operator/ssh-node.sh');
const STATUS = '{"reachable":true,"reason":"","phase":"ACTIVE"}';
const KEYS = [
  'reachable', 'reason', 'vrrp_state', 'holds_virtual_ip', 'holds_lock', 'phase', 'keepalived', 'services', 'mounts',
  'config_in_sync', 'drifted', 'since',
];

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nim-ha-ssh-'));
  standIn('ssh', 'cp "$2" "$OUT/config"; cp "${2%/*}"/known_hosts.* "$OUT" 2>/dev/null; printf "%s\\n" "$@" >"$OUT/arguments"; env >"$OUT/environment"; cat "$OUT/error" >&2 2>/dev/null; cat "$OUT/answer"; exit "$(cat "$OUT/code")"');
  standIn('ssh-agent', 'sleep 60 >/dev/null 2>&1 & echo "SSH_AUTH_SOCK=$3; export SSH_AUTH_SOCK; SSH_AGENT_PID=$!; export SSH_AGENT_PID;"; echo $! >"$OUT/agent"');
  standIn('ssh-add', 'printf "%s\\n" "$@" >"$OUT/add-arguments"; env >"$OUT/add-environment"; cat >"$OUT/added"; grep -q KEY "$OUT/added"');
  answer(0, STATUS);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function standIn(name: string, body: string): void {
  writeFileSync(join(dir, name), `#!/bin/bash\n${body}\n`);
  chmodSync(join(dir, name), 0o755);
}

function answer(code: number, text: string, error = ''): void {
  writeFileSync(join(dir, 'code'), `${code}`);
  writeFileSync(join(dir, 'answer'), `${text}\n`);
  writeFileSync(join(dir, 'error'), error);
}

const read = (name: string) => readFileSync(join(dir, name), 'utf8');

const NODE = ['NIM_HA_HOST=192.0.2.11', 'NIM_HA_PORT=2222', 'NIM_HA_USER=ops', 'NIM_HA_HOST_KEYS=ssh-ed25519 AAAA\n@cert-authority host:22 ssh-rsa BBBB'];
const WITH_KEY = [...NODE, 'NIM_HA_KEY_ENV=TF_VAR_key'];

function run(args: string[], environment: Record<string, string> = { TF_VAR_key: 'PRIVATE KEY\n' }) {
  const scratch = join(dir, 'tmp');
  spawnSync('mkdir', ['-p', scratch]);
  const done = spawnSync('bash', [SCRIPT, ...args], {
    env: { PATH: `${dir}:${process.env.PATH}`, OUT: dir, TMPDIR: scratch, ...environment },
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(readdirSync(scratch)).toEqual([]);
  return { code: done.status, out: done.stdout };
}

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
  expect(spawnSync('ps', ['-o', 'stat=', '-p', read('agent').trim()], { encoding: 'utf8' }).stdout.trim()).toMatch(/^(Z.*)?$/);
});

test('settings may come from the environment, and the text may be run without a file', () => {
  const settings = Object.fromEntries(WITH_KEY.map((setting) => [setting.slice(0, setting.indexOf('=')), setting.slice(setting.indexOf('=') + 1)]));
  const done = spawnSync('bash', ['-c', `set -- observe\n${readFileSync(SCRIPT, 'utf8')}`], {
    env: { PATH: `${dir}:${process.env.PATH}`, OUT: dir, TF_VAR_key: 'PRIVATE KEY', ...settings },
    encoding: 'utf8',
  });
  expect(done.stdout.trim()).toBe(STATUS);
});

test.each([
  ['unreachable', 255, 'ssh: connect to host 192.0.2.11 port 22: No route to host', false],
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

test('a bastion, a password, no host keys', () => {
  const args = [...NODE.slice(0, 3), 'NIM_HA_PASSWORD_ENV=SECRET', 'NIM_HA_BASTION_HOST=b.example', 'NIM_HA_BASTION_HOST_KEYS=ssh-ed25519 CCCC'];
  observe(args, { SECRET: 'pass word' });
  expect(read('config')).toMatch(/Host node\n[^]*StrictHostKeyChecking no\n[^]*ProxyJump bastion\nHost bastion\n  HostName b.example\n  Port 22\n  User ops\n  StrictHostKeyChecking yes/);
  expect(read('environment')).toContain('SSH_ASKPASS_REQUIRE=force');
  expect(read('known_hosts.bastion')).toBe('b.example ssh-ed25519 CCCC\n');
  expect(read('arguments')).not.toContain('pass word');
});

test('generation is a number, 0 where nobody answers', () => {
  answer(0, '4');
  expect(run(['generation', ...WITH_KEY])).toEqual({ code: 0, out: '4\n' });
  answer(255, '', 'No route to host');
  expect(run(['generation', ...WITH_KEY])).toEqual({ code: 0, out: '0\n' });
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

test('remove stops where the node is there and cannot be asked', () => {
  expect(run(['remove', 'restore', ...WITH_KEY], {})).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/no-credentials]: no key to log in with: TF_VAR_key is not set') });
  answer(94, '');
  expect(run(['remove', 'restore', ...WITH_KEY])).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/sudo-needs-password]') });
  answer(255, '', 'Host key verification failed.');
  expect(run(['remove', 'restore', ...WITH_KEY])).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/host-key]') });
});

test.each([
  ['bad-settings', [...WITH_KEY, 'NIM_HA_USER=a b'], 0, {}, "got user 'a b', host '192.0.2.11', port '2222'"],
  ['unusable-key', WITH_KEY, 0, { TF_VAR_key: 'nonsense' }, 'the key in TF_VAR_key'],
  ['no-program', WITH_KEY, 95, undefined, 'though /var/lib/nim-ha is there'],
])('remove stops for %s', (reason, settings, code, environment, words) => {
  answer(code, '');
  const { code: ended, out } = run(['remove', 'restore', ...settings], environment);
  expect({ code: ended, out }).toEqual({ code: 5, out: expect.stringContaining(`FAILED [ssh/${reason}]: `) });
  expect(out).toContain(words);
  expect(out).toContain('nothing was removed there');
});

test('remove goes past a node that logs in and then says nothing, and names it', () => {
  answer(124, '');
  const { code, out } = run(['remove', 'restore', ...WITH_KEY]);
  expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/SKIPPED \[ssh\/no-answer\].*sudo \/usr\/local\/lib\/nim-ha\/remove\.sh restore/) });
});

test('a removal that has begun is never taken for a dead node', () => {
  answer(255, 'nim-ha node-a: remove restore: changed: stopped keepalived', 'client_loop: send disconnect: Broken pipe');
  expect(run(['remove', 'restore', ...WITH_KEY, 'NIM_HA_CONNECT_LIMIT=0'])).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/lost]') });
  answer(124, 'nim-ha node-a: remove restore: changed: stopped keepalived');
  expect(run(['remove', 'restore', ...WITH_KEY])).toEqual({ code: 5, out: expect.stringContaining('FAILED [ssh/lost]') });
});

test('wrong arguments end with 2', () => {
  for (const args of [[], ['status'], ['remove'], ['remove', 'all'], ['observe', 'HOST=x']]) expect(run(args).code).toBe(2);
});
