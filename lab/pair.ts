import * as fs from 'node:fs';
import * as path from 'node:path';
import { run, type RunOptions, type RunResult } from './run';

/** This version of the project. */
export const REPOSITORY = path.resolve(__dirname, '..');

/** What a node says of itself: the `observed` of the outputs and `nim-ha status --json`. */
export interface Observed {
  readonly reachable: boolean | null;
  readonly reason: string;
  readonly vrrp_state: string;
  readonly holds_virtual_ip: boolean;
  readonly holds_lock: boolean;
  readonly phase: string;
  readonly able: boolean | null;
  readonly fenced: boolean | null;
  readonly keepalived: string;
  readonly services: Record<string, string>;
  readonly mounts: Record<string, { mounted: boolean; source: string | null }>;
  readonly config_in_sync: boolean;
  readonly drifted: string[];
  readonly since: string;
}

export interface NodeOutput {
  readonly declared: { name: string; host: string; role: string } & Record<string, unknown>;
  readonly observed: Observed;
}

export interface PairOutputs {
  readonly virtual_ip: string;
  readonly active_node: string;
  readonly primary: NodeOutput;
  readonly secondary: NodeOutput;
}

export interface PlanResult {
  /** Addresses of resources that would change. */
  readonly resources: string[];
  readonly outputs: string[];
  /** What the outputs would be. */
  readonly planned: PairOutputs;
}

/** The pair as its operator sees it: the reference app under the cdktf command, with a state of its own. */
export class Pair {
  /** Everything that the commands have printed. */
  public printed = '';
  private readonly env: NodeJS.ProcessEnv;
  private readonly configFile: string;
  /** Whose app and commands these are. */
  private repository = REPOSITORY;
  private output: string;

  /**
   * @param directory private: the config file, the synthesised stack and the state live there
   * @param log receives what the commands print, line by line
   */
  public constructor(
    directory: string,
    private readonly stack: string,
    config: object,
    env: NodeJS.ProcessEnv,
    private readonly log: (line: string) => void,
  ) {
    this.configFile = path.join(directory, 'pair.json');
    this.configure(config);
    this.output = path.join(directory, 'cdktf.out');
    this.env = {
      ...process.env,
      ...env,
      NIM_HA_CONFIG: this.configFile,
      CHECKPOINT_DISABLE: '1',
      CDKTF_OUTPUT: this.output,
      CI: '1',
      TF_INPUT: '0',
      NO_COLOR: '1',
      FORCE_COLOR: '0',
    };
  }

  /** From now on the pair is meant to be this. */
  public configure(config: object): void {
    fs.writeFileSync(this.configFile, JSON.stringify(config, null, 2), { mode: 0o600 });
  }

  /** From now on the app and the commands are those of this version of the project, in a checkout of its own; config and state stay. */
  public runFrom(repository: string): void {
    this.repository = repository;
    // As in a fresh checkout: nothing that the other version has synthesised.
    this.output = path.join(path.dirname(this.configFile), repository === REPOSITORY ? 'cdktf.out' : `cdktf.out.${path.basename(repository)}`);
    this.setEnvironment('CDKTF_OUTPUT', this.output);
  }

  /** From now on the commands find this in their environment. */
  public setVariable(name: string, value: string): void {
    this.setEnvironment(`TF_VAR_${name}`, value);
  }

  public setEnvironment(name: string, value: string | undefined): void {
    this.env[name] = value;
  }

  public deploy(): Promise<RunResult> {
    return this.step('deploy.sh');
  }

  /**
   * Deploys until a line comes that matches, and then lets something happen to it.
   *
   * @param interrupt gets what a Ctrl-C does
   * @throws when no such line came
   */
  public async deployInterrupted(line: RegExp, interrupt: (ctrlC: () => void) => Promise<void>): Promise<RunResult> {
    let ctrlC: () => void = () => undefined;
    let done: Promise<void> | undefined;
    const result = await this.step('deploy.sh', {
      onStart: (does) => (ctrlC = does),
      onLine: (text) => void (done ??= line.test(text) ? interrupt(ctrlC) : undefined),
    });
    if (!done) throw new Error(`the deploy ended with ${result.code} without a line like ${line.source}`);
    await done;
    return result;
  }

  public destroy(): Promise<RunResult> {
    return this.cdktf('destroy', this.stack, '--auto-approve', '--skip-provider-lock');
  }

  /** The plan of `cdktf diff`, read from the plan file that it leaves. */
  public async diff(): Promise<PlanResult> {
    const result = await this.cdktf('diff', this.stack, '--skip-provider-lock');
    if (result.code !== 0) throw new Error(`cdktf diff ended with ${result.code}`);
    const shown = await this.terraform('show', '-json', 'plan');
    const plan = JSON.parse(shown.stdout);
    return {
      resources: changed(plan.resource_changes),
      outputs: Object.keys(plan.output_changes ?? {}).filter((name) => isChange(plan.output_changes[name].actions)),
      planned: valuesOf(plan.planned_values.outputs),
    };
  }

  public async outputs(): Promise<PairOutputs> {
    const shown = await this.terraform('output', '-json');
    return valuesOf(JSON.parse(shown.stdout));
  }

  /** Takes an entry out of the state, as an operator does who is told to. */
  public async forget(address: string): Promise<void> {
    await this.terraform('state', 'rm', address);
  }

  private terraform(...args: string[]): Promise<RunResult> {
    return run(process.env.TERRAFORM_BINARY_NAME ?? 'terraform', args, { cwd: path.join(this.output, 'stacks', this.stack), env: this.env });
  }

  /** The pipelines' own steps, so that what they show to others is what works here. */
  public step(name: 'check.sh' | 'diff.sh' | 'deploy.sh', watch: Pick<RunOptions, 'onStart' | 'onLine'> = {}): Promise<RunResult> {
    const lock = name === 'check.sh' ? ['--output', this.output] : ['--skip-provider-lock'];
    return this.command('bash', [path.join(this.repository, 'examples/ci/steps', name), ...lock], watch);
  }

  private cdktf(...args: string[]): Promise<RunResult> {
    return this.command(path.join(this.repository, 'node_modules/.bin/cdktf'), [...args, '--output', this.output]);
  }

  private async command(program: string, args: readonly string[], watch: Pick<RunOptions, 'onStart' | 'onLine'> = {}): Promise<RunResult> {
    const onLine = (line: string): void => (this.log(line), watch.onLine?.(line));
    const result = await run(program, args, { cwd: this.repository, env: this.env, timeout: 1_800_000, accept: 'any', ...watch, onLine });
    this.printed += result.stdout + result.stderr;
    return result;
  }
}

function valuesOf(outputs: Record<string, { value: unknown }>): PairOutputs {
  return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])) as unknown as PairOutputs;
}

function changed(changes: { address: string; change: { actions: string[] } }[] = []): string[] {
  return changes.filter(({ change }) => isChange(change.actions)).map(({ address }) => address);
}

/** A data source that is read at apply time is no change of anything. */
function isChange(actions: string[]): boolean {
  return actions.some((action) => action !== 'no-op' && action !== 'read');
}
