import { resolve } from 'path';
import { Testing } from 'cdktf';
import type { PairConfig } from '../stacks/config-model';
import { isNewEnough } from '../stacks/ephemeral';
import { NimHaStack } from '../stacks/nim-ha-stack';
import { ED25519_A, ED25519_B, find, nullResource, synth } from './fixture';

const config: PairConfig = {
  primary: { host: '192.0.2.11', networkInterface: 'ens32', hostKeys: [ED25519_A] },
  secondary: { host: '192.0.2.12', networkInterface: 'ens32', hostKeys: [ED25519_B] },
  ssh: { user: 'ops' },
  virtualIp: { address: '192.0.2.100' },
  nfsShare: { server: '192.0.2.13' },
};

function stackOf(pair: Partial<PairConfig> = {}, backend?: any, ephemeralSecrets = true): any {
  return synth(new NimHaStack(Testing.app(), 'nim', { pair: { ...config, ...pair }, backend, ephemeralSecrets }));
}

test('asks for any provider of the line that it was made with', () => {
  const { null: nullProvider, local } = stackOf().terraform.required_providers;
  expect([nullProvider.version, local.version]).toEqual(['~> 3.2', '~> 2.6']);
});

test('has the outputs of the contract, under these names', () => {
  const { output } = stackOf();
  expect(Object.keys(output).sort()).toEqual(['active_node', 'primary', 'secondary', 'virtual_ip']);
  expect(output.virtual_ip.value).toBe('192.0.2.100');
  expect(Object.keys(output.primary.value)).toEqual(['declared', 'observed']);
});

test('secrets are sensitive, ephemeral where that is known, and refused when they are missing instead of asked for', () => {
  const { variable } = stackOf();
  expect(Object.keys(variable)).toEqual(['auth_pass', 'ssh_private_key']);
  for (const [name, secret] of Object.entries<any>(variable)) {
    expect(secret).toMatchObject({ sensitive: true, ephemeral: true, default: '' });
    expect(secret.validation[0].error_message).toContain(`TF_VAR_${name}`);
  }
  expect(stackOf({}, undefined, false).variable.auth_pass).not.toHaveProperty('ephemeral');
});

test.each<[PairConfig['ssh'], string[], object]>([
  [{ user: 'ops', login: 'password' }, ['auth_pass', 'ssh_password'], { password: '${var.ssh_password}', agent: 'false' }],
  [{ user: 'ops', login: 'agent' }, ['auth_pass'], { agent: 'true' }],
  [{ user: 'ops', login: 'private-key-file', privateKeyFile: '~/key' }, ['auth_pass'], { private_key: '${file(pathexpand("~/key"))}' }],
  [{ user: 'ops', variable: 'site_key' }, ['auth_pass', 'site_key'], { private_key: '${var.site_key}' }],
])('login %j', (ssh, variables, connection) => {
  const tf = stackOf({ ssh });
  expect(Object.keys(tf.variable).sort()).toEqual(variables);
  expect(nullResource(tf, 'nim_ha_rollout').provisioner[0]['remote-exec'].connection).toMatchObject(connection);
});

test('what the file says of the pair arrives', () => {
  const tf = stackOf({
    ssh: { user: 'ops', timeout: '30s', bastion: { host: '192.0.2.1' }, ignoreHostKeys: true },
    virtualIp: { address: '192.0.2.100', authPassVariable: 'site_pass', authPassVersion: '3', virtualRouterId: 9, segment: 'lan' },
    monitoredServices: ['nginx'],
    observe: false,
    removalPolicy: 'retain' as PairConfig['removalPolicy'],
  });
  const { connection } = nullResource(tf, 'nim_ha_rollout').provisioner[0]['remote-exec'];
  expect(connection).toMatchObject({ timeout: '30s', bastion_host: '192.0.2.1', bastion_user: 'ops' });
  expect(connection.host_key).toBeUndefined();
  expect(nullResource(tf, 'nim_ha_primary_preflight').triggers.digest).toBe('3');
  expect(tf.output.primary.value.declared).toMatchObject({ monitored_services: ['nginx'], virtual_router_id: 9 });
  expect(tf.data).toBeUndefined();
  expect(JSON.stringify(tf.resource.terraform_data)).toContain('set -- remove retain');
});

test('the backend is local, or any that the file names, with a state per pair', () => {
  // cdktf adds the local one where there is none.
  expect(stackOf().terraform.backend).toBeUndefined();
  expect(stackOf({}, { s3: { bucket: 'states', key: 'pairs/{pair}.tfstate' } }).terraform.backend).toEqual({
    s3: { bucket: 'states', key: 'pairs/nim.tfstate' },
  });
  // To Terraform these two are templates; here they are text.
  expect(stackOf({}, { http: { password: 'a${b}%{c}{pair}' } }).terraform.backend.http.password).toBe('a$${b}%%{c}nim');
});

test('a local state is never in the directory of the stack, which cdktf deletes with the stack', () => {
  const local = (settings: object): any => stackOf({}, { local: settings }).terraform.backend.local;
  expect(local({})).toEqual({ path: resolve('terraform.nim.tfstate') });
  expect(local({ path: '' })).toEqual({ path: resolve('terraform.nim.tfstate') });
  expect(local({ path: 'states/{pair}', workspace_dir: '../spaces' })).toEqual({ path: resolve('states/nim'), workspace_dir: resolve('../spaces') });
  expect(local({ path: '/srv/a${b}' })).toEqual({ path: '/srv/a$${b}' });
});

test('decommission leaves a removal for each node beside the machines, and outputs that say so', () => {
  const tf = stackOf({ decommission: true });
  expect(Object.keys(tf.resource.null_resource)).toHaveLength(3);
  expect(find(tf.locals, 'nim_ha_primary').reason).toBe('decommissioned');
});

test.each([
  ['Terraform v1.11.4\non linux_amd64', true],
  ['Terraform v1.10.0', true],
  ['Terraform v1.9.8', false],
  ['OpenTofu v1.10.6', false],
  ['OpenTofu v1.11.0', true],
  ['Terraform v2.0.0', true],
  [undefined, true],
])('%s knows ephemeral variables: %s', (version, known) => {
  expect(isNewEnough(version)).toBe(known);
});
