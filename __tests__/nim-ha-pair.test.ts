import { Resource } from '@cdktf/provider-null/lib/resource';
import { TerraformOutput, TerraformStack, Testing } from 'cdktf';
import { Construct } from 'constructs';
import { DeclaredState, MonitoredService, NfsFencing, NimHaPair, ObservedState, OperationMode, SshAccess } from '../lib';
import { ED25519_A, find, identityOf, nullResource, pair, PairOptions, stack, synth } from './fixture';

/** Content that other tests hold: of the scripts, and of the data that the nodes get. */
function withoutContent(tf: unknown): string {
  return JSON.stringify(tf, null, 2)
    .replace(/NAME=[A-Z_a-z0-9+/=\\]*NIM_HA_END/g, '<node.data>\\nNIM_HA_END')
    .replace(/"set -- (remove[\w -]*)\\n[^\n]*"/g, '"set -- $1\\n<ssh-node.sh>"')
    .replace(/(assets\/\w+\/)[0-9a-fA-F]{32}/g, '$1<hash>')
    .replace(/"(scripts|text)": "[0-9a-f]+"/g, '"$1": "<hash>"')
    .replace(/"config_fingerprint": "[0-9a-f]+"/g, '"config_fingerprint": "<hash>"');
}

test('a pair with everything at its default synthesises to this', () => {
  const scope = stack();
  pair(scope);
  const tf = synth(scope);
  expect(withoutContent({ data: tf.data, locals: tf.locals, resource: tf.resource })).toMatchSnapshot();
});

test('the same program gives the same text, whatever else is in it', () => {
  const one = stack();
  pair(one);
  const other = stack();
  new TerraformOutput(other, 'unrelated', { value: new Resource(other, 'Unrelated').id });
  pair(other);
  expect(synth(other).resource.null_resource).toMatchObject(synth(one).resource.null_resource);
});

describe('in a stack of somebody else', () => {
  const before = synth(stack());
  const scope = stack();
  const imported = pair(new Construct(scope, 'Inner'));
  new Resource(scope, 'Next', { dependsOn: [imported] });
  new Resource(scope, 'NextReady', { dependsOn: [imported.ready] });
  new Resource(scope, 'NextNode', { dependsOn: [imported.secondary] });
  const tf = synth(scope);

  test('adds no provider, no output and nothing to the terraform block', () => {
    expect(tf.provider).toEqual(before.provider);
    expect(tf.output).toBeUndefined();
    expect(tf.terraform).toEqual(before.terraform);
  });

  test.each(['Next', 'NextReady', 'NextNode'])('%s waits for the roll-out', (name) => {
    const [rollout] = Object.keys(tf.resource.null_resource).filter((key) => key.includes('rollout'));
    expect(tf.resource.null_resource[name].depends_on).toEqual([`null_resource.${rollout}`]);
  });
});

test('two pairs fit in one stack, and in one app', () => {
  const app = Testing.app();
  const scope = stack(app, 'both');
  pair(scope, { virtualIp: { segment: 'a' } }, 'One');
  const second = {
    primary: { host: '192.0.2.21' },
    secondary: { host: '192.0.2.22' },
    virtualIp: { address: '192.0.2.200', virtualRouterId: 252, segment: 'a' },
    nfsShare: { exportPath: '/srv/two' },
  };
  pair(scope, second, 'Two');
  const elsewhere = stack(app, 'elsewhere');
  pair(elsewhere, {
    ...second,
    primary: { host: '192.0.2.31' },
    secondary: { host: '192.0.2.32' },
    virtualIp: { segment: 'b' },
    nfsShare: { exportPath: '/srv/three' },
  });
  const resources = Object.keys(synth(scope).resource.null_resource);
  expect(resources.filter((name) => name.startsWith('One'))).toHaveLength(5);
  expect(resources.filter((name) => name.startsWith('Two'))).toHaveLength(5);
  expect(Object.keys(synth(elsewhere).resource.null_resource)).toHaveLength(5);
});

test('both preflights come before both stages, these before the one roll-out, and that before any reading', () => {
  const scope = stack();
  pair(scope);
  const tf = synth(scope);
  const preflights = Object.keys(tf.resource.null_resource).filter((name) => name.includes('preflight'));
  expect(preflights).toHaveLength(2);
  for (const role of ['primary', 'secondary']) {
    const { triggers } = nullResource(tf, `NimHa_${role}_stage`);
    expect(Object.values(triggers)).toEqual(preflights.map((name) => `\${null_resource.${name}.id}`));
    expect(find(tf.data.local_command, `NimHa_${role}_state`).depends_on[0]).toContain('NimHa_rollout');
  }
  expect(Object.values(nullResource(tf, 'NimHa_rollout').triggers).join()).toMatch(/primary_stage.*secondary_stage/);
});

test('the roll-out alternates between the nodes', () => {
  const scope = stack();
  pair(scope);
  const steps = nullResource(synth(scope), 'NimHa_rollout').provisioner.map((entry: any) => {
    const { connection, inline } = entry['remote-exec'];
    return `${connection.host} ${/run-step.sh (.*) </.exec(inline[0])![1]}`;
  });
  expect(steps).toEqual(['192.0.2.12 rollout 1', '192.0.2.11 rollout 2', '192.0.2.12 rollout 3', '192.0.2.11 rollout 4']);
});

test('files are whole, without the password, with tokens as what they stand for', () => {
  const scope = stack();
  const { files } = pair(scope, { monitoredServices: [MonitoredService.NGINX], operationMode: OperationMode.DISCONNECTED }).primary;
  expect(Object.keys(files)).toEqual([
    '/etc/keepalived/keepalived.conf',
    '/etc/nms/scripts/nms-notify-keepalived.sh',
    '/etc/systemd/system/nim-ha.target',
    '/etc/systemd/system/nginx.service.d/50-nim-ha.conf',
    '/etc/fstab',
  ]);
  expect(files['/etc/keepalived/keepalived.conf']).toContain('auth_pass <AUTH_PASSWORD>');
  expect(files['/etc/fstab']).toBe(
    '192.0.2.13:/mnt/nfs_share/clickhouse /var/lib/clickhouse nfs defaults 0 0\n192.0.2.13:/mnt/nfs_share/nms /var/lib/nms nfs defaults 0 0\n',
  );
});

test('what is declared', () => {
  const { primary, secondary } = pair(stack(), { secondary: { name: 'nim-b' } });
  expect(primary.output.declared).toEqual({
    name: 'primary',
    host: '192.0.2.11',
    role: 'primary',
    initial_vrrp_state: 'MASTER',
    network_interface: 'ens32',
    virtual_ip: '192.0.2.100',
    virtual_router_id: 251,
    monitored_services: ['clickhouse-server', 'nginx', 'nms-core', 'nms-dpm', 'nms-integrations', 'nms-ingestion'],
    mounts: {
      '/var/lib/clickhouse': '192.0.2.13:/mnt/nfs_share/clickhouse',
      '/var/lib/nms': '192.0.2.13:/mnt/nfs_share/nms',
    },
    config_fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(secondary.declared.name).toBe('nim-b');
  expect(secondary.declared.initialVrrpState).toBe('BACKUP');
  expect(secondary.role).toBe('secondary');
});

describe('a getter is for the key of its own name', () => {
  const gettersOf = (type: { prototype: object }) =>
    Object.entries(Object.getOwnPropertyDescriptors(type.prototype)).flatMap(([name, { get }]) => (get && name !== 'value' ? [name] : []));
  const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const DECLARED = Object.keys(pair(stack()).primary.output.declared);

  test('and there is one for each key', () => {
    expect(gettersOf(ObservedState).map(snakeCase).sort()).toEqual(Object.keys(ObservedState._unknown('')).sort());
    expect(gettersOf(DeclaredState).map(snakeCase).sort()).toEqual(DECLARED.sort());
  });

  test.each(gettersOf(ObservedState))('observed: %s', (name) => {
    const scope = stack();
    const { primary, secondary } = pair(scope);
    const nodes = { primary, secondary };
    for (const [role, { observed }] of Object.entries(nodes)) new TerraformOutput(scope, role, { value: observed[name as keyof ObservedState], staticId: true });
    const { output, locals } = synth(scope);
    for (const role of Object.keys(nodes)) {
      const local = Object.keys(locals).find((key) => key.startsWith(`NimHa_${role}_`));
      expect(output[role].value).toBe(`\${local.${local}.${snakeCase(name)}}`);
    }
  });

  test.each(gettersOf(DeclaredState))('declared: %s', (name) => {
    const values = Object.fromEntries(DECLARED.map((key) => [key, `the ${key}`]));
    const declared = DeclaredState._of(values as never);
    expect(declared[name as keyof DeclaredState]).toBe(`the ${snakeCase(name)}`);
  });
});

test('the active node is told by Terraform, from what both nodes say', () => {
  const scope = stack();
  const subject: NimHaPair = pair(scope, { primary: { name: 'a' }, secondary: { name: 'b' } });
  new TerraformOutput(scope, 'active', { value: subject.activeNode, staticId: true });
  new TerraformOutput(scope, 'phase', { value: subject.primary.observed.phase, staticId: true });
  const { active, phase } = synth(scope).output;
  const [p, s] = ['primary', 'secondary'].map((role) => `local.${Object.keys(synth(scope).locals).find((key) => key.includes(role))}`);
  expect(phase.value).toBe(`\${${p}.phase}`);
  expect(active.value).toBe(
    `\${(((${p}.holds_virtual_ip == true) && (${s}.holds_virtual_ip == true)) ? "both" : (${p}.holds_virtual_ip == true) ? "a" : ` +
      `(${s}.holds_virtual_ip == true) ? "b" : ((${p}.holds_virtual_ip == false) && (${s}.holds_virtual_ip == false)) ? "none" : "unknown")}`,
  );
  // Its operators mean the same in JavaScript, for these values. A node that answers and cannot say it (sudo asks for a password, nothing installed) has null there.
  const told = (primary: boolean | null, secondary: boolean | null): string => {
    const local = Object.fromEntries([[p, primary], [s, secondary]].map(([name, holds]) => [String(name).replace('local.', ''), { holds_virtual_ip: holds }]));
    return new Function('local', `return ${active.value.slice(2, -1)}`)(local);
  };
  expect([told(true, true), told(true, null), told(false, true), told(false, false), told(false, null), told(null, null)]).toEqual(['both', 'a', 'b', 'none', 'unknown', 'unknown']);
});

test('without observation every key is there all the same, and nothing is read', () => {
  const scope = stack();
  pair(scope, { observe: false });
  const tf = synth(scope);
  expect(Object.keys(tf.data.local_command).filter((name) => name.includes('state'))).toEqual([]);
  expect(find(tf.locals, 'NimHa_primary_observed')).toMatchObject({ reachable: null, reason: 'not observed', vrrp_state: 'UNKNOWN', drifted: [] });
});

test('repairDrift asks both nodes for their number before the steps, and makes it a trigger and data', () => {
  const scope: TerraformStack = stack();
  pair(scope, { repairDrift: true });
  const tf = synth(scope);
  const probes = Object.entries<any>(tf.data.local_command).filter(([name]) => name.includes('generation'));
  expect(probes).toHaveLength(2);
  for (const [, probe] of probes) {
    expect(probe.arguments[1]).toBe('generation');
    expect(probe.depends_on).toBeUndefined();
  }
  const { triggers, provisioner } = nullResource(tf, 'NimHa_primary_preflight');
  expect(triggers.generation).toMatch(/^\$\{tostring\(max\(max\(try\(tonumber\(trimspace\(.*, 0\), try\(/);
  // A node whose files differ says so by a 0: its number may be the other's.
  for (const [name] of probes) expect(triggers.generation).toContain(`join("", regexall("^0[1-9]", data.local_command.${name}.stdout))`);
  expect(triggers.generation).toMatch(/ != ""\) \? 1 : 0\)\)\}$/);
  expect(provisioner[0]['remote-exec'].inline[0]).toContain('GENERATION=${base64encode(tostring(max(');
  // Each node's own preflight refuses where that one will never be asked.
  for (const role of ['primary', 'secondary']) {
    const stdout = `data.local_command.${probes.map(([name]) => name).find((name) => name.includes(role))}.stdout`;
    expect(nullResource(tf, `NimHa_${role}_preflight`).lifecycle).toEqual({
      precondition: [
        {
          condition: `\${!can(regex("^[a-z]", ${stdout}))}`,
          error_message: `${role}: repairDrift has to ask the node before each deploy, got \${trimspace(${stdout})}; mend that, or leave repairDrift out [ssh/drift-not-asked]`,
        },
      ],
    });
  }
});

describe('what a pair waits for', () => {
  const made = (options: PairOptions | ((first: Resource) => PairOptions)) => {
    const scope = stack();
    const first = new Resource(scope, 'First');
    const subject = pair(scope, typeof options === 'function' ? options(first) : options);
    return { scope, first, subject };
  };

  test('comes before its machines, which all else comes after, and goes after them; what takes the pair off a fencing server is not made create-first', () => {
    const fencing = NfsFencing.linuxServer({ ssh: SshAccess.withAgent({ user: 'ops' }), hostKeys: [ED25519_A] });
    for (const more of [{ repairDrift: true }, { decommission: true }, { nfsShare: { fencing } }] as PairOptions[]) {
      const tf = synth(made((first) => ({ dependsOn: [first], ...more })).scope);
      const [machines, server] = ['NimHa_identity', 'NimHa_fencing'].map((id) => `terraform_data.${Object.keys(tf.resource.terraform_data).find((name) => name.startsWith(id))}`);
      expect(identityOf(tf).depends_on).toEqual([server, 'null_resource.First']);
      expect(find(tf.resource.terraform_data, 'NimHa_fencing').depends_on).toBeUndefined();
      // The first of each chain.
      const first = Object.entries<any>(tf.resource.null_resource).filter(([name]) => /_(preflight|decommission|fencing_setup)_/.test(name) && !/^NimHa_decommission/.test(name));
      expect(first.length).toBeGreaterThan(1);
      for (const [, { depends_on: [before] }] of first) expect([machines, expect.stringContaining('NimHa_fencing_setup')]).toContainEqual(before);
      for (const data of Object.values<any>(tf.data?.local_command ?? {})) expect(JSON.stringify(data)).not.toContain('First');
    }
  });

  test('may be given another address later, and be another pair', () => {
    const { scope, first, subject } = made((one) => ({ dependsOn: [one] }));
    first.overrideLogicalId('renamed');
    const second = { primary: { host: '192.0.2.21' }, secondary: { host: '192.0.2.22' }, virtualIp: { address: '192.0.2.200', virtualRouterId: 7 }, nfsShare: { exportPath: '/srv/two' } };
    pair(scope, { ...second, dependsOn: [subject] }, 'Two');
    const tf = synth(scope);
    expect(identityOf(tf).depends_on).toContain('null_resource.renamed');
    expect(identityOf(tf, 'Two_identity').depends_on).toContain(`null_resource.${Object.keys(tf.resource.null_resource).find((name) => name.startsWith('NimHa_rollout'))}`);
  });

  test.each<[string, (subject: NimHaPair) => Construct]>([
    ['the pair', (subject) => subject],
    ['a node', (subject) => subject.secondary],
    ['the share', (subject) => subject.node.scope!.node.findChild('NimHaNfsShare') as Construct],
    ['the virtual IP', (subject) => subject.node.scope!.node.findChild('NimHaVirtualIp') as Construct],
  ])('node.addDependency of %s, for which cdktf does nothing, is refused', (_, part) => {
    const { first, subject } = made({});
    expect(subject.node.validate()).toEqual([]);
    const refused = ['dependsOn: CDKTF does nothing for node.addDependency, got "stack/First"; give it here, or the resources in it [synth/add-dependency]'];
    part(subject).node.addDependency(first);
    expect(subject.node.validate()).toEqual(refused);
    // Said once.
    subject.node.addDependency(first);
    expect(subject.node.validate()).toEqual(refused);
  });
});

test.each([['true', 1], ['1', 1], ['false', 0]])('HCL, in which cdktf leaves out what a removal needs, is refused: SYNTH_HCL_OUTPUT=%s', (value, messages) => {
  const subject = pair(stack());
  process.env.SYNTH_HCL_OUTPUT = value;
  try {
    expect(subject.node.validate()).toEqual(Array(messages).fill(expect.stringContaining('[synth/hcl]')));
  } finally {
    delete process.env.SYNTH_HCL_OUTPUT;
  }
});
