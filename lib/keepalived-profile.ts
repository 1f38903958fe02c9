/**
 * Which `keepalived.conf` the nodes get.
 *
 * Guide: "Configure keepalived".
 */
export enum KeepalivedProfile {
  /** The guide's block, byte for byte but for its placeholders. */
  GUIDE = 'guide',
  /**
   * The guide's block with unequal priorities, no preemption, script security and a delay at the start: two nodes that start at the
   * same moment cannot both become master, a failed check gives the virtual IP up even if no peer is heard, and the address is announced
   * every ten seconds, so that clients leave a second master soon. It departs from the guide, which asks for no changes to keepalived. A
   * node that starts alone has the virtual IP five seconds later.
   */
  HARDENED = 'hardened',
}
