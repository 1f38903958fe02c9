import { spawnSync } from 'child_process';
import { createHash } from 'crypto';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { Testing } from 'cdktf';
import { LinuxServerOptions, NfsFencing, RemovalPolicy, SshAccess } from '../../lib';
import { ED25519_A, ED25519_B, find, nullResource, pair, PairOptions, stack, synth, variable } from '../fixture';

const ssh = SshAccess.withAgent({ user: 'admin' });
const fencing = (options: Partial<LinuxServerOptions> = {}) => NfsFencing.linuxServer({ ssh, hostKeys: [ED25519_A], ...options });

function synthesised(options: Partial<LinuxServerOptions> = {}, more: PairOptions = {}): any {
  const scope = stack();
  pair(scope, { ...more, nfsShare: { fencing: fencing(options), ...more.nfsShare } });
  return synth(scope);
}

const identity = (tf: any): any => find(tf.resource.terraform_data, 'NimHa_fencing');
const nameOf = (blocks: object, prefix: string): string => Object.keys(blocks).find((name) => name.startsWith(prefix))!;
const resource = (tf: any, prefix: string): string => `null_resource.${nameOf(tf.resource.null_resource, prefix)}`;
const data = (tf: any, role: string): { [key: string]: string } =>
  Object.fromEntries(
    [...nullResource(tf, `NimHa_${role}_preflight`).provisioner[0]['remote-exec'].inline[0].matchAll(/^([A-Z_]+)=([A-Za-z0-9+/=]*)$/gm)].map(([, key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );
const settings = (tf: any): string =>
  Buffer.from(/base64 -d <<<'([^']*)' \| bash/.exec(nullResource(tf, 'NimHa_fencing_setup').provisioner[0]['remote-exec'].inline[0])![1], 'base64').toString();

describe('without fencing', () => {
  const scope = stack();
  pair(scope);
  const tf = synth(scope);

  test('nothing is done to the NFS server, and the nodes are told nothing of it', () => {
    expect(Object.keys(tf.resource.null_resource).filter((name) => name.includes('fencing'))).toEqual([]);
    expect(Object.keys(data(tf, 'primary')).filter((key) => key.startsWith('FENCE'))).toEqual([]);
  });

  test('what takes fencing away again stays in the program, with no instance', () => {
    expect([identity(tf).for_each, identity(tf).input]).toEqual(['${toset([])}', '${null}']);
    expect(identity(tf).provisioner[0]['local-exec'].when).toBe('destroy');
  });
});

test('the server is set up before the nodes look, lets them in by their keys, and only then they change', () => {
  const tf = synthesised();
  const setup = resource(tf, 'NimHa_fencing_setup');
  expect(nullResource(tf, 'NimHa_fencing_setup').depends_on).toEqual([`terraform_data.${nameOf(tf.resource.terraform_data, 'NimHa_identity')}`]);
  for (const role of ['primary', 'secondary']) expect(nullResource(tf, `NimHa_${role}_preflight`).depends_on).toEqual([setup]);
  const { triggers } = nullResource(tf, 'NimHa_fencing_keys');
  expect(triggers).toEqual({ setup: `\${${setup}.id}`, ...nullResource(tf, 'NimHa_rollout').triggers });
  expect(nullResource(tf, 'NimHa_rollout').depends_on).toEqual([resource(tf, 'NimHa_fencing_keys')]);
});

test('a server that was built anew at the old address is set up again, and all that follows', () => {
  const ofSetup = (tf: any) => nullResource(tf, 'NimHa_fencing_setup').triggers;
  const [old, anew] = [synthesised({ hostKeys: [ED25519_A] }), synthesised({ hostKeys: [ED25519_B] })];
  expect(ofSetup(anew)).toEqual({ ...ofSetup(old), hostKeys: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(ofSetup(anew).hostKeys).not.toBe(ofSetup(old).hostKeys);
  // The nodes get the new keys, so they look again, after the server; the rest runs after them.
  for (const role of ['primary', 'secondary']) {
    const [before, after] = [old, anew].map((tf) => nullResource(tf, `NimHa_${role}_preflight`));
    expect(after.triggers.text).not.toBe(before.triggers.text);
    expect(after.depends_on).toEqual([resource(anew, 'NimHa_fencing_setup')]);
  }
  expect(nullResource(anew, 'NimHa_fencing_keys').triggers.setup).toBe(`\${${resource(anew, 'NimHa_fencing_setup')}.id}`);
});

test('the nodes go first when all is destroyed, and the server last when fencing is switched off', () => {
  const tf = synthesised();
  const server = `terraform_data.${nameOf(tf.resource.terraform_data, 'NimHa_fencing')}`;
  expect(find(tf.resource.terraform_data, 'NimHa_identity').depends_on).toEqual([server]);
  expect(identity(tf).lifecycle).toEqual({ create_before_destroy: true });
  expect(identity(tf).for_each).toBe('${toset(["stack-NimHa@192.0.2.13"])}');
});

test('a decommission takes the server back, too, when the nodes have gone', () => {
  const tf = synthesised({}, { decommission: true });
  expect(identity(tf).for_each).toBe('${toset([])}');
  const server = `terraform_data.${nameOf(tf.resource.terraform_data, 'NimHa_fencing')}`;
  for (const role of ['primary', 'secondary']) expect(nullResource(tf, `NimHa_${role}_decommission`).depends_on).toContain(server);
  expect(Object.keys(tf.resource.null_resource).filter((name) => name.includes('fencing'))).toEqual([]);
});

test('removal logs in to the server with what the instance has', () => {
  const { command, environment, quiet } = identity(synthesised({ host: 'nfs.example.com', port: 2222 })).provisioner[0]['local-exec'];
  expect(command).toMatch(/^set -- remove-fencing restore\n#!\/bin\/bash\n/);
  expect(quiet).toBe(true);
  expect(environment.NIM_HA_FENCING_NAME).toBe('${try(self.input.NIM_HA_FENCING_NAME, "")}');
  const { input, for_each } = identity(synthesised({ host: 'nfs.example.com', port: 2222 }));
  expect(for_each).toBe('${toset(["stack-NimHa@nfs.example.com"])}');
  for (const text of ['"NIM_HA_HOST" = "nfs.example.com"', '"NIM_HA_PORT" = "2222"', '"NIM_HA_USER" = "admin"', '"NIM_HA_FENCING_NAME" = "stack-NimHa"']) expect(input).toContain(text);
});

test('the removal knows of RETAIN, and whether the program still has the server', () => {
  const of = (tf: any) => identity(tf).provisioner[0]['local-exec'];
  const retained = of(synthesised({}, { removalPolicy: RemovalPolicy.RETAIN }));
  expect(retained.command).toMatch(/^set -- remove-fencing retain\n/);
  expect(retained.environment.NIM_HA_PROGRAM).toBe(`stack-NimHa@192.0.2.13 ${ED25519_A}\nstack-NimHa@192.0.2.13 at=192.0.2.13:22`);
  const scope = stack();
  pair(scope, { removalPolicy: RemovalPolicy.RETAIN });
  expect(of(synth(scope)).environment.NIM_HA_PROGRAM).toBe('');
  // The pair goes from the state, and stays in the program until it has.
  const decommissioned = synthesised({}, { removalPolicy: RemovalPolicy.RETAIN, decommission: true });
  expect([identity(decommissioned).for_each, of(decommissioned).environment.NIM_HA_PROGRAM]).toEqual(['${toset([])}', `stack-NimHa@192.0.2.13 ${ED25519_A}\nstack-NimHa@192.0.2.13 at=192.0.2.13:22`]);
});

test('two pairs on one server, set up at the same time, leave each other\'s scripts alone', () => {
  const parts = (name: string): { path: string; forgets: string } => {
    const { inline, connection } = nullResource(synthesised({ name }), 'NimHa_fencing_setup').provisioner[0]['remote-exec'];
    return { path: connection.script_path, forgets: /for old in (\S+);/.exec(inline[0])![1] };
  };
  const [one, other] = [parts('one'), parts('other')];
  const matches = (glob: string, path: string): boolean => spawnSync('bash', ['-c', '[[ $2 == $1 ]]', '_', glob, path.replace('%RAND%', '1234')]).status === 0;
  expect([matches(one.forgets, one.path), matches(other.forgets, other.path)]).toEqual([true, true]);
  expect([matches(one.forgets, other.path), matches(other.forgets, one.path)]).toEqual([false, false]);
});

test('the settings name what is exported, and to whom', () => {
  expect(settings(synthesised())).toBe(
    [
      'EXPORT=/mnt/nfs_share/clickhouse',
      'EXPORT=/mnt/nfs_share/nms',
      'OPTIONS=rw,sync,no_subtree_check,no_root_squash',
      'NODE=primary 192.0.2.11',
      'NODE=secondary 192.0.2.12',
      `KEYS=primary ${ED25519_A}`,
      `KEYS=secondary ${ED25519_B}`,
    ].join('\n'),
  );
  const other = synthesised(
    { exportOptions: ['rw', 'sync', 'no_root_squash', 'anonuid=7'], clientAddresses: { primary: ['198.51.100.1', '203.0.113.1'], secondary: ['198.51.100.2'] } },
    { primary: { name: 'a' }, nfsShare: { exportPath: '/' } },
  );
  expect(settings(other)).toBe(
    ['EXPORT=/clickhouse', 'EXPORT=/nms', 'OPTIONS=rw,sync,no_root_squash,anonuid=7', 'NODE=a 198.51.100.1 203.0.113.1', 'NODE=secondary 198.51.100.2', `KEYS=a ${ED25519_A}`, `KEYS=secondary ${ED25519_B}`].join('\n'),
  );
});

test('each node is told whom to ask, and what it is called there', () => {
  const tf = synthesised({ host: 'nfs.example.com', port: 2222, nodePort: 2022, hostKeys: [ED25519_A, ED25519_B] });
  const of = (addresses: string) => ({ FENCE_SERVER: '192.0.2.13', FENCE_PORT: '2022', FENCE_HOST_KEYS: `${ED25519_A}\n${ED25519_B}`, FENCE_ADDRESSES: addresses });
  expect(data(tf, 'primary')).toMatchObject(of('192.0.2.11'));
  expect(data(tf, 'secondary')).toMatchObject(of('192.0.2.12'));
  expect(data(synthesised({ port: 2222 }), 'primary').FENCE_PORT).toBe('2222');
});

test('all of it may be known to Terraform only, and reaches a shell as base64', () => {
  const scope = stack();
  const text = (name: string): string => variable(scope, name).stringValue;
  const list = (name: string): string[] => variable(scope, name, 'list(string)').listValue;
  pair(scope, {
    nfsShare: {
      server: text('server'),
      fencing: fencing({
        host: text('host'),
        port: variable(scope, 'port', 'number').numberValue,
        name: text('name'),
        hostKeys: list('keys'),
        exportOptions: list('options'),
        clientAddresses: { primary: list('one'), secondary: list('other') },
      }),
    },
  });
  expect(() => Testing.synth(scope, true)).not.toThrow();
  const tf = synth(scope);
  expect(JSON.stringify(tf)).not.toMatch(/TfToken|-1\.8881|TOKEN\.\d/);
  expect(identity(tf).for_each).toBe('${toset(["server"])}');
  const { inline, connection } = nullResource(tf, 'NimHa_fencing_setup').provisioner[0]['remote-exec'];
  expect(inline[0]).toContain(`name="$(base64 -d <<<'\${base64encode(var.name)}' && echo .)"`);
  expect(inline[0]).toMatch(/base64 -d <<<'\$\{base64encode\(join\("", \[.*var\.options.*var\.one.*var\.other.*\]\)\)\}' \| bash scripts\/setup\.sh install "\$name"/);
  // Behind a key that nobody has: the list may turn out empty.
  expect(connection.host_key).toMatch(/^sk-ssh-ed25519@openssh\.com [A-Za-z0-9+/=]+\n@cert-authority \$\{var\.host\}:\$\{var\.port\} \$\{join\(join\("", \[.*\]\), var\.keys\)\}$/);
  const node = nullResource(tf, 'NimHa_primary_preflight').provisioner[0]['remote-exec'].inline[0];
  expect(node).toContain('\nFENCE_HOST_KEYS=${base64encode(join(base64decode("Cg=="), var.keys))}\n');
  expect(node).toContain('\nFENCE_PORT=${base64encode(var.port)}\n');
});

describe('a name that only Terraform knows', () => {
  /** All that runs on the server, in its order, where the name turns out to be this one; in place of setup.sh what tells where it was called, and how. */
  function deploy(name: string, options: Partial<LinuxServerOptions>): { files: string[]; calls: string[][] } {
    const home = realpathSync(mkdtempSync(join(tmpdir(), 'nim-ha-server-')));
    const scope = stack();
    pair(scope, { nfsShare: { fencing: fencing({ name: variable(scope, 'name').stringValue, ...options }) } });
    const tf = synth(scope);
    const tells = Buffer.from('for each in "$(pwd)" "$@"; do printf %s "$each" | base64 -w 0; printf " "; done >>"$HOME/calls"; echo >>"$HOME/calls"\n');
    for (const { 'remote-exec': remote } of ['setup', 'keys'].flatMap((step) => nullResource(tf, `NimHa_fencing_${step}`).provisioner)) {
      if (remote === undefined) continue;
      const script = remote.inline[0]
        .replaceAll('${base64encode(var.name)}', Buffer.from(name).toString('base64'))
        .replaceAll('${sha256(var.name)}', createHash('sha256').update(name).digest('hex'))
        .replace(/\$\{file\(".*"\)\}/, `0700 setup.sh ${tells.toString('base64')}`)
        .replaceAll('$${', '${');
      const run = spawnSync('bash', ['-c', script], { cwd: home, env: { PATH: process.env.PATH, HOME: home }, encoding: 'utf8' });
      expect([run.status, run.stdout, run.stderr]).toEqual([0, '', '']);
    }
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).sort();
    const calls = readFileSync(join(home, 'calls'), 'utf8').split('\n').slice(0, -1).map((call) => call.split(' ').slice(0, -1).map((word) => Buffer.from(word, 'base64').toString().replace(`${home}/`, '')));
    rmSync(home, { recursive: true });
    return { files, calls };
  }

  const bad = ['', '../out', '.', '..', '-x', 'a/b', 'a b', '$(touch made)', "'; touch made; '", 'a*', 'pair\n', '\npair', 'é', 'x'.repeat(64)];
  const names = [...['pair', 'A.b_c-d', 'invalid', 'x'.repeat(63)].map((name) => [name, name]), ...bad.map((name) => [name, 'invalid'])];
  test.each<[string, Partial<LinuxServerOptions>]>([
    ['where sudo asks for nothing', {}],
    ['where sudo asks for a password', { ssh: SshAccess.withAgent({ user: 'admin', sudoPassword: 'a' }) }],
  ])('is the directory of the pair, or comes to setup.sh as it is and is no path: %s', (_, options) => {
    for (const [name, directory] of names) {
      const here = `.nim-ha-fence/${directory}`;
      const { files, calls } = deploy(name, options);
      expect(calls).toEqual([[here, 'install', name], [here, 'admit', name]]);
      const secrets = ['.nim-ha-fence/secret', ...(options.ssh ? [`.nim-ha-fence/secret/${createHash('sha256').update(name).digest('hex')}`] : [])];
      expect([name, files]).toEqual([name, ['.nim-ha-fence', here, `${here}/scripts`, `${here}/scripts/setup.sh`, ...secrets, 'calls'].sort()]);
    }
  });
});

test('the name of the pair is its construct path, as far as it fits', () => {
  const nameIn = (id: string): string => {
    const scope = stack(undefined, 'x'.repeat(60));
    pair(scope, { nfsShare: { fencing: fencing() } }, id);
    return /"NIM_HA_FENCING_NAME" = "([^"]*)"/.exec(identity({ resource: { terraform_data: Object.fromEntries(Object.entries<any>(synth(scope).resource.terraform_data).map(([name, value]) => [name.replace(/^.*?_fencing/, 'NimHa_fencing'), value])) } }).input)![1];
  };
  expect(nameIn('NimHa')).toBe(`${'x'.repeat(57)}-NimHa`);
});

test('a pair with two problems of its server says both', () => {
  const scope = stack();
  pair(scope, { nfsShare: { fencing: fencing({ hostKeys: [], clientAddresses: { primary: ['nim-a'], secondary: ['192.0.2.12'] } }) } });
  expect(() => synth(scope)).toThrow(/\[fencing\/host-keys-missing\][^]*\[fencing\/client-address\]/);
});

test('a time limit without a unit and a host key of no type are found in fencing, too', () => {
  const scope = stack();
  pair(scope, { nfsShare: { fencing: fencing({ hostKeys: ['nonsense'], ssh: SshAccess.withAgent({ user: 'admin', timeout: '30' }) }) } });
  expect(() => synth(scope)).toThrow(/nfsShare\.fencing\.hostKeys\[0\]:[^]*\[ssh\/host-key-format\][^]*nfsShare\.fencing\.ssh\.timeout:[^]*\[ssh\/timeout-unit\]/);
});
