import { Construct } from 'constructs';
import { DEFAULT_VIRTUAL_ROUTER_ID } from './config/model';
import { Kinds, number, ofKinds, text, WrongKind } from './kinds';

/** Properties of a `VirtualIp`. */
export interface VirtualIpProps {
  /**
   * The reserved IPv4 address, with or without `/prefix`. keepalived takes a missing prefix as `/32`.
   */
  readonly address: string;

  /**
   * Password that the two nodes show each other (VRRP). At most 8 characters out of `A-Z a-z 0-9 . _ -`: keepalived
   * cuts or misreads all else without an error. Give a Terraform variable; a literal ends up in `cdktf.out`.
   */
  readonly authPass: string;

  /**
   * Any text that changes together with `authPass`. When given it takes the place of the hash by which a changed password
   * is noticed. Needed where there is nothing to hash: `authPass` comes from another resource, or is a variable while the
   * login uses the SSH agent.
   *
   * @default - a hash of `authPass` together with the SSH key
   */
  readonly authPassVersion?: string;

  /**
   * VRRP's number of the pair on its network segment, 1 to 255.
   *
   * @default 251, the guide's
   */
  readonly virtualRouterId?: number;

  /**
   * Name of the network segment. Two pairs with the same segment must differ in `virtualRouterId`. A token, such as the id of a subnet, is
   * compared with those of the same stack only.
   *
   * @default - not compared with other pairs; one with the same `virtualRouterId` or address is a warning
   */
  readonly segment?: string;
}

const KINDS: Kinds<VirtualIpProps> = { address: text, authPass: text, authPassVersion: text, virtualRouterId: number, segment: text };

/**
 * The address under which users reach the active node.
 *
 * Guide: "Reserve a virtual IP address". Makes no resources. What is wrong with it is reported by the pair's validation.
 */
export class VirtualIp extends Construct {
  /** The address as given, with its `/prefix` if there is one. */
  public readonly address: string;
  /** Password between the two nodes. */
  public readonly authPass: string;
  /** Text that changes together with `authPass`. */
  public readonly authPassVersion?: string;
  /** VRRP's number of the pair, 1 to 255. */
  public readonly virtualRouterId: number;
  /** Name of the network segment. */
  public readonly segment?: string;
  /** @internal */
  public readonly _wrong: WrongKind[];

  constructor(scope: Construct, id: string, props: VirtualIpProps) {
    super(scope, id);
    const { props: { address, authPass, authPassVersion, virtualRouterId, segment }, wrong } = ofKinds(props, KINDS);
    this.address = address;
    this.authPass = authPass;
    this.authPassVersion = authPassVersion;
    this.virtualRouterId = virtualRouterId ?? DEFAULT_VIRTUAL_ROUTER_ID;
    this.segment = segment;
    this._wrong = wrong;
  }
}
