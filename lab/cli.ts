import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { faults, faultsOptions } from './faults-command';
import { Lab } from './lab';
import { MACHINES, MachineName } from './machines';
import { removalTriggers } from './removal-triggers';
import { comparisonOf, fencingComparisonOf, linesOf, parseLines, runsOf, tablesOf } from './record';
import type { Report } from './report';
import { sabotage } from './sabotage';
import { takeOver } from './take-over';
import { upgrade, upgradeOptions } from './upgrade';
import { waysIn } from './ways-in';

const USAGE = `usage: npm run lab -- [COMMAND]
  [faults] [--only NAME,...] [--roles one|both] [--seed N] [--rounds N] [--minutes N] [--profile guide|hardened]
           [--fencing on|off]
                         the faults in random order from both roles (or from whichever node is active), an audit after each, and a report;
                         --only smoke: six, from whichever node is active
  record REPORT.json ... what came of each fault of these runs, a line each: for docs/faults.jsonl
  table FAULTS.jsonl     these lines as tables in Markdown
  sabotage               breaks the product in each way that the audit is there for, and sees it go red
  take-over              a pair that was built by hand is taken over by a deploy, and given back by a destroy
  upgrade [--from REF] [--mixed]
                         a pair that another version has deployed is brought to this one while a client writes, and given back; default: from
                         the newest tag before this commit; --mixed: stops between the nodes first, and hands over in both directions there
  ways-in                a pair is deployed to, read and removed by every way of logging in
  up [--keep]            build what is missing and start the three machines; without --keep they end with this command
  status                 what runs, how to reach it, who answers for the virtual IP
  ssh MACHINE [COMMAND]  log in to node-a, node-b or nfs, or run a command there
  fresh                  new disks and a new start for all machines
  down                   end the lab and remove its files
  removal-triggers       no machine needed: which changes of a program make Terraform run the removal, and which do not
`;

/** Commands that take no arguments and end with 0 when all was as claimed. */
const CLAIMS = new Map(Object.entries({ 'removal-triggers': removalTriggers, sabotage, 'take-over': takeOver, 'ways-in': waysIn }));

class UsageError extends Error {}

async function up(args: readonly string[]): Promise<void> {
  const keep = args[0] === '--keep';
  expectNoMore(keep ? args.slice(1) : args);
  const lab = await Lab.up({ keep });
  await status();
  if (keep) return;
  process.stderr.write('Ctrl-C ends the lab.\n');
  // Watches over the machines for as long as nobody interrupts; the handlers of Lab.up end it.
  setInterval(() => void (lab.all.some((vm) => vm.running) || process.exit(0)), 5000);
}

async function status(): Promise<void> {
  const lab = Lab.attach();
  const links = await lab.switch.links();
  for (const { machine, running, console } of lab.all) {
    const state = `${running ? 'on ' : 'off'} cable ${links[machine.name]}`;
    process.stdout.write(`${machine.name.padEnd(7)} ${state.padEnd(15)} lan ${machine.lanAddress}  ssh ${machine.sshAddress}:2222  console ${console}\n`);
  }
  process.stdout.write(`virtual IP answered by: ${(await lab.switch.holders()).join(', ') || 'nobody'}\n`);
  process.stdout.write(`${JSON.stringify(lab.config(), null, 2)}\n`);
}

async function ssh(args: readonly string[]): Promise<void> {
  const [name, ...command] = args;
  if (!MACHINES.some((machine) => machine.name === name)) throw new UsageError(`ssh: unknown machine '${name ?? ''}'`);
  const child = spawn('ssh', [...Lab.attach().sshArgs(name as MachineName), ...command], { stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

function expectNoMore(args: readonly string[]): void {
  if (args.length > 0) throw new UsageError(`unknown argument '${args[0]}'`);
}

/** @throws with how the command is used */
function parsed<T>(options: (args: readonly string[]) => T, args: readonly string[]): T {
  try {
    return options(args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(all: readonly string[]): Promise<void> {
  const [command, ...args] = all.length === 0 || all[0].startsWith('--') ? ['faults', ...all] : all;
  if (command === 'faults') process.exit((await faults(parsed(faultsOptions, args))) ? 0 : 1);
  if (command === 'upgrade') process.exit((await upgrade(parsed(upgradeOptions, args))) ? 0 : 1);
  const read = (file: string): string => fs.readFileSync(file, 'utf8');
  if (command === 'record') return void process.stdout.write(linesOf(args.flatMap((file) => runsOf(JSON.parse(read(file)) as Report))));
  if (command === 'table') {
    const runs = args.flatMap((file) => parseLines(read(file)));
    return void process.stdout.write(`${tablesOf(runs)}\n## Without fencing, and with it\n\n${fencingComparisonOf(runs)}\n## GUIDE beside HARDENED\n\n${comparisonOf(runs)}`);
  }
  if (command === 'up') return up(args);
  if (command === 'ssh') return ssh(args);
  const claims = CLAIMS.get(command);
  if (!claims && command !== 'status' && command !== 'fresh' && command !== 'down') throw new UsageError(`unknown command '${command ?? ''}'`);
  expectNoMore(args);
  if (claims) process.exit((await claims()) ? 0 : 1);
  if (command === 'status') return status();
  if (command === 'fresh') return Lab.attach().fresh();
  return Lab.attach().down();
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n${USAGE}` : `${error.message}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
});
