import { FAULTS, faultsNamed, faultsWith } from './faults';
import type { Timing } from './faults/fault';
import { Lab } from './lab';
import { Matrix, planOf, type PlanOptions, type Turn } from './matrix';
import { Operator } from './operator';
import { elapsedSeconds, progress, timed } from './progress';
import { newSeed } from './random';
import { REPORT, Results } from './results';
import { timingOf } from './timing';

export interface FaultsOptions extends PlanOptions {
  /** Minutes after which no further fault begins. */
  readonly minutes: number;
  readonly profile: 'guide' | 'hardened';
  readonly fencing: boolean;
}

/** @throws with what is wrong with the arguments */
export function faultsOptions(args: readonly string[]): FaultsOptions {
  const values = new Map<string, string>();
  for (let index = 0; index < args.length; index += 2) {
    const [name, value] = [args[index], args[index + 1]];
    if (!/^--(seed|only|roles|rounds|minutes|profile|fencing)$/.test(name) || value === undefined) throw new Error(`unknown or incomplete argument '${name}'`);
    values.set(name.slice(2), value);
  }
  const number = (name: string, preset: number): number => {
    const value = Number(values.get(name) ?? preset);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: got '${values.get(name)}', expected a whole number from 1`);
    return value;
  };
  const profile = values.get('profile') ?? 'guide';
  if (profile !== 'guide' && profile !== 'hardened') throw new Error(`--profile: got '${profile}', expected guide or hardened`);
  const fencing = values.get('fencing') ?? 'off';
  if (fencing !== 'on' && fencing !== 'off') throw new Error(`--fencing: got '${fencing}', expected on or off`);
  const only = values.get('only');
  // A short run is to be short.
  const roles = values.get('roles') ?? (only === 'smoke' ? 'one' : 'both');
  if (roles !== 'one' && roles !== 'both') throw new Error(`--roles: got '${roles}', expected one or both`);
  return {
    faults: only ? faultsNamed(only.split(','), fencing) : faultsWith(fencing),
    roles,
    seed: number('seed', newSeed()),
    rounds: number('rounds', 1),
    minutes: number('minutes', 24 * 60),
    profile,
    fencing: fencing === 'on',
  };
}

/** A pair on fresh machines, and as many of the turns as it stays whole for. @returns the turns that are left */
async function series(lab: Lab, options: FaultsOptions, timing: Timing, turns: readonly Turn[], results: Results): Promise<readonly Turn[]> {
  const operator = await Operator.of(lab, { profile: options.profile, fencing: options.fencing });
  await timed('cdktf deploy', () => operator.deploy());
  const matrix = new Matrix(lab, operator, timing, results);
  try {
    return await matrix.run(turns, options.minutes * 60);
  } finally {
    await matrix.close();
  }
}

/** Brings the lab up, deploys the pair, and does to it what the options say. @returns whether every audit passed */
export async function faults(options: FaultsOptions): Promise<boolean> {
  const { profile, fencing, seed, roles, rounds } = options;
  const lab = await Lab.up();
  const timing = timingOf(profile, fencing, lab.state);
  let turns: readonly Turn[] = planOf(options);
  const names = options.faults.length < FAULTS.length ? ` --only ${options.faults.map(({ name }) => name).join(',')}` : '';
  const command = `npm run lab -- faults --seed ${seed} --roles ${roles} --rounds ${rounds} --profile ${profile}${fencing ? ' --fencing on' : ''}${names}`;
  const results = new Results(REPORT, { command, seed, profile, timing, accel: lab.state.accel }, turns.length);
  progress(`seed ${seed}; ${turns.length} faults, at most ${options.minutes} minutes: ${command}`);
  for (let fresh = true; turns.length > 0 && elapsedSeconds() < options.minutes * 60; fresh = false) {
    const taken = results.outcomes.length;
    try {
      if (!fresh) await timed('a pair that is not whole is replaced by a fresh one', () => lab.fresh());
      turns = await series(lab, options, timing, turns, results);
    } catch (error) {
      results.breakOff(`the run broke off: ${(error as Error).message}`);
      turns = turns.slice(results.outcomes.length - taken);
    }
    if (results.outcomes.length === taken) break;
  }
  await lab.down();
  const good = results.conclude();
  progress(`done after ${Math.round(elapsedSeconds())} s`);
  return good;
}
