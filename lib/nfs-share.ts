import { isIPv6 } from 'net';
import { Construct } from 'constructs';
import { DEFAULT_EXPORT_PATH, DEFAULT_FSTAB_OPTIONS, GUIDE_MOUNT_OPTIONS } from './config/model';
import { instance, Kinds, ofKinds, text, texts, within, WrongKind } from './kinds';
import { NfsFencing } from './nfs-fencing';

/** Properties of an `NfsShare`. */
export interface NfsShareProps {
  /** Address of the NFS server, as both nodes reach it. */
  readonly server: string;

  /**
   * Absolute path of the share on the server. It holds the directories `clickhouse` and `nms`.
   *
   * @default /mnt/nfs_share
   */
  readonly exportPath?: string;

  /**
   * Options for `mount -t nfs4`, one per element, instead of the guide's. Options that break locks (`nolock`, `soft`, NFSv3, ...) are
   * refused. With `sync` (here and in `fstabOptions`) a share that fills up costs nothing that was acknowledged:
   * `[...NfsShare.GUIDE_MOUNT_OPTIONS, 'sync']`. They are in force from the next mount of a node on; for `sync` a deploy mounts anew.
   *
   * @default - the guide's: rw, relatime, vers=4.2, rsize=524288, wsize=524288, namlen=255, hard, proto=tcp, timeo=600,
   * retrans=2, sec=sys; with proto=tcp6 where `server` is an IPv6 address
   */
  readonly mountOptions?: string[];

  /**
   * The options column of the two lines in `/etc/fstab`: what a boot mounts with.
   *
   * @default defaults
   */
  readonly fstabOptions?: string;

  /**
   * Whether, and how, the NFS server shuts a node out that has not ended in order.
   *
   * @default - not at all: a takeover waits until the lease of a dead node has ended, and a node that was frozen for longer can still write
   */
  readonly fencing?: NfsFencing;
}

const KINDS: Kinds<NfsShareProps> = { server: text, exportPath: text, mountOptions: texts, fstabOptions: text, fencing: instance(NfsFencing, 'an NfsFencing') };

/** By "tcp" mount means IPv4, and does not even look for another address. */
function mountOptionsFor(server: string): string[] {
  return isIPv6(server) ? GUIDE_MOUNT_OPTIONS.map((option) => (option === 'proto=tcp' ? 'proto=tcp6' : option)) : [...GUIDE_MOUNT_OPTIONS];
}

/**
 * The shared storage: `clickhouse` is mounted on `/var/lib/clickhouse`, `nms` on `/var/lib/nms`, on both nodes.
 *
 * Guide: "Configure Network File System (NFS) for shared storage". Makes no resources. What is wrong with it is
 * reported by the pair's validation.
 */
export class NfsShare extends Construct {
  /** The options of the guide's `mount` command. */
  public static readonly GUIDE_MOUNT_OPTIONS: string[] = [...GUIDE_MOUNT_OPTIONS];

  /** Address of the NFS server. */
  public readonly server: string;
  /** Absolute path of the share on the server. */
  public readonly exportPath: string;
  /** Options for `mount -t nfs4`. */
  public readonly mountOptions: string[];
  /** The options column in `/etc/fstab`. */
  public readonly fstabOptions: string;
  /** How the NFS server shuts a node out; unset: not at all. */
  public readonly fencing?: NfsFencing;
  /** @internal */
  public readonly _wrong: WrongKind[];

  constructor(scope: Construct, id: string, props: NfsShareProps) {
    super(scope, id);
    const { props: { server, exportPath, mountOptions, fstabOptions, fencing }, wrong } = ofKinds(props, KINDS);
    this.server = server;
    this.exportPath = exportPath ?? DEFAULT_EXPORT_PATH;
    this.mountOptions = mountOptions ?? mountOptionsFor(server);
    this.fstabOptions = fstabOptions ?? DEFAULT_FSTAB_OPTIONS;
    this.fencing = fencing ?? undefined;
    this._wrong = [...wrong, ...within('fencing', fencing?._wrong ?? [])];
  }
}
