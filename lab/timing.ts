import type { Timing } from './faults/fault';
import type { Lab } from './lab';

/** What is in force: the lab's lease, the guide's check interval, and VRRPv2 with an advert every second [RFC 3768]. */
export function timingOf(profile: 'guide' | 'hardened', fencing: boolean, { leaseSeconds: lease, holdDownSeconds: holdDown, accel }: Lab['state']): Timing {
  // Of the node that takes over: the guide's check adds 10 to 100; hardened, the secondary has 100 at the least.
  const skew = (256 - (profile === 'guide' ? 110 : 100)) / 256;
  // Linux believes an entry for at most 45 s, then waits 5 s, then asks the old address thrice. Hardened, keepalived announces every 10 s.
  const arp = profile === 'guide' ? 53 : 10;
  return { fencing, lease, checkInterval: 10, holdDown, skew, masterDown: 3 + skew, arp, start: accel === 'kvm' ? 10 : 30 };
}
