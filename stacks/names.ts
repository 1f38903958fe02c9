import type { Config, SshConfig } from './config-model';

/** Of the stack's own constructs and outputs, and what Terraform refuses as the name of a variable. */
const TAKEN = [
  ...['backend', 'null', 'local', 'nim_ha', 'virtual_ip_address', 'nfs_share', 'virtual_ip', 'primary', 'secondary', 'active_node'],
  ...['source', 'version', 'providers', 'count', 'for_each', 'lifecycle', 'depends_on', 'locals'],
];

/** A variable as the file names it, or as it is called by default, and what is in it. */
interface Use {
  at: string;
  variable: unknown;
  meaning: 'the VRRP password' | 'a private key' | 'a password';
}

/** Names for which the schema has a pattern, and that are no names all the same: to cdktf also "constructor" and the like are in use. */
export function unfitNames(config: unknown): string[] {
  return Object.entries<any>((config as Config | null)?.pairs ?? {}).flatMap(([name, pair]) => {
    const uses: Use[] = [
      { at: 'virtualIp.authPassVariable', variable: pair?.virtualIp?.authPassVariable ?? 'auth_pass', meaning: 'the VRRP password' },
      ...ofLogin('ssh', pair?.ssh),
      ...ofLogin('nfsShare.fencing.ssh', pair?.nfsShare?.fencing?.ssh),
    ];
    const named = uses.filter((use): use is Use & { variable: string } => typeof use.variable === 'string');
    return [
      ...(name in {} ? [`pairs: the name ${JSON.stringify(name)} is in use, choose another one`] : []),
      ...named
        .filter(({ variable }) => variable in {} || TAKEN.includes(variable))
        .map(({ at, variable }) => `pairs.${name}.${at}: the name ${JSON.stringify(variable)} is in use, choose another one`),
      ...named.flatMap(({ at, variable, meaning }, index) => {
        const other = named.slice(0, index).find((each) => each.variable === variable && each.meaning !== meaning);
        return other ? [`pairs.${name}.${at}: the variable ${JSON.stringify(variable)} is to hold ${meaning} here, and ${other.meaning} in ${other.at}; name two`] : [];
      }),
    ];
  });
}

/** What sudo asks for may be the password of the login, or of another one. */
function ofLogin(at: string, ssh: SshConfig | null | undefined): Use[] {
  const { login = 'private-key', variable, sudoPasswordVariable } = ssh ?? {};
  const sudo: Use = { at: `${at}.sudoPasswordVariable`, variable: sudoPasswordVariable, meaning: 'a password' };
  if (!ssh) return [];
  if (login === 'password') return [{ at: `${at}.variable`, variable: variable ?? 'ssh_password', meaning: 'a password' }, sudo];
  return [{ at: `${at}.variable`, variable: variable ?? (login === 'private-key' ? 'ssh_private_key' : undefined), meaning: 'a private key' }, sudo];
}
