import { createHash } from 'crypto';
import { Fn, Token } from 'cdktf';
import { numberText } from './number-text';
import { Target } from './login';
import { expression, lines } from './text';

interface Machine {
  readonly host: string;
  readonly port: number;
  readonly hostKeys: string[];
}

/**
 * The `host_key` of a connection. Terraform writes `@cert-authority host:port ` before it, as a known_hosts file of one line.
 * Further keys bring that beginning along; with one key only, a server that negotiates another type would be taken for an
 * impostor.
 *
 * With a bastion the text has the lines of both machines, for Terraform before 1.15 checks the bastion against `host_key`,
 * whatever `bastion_host_key` says. A first line that is of no use to anyone takes the beginning that Terraform writes, or
 * the first key would count for the other machine, too. So it does where a key is a token, for a `host_key` that turns out empty is checked by nobody.
 */
export function hostKeyText({ host, port, hostKeys, login }: Target): string | undefined {
  if (!login.verifyHostKeys) {
    return undefined;
  }
  const node = { host, port, hostKeys };
  return login.bastion || mayBeEmpty(hostKeys) ? NOBODYS_KEY + furtherLines(node) + (login.bastion ? furtherLines(login.bastion) : '') : joined(hostKeys, lineBeginning(node));
}

/**
 * The keys of a machine as OpenSSH's side has them, one a line. Where none is left to ssh it trusts anybody: keys that are not known
 * here have one beside them that nobody has.
 */
export function hostKeyLines(hostKeys: string[]): string {
  return mayBeEmpty(hostKeys) ? `${NOBODYS_KEY}\n${lines(hostKeys)}` : lines(hostKeys);
}

/** A token may turn out to stand for nothing, and without a key Terraform and ssh trust anybody. */
function mayBeEmpty(hostKeys: string[]): boolean {
  return Token.isUnresolved(hostKeys) || hostKeys.some((key) => Token.isUnresolved(key));
}

function furtherLines(machine: Machine): string {
  const beginning = lineBeginning(machine);
  return machine.hostKeys.length === 0 ? '' : beginning + joined(machine.hostKeys, beginning);
}

function lineBeginning({ host, port }: Machine): string {
  const address = !Token.isUnresolved(host) && host.includes(':') ? `[${host}]` : host;
  return `\n@cert-authority ${address}:${numberText(port)} `;
}

/** The keys may be one list token: only Terraform can join that. */
function joined(keys: string[], separator: string): string {
  return Token.isUnresolved(keys) ? Fn.join(expression(separator), keys) : keys.join(separator);
}

/** A well-formed public key of a type that no server has, made of a hash, so that nobody knows its private half. */
const NOBODYS_KEY = ((type: string): string => {
  const field = (value: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, value.length]), value]);
  const point = createHash('sha256').update('nobody').digest();
  const fields = [Buffer.from(type), point, Buffer.from('ssh:')].map(field);
  return `${type} ${Buffer.concat(fields).toString('base64')}`;
})('sk-ssh-ed25519@openssh.com');
