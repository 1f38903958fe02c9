// A platform's stack: machines, two pairs on them, and what comes after. Addresses and secrets are known to Terraform only.
import { LocalProvider } from '@cdktf/provider-local/lib/provider';
import { NullProvider } from '@cdktf/provider-null/lib/provider';
import { Resource } from '@cdktf/provider-null/lib/resource';
import { App, TerraformStack, TerraformVariable } from 'cdktf';
import { KeepalivedProfile, NfsShare, NimHaPair, SshAccess, VirtualIp } from 'cdktf-nim-ha';
import { Construct } from 'constructs';
import { Machine } from './machine';

export class PlatformStack extends TerraformStack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new NullProvider(this, 'null');
    new LocalProvider(this, 'local');
    const storage = new Machine(this, 'Storage', '192.0.2.13');

    const blue = this.pair('blue', storage, { network: '192.0.2.2', virtualRouterId: 51 });
    const green = this.pair('green', storage, { network: '192.0.2.4', virtualRouterId: 52 });

    // Runs when both pairs serve: register them in DNS, open the firewall, ...
    new Resource(this, 'SomethingElse', { dependsOn: [blue, green.ready] });
  }

  private pair(name: string, storage: Machine, site: { network: string; virtualRouterId: number }): NimHaPair {
    const scope = new Construct(this, name);
    const authPass = new TerraformVariable(this, `${name}_auth_pass`, { type: 'string', sensitive: true });
    const key = new TerraformVariable(this, `${name}_key`, { type: 'string', sensitive: true });
    // Keeps both out of plan files. Terraform 1.10, OpenTofu 1.11 or later.
    for (const secret of [authPass, key]) secret.addOverride('ephemeral', true);
    const primary = new Machine(scope, 'NodeA', `${site.network}1`);
    const secondary = new Machine(scope, 'NodeB', `${site.network}2`);
    return new NimHaPair(scope, 'NimHa', {
      primary: { name: `${name}-a`, host: primary.address, networkInterface: 'eth0', hostKeys: [] },
      secondary: { name: `${name}-b`, host: secondary.address, networkInterface: 'eth0', hostKeys: [] },
      // The keys of a machine that does not exist yet cannot be known. Where your platform can tell them, give them instead.
      ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: key.stringValue, timeout: '10m' }).ignoringHostKeys(),
      virtualIp: new VirtualIp(scope, 'VirtualIp', {
        address: `${site.network}9`,
        authPass: authPass.stringValue,
        virtualRouterId: site.virtualRouterId,
        segment: 'servers',
      }),
      nfsShare: new NfsShare(scope, 'NfsShare', { server: storage.address, exportPath: `/srv/${name}` }),
      profile: KeepalivedProfile.HARDENED,
    });
  }
}

if (require.main === module) {
  const app = new App();
  new PlatformStack(app, 'platform');
  app.synth();
}
