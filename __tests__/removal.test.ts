import { Resource } from '@cdktf/provider-null/lib/resource';
import { TerraformStack } from 'cdktf';
import { RemovalPolicy, SshAccess } from '../lib';
import { ED25519_A, ED25519_B, PairOptions, identityOf, nullResource, pair, provisioners, stack, synth, variable } from './fixture';

function synthesised(options: PairOptions | ((scope: TerraformStack) => PairOptions) = {}): any {
  const scope = stack();
  pair(scope, typeof options === 'function' ? options(scope) : options);
  return synth(scope);
}

/** The instances that Terraform would have, and what would make one of them go. */
function instances(tf: any): string[] {
  return JSON.parse(/toset\((.*)\)/.exec(identityOf(tf).for_each)![1]).sort();
}

const removal = (tf: any): any => provisioners(tf).find(({ address, block }) => address.includes('_identity') && block.when === 'destroy')?.block;

describe('what may change without a removal: the machines are the same instances', () => {
  const before = instances(synthesised());
  const a = { host: '192.0.2.11', hostKeys: [ED25519_A] };
  const b = { host: '192.0.2.12', hostKeys: [ED25519_B] };

  test.each<[string, PairOptions]>([
    ['roles swapped', { primary: b, secondary: a }],
    ['user and port changed', { primary: { port: 2222 }, ssh: SshAccess.withAgent({ user: 'root' }) }],
    ['names, keys and interface changed', { primary: { name: 'x', networkInterface: 'eth7', hostKeys: [ED25519_A.replace('Cwzvi', 'Cwzvj')] } }],
    ['a bastion', { ssh: SshAccess.withAgent({ user: 'ops' }).viaBastion({ host: '192.0.2.1', hostKeys: [ED25519_A] }) }],
    ['another removal policy', { removalPolicy: RemovalPolicy.RETAIN }],
    ['drift repair, no observation', { repairDrift: true, observe: false }],
    // A destroy reaches what the decommission has not.
    ['a decommission', { decommission: true }],
  ])('%s', (_, options) => {
    expect(instances(synthesised(options))).toEqual(before);
  });

  test('other host keys may be another machine at the same address: all steps run again, and nothing is removed', () => {
    const keys = { primary: { hostKeys: [ED25519_A.replace('Cwzvi', 'Cwzvj')] } };
    const triggers = (options: PairOptions): object => nullResource(synthesised(options), 'NimHa_primary_preflight').triggers;
    expect(triggers(keys)).not.toEqual(triggers({}));
    expect({ ...triggers(keys), hostKeys: '' }).toEqual({ ...triggers({}), hostKeys: '' });
  });

  test('another host is another machine', () => {
    expect(instances(synthesised({ primary: { host: '192.0.2.77' } }))).toEqual(['192.0.2.12', '192.0.2.77']);
  });
});

test('a host from another resource: nothing in the identity can force a replacement', () => {
  const tf = synthesised((scope) => ({
    primary: { host: new Resource(scope, 'A').id },
    secondary: { host: new Resource(scope, 'B').id },
  }));
  const { for_each, triggers_replace, lifecycle } = identityOf(tf);
  expect([for_each, triggers_replace, lifecycle]).toEqual(['${toset(["primary", "secondary"])}', undefined, undefined]);
});

test('two machines behind one address are told apart by port', () => {
  const tf = synthesised({ primary: { port: 2201 }, secondary: { host: '192.0.2.11', port: 2202 } });
  expect(instances(tf)).toEqual(['192.0.2.11:2201', '192.0.2.11:2202']);
});

test('an instance is of terraform_data, and replaced by nothing but its own key', () => {
  // A dependant with create_before_destroy makes Terraform treat all that it depends on like that. Then a destroy-time provisioner
  // is skipped when a resource is replaced; an instance that goes away with its key is not replaced.
  const scope = stack();
  new Resource(scope, 'Dependant', { dependsOn: [pair(scope)], lifecycle: { createBeforeDestroy: true } });
  const tf = synth(scope);
  expect(identityOf(tf).triggers_replace).toBe('${each.value}');
  expect(provisioners(tf).filter(({ block }) => block.when === 'destroy').map(({ address }) => address)).toEqual([
    expect.stringMatching(/^terraform_data\.NimHa_fencing/),
    expect.stringMatching(/^terraform_data\.NimHa_identity/),
  ]);
});

test('removal carries its own script, refers to nothing but itself, and stops the destroy when it fails', () => {
  const tf = synthesised();
  const { command, environment, on_failure, interpreter } = removal(tf);
  expect(command).toMatch(/^set -- remove restore\n#!\/bin\/bash\n# ssh-node\.sh/);
  expect(command.replace(/\$\$\{/g, '').replace(/%%\{/g, '')).not.toMatch(/[$%]\{/);
  const { NIM_HA_MACHINE, NIM_HA_PROGRAM, NIM_HA_RESOURCE, ...settings } = environment;
  for (const [name, value] of Object.entries(settings)) expect(value).toBe(`\${try(self.input.${name}, "")}`);
  expect([NIM_HA_MACHINE, NIM_HA_PROGRAM]).toEqual(['${each.key}', `192.0.2.11 ${ED25519_A}\n192.0.2.11 at=192.0.2.11:22\n192.0.2.12 ${ED25519_B}\n192.0.2.12 at=192.0.2.12:22`]);
  expect(Object.keys(tf.resource.terraform_data)).toContain(NIM_HA_RESOURCE.replace('terraform_data.', ''));
  expect(on_failure).toBeUndefined();
  expect(interpreter).toEqual(['bash', '-c']);
  expect(JSON.stringify(identityOf(tf))).not.toContain('assets/');
});

test('what the removal is told of the program is literal: each machine, its keys where they are verified, and where it answers', () => {
  const told = (options: Parameters<typeof synthesised>[0]): string[] => removal(synthesised(options)).environment.NIM_HA_PROGRAM.split('\n');
  const [A, B] = ['192.0.2.11 at=192.0.2.11:22', '192.0.2.12 at=192.0.2.12:22'];
  expect(told({ ssh: SshAccess.withAgent({ user: 'ops' }).ignoringHostKeys() })).toEqual(['192.0.2.11 ', A, '192.0.2.12 ', B]);
  expect(told((scope) => ({ primary: { hostKeys: variable(scope, 'keys', 'list(string)').listValue } }))).toEqual(['192.0.2.11 ', A, `192.0.2.12 ${ED25519_B}`, B]);
  expect(told((scope) => ({ primary: { hostKeys: [variable(scope, 'key').stringValue, ED25519_A] } }))).toEqual([`192.0.2.11 ${ED25519_A}`, A, `192.0.2.12 ${ED25519_B}`, B]);
  expect(told((scope) => ({ primary: { host: variable(scope, 'host').stringValue } }))).toEqual([`primary ${ED25519_A}`, `192.0.2.12 ${ED25519_B}`, B]);
  // Behind one address, with ports that only Terraform knows.
  const ports = (scope: Parameters<typeof variable>[0]) => ({ primary: { port: variable(scope, 'p1', 'number').numberValue }, secondary: { host: '192.0.2.11', port: variable(scope, 'p2', 'number').numberValue } });
  expect(told(ports)).toEqual([`primary ${ED25519_A}`, `secondary ${ED25519_B}`]);
});

test('RETAIN says so, and does nothing', () => {
  expect(removal(synthesised({ removalPolicy: RemovalPolicy.RETAIN })).command).toMatch(/^set -- remove retain\n/);
});

describe('decommission', () => {
  const scope = stack();
  const subject = pair(scope, { decommission: true });
  new Resource(scope, 'Next', { dependsOn: [subject] });
  const tf = synth(scope);

  test('runs the removal on both nodes at the same time, and nothing at its own end', () => {
    expect(Object.keys(tf.resource).sort()).toEqual(['null_resource', 'terraform_data']);
    const name = (part: string): string => Object.keys(tf.resource.null_resource).find((key) => key.startsWith(`NimHa_${part}decommission`))!;
    const nodes = [name('primary_'), name('secondary_')];
    expect(Object.keys(tf.resource.null_resource).sort()).toEqual([name(''), ...nodes, 'Next'].sort());
    expect(tf.resource.null_resource.Next.depends_on).toEqual([`null_resource.${name('')}`]);
    expect(Object.values(tf.resource.null_resource[name('')].triggers)).toEqual(nodes.map((node) => `\${null_resource.${node}.id}`));
    // Where each had to wait for the other's lock on the share to go, an order between them would be a deadlock.
    for (const node of nodes) expect(JSON.stringify(tf.resource.null_resource[node])).not.toMatch(/null_resource/);
    const blocks = provisioners(tf).filter(({ block }) => block.when !== 'destroy');
    expect(blocks.map(({ block }) => block.connection.host)).toEqual(['192.0.2.11', '192.0.2.12']);
    for (const { block } of blocks) {
      expect(block.when).toBeUndefined();
      expect(block.inline[0]).toContain('remove restore </dev/null');
    }
    expect(tf.data).toBeUndefined();
  });
});

test('the login of the removal changes in place: it is input, and a key is named, not given', () => {
  const tf = synthesised((scope) => ({ ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: variable(scope, 'other_key').stringValue }) }));
  expect(identityOf(tf).input).toContain('"NIM_HA_KEY_ENV" = "TF_VAR_other_key"');
});
