import type { Checks } from './checks';
import { faultsNamed } from './faults';
import type { Lab } from './lab';
import { Matrix, planOf } from './matrix';
import type { Operator } from './operator';
import { newSeed } from './random';
import { REPORT, Results } from './results';
import { timingOf } from './timing';

/** One fault of each kind to a pair that is deployed and has rows, from whichever node is active, with an audit after each. */
export async function sufferFaults(lab: Lab, operator: Operator, checks: Checks, rowsThere: number): Promise<void> {
  const seed = newSeed();
  const turns = planOf({ faults: faultsNamed(['smoke'], operator.fencing ? 'on' : 'off'), roles: 'one', seed, rounds: 1 });
  const timing = timingOf(operator.profile, operator.fencing, lab.state);
  const about = { command: `npm run demo -- --smoke (seed ${seed})`, seed, profile: operator.profile, timing, accel: lab.state.accel };
  const results = new Results(REPORT, about, turns.length);
  const matrix = new Matrix(lab, operator, timing, results, rowsThere);
  try {
    await matrix.run(turns, Infinity);
  } finally {
    await matrix.close();
  }
  for (const { fault, active, findings } of results.outcomes) checks.claim(`${fault} from ${active}: the audit finds nothing`, findings.length === 0, findings.join('; '));
  checks.claim('every fault has had its turn', results.outcomes.length === turns.length, `${results.outcomes.length} of ${turns.length}`);
}
