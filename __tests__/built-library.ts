import { spawnSync } from 'child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

export const root = join(__dirname, '..');

const documents = ['README.md', 'API.md', 'ARCHITECTURE.md', 'LIMITATIONS.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'docs', 'lab/README.md'];
const packaged = ['lib', 'scripts', 'package.json', 'config.schema.json', 'examples', ...documents];

/** Longer than the build takes on two busy cores. */
export const BUILD_TIMEOUT = 170_000;

/**
 * A copy of the library, compiled by jsii: one per run of jest, in the run's own temporary directory, whichever test file asks
 * first. The others, in other processes, wait for it.
 */
export function builtLibrary(): string {
  const directory = join(tmpdir(), 'built-library');
  const result = `${directory}.result`;
  try {
    mkdirSync(directory);
  } catch {
    waitFor(result);
  }
  if (!existsSync(result)) writeFileSync(result, build(directory));
  const problem = readFileSync(result, 'utf8');
  if (problem !== '') throw new Error(problem);
  return directory;
}

/** @returns what went wrong, or nothing */
function build(directory: string): string {
  for (const name of packaged) cpSync(join(root, name), join(directory, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  try {
    tool(directory, 'jsii', '--silence-warnings=reserved-word', '--generate-tsconfig', 'tsconfig.jsii.json');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs one of the project's own tools. */
export function tool(cwd: string, program: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', '.bin', program), ...args], { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stdout}${stderr}`);
}

function waitFor(file: string): void {
  const end = Date.now() + BUILD_TIMEOUT;
  while (!existsSync(file) && Date.now() < end) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
}
