/**
 * When does Terraform run the removal, and when not? Asked of the real Terraform, with programs that change. No node is needed: of
 * the synthesised stack only the steps are left out, and at the hosts nobody listens, so that a removal says SKIPPED.
 */
import { LocalProvider } from '@cdktf/provider-local/lib/provider';
import { NullProvider } from '@cdktf/provider-null/lib/provider';
import { Resource } from '@cdktf/provider-null/lib/resource';
import { App, LocalBackend, TerraformStack } from 'cdktf';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { NfsFencing, NfsShare, NimHaPair, NimHaPairProps, NodeProps, RemovalPolicy, SshAccess, VirtualIp } from '../lib';
import { TerraformData } from '../lib/remote/terraform-data';
import { Checks } from './checks';
import { run, type RunResult } from './run';
import { deployEnv } from './toolchain';

const STACK = 'removal';
const A = '127.77.0.211';
const B = '127.77.0.212';
const C = '127.77.0.213';
const [SERVER, OTHER_SERVER, OTHER_ADDRESS] = ['127.77.0.221', '127.77.0.222', '127.77.0.223'];
const SERVER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEfd/QIYBkoDRYZZ1cI+HuN+Qqgxzmyrr1RF28qCwzvi';
const OTHER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPK3NckO0pE9Jx9J5TrEdjHJQb+2G0wZLCrsu3BzxC+K';
const THIRD_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINQb8LkVG+UfQM8PGLwiLEY2UwPo3SZlsyeY/jRHjNTv';

interface Program {
  readonly primary?: Partial<NodeProps>;
  readonly secondary?: Partial<NodeProps>;
  readonly pair?: Partial<NimHaPairProps>;
  /** The hosts are tokens, of machines with this tag: a changed one makes them unknown until the apply. */
  readonly machineTag?: string;
  /** Only the secondary's is one. */
  readonly secondaryOnly?: boolean;
  /** Where the NFS server is logged in to. Unset: no fencing. */
  readonly fencing?: string;
  /** Whether the nodes have host keys. Default: not. */
  readonly verify?: boolean;
  /** Something that depends on the pair, with `create_before_destroy`. */
  readonly dependant?: string;
}

/** One directory with one state, in which programs follow each other. */
class Workplace {
  private readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'nim-ha-removal-'));
  private initialised = false;

  public constructor(private readonly env: NodeJS.ProcessEnv) {
    fs.writeFileSync(path.join(this.directory, 'key'), 'not a key');
  }

  /** Addresses of the identity's instances that this program would make go, and of those that would stay. */
  public async plan(program: Program): Promise<{ gone: string[]; kept: string[] }> {
    await this.synth(program);
    await this.terraform(['plan', '-input=false', '-out=plan']);
    const { resource_changes: changes } = JSON.parse((await this.terraform(['show', '-json', 'plan'])).stdout);
    const identity = changes.filter(({ address }: { address: string }) => address.includes('_identity_'));
    const hosts = (actions: RegExp): string[] =>
      identity.filter(({ change }: any) => actions.test(change.actions.join())).map(({ index }: { index: string }) => index).sort();
    return { gone: hosts(/delete/), kept: hosts(/^(no-op|update|create)$/) };
  }

  /** What an apply says that ends with an error. */
  public async refusal(program: Program): Promise<string> {
    await this.synth(program);
    const { code, stdout, stderr } = await this.terraform(['apply', '-input=false', '-auto-approve'], 'any');
    return code === 0 ? '' : stdout + stderr;
  }

  public async forgetMachine(entry: string): Promise<void> {
    await this.terraform(['state', 'rm', entry]);
  }

  public async apply(program: Program): Promise<string[]> {
    await this.synth(program);
    return removals(await this.terraform(['apply', '-input=false', '-auto-approve']));
  }

  /** What was done, in its order: hosts on which a removal was tried, and what was rolled out, or taken back by a deploy. */
  public async order(command: 'apply' | 'destroy', program: Program = {}): Promise<string[]> {
    if (command === 'apply') await this.synth(program);
    const { stdout } = await this.terraform([command, '-input=false', '-auto-approve']);
    return [...stdout.matchAll(/nim-ha (\S+): remove(?:-fencing)?: SKIPPED|null_resource\.NimHa_(rollout|decommission)_\w+: Creation complete/g)].map(([, host, step]) => host ?? step);
  }

  public async destroy(): Promise<string[]> {
    return removals(await this.terraform(['destroy', '-input=false', '-auto-approve']));
  }

  /** As if the state had been written by a version of this library that did not have this setting yet. */
  public forget(setting: string): void {
    const file = path.join(this.directory, 'state');
    const state = JSON.parse(fs.readFileSync(file, 'utf8'));
    const identities = state.resources.filter(({ name }: { name: string }) => name.includes('_identity_'));
    for (const { attributes } of identities.flatMap(({ instances }: any) => instances)) {
      for (const { value, type } of [attributes.input, attributes.output]) {
        if (!(setting in value)) throw new Error(`${setting} is not in the state`);
        delete value[setting];
        delete type[1][setting];
      }
    }
    fs.writeFileSync(file, JSON.stringify(state));
  }

  public close(): void {
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  private async synth({ primary, secondary, pair, machineTag, secondaryOnly, fencing, verify, dependant }: Program): Promise<void> {
    const app = new App({ outdir: path.join(this.directory, 'out') });
    const stack = new TerraformStack(app, STACK);
    new LocalBackend(stack, { path: path.join(this.directory, 'state') });
    new NullProvider(stack, 'null');
    new LocalProvider(stack, 'local');
    stack.addOverride('terraform.required_providers.null.version', '~> 3.2');
    stack.addOverride('terraform.required_providers.local.version', '~> 2.6');
    const host = (id: string, address: string): string => {
      if (machineTag === undefined || (secondaryOnly && address === A)) return address;
      const machine = new TerraformData(stack, id, { input: { address, tag: machineTag } });
      return machine.getStringAttribute('output.address');
    };
    const verifying = SshAccess.withPrivateKeyFile({ user: 'ops', path: path.join(this.directory, 'key') });
    const ssh = verify ? verifying : verifying.ignoringHostKeys();
    const subject = new NimHaPair(stack, 'NimHa', {
      primary: { host: host('MachineA', A), networkInterface: 'ens32', hostKeys: verify ? [SERVER_KEY] : [], ...primary },
      secondary: { host: host('MachineB', B), networkInterface: 'ens32', hostKeys: verify ? [OTHER_KEY] : [], ...secondary },
      ssh,
      virtualIp: new VirtualIp(stack, 'VirtualIp', { address: '192.0.2.100', authPass: 'x' }),
      nfsShare: new NfsShare(stack, 'NfsShare', {
        server: fencing === OTHER_SERVER ? '192.0.2.14' : '192.0.2.13',
        fencing: fencing === undefined ? undefined : NfsFencing.linuxServer({ ssh, host: fencing, hostKeys: [SERVER_KEY], clientAddresses: { primary: ['192.0.2.11'], secondary: ['192.0.2.12'] } }),
      }),
      observe: false,
      ...pair,
    });
    if (dependant !== undefined) {
      new Resource(stack, 'Dependant', { triggers: { version: dependant }, dependsOn: [subject], lifecycle: { createBeforeDestroy: true } });
    }
    app.synth();
    const file = path.join(this.stackDirectory, 'cdk.tf.json');
    const synthesised = JSON.parse(fs.readFileSync(file, 'utf8'));
    for (const step of Object.values<any>(synthesised.resource.null_resource)) delete step.provisioner;
    fs.writeFileSync(file, JSON.stringify(synthesised));
    if (!this.initialised) await this.terraform(['init', '-input=false']);
    this.initialised = true;
  }

  private get stackDirectory(): string {
    return path.join(this.directory, 'out', 'stacks', STACK);
  }

  private terraform(args: readonly string[], accept?: 'any'): Promise<RunResult> {
    const env = { ...process.env, ...this.env, CHECKPOINT_DISABLE: '1', NIM_HA_CONNECT_LIMIT: '0', TF_CLI_ARGS: '-no-color' };
    return run(this.env.TERRAFORM_BINARY_NAME ?? 'terraform', args, { cwd: this.stackDirectory, env, accept });
  }
}

/** Hosts on which a removal was tried. */
function removals({ stdout }: RunResult): string[] {
  return [...stdout.matchAll(/nim-ha (\S+): remove: SKIPPED \[ssh\/unreachable\]/g)].map(([, host]) => host).sort();
}

const swapped: Program = { primary: { host: B }, secondary: { host: A } };

/** Before, after: the same machines, so nothing may be removed. */
const HARMLESS: readonly [string, Program, Program][] = [
  ['user and port changed', {}, { primary: { port: 2222 }, pair: { ssh: SshAccess.withPrivateKeyFile({ user: 'root', path: '/dev/null' }).ignoringHostKeys() } }],
  ['roles swapped', {}, swapped],
  ['names and interface changed', {}, { primary: { name: 'x', networkInterface: 'eth7' } }],
  ['a machine that changes in place, its host a token', { machineTag: 'one' }, { machineTag: 'two' }],
  ['such a machine under a create-before-destroy dependant', { machineTag: 'one', dependant: '1' }, { machineTag: 'two', dependant: '2' }],
  ['a create-before-destroy dependant that is replaced', { dependant: '1' }, { dependant: '2' }],
];

/** What comes after a pair with fencing, and what has to happen in which order. */
const FENCING: readonly [string, Program | 'destroy', string[]][] = [
  ['destroyed, the nodes go first', 'destroy', [A, B, SERVER]],
  ['switched off, the nodes are rolled out before the server is as it was', {}, ['rollout', SERVER]],
  ['the share on another server, the nodes move before the old one is as it was', { fencing: OTHER_SERVER }, ['rollout', SERVER]],
  ['decommissioned, the nodes go first', { fencing: SERVER, pair: { decommission: true } }, ['decommission', SERVER]],
  ['decommissioned where the policy is to retain the pair, its place there stays', { fencing: SERVER, pair: { decommission: true, removalPolicy: RemovalPolicy.RETAIN }, verify: true }, ['decommission']],
  ['another user, nothing is taken away', { fencing: SERVER, pair: { ssh: SshAccess.withAgent({ user: 'root' }).ignoringHostKeys() } }, ['rollout']],
  ['switched off, also where the policy is to retain the pair', { pair: { removalPolicy: RemovalPolicy.RETAIN }, verify: true }, ['rollout', SERVER]],
];

export async function removalTriggers(): Promise<boolean> {
  const checks = new Checks();
  const env = await deployEnv();
  const at = async (work: (place: Workplace) => Promise<void>): Promise<void> => {
    const place = new Workplace(env);
    await work(place).finally(() => place.close());
  };
  const verify = true;
  await at(async (place) => {
    await place.apply({ verify });
    const renamed: Program = { primary: { host: C }, verify };
    const said = await place.refusal(renamed);
    const [, entry] = /terraform state rm '(.*?)'/.exec(said) ?? [];
    checks.claim('the same machine at another address: refused, and no removal', /FAILED \[ssh\/same-machine\]/.test(said) && entry !== undefined, entry);
    await place.forgetMachine(entry);
    const { gone, kept } = await place.plan(renamed);
    const removed = await place.apply(renamed);
    checks.claim('and after the command that it names, no removal', gone.length === 0 && kept.length === 2 && removed.length === 0, [...gone, ...removed].join(', '));
  });
  await at(async (place) => {
    await place.apply({ fencing: SERVER, verify });
    const said = await place.refusal({ fencing: OTHER_ADDRESS, verify });
    checks.claim('the same NFS server at another address: refused, and nothing taken away', /127.77.0.221: remove-fencing: FAILED \[ssh\/same-machine\]/.test(said));
  });
  for (const [name, before, after] of HARMLESS) {
    await at(async (place) => {
      await place.apply(before);
      const { gone, kept } = await place.plan(after);
      const removed = await place.apply(after);
      checks.claim(`${name}: no removal`, gone.length === 0 && kept.length === 2 && removed.length === 0, [...gone, ...removed].join(', '));
    });
  }
  for (const [name, dependant] of [['a machine replaced', undefined], ['a machine replaced, under a create-before-destroy dependant', '1']] as const) {
    await at(async (place) => {
      await place.apply({ dependant });
      const removed = await place.apply({ primary: { host: C }, dependant });
      checks.claim(`${name}: a removal on the old one, and on it alone`, removed.join() === A, removed.join(', ') || 'none');
    });
  }
  const mixed: Program = { machineTag: 'one', secondaryOnly: true };
  for (const [name, before, after, gone] of [['a token in place of a literal', {}, mixed, B], ['a literal in place of a token', mixed, {}, 'secondary']] as const) {
    await at(async (place) => {
      await place.apply(before);
      const planned = await place.plan(after);
      checks.claim(`the host of one node: ${name}, and the other one's entry stays`, planned.gone.join() === gone && planned.kept.includes(A), planned.gone.join(', '));
    });
  }
  await at(async (place) => {
    await place.apply({ verify });
    const retained = { removalPolicy: RemovalPolicy.RETAIN };
    const removed = await place.apply({ primary: { host: C, hostKeys: [THIRD_KEY] }, pair: retained, verify });
    checks.claim('a machine replaced, where the policy is to retain the pair: a removal on the old one', removed.join() === A, removed.join(', ') || 'none');
  });
  for (const [name, program] of [['destroy', {}], ['destroy, hosts are tokens', { machineTag: 'one' }], ['destroy, a create-before-destroy dependant', { dependant: '1' }]] as const) {
    await at(async (place) => {
      await place.apply(program);
      const removed = await place.destroy();
      checks.claim(`${name}: a removal on both`, removed.join() === [A, B].join(), removed.join(', ') || 'none');
    });
  }
  await at(async (place) => {
    await place.apply({});
    place.forget('NIM_HA_SUDO_ENV');
    const removed = await place.destroy();
    checks.claim('destroy, the state of a version with fewer settings: a removal on both', removed.join() === [A, B].join(), removed.join(', ') || 'none');
  });
  for (const [name, after, expected] of FENCING) {
    await at(async (place) => {
      await place.apply({ fencing: SERVER, verify: after !== 'destroy' && after.verify });
      const order = after === 'destroy' ? await place.order('destroy') : await place.order('apply', after);
      // The two nodes are removed at the same time.
      const [first, second, ...rest] = order;
      const got = first === B && second === A ? [A, B, ...rest] : order;
      checks.claim(`fencing: ${name}`, got.join() === expected.join(), got.join(', '));
    });
  }
  process.stdout.write(`${checks.summary()}\n`);
  return !checks.failed;
}
