import { spawnSync } from 'child_process';
import { mkdtempSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { configOf, loadConfig } from '../stacks/config';
import { scan } from '../stacks/json-scan';
import { ED25519_A, ED25519_B } from './fixture';

const directory = mkdtempSync(join(tmpdir(), 'nim-ha-config-'));
const file = join(directory, 'pairs.json');

const valid = {
  pairs: {
    nim: {
      primary: { host: '192.0.2.11', networkInterface: 'ens32', hostKeys: [ED25519_A] },
      secondary: { host: '192.0.2.12', networkInterface: 'ens32', hostKeys: [ED25519_B] },
      ssh: { user: 'ops' },
      virtualIp: { address: '192.0.2.100' },
      nfsShare: { server: '192.0.2.13' },
    },
  },
};

const MOVE = '; the state that is there does not move by itself: with the file as it was run "npx cdktf diff" with the name of the pair that is deployed, then add {pair} and run "npx cdktf diff" with its name and --migrate-state (README, "State")';

function message(content: unknown): string {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  try {
    loadConfig(file);
    return '';
  } catch (error) {
    return (error as Error).message.replace(file, '<file>');
  }
}

test('a valid file', () => {
  expect(message(valid)).toBe('');
  expect(loadConfig(file)).toEqual(valid);
});

test('no file', () => {
  expect(() => loadConfig(undefined)).toThrow('NIM_HA_CONFIG is not set; set it to the JSON file');
  expect(() => loadConfig(join(directory, 'none.json'))).toThrow('there is no file');
});

test('all that is wrong is named with its path', () => {
  const { primary, ...rest } = valid.pairs.nim;
  const wrong = { ...rest, primary: { hots: primary.host, networkInterface: 7 }, ssh: { user: 'ops', login: 'private-key-file' }, profile: 'own' };
  expect(message({ pairs: { nim: wrong, '2nd': valid.pairs.nim }, extra: 1 }).split('\n')).toEqual([
    '<file> is not a valid configuration:',
    '  (top level): unknown key "extra"',
    '  pairs: the name "2nd" is not allowed, expected a letter, then letters, digits, "_" and "-", 63 in all at most; rename the pair',
    '  pairs.nim.primary: missing key "host"',
    '  pairs.nim.primary: unknown key "hots"',
    '  pairs.nim.primary.networkInterface: must be string, got a number',
    '  pairs.nim.ssh: missing key "privateKeyFile"',
    '  pairs.nim.profile: must be one of guide, hardened, got "own"',
  ]);
});

test.each<[string, (config: any) => void, string]>([
  ['a name that every object has', ({ pairs }) => (pairs.constructor = pairs.nim), 'pairs: the name "constructor" is in use, choose another one'],
  ['a variable that is a word of Terraform', ({ pairs }) => (pairs.nim.ssh.variable = 'count'), 'pairs.nim.ssh.variable: the name "count" is in use, choose another one'],
  ['a variable that is a construct', ({ pairs }) => (pairs.nim.virtualIp.authPassVariable = 'nim_ha'), 'pairs.nim.virtualIp.authPassVariable: the name "nim_ha" is in use, choose another one'],
  ['the token of a string', ({ pairs }) => (pairs.nim.ssh.user = 'a${TfToken[TOKEN.1]}'), 'pairs.nim.ssh.user: must not look like a token of cdktf, got "a${TfToken[TOKEN.1]}"'],
  ['the token of a number', ({ pairs }) => (pairs.nim.primary.port = -1.8881545897087503e289), 'pairs.nim.primary.port: must not look like a token of cdktf, got -1.8881545897087503e+289'],
  ['the token of a map', (config) => (config.backend = { s3: { '&{TfToken[TOKEN.1]}': 1 } }), 'backend.s3, a key: must not look like a token of cdktf, got "&{TfToken[TOKEN.1]}"'],
  ['one state for two pairs', (config) => Object.assign(config, { backend: { s3: { key: 'a/b' } }, pairs: { ...config.pairs, other: config.pairs.nim } }), "backend.s3: must have {pair} in one of its settings, such as the state's key or path, for each pair needs a state of its own" + MOVE],
  ['one local state for two pairs', (config) => Object.assign(config, { backend: { local: { path: 'a' } }, pairs: { ...config.pairs, other: config.pairs.nim } }), "backend.local: must have {pair} in one of its settings, such as the state's key or path, for each pair needs a state of its own" + MOVE],
  ['one local state for two pairs, with workspaces of their own', (config) => Object.assign(config, { backend: { local: { path: 'a', workspace_dir: '{pair}' } }, pairs: { ...config.pairs, other: config.pairs.nim } }), "backend.local: must have {pair} in one of its settings, such as the state's key or path, for each pair needs a state of its own" + MOVE],
  ['a key file beside the agent', ({ pairs }) => Object.assign(pairs.nim.ssh, { login: 'agent', privateKeyFile: 'id' }), 'pairs.nim.ssh: privateKeyFile needs "login": "private-key-file", got "login": "agent"; change the login, or take privateKeyFile out'],
  ['a key file without the login that reads it', ({ pairs }) => (pairs.nim.ssh = { user: 'ops', privateKeyFile: 'id' }), 'pairs.nim.ssh: privateKeyFile needs "login": "private-key-file", got no "login"; change the login, or take privateKeyFile out'],
  ['a variable that nothing reads', ({ pairs }) => Object.assign(pairs.nim.ssh, { login: 'agent', variable: 'key' }), 'pairs.nim.ssh: variable needs "login": "private-key" or "password", got "login": "agent"; change the login, or take variable out'],
  ['a login that there is not, once', ({ pairs }) => Object.assign(pairs.nim.ssh, { login: 'agnet', variable: 'key' }), 'pairs.nim.ssh.login: must be one of private-key, private-key-file, password, agent, got "agnet"'],
  ['a key in place of the login, without showing it', ({ pairs }) => Object.assign(pairs.nim.ssh, { login: '-----BEGIN OPENSSH PRIVATE KEY-----' }), 'pairs.nim.ssh.login: must be one of private-key, private-key-file, password, agent, got a long text'],
  ['a password in place of a variable, without showing it', ({ pairs }) => (pairs.nim.virtualIp.authPassVariable = 'S3cret-1'), 'pairs.nim.virtualIp.authPassVariable: must be the name of a Terraform variable, expected a letter of a-z, then a-z, digits and "_"; the value goes into TF_VAR_ and this name'],
  ['a number in its place, without showing it', ({ pairs }) => (pairs.nim.virtualIp.authPassVariable = 12345678), 'pairs.nim.virtualIp.authPassVariable: must be string, got a number'],
  ['a port that is a text', ({ pairs }) => (pairs.nim.primary.port = '22'), 'pairs.nim.primary.port: must be integer, got a text'],
  ['a port that is no whole number', ({ pairs }) => (pairs.nim.primary.port = 22.5), 'pairs.nim.primary.port: must be integer, got 22.5'],
  ['one key that is no list', ({ pairs }) => (pairs.nim.primary.hostKeys = ED25519_A), 'pairs.nim.primary.hostKeys: must be array, got a text'],
  ['a switch that is a list', ({ pairs }) => (pairs.nim.observe = []), 'pairs.nim.observe: must be boolean, got an array'],
  ['a path with a slash in a key', ({ pairs }) => (pairs.nim.primary['a/b'] = 1), 'pairs.nim.primary: unknown key "a/b"'],
  ['two backends', (config) => (config.backend = { s3: {}, local: {} }), 'backend: must have one type, got s3, local; take out all but one'],
  ['a backend without a type', (config) => (config.backend = {}), 'backend: names no type, expected one such as "s3"; take "backend" out for a local state'],
  ['no pair at all', (config) => (config.pairs = {}), 'pairs: has no pair, expected at least one; to remove the last pair put it back, run "npx cdktf destroy" with its name, and delete the file then'],
  ['one variable for password and key', ({ pairs }) => (pairs.nim.virtualIp.authPassVariable = 'ssh_private_key'), 'pairs.nim.ssh.variable: the variable "ssh_private_key" is to hold a private key here, and the VRRP password in virtualIp.authPassVariable; name two'],
  ['one variable for key and sudo', ({ pairs }) => Object.assign(pairs.nim.ssh, { variable: 'site', sudoPasswordVariable: 'site' }), 'pairs.nim.ssh.sudoPasswordVariable: the variable "site" is to hold a password here, and a private key in ssh.variable; name two'],
  ['one variable for the password of the pair and of the NFS server', ({ pairs }) => (pairs.nim.nfsShare.fencing = { hostKeys: [ED25519_A], ssh: { user: 'ops', login: 'password', variable: 'auth_pass' } }), 'pairs.nim.nfsShare.fencing.ssh.variable: the variable "auth_pass" is to hold a password here, and the VRRP password in virtualIp.authPassVariable; name two'],
  ['a key that moves the cursor', (config) => (config['\u001b[2J\u009b\u{e0041}'] = 1), '(top level): unknown key "\\u001b[2J\\u009b\\udb40\\udc41"'],
])('%s is refused', (_, change, problem) => {
  const config = JSON.parse(JSON.stringify(valid));
  change(config);
  expect(message(config)).toBe(`<file> is not a valid configuration:\n  ${problem}`);
});

test.each<[string, object]>([
  ['a state for each of two pairs', { s3: { key: 'a/{pair}' } }],
  ['the local states that are there without a path', { local: {} }],
])('%s is taken', (_, backend) => {
  expect(configOf('a', JSON.stringify({ backend, pairs: { ...valid.pairs, other: valid.pairs.nim } })).backend).toEqual(backend);
});

test('sudo may be given the password of the login, and the NFS server the key of the nodes', () => {
  const { nim } = valid.pairs;
  const fencing = (ssh: object): object => ({ pairs: { nim: { ...nim, nfsShare: { server: '192.0.2.13', fencing: { hostKeys: [ED25519_A], ssh } } } } });
  expect(message(fencing({ user: 'root' }))).toBe('');
  expect(message(fencing({ user: 'root', login: 'password', sudoPasswordVariable: 'ssh_password' }))).toBe('');
  expect(message({ pairs: { nim: { ...nim, ssh: { user: 'ops', login: 'agent', sudoPasswordVariable: 'sudo' } } } })).toBe('');
});

test('a key that is there twice is refused at any depth, in whatever spelling: the last one would win without a word', () => {
  const nim = JSON.stringify(valid.pairs.nim);
  const twice = nim.replace('"host":', '"host": "192.0.2.9",\n"host":');
  const text = `{\n"pairs": {\n"nim": ${nim},\n"other": ${twice},\n"\\u006eim": ${nim}\n}}`;
  expect(message(text).split('\n')).toEqual([
    '<file> is not a valid configuration:',
    '  pairs.other.primary.host: the same key twice, on line 4 and on line 5; rename one of them, or take it out',
    '  pairs.nim: the same key twice, on line 3 and on line 6; rename one of them, or take it out',
  ]);
  // In two objects it is two keys.
  expect(message(`{"backend": {"s3": {"list": [{"a": 1}, {"a": 1}], "a": {"a": 1}}}, "pairs": {"nim": ${nim}}}`)).toBe('');
});

test.each([
  ['{\n  "pairs": {\n    "nim": {,\n', 'line 3, column 13: not valid JSON: expected a key in double quotes, got ","'],
  ['{\n  "pairs": {}\n', 'line 3, column 1: not valid JSON: expected "," or "}", got the end of the file'],
  ['', 'line 1, column 1: not valid JSON: expected a value, got the end of the file'],
  // The engine tells no position of these.
  ['{\n  "ssh": {\n    "user": ops,\n    "timeout": "2m"\n  }\n}\n', 'line 3, column 13: not valid JSON: expected a value, got "o"; text stands in double quotes'],
  ["{\n  'pairs': 1}", `line 2, column 3: not valid JSON: expected a key in double quotes, got "'"; text stands in double quotes`],
  ['[\n1,\n]', 'line 3, column 1: not valid JSON: expected a value, got "]"'],
  ['{\n"a": 1\n"b": 2}', String.raw`line 3, column 1: not valid JSON: expected "," or "}", got "\""`],
  ['{"a": [1}', 'line 1, column 9: not valid JSON: expected "," or "]", got "}"'],
  ['{"a":\n"b}\n', 'line 2, column 1: not valid JSON: expected a value, got a text that does not end on its line, or has a tab or an unknown backslash in it'],
  ['{ // pairs\n}', 'line 1, column 3: not valid JSON: expected a key in double quotes, got a "/"; there are no comments in JSON'],
  ['{}\n\n{}', 'line 3, column 1: not valid JSON: expected the end of the file, got "{"'],
  ['{"a" 1}', 'line 1, column 6: not valid JSON: expected ":", got "1"'],
  ['\ufeff{\n01}', 'line 2, column 1: not valid JSON: expected a key in double quotes, got "0"'],
])('text that is no JSON is named with its line: %j', (text, problem) => {
  expect(message(text)).toBe(`<file>: ${problem}`);
});

test('what is no JSON to us is none to the engine either, and the other way round', () => {
  const whole = JSON.stringify({ a: [1, -0.5e3, [], {}, 'x"\\\n\u2028é'], '': { b: null, c: [true, false] } }, undefined, 1);
  const parses = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  for (let at = 0; at <= whole.length; at++) {
    for (const text of ['', ',', '0', '"', '\\', ']', '}', ':', 'e', '.', '-', '\t', '\u00a0', 'null'].flatMap((odd) => [whole.slice(0, at) + odd + whole.slice(at), whole.slice(0, at) + odd + whole.slice(at + 1), whole.slice(0, at) + odd])) {
      expect([text, scan(text).wrong === undefined]).toEqual([text, parses(text)]);
    }
  }
});

test('the mark that some editors begin a file with is no mistake; another encoding is', () => {
  expect(message(`\ufeff${JSON.stringify(valid)}`)).toBe('');
  writeFileSync(file, Buffer.from(`\ufeff${JSON.stringify(valid)}`, 'utf16le'));
  expect(() => loadConfig(file)).toThrow('line 1, column 1: not valid JSON: expected a value, got a byte that is not UTF-8; save the file as UTF-8');
});

test('a file that cannot be read is named, with what to do', () => {
  expect(() => loadConfig(directory)).toThrow(`NIM_HA_CONFIG: ${JSON.stringify(directory)} is a directory; name the JSON file in it`);
  writeFileSync(file, '');
  expect(() => loadConfig(join(file, 'a'))).toThrow('NIM_HA_CONFIG: there is no file ');
  const loop = join(directory, 'loop');
  symlinkSync(loop, loop);
  expect(() => loadConfig(loop)).toThrow(/^NIM_HA_CONFIG: the file ".*loop" cannot be read: ELOOP.*; name another one, or mend this$/);
});

describe('the app', () => {
  const run = (env: { [name: string]: string }): { status: number | null; stderr: string } => {
    const inherited = { ...process.env };
    delete inherited.NIM_HA_CONFIG;
    const { status, stderr } = spawnSync(process.execPath, ['--require', 'ts-node/register/transpile-only', 'main.ts'], {
      cwd: join(__dirname, '..'),
      encoding: 'utf8',
      // Neither a terraform binary nor what cdktf's own command would set.
      env: { ...inherited, CDKTF_OUTDIR: join(directory, 'out'), TERRAFORM_BINARY_NAME: 'no-such-terraform', ...env },
    });
    return { status, stderr };
  };

  test('synthesises', () => {
    writeFileSync(file, JSON.stringify(valid));
    expect(run({ NIM_HA_CONFIG: file })).toEqual({ status: 0, stderr: '' });
  });

  test('ends with a message and 1 without a file', () => {
    expect(run({})).toEqual({ status: 1, stderr: expect.stringMatching(/^NIM_HA_CONFIG is not set; .*\n$/) });
  });

  test('ends with all that is wrong, and without a stack trace', () => {
    const { nim } = valid.pairs;
    const ssh = { user: 'ops', login: 'private-key-file', privateKeyFile: '/a"b' };
    const fencing = { hostKeys: [ED25519_A], ssh: { ...ssh, privateKeyFile: '/c"d' } };
    const wrong = { ...nim, secondary: nim.primary, virtualIp: { address: '192.0.2.300' }, ssh, nfsShare: { server: '192.0.2.13', fencing } };
    writeFileSync(file, JSON.stringify({ pairs: { nim: wrong } }));
    const { status, stderr } = run({ NIM_HA_CONFIG: file });
    expect(status).toBe(1);
    expect(stderr).toContain('[node/hosts-equal]');
    expect(stderr).toContain('virtualIp.address');
    // As the file calls it, and not as the program does.
    expect(stderr).toContain('] ssh.privateKeyFile: must be a path');
    expect(stderr).toContain('] nfsShare.fencing.ssh.privateKeyFile: must be a path');
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
