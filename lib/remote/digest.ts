import { scryptSync } from 'crypto';
import { DataLocalCommand } from '@cdktf/provider-local/lib/data-local-command';
import { Fn, Token } from 'cdktf';
import { Construct } from 'constructs';
import { Login } from './login';
import { expandedPath } from './operator-script';
import { environmentVariable } from './variables';

/**
 * A text that changes when the password does, fit to be stored in state. For variables it is a hash that Terraform's own
 * machine takes from the environment, so the password itself gets into no plan and no state; the SSH key is hashed along
 * with it, for a password of eight characters alone could be guessed from its hash.
 *
 * @returns undefined where there is nothing that could be hashed
 */
export function secretDigest(scope: Construct, authPass: string, login: Login): string | undefined {
  if (!Token.isUnresolved(authPass)) {
    // Slow to compute, as nothing but that stands between an eight character password and its hash.
    return scryptSync(authPass, scope.node.path, 32).toString('hex');
  }
  const password = environmentVariable(scope, authPass);
  const key = keySource(scope, login);
  if (!password || !key) {
    return undefined;
  }
  const hash = new DataLocalCommand(scope, 'digest', {
    command: 'bash',
    arguments: ['-c', COMMAND, 'digest', password, key.env ?? '', key.file ?? ''],
  });
  return Fn.trimspace(hash.stdout);
}

/** Names of variables and paths come as arguments: they are data, not shell. */
const COMMAND = [
  'value() { if [ -n "$1" ]; then printenv "$1" || echo "not in the environment"; fi; }',
  'sum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }',
  '{ value "$2"; value "$1"; if [ -n "$3" ]; then cat "$3"; fi; } | sum | cut -c 1-64',
].join('\n');

function keySource(scope: Construct, login: Login): { env?: string; file?: string } | undefined {
  if (login.privateKeyFile) {
    return { file: expandedPath(login.privateKeyFile) };
  }
  const env = environmentVariable(scope, login.privateKey ?? login.password);
  return env ? { env } : undefined;
}
