import * as fs from 'node:fs';
import * as path from 'node:path';
import { REPOSITORY } from './pair';
import { timed } from './progress';
import { run, type RunResult } from './run';

/** Another version of this project. */
export interface Version {
  /** As somebody has called it. */
  readonly ref: string;
  readonly commit: string;
}

/**
 * The version that an upgrade begins with.
 *
 * @param ref a tag, a branch or a commit; default: the newest release before this commit, which is the tag that an operator has deployed with
 * @throws when there is none, or when it puts the same scripts on a node as this version: nothing would be upgraded
 */
export async function findVersion(ref?: string, repository = REPOSITORY): Promise<Version> {
  const wanted = ref ?? (await newestRelease(repository));
  const { code, stdout } = await git(repository, ['rev-parse', '--verify', '--quiet', `${wanted}^{commit}`], 'any');
  if (code !== 0) throw new Error(`--from: got '${wanted}', expected a tag, a branch or a commit of this repository`);
  const commit = stdout.trim();
  const same = await git(repository, ['diff', '--quiet', commit, '--', 'scripts'], 'any');
  if (same.code === 0) throw new Error(`--from: got '${wanted}', whose scripts are those of this version: nothing would change on a node; name another one`);
  return { ref: wanted, commit };
}

/** A tag on this very commit is what is upgraded to, and not from. */
async function newestRelease(repository: string): Promise<string> {
  const { code, stdout } = await git(repository, ['describe', '--tags', '--abbrev=0', 'HEAD^'], 'any');
  if (code !== 0) throw new Error('no release is known that this one follows, for there is no tag before this commit; name what to upgrade from, for example: --from HEAD~20');
  return stdout.trim();
}

/** Puts it into a directory of its own, ready to be deployed with: with these modules where it wants the same ones, else with its own. */
export async function checkOut({ ref, commit }: Version, directory: string, repository = REPOSITORY): Promise<void> {
  const archive = `${directory}.tar`;
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  await git(repository, ['archive', '--output', archive, commit]);
  await run('tar', ['-xf', archive, '-C', directory]);
  fs.rmSync(archive);
  const lockFile = (of: string): string => fs.readFileSync(path.join(of, 'package-lock.json'), 'utf8');
  if (lockFile(directory) === lockFile(repository)) fs.symlinkSync(path.join(repository, 'node_modules'), path.join(directory, 'node_modules'));
  else await timed(`npm ci of ${ref}`, () => run('npm', ['ci', '--no-audit', '--no-fund', '--no-progress'], { cwd: directory, timeout: 1_800_000 }));
}

function git(repository: string, args: readonly string[], accept?: 'any'): Promise<RunResult> {
  return run('git', ['-C', repository, ...args], { accept });
}
