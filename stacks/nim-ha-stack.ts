import { LocalProvider } from '@cdktf/provider-local/lib/provider';
import { NullProvider } from '@cdktf/provider-null/lib/provider';
import { TerraformOutput, TerraformStack, TerraformVariable } from 'cdktf';
import { Construct } from 'constructs';
import { MonitoredService, NfsFencing, NfsShare, NimHaPair, SshAccess, VirtualIp } from '../lib';
import { ConfiguredBackend } from './backend';
import type { Config, NodeConfig, PairConfig, SshConfig } from './config-model';
import { secretVariable } from './secret-variable';

export interface NimHaStackProps {
  readonly pair: PairConfig;
  readonly backend?: Config['backend'];
  /** Whether the secret variables are kept out of plan files. */
  readonly ephemeralSecrets: boolean;
}

/** One pair as a stack of its own: the providers, the secret variables, the backend, the outputs. */
export class NimHaStack extends TerraformStack {
  constructor(scope: Construct, id: string, private readonly props: NimHaStackProps) {
    super(scope, id);
    const { virtualIp, nfsShare, ssh, primary, secondary, monitoredServices, ...rest } = props.pair;
    this.addProviders();
    for (const [type, settings] of Object.entries(props.backend ?? {})) {
      new ConfiguredBackend(this, type, settings);
    }
    const { authPassVariable = 'auth_pass', ...address } = virtualIp;
    const access = this.sshAccess(ssh);

    const pair = new NimHaPair(this, 'nim_ha', {
      ...rest,
      primary: node(primary),
      secondary: node(secondary),
      ssh: access,
      virtualIp: new VirtualIp(this, 'virtual_ip_address', {
        ...address,
        authPass: this.secret(authPassVariable, 'the VRRP password of the pair', '^[A-Za-z0-9._-]{1,8}$', '1 to 8 characters of A-Z a-z 0-9 . _ -'),
      }),
      nfsShare: this.nfsShare(nfsShare, access),
      monitoredServices: monitoredServices?.map((name) => MonitoredService.of(name)),
    });

    this.output('virtual_ip', virtualIp.address);
    this.output('primary', pair.primary.output);
    this.output('secondary', pair.secondary.output);
    this.output('active_node', pair.activeNode);
  }

  /** The NFS server is logged in to as the nodes are, if nothing else is said. */
  private nfsShare({ fencing, ...share }: PairConfig['nfsShare'], nodes: SshAccess): NfsShare {
    const { ssh, ...server } = fencing ?? { hostKeys: [] };
    return new NfsShare(this, 'nfs_share', {
      ...share,
      fencing: fencing && NfsFencing.linuxServer({ ...server, ssh: ssh ? this.sshAccess(ssh) : nodes }),
    });
  }

  /** The bindings ask for one exact version each; any later one of the same line does as well. */
  private addProviders(): void {
    new NullProvider(this, 'null');
    new LocalProvider(this, 'local');
    this.addOverride('terraform.required_providers.null.version', '~> 3.2');
    this.addOverride('terraform.required_providers.local.version', '~> 2.6');
  }

  private sshAccess({ user, timeout, login = 'private-key', privateKeyFile = '', variable, sudoPasswordVariable, bastion, ignoreHostKeys }: SshConfig): SshAccess {
    const sudoPassword = sudoPasswordVariable && this.secret(sudoPasswordVariable, 'the password for sudo', '.', 'at least one character');
    const options = { user, timeout, sudoPassword };
    const ways: { [login: string]: () => SshAccess } = {
      'private-key': () =>
        SshAccess.withPrivateKey({ ...options, privateKey: this.secret(variable ?? 'ssh_private_key', 'the private key for SSH', 'PRIVATE KEY', 'a key in PEM or OpenSSH form') }),
      'private-key-file': () => SshAccess.withPrivateKeyFile({ ...options, path: privateKeyFile }),
      password: () =>
        SshAccess.withPassword({ ...options, password: this.secret(variable ?? 'ssh_password', 'the password for SSH', '.', 'at least one character') }),
      agent: () => SshAccess.withAgent(options),
    };
    const direct = ways[login]();
    const access = bastion ? direct.viaBastion({ ...bastion, hostKeys: bastion.hostKeys ?? [] }) : direct;
    return ignoreHostKeys ? access.ignoringHostKeys() : access;
  }

  private secret(name: string, meaning: string, pattern: string, demand: string): string {
    const known = this.node.tryFindChild(name);
    return known instanceof TerraformVariable ? known.stringValue : secretVariable(this, name, { meaning, pattern, demand, ephemeral: this.props.ephemeralSecrets });
  }

  private output(name: string, value: unknown): void {
    // Without `staticId` cdktf puts a hash into the name.
    new TerraformOutput(this, name, { value, staticId: true });
  }
}

function node(config: NodeConfig): NodeConfig & { hostKeys: string[] } {
  return { hostKeys: [], ...config };
}
