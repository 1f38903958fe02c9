import { arpRequest, parseArp, parseVrrp } from './frames';
import { Outage, Overlap, holdersIn, outagesIn, overlapsIn } from './outages';
import type { Sighting } from './sighting';

export interface ProbeOptions {
  readonly virtualIps: readonly string[];
  readonly mac: string;
  readonly ip: string;
  readonly send: (frame: Buffer) => void;
  readonly now?: () => number;
  /** Milliseconds between two questions. */
  readonly interval?: number;
}

const KEPT_SIGHTINGS = 500_000;

/**
 * Asks every 50 ms who has the virtual IP and writes down who answered; also every VRRP advertisement and every
 * unasked announcement. Nothing on the machines is involved, so that a machine cannot be wrong about itself.
 */
export class Probe {
  private readonly seen: Sighting[] = [];
  private readonly now: () => number;
  private timer?: NodeJS.Timeout;
  private virtualIps: readonly string[];

  public constructor(private readonly options: ProbeOptions) {
    this.now = options.now ?? Date.now;
    this.virtualIps = options.virtualIps;
  }

  /** A pair that moves from one address to another has either of them meanwhile. */
  public setAddresses(virtualIps: readonly string[]): void {
    this.virtualIps = virtualIps;
  }

  public start(): void {
    if (this.timer) return;
    const { mac, ip, send, interval } = this.options;
    this.timer = setInterval(() => this.virtualIps.forEach((address) => send(arpRequest(mac, ip, address))), interval ?? 50);
  }

  public stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  public observe(frame: Buffer): void {
    const arp = parseArp(frame);
    if (arp && this.virtualIps.includes(arp.senderIp)) {
      const kind = arp.gratuitous ? 'announcement' : 'answer';
      // A holder that asks for somebody else's address is neither.
      if (arp.gratuitous || arp.operation === 'reply') this.note({ at: this.now(), kind, mac: arp.senderMac });
      return;
    }
    const vrrp = parseVrrp(frame);
    if (vrrp) {
      const { sourceMac: mac, sourceIp: source, virtualRouterId, priority } = vrrp;
      this.note({ at: this.now(), kind: 'advert', mac, source, virtualRouterId, priority });
    }
  }

  /** Everything seen since a moment of the host's clock. */
  public timeline(since = 0): Sighting[] {
    return this.seen.filter((sighting) => sighting.at >= since);
  }

  /** Who answered for the virtual IP within the last so many milliseconds: one is right, two is split brain. */
  public holders(sinceMs: number): string[] {
    return holdersIn(this.timeline(this.now() - sinceMs));
  }

  public outages(since = 0): Outage[] {
    return outagesIn(this.timeline(since), this.now());
  }

  public overlaps(since = 0): Overlap[] {
    return overlapsIn(this.timeline(since));
  }

  private note(sighting: Sighting): void {
    this.seen.push(sighting);
    if (this.seen.length > KEPT_SIGHTINGS) this.seen.splice(0, KEPT_SIGHTINGS / 10);
  }
}
