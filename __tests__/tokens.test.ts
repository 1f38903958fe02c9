import { Fn, Testing, Token } from 'cdktf';
import { SshAccess } from '../lib';
import { find, identityOf, nullResource, pair, stack, synth, variable } from './fixture';

const scope = stack();
const text = (name: string): string => variable(scope, name).stringValue;
const list = (name: string): string[] => variable(scope, name, 'list(string)').listValue;
const number = (name: string): number => variable(scope, name, 'number').numberValue;

const subject = pair(scope, {
  primary: { host: text('host_a'), networkInterface: text('interface'), hostKeys: list('keys'), port: number('port'), name: text('name') },
  secondary: { host: text('host_b') },
  ssh: SshAccess.withPrivateKey({ user: text('user'), privateKey: text('key') }).viaBastion({ host: text('bastion'), hostKeys: list('keys') }),
  virtualIp: { address: text('vip'), virtualRouterId: number('router'), segment: text('segment') },
  nfsShare: { server: text('nfs'), exportPath: text('path'), mountOptions: list('options'), fstabOptions: text('fstab') },
  repairDrift: true,
});
const tf = synth(scope);

test('every value may be known to Terraform only: validation has nothing to say', () => {
  expect(() => Testing.synth(scope, true)).not.toThrow();
});

test('no token of cdktf is left in what Terraform gets', () => {
  expect(JSON.stringify(tf)).not.toMatch(/TfToken|-1\.8881|TOKEN\.\d/);
});

test('values reach a node as base64, made by Terraform', () => {
  const { inline } = nullResource(tf, 'NimHa_primary_preflight').provisioner[0]['remote-exec'];
  for (const [key, name] of Object.entries({
    NAME: 'name',
    HOST: 'host_a',
    PEER_HOST: 'host_b',
    INTERFACE: 'interface',
    VIRTUAL_IP: 'vip',
    VIRTUAL_ROUTER_ID: 'router',
    NFS_SERVER: 'nfs',
    NFS_EXPORT_PATH: 'path',
  })) {
    expect(inline[0]).toContain(`\n${key}=\${base64encode(var.${name})}\n`);
  }
  expect(inline[0]).toContain('MOUNT_OPTIONS=${base64encode(join(",", var.options))}');
});

test('a list of host keys is joined by Terraform, each with host and port', () => {
  const { connection } = nullResource(tf, 'NimHa_primary_preflight').provisioner[0]['remote-exec'];
  expect(connection.host_key).toContain('\n@cert-authority ${var.host_a}:${var.port} ${join(join("", [base64decode("');
  expect(connection.host_key).toContain('\n@cert-authority ${var.bastion}:22 ${join(');
  expect(connection.port).toBe('${var.port}');
});

test('host keys that turn out to be none leave a key that nobody has: without one Terraform and ssh would trust anybody', () => {
  const other = stack();
  pair(other, { primary: { hostKeys: variable(other, 'keys', 'list(string)').listValue }, secondary: { hostKeys: [variable(other, 'key').stringValue] } });
  const found = synth(other);
  for (const [node, end] of [['primary', 'join('], ['secondary', 'var.key}']] as const) {
    expect(nullResource(found, `NimHa_${node}_preflight`).provisioner[0]['remote-exec'].connection.host_key).toMatch(/^sk-ssh-ed25519@openssh\.com [A-Za-z0-9+/=]+\n@cert-authority 192\.0\.2\.1[12]:22 \$\{/);
    const [keys] = find(found.data.local_command, `NimHa_${node}_state`).arguments.filter((text: string) => text.startsWith('NIM_HA_HOST_KEYS='));
    expect(keys).toMatch(/^NIM_HA_HOST_KEYS=sk-ssh-ed25519@openssh\.com [A-Za-z0-9+/=]+\n\$\{/);
    expect(keys).toContain(end);
  }
});

test('the fingerprint is a hash that Terraform takes', () => {
  expect(nullResource(tf, 'NimHa_primary_preflight').triggers.text).toMatch(/^\$\{sha256\(join\(" ", \["[0-9a-f]{64}", base64encode\(var\.name\),/);
});

test('hosts that only Terraform knows make no keys', () => {
  const { for_each, input, triggers_replace } = identityOf(tf);
  expect(for_each).toBe('${toset(["primary", "secondary"])}');
  expect(triggers_replace).toBeUndefined();
  expect(input).toContain('"NIM_HA_HOST" = var.host_a');
});

test('files show tokens as what they stand for, and stay the same when something unrelated comes first', () => {
  const conf = (unrelated: boolean): string => {
    const other = stack();
    if (unrelated) Fn.join('', [variable(other, 'unrelated').stringValue]);
    return pair(other, { primary: { networkInterface: variable(other, 'interface').stringValue } }).primary.files['/etc/keepalived/keepalived.conf'];
  };
  expect(conf(false)).toContain('    interface ${var.interface}\n');
  expect(conf(true)).toBe(conf(false));
  expect(subject.primary.files['/etc/keepalived/keepalived.conf']).toContain('virtual_router_id ${var.router}');
});

test('one host literal, one token: each gets the key that fits it', () => {
  const mixed = stack();
  pair(mixed, { secondary: { host: variable(mixed, 'host').stringValue } });
  expect(identityOf(synth(mixed)).for_each).toBe('${toset(["192.0.2.11", "secondary"])}');
  // A value that came or went with the other one's host would be a replacement of this one.
  expect(identityOf(synth(mixed)).triggers_replace).toBe('${contains(["192.0.2.11"], each.value) ? each.value : null}');
  expect(find(synth(mixed).data.local_command, 'NimHa_secondary_state').arguments).toContain('NIM_HA_HOST=${var.host}');
});

test('a host of a sensitive variable can be said to be none, so that the preflight may print (LIMITATIONS.md)', () => {
  const other = stack();
  pair(other, { primary: { host: Token.asString(Fn.nonsensitive(variable(other, 'host').stringValue)) } });
  const { inline, connection } = nullResource(synth(other), 'NimHa_primary_preflight').provisioner[0]['remote-exec'];
  expect(inline[0]).toContain('\nHOST=${base64encode(nonsensitive(var.host))}\n');
  expect(connection.host).toBe('${nonsensitive(var.host)}');
});
