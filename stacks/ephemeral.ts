import { spawnSync } from 'child_process';

/**
 * Whether the binary that will deploy knows `ephemeral` variables: Terraform since 1.10, OpenTofu since 1.11.
 *
 * Yes also where no binary is found: where one that is too old deploys later, it refuses the word with an error that names it;
 * the other mistake would put the secrets into plan files without a word.
 */
export function knowsEphemeral(): boolean {
  return isNewEnough(versionText());
}

/** For what `terraform version` prints, or undefined where it cannot be run. */
export function isNewEnough(version: string | undefined): boolean {
  const match = /^(Terraform|OpenTofu) v(\d+)\.(\d+)/m.exec(version ?? '');
  if (!match) {
    return true;
  }
  const [, product, major, minor] = match;
  return Number(major) > 1 || Number(minor) >= (product === 'Terraform' ? 10 : 11);
}

function versionText(): string | undefined {
  const binary = process.env.TERRAFORM_BINARY_NAME || 'terraform';
  const run = spawnSync(binary, ['version'], {
    encoding: 'utf8',
    timeout: 10_000,
    env: { ...process.env, CHECKPOINT_DISABLE: '1' },
  });
  return run.error ? undefined : run.stdout;
}
