import * as fs from 'node:fs';
import * as https from 'node:https';
import * as path from 'node:path';
import { cached, keyOf } from './cache';
import { goProgram } from './go';
import { timed } from './progress';
import { run } from './run';

const MODULE = path.join(__dirname, 'providers');
const NAMES = ['local', 'null'] as const;
// Terraform's default registry; its name is also a directory of every mirror.
const REGISTRY = ['registry', 'terraform', 'io'].join('.');
const CLI_CONFIG = 'TF_CLI_CONFIG_FILE';

/**
 * Adds to the environment what is needed for `terraform init` to find the null and local providers: nothing where the
 * public registry answers, else a mirror on this disk with both, built from their Go modules (about a minute, once).
 */
export async function providersEnv(): Promise<NodeJS.ProcessEnv> {
  // Terraform warns on every command when this names a file that is not there.
  const dangling = process.env[CLI_CONFIG] !== undefined && !fs.existsSync(process.env[CLI_CONFIG]);
  if (await registryAnswers()) return dangling ? { [CLI_CONFIG]: '' } : {};
  const inputs = ['go.mod', 'go.sum'].map((name) => fs.readFileSync(path.join(MODULE, name)));
  const dir = await cached('providers', keyOf(...inputs), (target) => timed('Terraform providers from their Go modules', () => build(target)));
  const config = path.join(dir, 'cli.tfrc');
  // Written each time: the directory was built under another name, and the path in it is absolute.
  fs.writeFileSync(config, `provider_installation {\n  filesystem_mirror {\n    path    = ${JSON.stringify(path.join(dir, 'mirror'))}\n    include = ["*/*/*"]\n  }\n}\n`);
  return { [CLI_CONFIG]: config };
}

function registryAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    const request = https.get({ host: REGISTRY, path: '/v1/providers/hashicorp/null/versions', timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}

async function build(target: string): Promise<void> {
  const go = await goProgram();
  const platform = (await run(go, ['env', 'GOOS', 'GOARCH'])).stdout.trim().split('\n').join('_');
  for (const name of NAMES) {
    // Built under the path that their main branches had when the proxy last served a valid version of them.
    const module = `github.com/terraform-providers/terraform-provider-${name}`;
    await run(go, ['mod', 'download', module], { cwd: MODULE });
    const source = (await run(go, ['list', '-m', '-f', '{{.Dir}}', module], { cwd: MODULE })).stdout.trim();
    const version = fs.readFileSync(path.join(source, 'version', 'VERSION'), 'utf8').trim();
    const dir = path.join(target, 'mirror', REGISTRY, 'hashicorp', name, version, platform);
    const binary = path.join(dir, `terraform-provider-${name}_v${version}_x5`);
    await run(go, ['build', '-trimpath', '-ldflags', '-s -w', '-o', binary, module], { cwd: MODULE, timeout: 1_800_000 });
  }
}
