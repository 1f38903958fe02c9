/**
 * Which `keepalived.conf` the nodes get.
 *
 * Guide: "Configure keepalived".
 */
export enum KeepalivedProfile {
  /** The guide's block, byte for byte but for its placeholders. */
  GUIDE = 'guide',
  /**
   * The guide's block with unequal priorities, no preemption and script security: two nodes that start at the same
   * moment cannot both become master. It departs from the guide, which asks for no changes to keepalived.
   */
  HARDENED = 'hardened',
}
