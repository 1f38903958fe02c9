import { Lab } from './lab';
import { Operator } from './operator';
import { elapsedSeconds, progress } from './progress';

/** A lab of its own for some work, with an operator whose commands are shown. @returns what the work returns: whether everything was as claimed */
export async function inOperatedLab(work: (lab: Lab, operator: Operator) => Promise<boolean>): Promise<boolean> {
  const lab = await Lab.up();
  try {
    return await work(lab, await Operator.of(lab, { log: (line) => process.stderr.write(`    ${line}\n`) }));
  } finally {
    lab.down();
    progress(`done after ${Math.round(elapsedSeconds())} s`);
  }
}
