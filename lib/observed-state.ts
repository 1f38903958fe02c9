import { Fn, IResolvable, Token } from 'cdktf';

/**
 * What a node says of itself, read when Terraform plans and after an apply that changed something. Every value is a token: known
 * to Terraform, not to the program. An unreachable node is an answer, not an error.
 */
export class ObservedState {
  /**
   * The state of a node that could not be read: every key is always there.
   *
   * @internal
   */
  public static _unknown(reason: string): { [key: string]: unknown } {
    return {
      reachable: null,
      reason,
      vrrp_state: 'UNKNOWN',
      holds_virtual_ip: null,
      holds_lock: null,
      phase: 'UNKNOWN',
      able: null,
      fenced: null,
      keepalived: 'unknown',
      services: {},
      mounts: {},
      config_in_sync: null,
      drifted: [],
      since: '',
    };
  }

  /** All of it, for an output: an object with the names of the getters in snake_case. */
  public readonly value: IResolvable;

  /** @internal */
  public static _of(value: IResolvable): ObservedState {
    return new ObservedState(value);
  }

  private constructor(value: IResolvable) {
    this.value = value;
  }

  /** Boolean: whether the node answered. Null: it was not asked, or there was nothing to log in with; `reason` says which. */
  public get reachable(): IResolvable {
    return this.any('reachable');
  }

  /** Why there is no answer, or why the node could not take over. In words that stay the same as long as the case does, so that plans do. */
  public get reason(): string {
    return this.text('reason');
  }

  /** `MASTER`, `BACKUP`, `FAULT`, `STOP` or `UNKNOWN`. */
  public get vrrpState(): string {
    return this.text('vrrp_state');
  }

  /** Boolean or null: whether the virtual IP is on the node. */
  public get holdsVirtualIp(): IResolvable {
    return this.any('holds_virtual_ip');
  }

  /** Boolean or null: whether the node holds the lock on the share. */
  public get holdsLock(): IResolvable {
    return this.any('holds_lock');
  }

  /** `STANDBY`, `WAITING`, `STARTING`, `ACTIVE`, `FAILED`, `DRAINING`, `ISOLATED`, `FENCED`, `MAINTENANCE` or `UNKNOWN`. */
  public get phase(): string {
    return this.text('phase');
  }

  /** Boolean or null: whether the node may be, or become, the active one. Null: it did not say. */
  public get able(): IResolvable {
    return this.any('able');
  }

  /** Boolean or null: whether the NFS server has shut the node out, or it is not back yet. Null: the pair has no fencing, or there is no answer. */
  public get fenced(): IResolvable {
    return this.any('fenced');
  }

  /** State of the keepalived unit, in systemd's words. */
  public get keepalived(): string {
    return this.text('keepalived');
  }

  /** Monitored service -> state of its unit, in systemd's words. */
  public get services(): { [name: string]: string } {
    return Token.asStringMap(this.any('services'));
  }

  /** Mount point -> what is there: an object with `mounted` (boolean), `source`, `type` and `options`, the last three null where nothing is. */
  public get mounts(): { [path: string]: any } {
    return Token.asAnyMap(this.any('mounts'));
  }

  /** Boolean or null: whether the files on the node are as they were deployed. */
  public get configInSync(): IResolvable {
    return this.any('config_in_sync');
  }

  /**
   * What is not as it was deployed, each as `PATH: what is wrong`. That is `missing`, `content`, `mode` or `owner` of a file, the line that `/etc/fstab` is without,
   * or `not in the boot` of a unit, whose name then stands in the place of the path.
   */
  public get drifted(): string[] {
    return Token.asList(this.any('drifted'));
  }

  /** When the node last changed its phase, RFC 3339 in UTC; empty where that is not known. */
  public get since(): string {
    return this.text('since');
  }

  private any(key: string): IResolvable {
    return Fn.lookupNested(this.value, [key]) as IResolvable;
  }

  private text(key: string): string {
    return Token.asString(this.any(key));
  }
}
