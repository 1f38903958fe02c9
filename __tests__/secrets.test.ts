import { createHash } from 'crypto';
import { TerraformStack } from 'cdktf';
import { NfsFencing, ObserveWith, SshAccess } from '../lib';
import { ED25519_A, PairOptions, find, nullResource, pair, provisioners, stack, synth, variable } from './fixture';

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
  for (const line of ['umask 077', 'chmod 0700 .nim-ha', 'for secret in auth_pass sudo; do put 0600 "secret/$secret" cat </dev/null; done']) expect(inline[0].split('\n')).toContain(line);
});

describe('what sudo asks for', () => {
  const withSudo = (options: PairOptions = {}) =>
    synthesised((scope) => ({ ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: variable(scope, 'k').stringValue, sudoPassword: variable(scope, 'sudo').stringValue }), ...options }));
  const SUDO = { kind: 'file', destination: '.nim-ha/secret/sudo' };
  const shape = (tf: any, name: string): object[] =>
    nullResource(tf, name).provisioner.map((entry: any) => (entry.file ? { kind: 'file', destination: entry.file.destination } : entry['remote-exec'].inline[0].split('\n').pop()));
  const run = (step: string): string => `exec bash .nim-ha/scripts/run-step.sh ${step} </dev/null`;

  test('is brought to each step just before it, behind the upload that makes the place for it', () => {
    const tf = withSudo();
    expect(shape(tf, 'NimHa_primary_preflight')).toEqual(['sync -f .', SUDO, run('preflight')]);
    expect(shape(tf, 'NimHa_primary_stage')).toEqual([{ kind: 'file', destination: '.nim-ha/secret/auth_pass' }, SUDO, run('stage')]);
    expect(shape(tf, 'NimHa_rollout')).toEqual([1, 2, 3, 4].flatMap((number) => [SUDO, run(`rollout ${number}`)]));
  });

  test('and to the removal as a step', () => {
    const remove = [expect.stringMatching(/^for secret in/), SUDO, 'rm -rf -- .nim-ha'];
    for (const node of ['primary', 'secondary']) expect(shape(withSudo({ decommission: true }), `NimHa_${node}_decommission`)).toEqual(remove);
  });

  test('travels as base64, and is stored nowhere', () => {
    const tf = withSudo();
    const contents = provisioners(tf).filter(({ block }) => block.destination === SUDO.destination).map(({ block }) => block.content);
    expect(new Set(contents)).toEqual(new Set(['${base64encode(var.sudo)}\n']));
    expect(stored(tf)).not.toMatch(/\$\{[^}]*var\.sudo/);
    expect(find(tf.data.local_command, 'NimHa_primary_state').arguments).toContain('NIM_HA_SUDO_ENV=TF_VAR_sudo');
  });

  test('of the NFS server is in a file of its own for each pair, whatever that is called', () => {
    const destinations = (name?: string | ((scope: TerraformStack) => string)): string[] => {
      const tf = synthesised((scope) => {
        const ssh = SshAccess.withPassword({ user: 'ops', password: 'x', sudoPassword: variable(scope, 'sudo').stringValue });
        return { nfsShare: { fencing: NfsFencing.linuxServer({ ssh: ssh.ignoringHostKeys(), hostKeys: [ED25519_A], name: typeof name === 'function' ? name(scope) : name }) } };
      });
      const made = provisioners(tf).flatMap(({ block }) => [...(block.inline?.[0] ?? '').matchAll(/^put 0600 \.\.\/(secret\/.*) cat <\/dev\/null$/gm)].map(([, place]) => `.nim-ha-fence/${place}`));
      const places = provisioners(tf).map(({ block }) => block.destination).filter((place) => place?.includes('fence'));
      // It is there, and private, before anything is written into it.
      expect(made).toEqual(places.slice(0, 1));
      return places;
    };
    const of = (name: string): string => `.nim-ha-fence/secret/${createHash('sha256').update(name).digest('hex')}`;
    expect(destinations('demo')).toEqual([of('demo'), of('demo')]);
    expect(destinations((scope) => variable(scope, 'name').stringValue)).toEqual(Array(2).fill('.nim-ha-fence/secret/${sha256(var.name)}'));
  });

  test('without it nothing is brought, and the preflight is one connection', () => {
    const tf = synthesised(() => ({}));
    expect(provisioners(tf).filter(({ block }) => block.destination?.includes('sudo'))).toEqual([]);
    expect(shape(tf, 'NimHa_primary_preflight')).toEqual([run('preflight')]);
  });
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

  test('by its hash where an empty version is given, which is as good as none', () => {
    expect(digest(() => ({ virtualIp: { authPassVersion: '' } }))).toMatch(/local_command/);
  });

  test('with a key file whose path is a token: it may begin with ~/', () => {
    const tf = synthesised((scope) => ({ ssh: SshAccess.withPrivateKeyFile({ user: 'ops', path: variable(scope, 'key_path').stringValue }) }));
    expect(find(tf.data.local_command, 'NimHa_digest').arguments.slice(3)).toEqual(['TF_VAR_auth_pass', '', '${pathexpand(var.key_path)}']);
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
    ['a key file in a home', () => SshAccess.withPrivateKeyFile({ user, path: '~/.ssh/ops' }), ['NIM_HA_KEY_FILE=~/.ssh/ops']],
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
