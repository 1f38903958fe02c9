import * as fs from 'node:fs';
import * as path from 'node:path';
import { appConfig, STACK } from './app-config';
import { FAULTS, faultsNamed } from './faults';
import type { Timing } from './faults/fault';
import { Lab } from './lab';
import { Matrix, type MatrixOptions } from './matrix';
import { Pair } from './pair';
import { elapsedSeconds, progress, timed } from './progress';
import { writeReport } from './report';
import { deployEnv } from './toolchain';

const REPORT = path.join(__dirname, 'report');

export interface FaultsOptions extends MatrixOptions {
  readonly profile: 'guide' | 'hardened';
}

/** @throws with what is wrong with the arguments */
export function faultsOptions(args: readonly string[]): FaultsOptions {
  const values = new Map<string, string>();
  for (let index = 0; index < args.length; index += 2) {
    const [name, value] = [args[index], args[index + 1]];
    if (!/^--(seed|only|roles|rounds|minutes|profile)$/.test(name) || value === undefined) throw new Error(`unknown or incomplete argument '${name}'`);
    values.set(name.slice(2), value);
  }
  const number = (name: string, preset: number): number => {
    const value = Number(values.get(name) ?? preset);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: got '${values.get(name)}', expected a whole number from 1`);
    return value;
  };
  const profile = values.get('profile') ?? 'guide';
  if (profile !== 'guide' && profile !== 'hardened') throw new Error(`--profile: got '${profile}', expected guide or hardened`);
  const only = values.get('only');
  // A short run is to be short.
  const roles = values.get('roles') ?? (only === 'smoke' ? 'one' : 'both');
  if (roles !== 'one' && roles !== 'both') throw new Error(`--roles: got '${roles}', expected one or both`);
  return {
    faults: only ? faultsNamed(only.split(',')) : FAULTS,
    roles,
    seed: number('seed', (Date.now() % 1_000_000) + 1),
    rounds: number('rounds', 1),
    minutes: number('minutes', 24 * 60),
    profile,
  };
}

/** Brings the lab up, deploys the pair, and does to it what the options say. @returns whether every audit passed */
export async function faults(options: FaultsOptions): Promise<boolean> {
  const { profile, seed } = options;
  const lab = await Lab.up();
  const { leaseSeconds: lease, accel, workdir } = lab.state;
  // VRRPv2 at the priority of the node that takes over, advertised every second [RFC 3768].
  const skew = (256 - (profile === 'guide' ? 110 : 100)) / 256;
  const timing: Timing = { lease, checkInterval: 10, skew, masterDown: 3 + skew, start: accel === 'kvm' ? 10 : 30 };
  const directory = path.join(workdir, 'deploy');
  fs.mkdirSync(directory, { mode: 0o700 });
  const env = { ...(await deployEnv()), TF_VAR_ssh_private_key: fs.readFileSync(lab.config().privateKeyFile, 'utf8'), TF_VAR_auth_pass: 'lab-Pass' };
  const pair = new Pair(directory, STACK, appConfig(lab, directory, { profile }), env, () => undefined);
  const { code } = await timed('cdktf deploy', () => pair.deploy());
  if (code !== 0) throw new Error(`the deploy failed:\n${pair.printed.split('\n').slice(-60).join('\n')}`);
  progress(`seed ${seed}; ${options.faults.length} faults from ${options.roles === 'both' ? 'both roles' : 'one role each'}, ${options.rounds} rounds, at most ${options.minutes} minutes`);
  const matrix = new Matrix(lab, pair, timing, options);
  let broken = '';
  try {
    await matrix.run();
  } catch (error) {
    broken = (error as Error).message;
    progress(`FAILED the run broke off: ${broken}`);
  }
  await matrix.close();
  const command = `npm run lab -- faults --seed ${seed} --roles ${options.roles} --rounds ${options.rounds} --profile ${profile}${options.faults.length < FAULTS.length ? ` --only ${options.faults.map(({ name }) => name).join(',')}` : ''}`;
  const page = writeReport(REPORT, { command, seed, profile, timing, accel, skipped: matrix.skipped, outcomes: matrix.outcomes });
  const failed = matrix.outcomes.filter(({ findings }) => findings.length > 0);
  for (const { fault, active, findings } of failed) process.stdout.write(`FAILED ${fault} from ${active}: ${findings.join('; ')}\n`);
  process.stdout.write(`report: ${path.relative(process.cwd(), page)}\n`);
  process.stdout.write(`${matrix.outcomes.length - failed.length} passed, ${failed.length + (broken ? 1 : 0)} failed\n`);
  await lab.down();
  progress(`done after ${Math.round(elapsedSeconds())} s${matrix.skipped ? `; ${matrix.skipped} faults not begun for want of time` : ''}`);
  return failed.length === 0 && !broken;
}
