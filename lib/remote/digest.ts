import { scryptSync } from 'crypto';
import { DataLocalCommand } from '@cdktf/provider-local/lib/data-local-command';
import { Fn, Token } from 'cdktf';
import { Construct, IConstruct } from 'constructs';
import { Login } from './login';
import { expandedPath } from './key-file';
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
  const { password, key } = sources(scope, authPass, login);
  if (!password || !key) {
    return undefined;
  }
  const hash = new DataLocalCommand(scope, 'digest', {
    command: 'bash',
    arguments: ['-c', COMMAND, 'digest', password, key.env ?? '', key.file ?? ''],
  });
  return Fn.trimspace(hash.stdout);
}

/** Whether a change of the password can be told, so that nobody has to say so. */
export function isNoticed(scope: IConstruct, authPass: string, login: Login): boolean {
  const { password, key } = sources(scope, authPass, login);
  return !Token.isUnresolved(authPass) || Boolean(password && key);
}

/**
 * Names of variables and paths come as arguments: they are data, not shell. A variable that was given in another way (`-var-file`) is no error, for
 * a destroy reads this, too; but the plan then shows that nothing was compared. Nor is there a hash where one of the two is empty: beside an empty key
 * the password could be guessed.
 */
const COMMAND = [
  'unnoticed() { echo "a changed password is not noticed: $1"; exit; }',
  "something() { grep -q '[^[:space:]]'; }",
  'for name in "$1" "$2"; do',
  '  [ -z "$name" ] || printenv "$name" | something || unnoticed "$name is not in the environment, or empty"',
  'done',
  '[ -z "$3" ] || { something <"$3"; } 2>/dev/null || unnoticed "$3 cannot be read, or is empty"',
  'sum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }',
  // Whether a store of secrets keeps the last line break of a key, or a shell cuts it off, is no change.
  "trimmed() { printf '%s\\n' \"$(cat)\"; }",
  '{ [ -z "$2" ] || printenv "$2" | trimmed; printenv "$1"; if [ -n "$3" ]; then trimmed <"$3"; fi; } | sum | cut -c 1-64',
].join('\n');

function sources(scope: IConstruct, authPass: string, login: Login): { password?: string; key?: { env?: string; file?: string } } {
  return { password: environmentVariable(scope, authPass), key: keySource(scope, login) };
}

function keySource(scope: IConstruct, login: Login): { env?: string; file?: string } | undefined {
  if (login.privateKeyFile) {
    return { file: expandedPath(login.privateKeyFile) };
  }
  const env = environmentVariable(scope, login.privateKey ?? login.password);
  return env ? { env } : undefined;
}
