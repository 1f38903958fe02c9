import { LocalProvider } from '@cdktf/provider-local/lib/provider';
import { NullProvider } from '@cdktf/provider-null/lib/provider';
import { App, TerraformOutput, TerraformStack, TerraformVariable } from 'cdktf';
import { NfsShare, NimHaPair, SshAccess, VirtualIp } from '../lib';
import { hosts, stackName } from './hosts';

const KEYS = {
  primary: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEfd/QIYBkoDRYZZ1cI+HuN+Qqgxzmyrr1RF28qCwzvi',
  secondary: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPK3NckO0pE9Jx9J5TrEdjHJQb+2G0wZLCrsu3BzxC+K',
};

/** A pair as the reference app makes it: a stack of its own, with the four outputs. */
export function pairStack(app: App, number: number): void {
  const stack = new TerraformStack(app, stackName(number));
  new NullProvider(stack, 'null');
  new LocalProvider(stack, 'local');
  const secret = (name: string): string => new TerraformVariable(stack, name, { type: 'string', sensitive: true }).stringValue;
  const { primary, secondary, virtualIp, nfs } = hosts(number);
  const pair = new NimHaPair(stack, 'NimHa', {
    primary: { host: primary, networkInterface: 'ens32', hostKeys: [KEYS.primary] },
    secondary: { host: secondary, networkInterface: 'ens32', hostKeys: [KEYS.secondary] },
    ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: secret('ssh_private_key') }),
    virtualIp: new VirtualIp(stack, 'VirtualIp', { address: virtualIp, authPass: secret('auth_pass') }),
    nfsShare: new NfsShare(stack, 'NfsShare', { server: nfs }),
  });
  const outputs = { virtual_ip: virtualIp, primary: pair.primary.output, secondary: pair.secondary.output, active_node: pair.activeNode };
  for (const [name, value] of Object.entries(outputs)) new TerraformOutput(stack, name, { value, staticId: true });
}
