import { hostProblem } from './host';
import { portProblem, present, problem, quoted, Rule, RuleInput, SshInput } from './rule';
import { sshSettings } from './ssh';

// As scripts/operator/ssh-node.sh has it: what neither a shell nor a line of ssh's configuration takes apart.
const USER = /^[A-Za-z0-9_][A-Za-z0-9._@-]*$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
// The quotes of ssh's configuration, line ends, and what Terraform or ssh would put something else in for.
const NOT_IN_PATH = /["\\\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|\$\{|%\{/u;

/** Judges each of the places where SSH settings were written. */
function perLogin(input: RuleInput, check: (ssh: SshInput, path: string) => Array<string | undefined>): string[] {
  return present(sshSettings(input).flatMap(({ path, ssh }) => check(ssh, path)));
}

/** How to log in. These strings end up in Terraform's own text, or in ssh's configuration, and what is odd there would be acted on. */
export const loginRules: Rule[] = [
  {
    id: 'ssh/user-syntax',
    summary: 'The user of a login consists of letters, digits, ".", "_", "@" and "-".',
    check: (input) =>
      perLogin(input, ({ user, bastion }, path) => {
        const jump = bastion?.user;
        // By default the one is the other: said once.
        return [userProblem(`${path}.user`, user), jump === user ? undefined : userProblem(`${path}.bastion.user`, jump)];
      }),
  },
  {
    id: 'ssh/key-file-path',
    summary: 'The path of a private key is one line without quotes, backslashes, "${" and "%{".',
    check: (input) =>
      perLogin(input, ({ keyFiles }, path) =>
        (keyFiles ?? [])
          .filter((file) => NOT_IN_PATH.test(file))
          .map((file) => problem(`${path}.path`, 'must be a path without quotes, backslashes, line ends, "${" and "%{"', quoted(file), 'rename the file, or make a link to it')),
      ),
  },
  {
    // A relative path of the login itself is absolute by now; this one is read where Terraform runs, and from the state.
    id: 'ssh/key-file-relative',
    summary: 'The path of a private key for the OpenSSH client is absolute, or begins with "~/".',
    check: (input) =>
      perLogin(input, ({ keyFiles }, path) =>
        (keyFiles ?? [])
          .filter((file) => file && !NOT_IN_PATH.test(file) && !/^(\/|~\/)/.test(file))
          .map((file) => problem(`${path}.observeWith`, 'must be a path that is absolute or begins with "~/"', quoted(file), 'write it in full')),
      ),
  },
  {
    id: 'ssh/environment-variable',
    summary: 'A key or a password for the OpenSSH client comes from an environment variable, which is named without "$".',
    check: (input) =>
      perLogin(input, ({ environment }, path) =>
        (environment ?? [])
          .filter((name) => !VARIABLE.test(name))
          .map((name) => problem(`${path}.observeWith`, 'must be the name of an environment variable', quoted(name), 'write one like "TF_VAR_ssh_private_key"')),
      ),
  },
  {
    id: 'ssh/bastion-host-syntax',
    summary: 'The bastion is a host name or an IP address, without user, scheme or port.',
    check: (input) =>
      perLogin(input, ({ bastion }, path) => [bastion?.host === undefined ? undefined : hostProblem(`${path}.bastion.host`, bastion.host)]),
  },
  {
    id: 'ssh/bastion-port-range',
    summary: 'The SSH port of the bastion is a whole number from 1 to 65535.',
    check: (input) =>
      perLogin(input, ({ bastion }, path) => [portProblem(`${path}.bastion.port`, bastion?.port, 'the sshd there')]),
  },
];

function userProblem(path: string, user: string | undefined): string | undefined {
  return user === undefined || USER.test(user)
    ? undefined
    : problem(path, 'must be a user name of letters, digits, ".", "_", "@" and "-"', quoted(user), 'write one like "ops" or "root"');
}
