import { IConstruct } from 'constructs';
import { FencingModel, DEFAULT_EXPORT_OPTIONS, NodeModel } from './config/model';
import { list, text } from './given';
import { group, instance, Kinds, number, ofKinds, text as textKind, texts, within, WrongKind } from './kinds';
import { Target } from './remote/login';
import { SshAccess } from './ssh-access';

/** The IPv4 addresses that the nodes have towards the NFS server. */
export interface NfsClientAddresses {
  /** Of the primary; the first is the one that it mounts from, from all of them it is kept out when it is fenced. */
  readonly primary: string[];
  /** Of the secondary, likewise. */
  readonly secondary: string[];
}

/** What `NfsFencing.linuxServer` has to know of the server. */
export interface LinuxServerOptions {
  /** How the deploy logs in to the NFS server: as root, or as a user that may use `sudo` (with `sudoPassword` where it asks for one). */
  readonly ssh: SshAccess;

  /**
   * Public host keys of the NFS server, one `type base64` line each. The nodes verify them, too, so they are required even where
   * `ssh` ignores host keys.
   */
  readonly hostKeys: string[];

  /**
   * Name or address of the server for the SSH connections of the deploy. The nodes always use `nfsShare.server`. Where it is a token, what
   * it comes from is replaced create-first; so is what `port`, `hostKeys`, `name` and a bastion come from.
   *
   * @default - nfsShare.server
   */
  readonly host?: string;

  /**
   * Port of sshd on the server, for the deploy.
   *
   * @default 22
   */
  readonly port?: number;

  /**
   * Port of sshd on the server, for the nodes.
   *
   * @default - port
   */
  readonly nodePort?: number;

  /**
   * Name of this pair on the server: 1 to 63 letters, digits, `.`, `_`, `-`. No other pair that uses the server may have it. To change it, switch fencing off
   * with one deploy, and on with the next. A pair that was deployed from another construct path gives that one.
   *
   * @default - the construct path of the pair
   */
  readonly name?: string;

  /**
   * Addresses from which the nodes mount the share. The preflight of each node compares.
   *
   * @default - the host of each node, where that is an IPv4 address
   */
  readonly clientAddresses?: NfsClientAddresses;

  /**
   * Options of the exports, one per element; `rw`, `sync` and `no_root_squash` must be among them, and no `fsid`, for there are two exports.
   *
   * @default - rw, sync, no_subtree_check, no_root_squash
   */
  readonly exportOptions?: string[];
}

const KINDS: Kinds<LinuxServerOptions> = {
  ssh: instance(SshAccess, 'an SshAccess'),
  hostKeys: texts,
  host: textKind,
  port: number,
  nodePort: number,
  name: textKind,
  clientAddresses: group<NfsClientAddresses>({ primary: texts, secondary: texts }),
  exportOptions: texts,
};

/**
 * Fencing at the share: the node that takes over has the NFS server shut the other one out first. A takeover after a power cut then waits
 * for the server's answer, not for the lease: by design the services begin to start 12 s after the cut, on the lab's emulated machines it was
 * 30.7 to 58.1 s. A node that was frozen and wakes up finds every write denied.
 *
 * Guide: "Configure Network File System (NFS) for shared storage", which has nothing of the kind.
 */
export class NfsFencing {
  /**
   * By a Linux server (Debian or RHEL family, kernel 5.3 or later) that the deploy may set up: it gets a small script, a user whose keys run
   * nothing but that script, and exports of its own for each node in `/etc/exports.d`. Its `/etc/exports` is not touched; an export in it
   * that reaches the share for a node makes the deploy stop, before anything is changed. IPv4 only.
   *
   * A resource that the server's address for the deploy, its host keys or a bastion come from is replaced create-first from then on, whatever its own
   * `lifecycle` says: Terraform spreads the `create_before_destroy` that the removal from the server needs. Where the new one cannot be there beside the old
   * one (a fixed address, a disk, a name), give a literal or a variable as `host`.
   */
  public static linuxServer(options: LinuxServerOptions): NfsFencing {
    return new NfsFencing(options);
  }

  /** @internal */
  public readonly _wrong: WrongKind[];
  private readonly options: LinuxServerOptions;

  private constructor(given: LinuxServerOptions) {
    const { props, wrong } = ofKinds(given, KINDS);
    this.options = props;
    this._wrong = [...wrong, ...within('ssh', props.ssh?._wrong ?? [])];
  }

  /** @internal */
  public get _ssh(): SshAccess {
    return this.options.ssh ?? SshAccess._none;
  }

  /**
   * What the program has to give, as it was given.
   *
   * @internal
   */
  public get _required(): object {
    const { hostKeys, clientAddresses, exportOptions, ssh } = this.options;
    return { hostKeys, ...(clientAddresses && { clientAddresses }), ...(exportOptions && { exportOptions }), ssh: ssh && ssh._required };
  }

  /** @internal */
  public _target(pair: IConstruct, server: string): Target {
    const { host, port, hostKeys } = this.options;
    return { host: text(host ?? server), port: port ?? 22, hostKeys: list(hostKeys), login: this._ssh._completeLogin(pair) };
  }

  /** @internal */
  public _model(pair: IConstruct, server: string, primary: NodeModel, secondary: NodeModel): FencingModel {
    const { host, nodePort, hostKeys, clientAddresses, exportOptions, name } = this.options;
    const port = this.options.port ?? 22;
    const addresses = clientAddresses ?? { primary: [primary.host], secondary: [secondary.host] };
    const ofNodes = { primaryAddresses: addresses.primary, secondaryAddresses: addresses.secondary, primaryHostKeys: primary.hostKeys, secondaryHostKeys: secondary.hostKeys };
    return {
      name: name ?? nameOf(pair),
      host: host ?? server,
      port,
      nodePort: nodePort ?? port,
      hostKeys,
      exportOptions: exportOptions ?? DEFAULT_EXPORT_OPTIONS,
      ...ofNodes,
    };
  }
}

/** The construct path, as far as it fits into a name. */
function nameOf(pair: IConstruct): string {
  return pair.node.path.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(-63).replace(/^[^A-Za-z0-9]+/, '') || 'pair';
}
