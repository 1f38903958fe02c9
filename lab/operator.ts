import * as fs from 'node:fs';
import * as path from 'node:path';
import { appConfig, STACK } from './app-config';
import type { Lab } from './lab';
import { Pair } from './pair';
import { deployEnv } from './toolchain';

export interface OperatorOptions {
  /** Default `guide`. */
  readonly profile?: 'guide' | 'hardened';
  readonly authPass?: string;
  /** Whether the NFS server fences. Default: not. */
  readonly fencing?: boolean;
  /** Receives what the commands print, line by line. */
  readonly log?: (line: string) => void;
}

/** Whoever deploys the pair and changes it while it serves, with a state of its own in the lab's directory. */
export class Operator {
  private passwords = 0;

  private constructor(
    private readonly lab: Lab,
    /** Private: the config file, the synthesised stack and the state live there. */
    public readonly directory: string,
    public readonly profile: 'guide' | 'hardened',
    public readonly fencing: boolean,
    public readonly pair: Pair,
  ) {}

  public static async of(lab: Lab, { profile = 'guide', authPass = 'lab-Pass', fencing = false, log = () => undefined }: OperatorOptions = {}): Promise<Operator> {
    const directory = path.join(lab.state.workdir, 'deploy');
    // Nothing of a pair whose machines are no more.
    fs.rmSync(directory, { recursive: true, force: true });
    fs.mkdirSync(directory, { mode: 0o700 });
    const env = { ...(await deployEnv()), TF_VAR_ssh_private_key: fs.readFileSync(lab.config().privateKeyFile, 'utf8'), TF_VAR_auth_pass: authPass };
    // The exports of the nodes are the pair's own then: another one would be a way around a fence.
    if (fencing) await lab.nfs.ssh('sudo sh -c ": >/etc/exports; exportfs -ra"');
    return new Operator(lab, directory, profile, fencing, new Pair(directory, STACK, appConfig(lab, directory, fencing, { profile }), env, log));
  }

  /** From now on the pair is meant to be as at first, but for this change of its config. */
  public intend(change: object): void {
    this.pair.configure(appConfig(this.lab, this.directory, this.fencing, { profile: this.profile, ...change }));
  }

  /** A password that keepalived does not have yet. */
  public newPassword(): void {
    this.passwords += 1;
    this.pair.setVariable('auth_pass', `lab-P${this.passwords}`);
  }

  /** @throws with the end of what it printed, when it fails */
  public async deploy(): Promise<void> {
    const { code, stdout, stderr } = await this.pair.deploy();
    if (code !== 0) throw new Error(`the deploy ended with ${code}:\n${`${stdout}${stderr}`.split('\n').slice(-60).join('\n')}`);
  }
}
