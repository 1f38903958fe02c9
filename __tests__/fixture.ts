import { LocalProvider } from '@cdktf/provider-local/lib/provider';
import { NullProvider } from '@cdktf/provider-null/lib/provider';
import { App, TerraformStack, TerraformVariable, Testing } from 'cdktf';
import { Construct } from 'constructs';
import { NfsShare, NfsShareProps, NimHaPair, NimHaPairProps, NodeProps, SshAccess, VirtualIp, VirtualIpProps } from '../lib';

export const ED25519_A = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEfd/QIYBkoDRYZZ1cI+HuN+Qqgxzmyrr1RF28qCwzvi';
export const ED25519_B = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPK3NckO0pE9Jx9J5TrEdjHJQb+2G0wZLCrsu3BzxC+K';

export interface PairOptions extends Partial<Omit<NimHaPairProps, 'primary' | 'secondary' | 'virtualIp' | 'nfsShare'>> {
  primary?: Partial<NodeProps>;
  secondary?: Partial<NodeProps>;
  virtualIp?: Partial<VirtualIpProps>;
  nfsShare?: Partial<NfsShareProps>;
}

export function stack(app: App = Testing.app(), id = 'stack'): TerraformStack {
  const result = new TerraformStack(app, id);
  new NullProvider(result, 'null');
  new LocalProvider(result, 'local');
  return result;
}

export function variable(scope: TerraformStack, name: string, type = 'string'): TerraformVariable {
  const known = scope.node.tryFindChild(name) as TerraformVariable | undefined;
  return known ?? new TerraformVariable(scope, name, { type, sensitive: type === 'string' });
}

/** A valid pair, but for what `options` says. */
export function pair(scope: Construct, options: PairOptions = {}, id = 'NimHa'): NimHaPair {
  const { primary, secondary, virtualIp, nfsShare, ...rest } = options;
  const own = TerraformStack.of(scope);
  return new NimHaPair(scope, id, {
    primary: { host: '192.0.2.11', networkInterface: 'ens32', hostKeys: [ED25519_A], ...primary },
    secondary: { host: '192.0.2.12', networkInterface: 'ens32', hostKeys: [ED25519_B], ...secondary },
    ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: variable(own, 'ssh_private_key').stringValue }),
    virtualIp: new VirtualIp(scope, `${id}VirtualIp`, {
      address: '192.0.2.100',
      authPass: variable(own, 'auth_pass').stringValue,
      ...virtualIp,
    }),
    nfsShare: new NfsShare(scope, `${id}NfsShare`, { server: '192.0.2.13', ...nfsShare }),
    ...rest,
  });
}

/** What Terraform gets, parsed. */
export function synth(scope: TerraformStack, validate = true): any {
  return JSON.parse(Testing.synth(scope, validate));
}

/** The one resource or data source whose name begins so. */
export function find(blocks: { [name: string]: any }, prefix: string): any {
  const names = Object.keys(blocks).filter((name) => name.startsWith(prefix));
  if (names.length !== 1) throw new Error(`${names.length} blocks begin with ${prefix}: ${Object.keys(blocks).join(', ')}`);
  return blocks[names[0]];
}

/** Each secret variable of a program, which is in saved plan files but for the second value. */
export const secretVariables = (tf: any): Array<[string, unknown]> =>
  Object.entries<any>(tf.variable)
    .filter(([, { sensitive }]) => sensitive)
    .map(([name, { ephemeral }]) => [name, ephemeral]);

export const nullResource = (tf: any, prefix: string): any => find(tf.resource.null_resource, prefix);
export const identityOf = (tf: any, prefix = 'NimHa_identity'): any => find(tf.resource.terraform_data, prefix);

/** All provisioners of all resources, with their kind. */
export function provisioners(tf: any): { address: string; kind: string; block: any }[] {
  return Object.entries<any>(tf.resource).flatMap(([type, blocks]) =>
    Object.entries<any>(blocks).flatMap(([name, resource]) =>
      (resource.provisioner ?? []).flatMap((entry: any) =>
        Object.entries<any>(entry).map(([kind, block]) => ({ address: `${type}.${name}`, kind, block })),
      ),
    ),
  );
}
