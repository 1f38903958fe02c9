// What synthesis costs: 100 pairs with the library, against bare cdktf that writes the same blocks, values and bytes (bare.ts).
// Each program runs in a process of its own, in turns.
//   npm run bench
//   PAIRS=10 ROUNDS=3 npm run bench
//   PROFILE=directory npm run bench     leaves CPU profiles there
import { spawnSync } from 'child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import * as ts from 'typescript';

const PAIRS = Number(process.env.PAIRS ?? 100);
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const GOAL = 1.3;

const root = join(__dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'nim-ha-bench-'));
/** One pair as the library synthesises it: what the baseline writes down again. */
const template = join(directory, 'template');
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

interface Run {
  readonly cpu: number;
  readonly memory: number;
  readonly json: Buffer;
}

/** Both run as plain JavaScript, as a package does: ts-node's own time would hide the difference. */
function compile(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (statSync(path).isDirectory()) {
      compile(path, join(to, name));
    } else if (name.endsWith('.ts')) {
      const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };
      writeFileSync(join(to, name.replace(/ts$/, 'js')), ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions }).outputText);
    }
  }
}

function run(program: string, pairs: number): Run {
  const out = mkdtempSync(join(directory, 'out-'));
  const args = [join(directory, 'bench', 'child.js'), program, String(pairs), out, template];
  const options = process.env.PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}/${program}`] : [];
  const child = spawnSync(process.execPath, [...options, ...args], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
  if (child.status !== 0) throw new Error(`${program}: ${child.stdout}${child.stderr}`);
  const { userCPUTime, maxRSS } = JSON.parse(child.stdout.trim().split('\n').pop()!);
  const stacks = pairs > 0 ? readdirSync(join(out, 'stacks')).sort() : [];
  const json = Buffer.concat(stacks.map((name) => readFileSync(join(out, 'stacks', name, 'cdk.tf.json'))));
  if (!existsSync(template) && stacks.length > 0) cpSync(join(out, 'stacks', stacks[0]), template, { recursive: true });
  rmSync(out, { recursive: true });
  return { cpu: userCPUTime / 1e6, memory: maxRSS / 1024, json };
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Blocks of each kind, to show that both wrote the same. */
function census(text: string): string {
  const { resource, data, locals, output, variable } = JSON.parse(text);
  const count = (blocks: object = {}): number => Object.values(blocks).reduce((sum, inner) => sum + Object.keys(inner).length, 0);
  const names = (blocks: object = {}): number => Object.keys(blocks).length;
  return `${count(resource)} resources, ${count(data)} data sources, ${names(locals)} locals, ${names(output)} outputs, ${names(variable)} variables`;
}

compile(join(root, 'lib'), join(directory, 'lib'));
compile(join(root, 'bench'), join(directory, 'bench'));
symlinkSync(join(root, 'scripts'), join(directory, 'scripts'));
symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));

// The template; and the proof that the baseline writes all that the library does.
if (!run('library', 1).json.equals(run('bare', 1).json)) throw new Error('the baseline no longer writes what the library writes');
console.log(`${PAIRS} pairs, each: ${census(readFileSync(join(template, 'cdk.tf.json'), 'utf8'))}`);

const rows: { library: Run; bare: Run }[] = [];
console.log('round  library: user s, max RSS MiB, MiB of JSON   bare cdktf: the same   ratio of time, of memory');
for (let round = 1; round <= ROUNDS; round += 1) {
  // In turns, and each first once in a while: a machine that grows slower or faster does so for both.
  const programs = round % 2 ? ['library', 'bare'] : ['bare', 'library'];
  const result = Object.fromEntries(programs.map((program) => [program, run(program, PAIRS)])) as unknown as { library: Run; bare: Run };
  rows.push(result);
  const show = ({ cpu, memory, json }: Run): string => `${cpu.toFixed(2)} ${memory.toFixed(0)} ${(json.length / 2 ** 20).toFixed(2)}`;
  const { library, bare } = result;
  console.log(`${round}      ${show(library)}   ${show(bare)}   ${(library.cpu / bare.cpu).toFixed(2)} ${(library.memory / bare.memory).toFixed(2)}`);
}

const empty = median([1, 2, 3].map(() => run('bare', 0).cpu));
const time = median(rows.map(({ library, bare }) => library.cpu / bare.cpu));
const memory = median(rows.map(({ library, bare }) => library.memory / bare.memory));
const beyond = median(rows.map(({ library, bare }) => (library.cpu - empty) / (bare.cpu - empty)));
const all = (of: (row: { library: Run; bare: Run }) => number): string => median(rows.map(of)).toFixed(2);
console.log(`median user CPU: library ${all((row) => row.library.cpu)} s, bare cdktf ${all((row) => row.bare.cpu)} s; an app without anything: ${empty.toFixed(2)} s`);
console.log(`median max RSS:  library ${all((row) => row.library.memory)} MiB, bare cdktf ${all((row) => row.bare.memory)} MiB`);
console.log(`ratio, median of the rounds: time ${time.toFixed(2)} (without the start: ${beyond.toFixed(2)}), memory ${memory.toFixed(2)}; goal ${GOAL}`);
process.exitCode = time <= GOAL && memory <= GOAL ? 0 : 1;
