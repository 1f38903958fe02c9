import { ITerraformDependable } from 'cdktf';
import { KeepalivedProfile } from './keepalived-profile';
import { MonitoredService } from './monitored-service';
import { NfsShare } from './nfs-share';
import { OperationMode } from './operation-mode';
import { RemovalPolicy } from './removal-policy';
import { SshAccess } from './ssh-access';
import { VirtualIp } from './virtual-ip';

/** One server with NGINX Instance Manager installed. Strings may be tokens from other resources. */
export interface NodeProps {
  /** Name or address for SSH. */
  readonly host: string;

  /** Interface that carries the virtual IP, such as `ens32`; at most 15 characters. Guide: "Configure keepalived". */
  readonly networkInterface: string;

  /**
   * Public host keys of this machine, one `type base64` line each. Give all of `/etc/ssh/ssh_host_*_key.pub`: the two sides choose
   * one. Per node, so that swapped machines are noticed. Empty only together with `ssh.ignoringHostKeys()`.
   */
  readonly hostKeys: string[];

  /**
   * Name of the node in messages and outputs: 1 to 63 letters, digits, `.`, `_`, `-`. The two must differ.
   *
   * @default - the role, `primary` or `secondary`
   */
  readonly name?: string;

  /**
   * Port of sshd.
   *
   * @default 22
   */
  readonly port?: number;

  /**
   * How to log in to this node.
   *
   * @default - as to the pair
   */
  readonly ssh?: SshAccess;
}

/** Properties of a `NimHaPair`. */
export interface NimHaPairProps {
  /** The server that begins as master. Guide: "Before you begin". */
  readonly primary: NodeProps;

  /** The server that begins as backup. */
  readonly secondary: NodeProps;

  /** How to log in to the nodes. */
  readonly ssh: SshAccess;

  /** The address of the pair. Guide: "Reserve a virtual IP address". */
  readonly virtualIp: VirtualIp;

  /** The shared storage. Guide: "Configure Network File System (NFS) for shared storage". */
  readonly nfsShare: NfsShare;

  /**
   * The services that run on the active node only. Guide: "Define monitored services".
   *
   * @default - the guide's six, in its order
   */
  readonly monitoredServices?: MonitoredService[];

  /**
   * Written to `/etc/nms/nms.conf` on both nodes. Guide: "Define monitored services".
   *
   * @default - nms.conf is left alone
   */
  readonly operationMode?: OperationMode;

  /**
   * Which keepalived.conf the nodes get. Guide: "Configure keepalived".
   *
   * @default KeepalivedProfile.GUIDE
   */
  readonly profile?: KeepalivedProfile;

  /**
   * Whether the deploy installs keepalived where it is missing, with apt, dnf or yum. Guide: "Install keepalived".
   *
   * @default true
   */
  readonly installKeepalived?: boolean;

  /**
   * Whether the deploy takes over what a pair built by hand has left on the nodes: a `keepalived.conf` of another origin, other lines for
   * the two mount points in `/etc/fstab`, the same exports mounted in another way, and the virtual IP that this `keepalived.conf`
   * names. Services and keepalived are stopped for it on both nodes. What is replaced is kept, and put back by a removal. A mount of
   * another share is refused all the same. Needed for one deploy; take it out again after.
   *
   * @default false - the preflight refuses each of them
   */
  readonly takeOver?: boolean;

  /**
   * Whether the state of the nodes is read: one SSH connection per node and plan.
   *
   * @default true
   */
  readonly observe?: boolean;

  /**
   * Whether files that somebody changed on a node are put right by the next deploy. Costs one more SSH connection per node and plan, by the OpenSSH client: a plan
   * for which it has nothing to log in with (`ssh.observeWith`) is refused. One for which neither node answers may have all steps in it, as if both were new.
   *
   * @default false - drift is reported by `observed`
   */
  readonly repairDrift?: boolean;

  /**
   * What a destroy does on the nodes, and on an NFS server that fences. A machine that another one has replaced, and a server that fences no more, are no
   * part of the pair, and the pair is always taken off them; where host keys are not verified, `RETAIN` leaves them, too.
   *
   * @default RemovalPolicy.RESTORE
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Remove the pair from the nodes with this deploy, and leave nothing else of it in Terraform. Terraform runs no removal
   * for a construct that is deleted from the program, so deploy once with this set, then delete it.
   *
   * @default false
   */
  readonly decommission?: boolean;

  /**
   * What has to be there before anything is done to a machine, and until the pair is removed from the nodes: a rule that lets SSH through, a disk, packages. CDKTF
   * does nothing for `node.addDependency`; validation refuses it. Reading state, and looking for drift, wait for none of it, nor does what takes the pair off an
   * NFS server that fences.
   *
   * @default - what the other props refer to
   */
  readonly dependsOn?: ITerraformDependable[];

  /**
   * Whether users log in with OpenID Connect. Changes nothing on the nodes; refused together with `forwardProxy`. Guide: "Limitations".
   *
   * @default false
   */
  readonly oidc?: boolean;

  /**
   * Whether NGINX Instance Manager runs in forward-proxy mode. Changes nothing on the nodes; refused together with `oidc`.
   *
   * @default false
   */
  readonly forwardProxy?: boolean;
}
