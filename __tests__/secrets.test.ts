import { TerraformStack } from 'cdktf';
import { ObserveWith, SshAccess } from '../lib';
import { PairOptions, find, nullResource, pair, provisioners, stack, synth, variable } from './fixture';

const PASSWORD = 'aB3_x.-9';
const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEga2V5\n-----END OPENSSH PRIVATE KEY-----\n';
const hidden = [PASSWORD, Buffer.from(PASSWORD).toString('base64'), 'bm90IGEga2V5'];

function synthesised(options: (scope: TerraformStack) => PairOptions): any {
  const scope = stack();
  pair(scope, options(scope));
  return synth(scope);
}

/** Everything that Terraform stores or prints; what a provisioner that creates sends or logs in with is neither. */
function stored(tf: any): string {
  const copy = JSON.parse(JSON.stringify(tf));
  for (const resources of Object.values<any>(copy.resource)) {
    for (const resource of Object.values<any>(resources)) {
      resource.provisioner = (resource.provisioner ?? []).filter((entry: any) => entry['local-exec']);
    }
  }
  return JSON.stringify(copy);
}

test('literal secrets are in no trigger, no input, no argument and no local command', () => {
  const tf = synthesised(() => ({
    ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: KEY }),
    virtualIp: { authPass: PASSWORD },
  }));
  for (const secret of hidden) expect(stored(tf)).not.toContain(secret);
});

test('variables are referred to by nothing that is stored', () => {
  const tf = synthesised(() => ({}));
  expect(stored(tf)).not.toMatch(/\$\{[^}]*var\.(auth_pass|ssh_private_key)/);
});

test('the password travels in a block of its own, into a file that only the user may read', () => {
  const tf = synthesised(() => ({}));
  const carriers = provisioners(tf).filter(({ block }) => JSON.stringify({ ...block, connection: undefined }).includes('var.auth_pass'));
  expect(carriers.map(({ kind, block }) => [kind, block.destination, block.content])).toEqual([
    ['file', '.nim-ha/secret/auth_pass', 'AUTH_PASS=${base64encode(var.auth_pass)}\n'],
    ['file', '.nim-ha/secret/auth_pass', 'AUTH_PASS=${base64encode(var.auth_pass)}\n'],
  ]);
  const { inline } = nullResource(tf, 'NimHa_primary_preflight').provisioner[0]['remote-exec'];
  for (const line of ['umask 077', 'chmod 0700 .nim-ha', 'put 0600 secret/auth_pass cat </dev/null']) expect(inline[0].split('\n')).toContain(line);
});

describe('a changed password is noticed', () => {
  const digest = (options: (scope: TerraformStack) => PairOptions): any => nullResource(synthesised(options), 'NimHa_primary_preflight').triggers.digest;

  test('of a variable by its hash, which the key goes into, from the environment', () => {
    const tf = synthesised(() => ({}));
    const command = find(tf.data.local_command, 'NimHa_digest');
    expect(command.arguments.slice(2)).toEqual(['digest', 'TF_VAR_auth_pass', 'TF_VAR_ssh_private_key', '']);
    expect(nullResource(tf, 'NimHa_primary_preflight').triggers.digest).toMatch(/^\$\{trimspace\(data\.local_command\.NimHa_digest_\w+\.stdout\)\}$/);
  });

  test('with a key file by its hash, too', () => {
    const tf = synthesised(() => ({ ssh: SshAccess.withPrivateKeyFile({ user: 'ops', path: '~/.ssh/id_ed25519' }) }));
    expect(find(tf.data.local_command, 'NimHa_digest').arguments.slice(3)).toEqual(['TF_VAR_auth_pass', '', '${pathexpand("~/.ssh/id_ed25519")}']);
  });

  test('of a literal by a hash that differs from that of another', () => {
    const of = (authPass: string): string => digest(() => ({ virtualIp: { authPass } }));
    expect(of('one')).toMatch(/^[0-9a-f]{64}$/);
    expect(of('one')).toBe(of('one'));
    expect(of('one')).not.toBe(of('two'));
  });

  test('by its version where one is given, and only so with the agent', () => {
    expect(digest(() => ({ virtualIp: { authPassVersion: '7' } }))).toBe('7');
    // To Terraform this is a template, to the user it is text.
    expect(digest(() => ({ virtualIp: { authPassVersion: '${file("/etc/hosts")}%{x}' } }))).toBe('$${file("/etc/hosts")}%%{x}');
    expect(digest(() => ({ ssh: SshAccess.withAgent({ user: 'ops' }) }))).toBe('');
  });
});

describe('what the OpenSSH client logs in with', () => {
  const settings = (ssh: (scope: TerraformStack) => SshAccess): string[] =>
    find(synthesised((scope) => ({ ssh: ssh(scope) })).data.local_command, 'NimHa_primary_state')
      .arguments.slice(2)
      .filter((argument: string) => /KEY_|PASSWORD|AGENT/.test(argument));
  const user = 'ops';

  test.each<[string, (scope: TerraformStack) => SshAccess, string[]]>([
    ['the variable behind a key', (s) => SshAccess.withPrivateKey({ user, privateKey: variable(s, 'k').stringValue }), ['NIM_HA_KEY_ENV=TF_VAR_k']],
    ['a key file', () => SshAccess.withPrivateKeyFile({ user, path: '/keys/ops' }), ['NIM_HA_KEY_FILE=/keys/ops']],
    ['the variable behind a password', (s) => SshAccess.withPassword({ user, password: variable(s, 'p').stringValue }), ['NIM_HA_PASSWORD_ENV=TF_VAR_p']],
    ['the agent', () => SshAccess.withAgent({ user }), ['NIM_HA_AGENT=yes']],
    ['nothing, for a key that is no variable', () => SshAccess.withPrivateKey({ user, privateKey: KEY }), []],
    ['what it is told', () => SshAccess.withPrivateKey({ user, privateKey: KEY, observeWith: ObserveWith.keyFromEnvironment('K') }), ['NIM_HA_KEY_ENV=K']],
    ['a file it is told', () => SshAccess.withPrivateKey({ user, privateKey: KEY, observeWith: ObserveWith.keyFile('/k') }), ['NIM_HA_KEY_FILE=/k']],
    ['the agent it is told', () => SshAccess.withPrivateKey({ user, privateKey: KEY, observeWith: ObserveWith.agent() }), ['NIM_HA_AGENT=yes']],
  ])('%s', (_, ssh, expected) => {
    expect(settings(ssh).filter((setting) => !setting.startsWith('NIM_HA_HOST_KEYS'))).toEqual(expected);
  });
});

test.each([
  ['a key', (): SshAccess => SshAccess.withPrivateKey({ user: 'ops', privateKey: KEY }), 'false'],
  ['a password', (): SshAccess => SshAccess.withPassword({ user: 'ops', password: 'x' }), 'false'],
  ['the agent', (): SshAccess => SshAccess.withAgent({ user: 'ops' }), 'true'],
])('with %s the agent is said to be used or not, never left open', (_, ssh, agent) => {
  const connections = provisioners(synthesised(() => ({ ssh: ssh() }))).flatMap(({ block }) => block.connection ?? []);
  expect(connections).not.toEqual([]);
  for (const connection of connections) expect(connection.agent).toBe(agent);
});
