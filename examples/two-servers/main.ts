// Two servers that exist already, with everything else at its default.
// Secrets come from the environment: TF_VAR_auth_pass and TF_VAR_ssh_private_key.
import { LocalProvider } from '@cdktf/provider-local/lib/provider';
import { NullProvider } from '@cdktf/provider-null/lib/provider';
import { App, TerraformOutput, TerraformStack, TerraformVariable } from 'cdktf';
import { NfsShare, NimHaPair, SshAccess, VirtualIp } from 'cdktf-nim-ha';
import { Construct } from 'constructs';

export class TwoServers extends TerraformStack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new NullProvider(this, 'null');
    new LocalProvider(this, 'local');

    const authPass = new TerraformVariable(this, 'auth_pass', { type: 'string', sensitive: true });
    const key = new TerraformVariable(this, 'ssh_private_key', { type: 'string', sensitive: true });
    // Keeps both out of plan files. Terraform 1.10, OpenTofu 1.11 or later.
    authPass.addOverride('ephemeral', true);
    key.addOverride('ephemeral', true);

    const pair = new NimHaPair(this, 'NimHa', {
      primary: {
        host: '192.0.2.11',
        networkInterface: 'ens32',
        // All of /etc/ssh/ssh_host_*_key.pub on the machine, without their comments: Terraform prefers ECDSA to Ed25519.
        hostKeys: [
          'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBIubwdtiMxAkY2r+rewoewOq4B9s9GBDo1KCmxaybwBZVbozdkLzjoVfsLTupCjIUtVq6Wz25Mky3r9lfutETwc=',
          'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEfd/QIYBkoDRYZZ1cI+HuN+Qqgxzmyrr1RF28qCwzvi',
        ],
      },
      secondary: {
        host: '192.0.2.12',
        networkInterface: 'ens32',
        hostKeys: [
          'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBwzUIPcx+yKxkDts+K9IyEyBLqJHhT9dON2pnimslVZMnYkHOQ8nagmIJ1OrfXD9RlY0tCNnewSfskcib/VDhQ=',
          'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPK3NckO0pE9Jx9J5TrEdjHJQb+2G0wZLCrsu3BzxC+K',
        ],
      },
      ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: key.stringValue }),
      virtualIp: new VirtualIp(this, 'VirtualIp', { address: '192.0.2.100/24', authPass: authPass.stringValue }),
      nfsShare: new NfsShare(this, 'NfsShare', { server: '192.0.2.13' }),
    });

    new TerraformOutput(this, 'active_node', { value: pair.activeNode, staticId: true });
    new TerraformOutput(this, 'primary', { value: pair.primary.output, staticId: true });
    new TerraformOutput(this, 'secondary', { value: pair.secondary.output, staticId: true });
  }
}

if (require.main === module) {
  const app = new App();
  new TwoServers(app, 'two-servers');
  app.synth();
}
