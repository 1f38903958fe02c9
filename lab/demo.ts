import { explain } from './explain';
import { Lab } from './lab';
import { Operator } from './operator';
import { elapsedSeconds, progress } from './progress';
import { formsOf, formsOfKey } from './secrets';
import { Rehearsal } from './rehearsal';

/** Not words that a log could hold by chance. */
const AUTH_PASS = 'zq7-Xw2K';
const NEXT_AUTH_PASS = 'Lw4_yRk9';

interface Options {
  readonly all: boolean;
  readonly smoke: boolean;
}

function options(args: readonly string[]): Options {
  const unknown = args.filter((arg) => arg !== '--all' && arg !== '--smoke');
  if (unknown.length) {
    process.stderr.write(`demo: unknown argument ${unknown.join(' ')}\nusage: npm run demo -- [--all | --smoke]\n`);
    process.exit(2);
  }
  return { all: args.includes('--all'), smoke: args.includes('--smoke') };
}

async function main(): Promise<void> {
  const chosenOptions = options(process.argv.slice(2));
  const lab = await Lab.up();
  const operator = await Operator.of(lab, { authPass: AUTH_PASS, log: (line) => process.stderr.write(`    ${line}\n`) });
  const secrets = [...formsOf(AUTH_PASS), ...formsOf(NEXT_AUTH_PASS), ...formsOfKey(lab)];
  const demo = new Rehearsal(lab, operator, { ...chosenOptions, secrets, nextPassword: NEXT_AUTH_PASS });
  let good = false;
  try {
    good = await demo.run();
  } catch (error) {
    process.stderr.write(`\ndemo: ${(error as Error).message}\n`);
  }
  if (!good) process.stdout.write(`\n${await explain(lab)}`);
  demo.close();
  await lab.down();
  progress(`done after ${Math.round(elapsedSeconds())} s`);
  process.exit(good ? 0 : 1);
}

void main();
