import * as path from 'node:path';
import * as fs from 'node:fs';
import { cached, keyOf } from './cache';
import { goProgram } from './go';
import { timed } from './progress';
import { run } from './run';

const MODULE = path.join(__dirname, 'terraform');

/**
 * Adds to the environment what is needed to run Terraform: nothing where there is one, else a path to one that is
 * built from its Go module (about five minutes, once).
 */
export async function terraformEnv(): Promise<NodeJS.ProcessEnv> {
  const wanted = process.env.TERRAFORM_BINARY_NAME ?? 'terraform';
  const found = await run(wanted, ['version'], { accept: 'any' }).catch(() => undefined);
  if (found?.code === 0) return {};
  const inputs = ['go.mod', 'go.sum'].map((name) => fs.readFileSync(path.join(MODULE, name)));
  const dir = await cached('terraform', keyOf(...inputs), (target) => timed('Terraform from its Go module', () => build(target)));
  return { PATH: `${dir}:${process.env.PATH}`, TERRAFORM_BINARY_NAME: path.join(dir, 'terraform') };
}

async function build(target: string): Promise<void> {
  const flags = ['-trimpath', '-ldflags', '-s -w -X github.com/hashicorp/terraform/version.dev=no', '-o', path.join(target, 'terraform')];
  await run(await goProgram(), ['build', ...flags, 'github.com/hashicorp/terraform'], { cwd: MODULE, timeout: 1_800_000 });
}
