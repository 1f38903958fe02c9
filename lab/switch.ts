import { BROADCAST, FrameDecoder, encodeFrame, ipProtocol, parseArp, parseEthernet, tcpPorts } from './frames';

/** One thing that the wire loses: frames that match, on their way from one port to another. */
export interface DropRule {
  /** Port that the frames come from; default any. */
  readonly from?: string;
  /** Port that they would go to; default any. */
  readonly to?: string;
  /** Which frames; default all. */
  readonly match?: 'vrrp' | 'arp' | 'ssh' | 'ipv4';
}

/** A frame that came in, seen before anything is dropped. */
export type Tap = (port: string, frame: Buffer) => void;

interface Port {
  linkUp: boolean;
  deliver?: (frame: Buffer) => void;
}

/**
 * A learning Ethernet switch whose cables can be pulled. Pure: it moves buffers between functions; sockets are
 * somebody else's.
 */
export class Switch {
  private readonly ports = new Map<string, Port>();
  private readonly learned = new Map<string, string>();
  private readonly taps = new Set<Tap>();
  private rules: DropRule[] = [];

  public addPort(name: string): void {
    this.ports.set(name, { linkUp: true });
  }

  /** Plugs something into a port; what was there before is gone. */
  public attach(name: string, deliver: (frame: Buffer) => void): void {
    this.port(name).deliver = deliver;
  }

  /** Unplugs it, unless something else has taken its place (a machine that was started again). */
  public detach(name: string, deliver: (frame: Buffer) => void): void {
    const port = this.port(name);
    if (port.deliver === deliver) port.deliver = undefined;
  }

  public setLink(name: string, up: boolean): void {
    this.port(name).linkUp = up;
    if (up) return;
    for (const [mac, port] of this.learned) if (port === name) this.learned.delete(mac);
  }

  public setDrops(rules: readonly DropRule[]): void {
    // A rule for a port that is not there would lose nothing, and a fault would be none.
    for (const { from, to } of rules) for (const name of [from, to]) if (name !== undefined) this.port(name);
    this.rules = [...rules];
  }

  public links(): Record<string, 'up' | 'down'> {
    return Object.fromEntries([...this.ports].map(([name, port]) => [name, port.linkUp ? 'up' : 'down']));
  }

  public tap(tap: Tap): () => void {
    this.taps.add(tap);
    return () => this.taps.delete(tap);
  }

  public receive(from: string, frame: Buffer): void {
    const header = parseEthernet(frame);
    if (!header || !this.port(from).linkUp) return;
    this.learned.set(header.source, from);
    const known = header.destination === BROADCAST ? undefined : this.learned.get(header.destination);
    let arrived = false;
    for (const [name, port] of this.ports) {
      if (name === from || (known !== undefined && known !== name)) continue;
      if (!port.linkUp || !port.deliver || this.isDropped(from, name, frame)) continue;
      port.deliver(frame);
      arrived = true;
    }
    if (arrived) for (const tap of this.taps) tap(from, frame);
  }

  private isDropped(from: string, to: string, frame: Buffer): boolean {
    return this.rules.some(
      (rule) => (rule.from ?? from) === from && (rule.to ?? to) === to && (rule.match === undefined || kindOf(frame) === rule.match),
    );
  }

  private port(name: string): Port {
    const port = this.ports.get(name);
    if (!port) throw new Error(`switch: no port '${name}', expected one of ${[...this.ports.keys()].join(', ')}`);
    return port;
  }
}

function kindOf(frame: Buffer): DropRule['match'] {
  const protocol = ipProtocol(frame);
  if (protocol === 112) return 'vrrp';
  if (tcpPorts(frame)?.includes(22)) return 'ssh';
  if (protocol !== undefined) return 'ipv4';
  return parseArp(frame) ? 'arp' : undefined;
}

/** Connects a port to a byte stream that speaks qemu's framing. */
export function plug(
  lan: Switch,
  name: string,
  stream: { on(event: string, listener: (...args: never[]) => void): unknown; write(data: Buffer): boolean; destroy(): void; writableLength: number },
): void {
  const decoder = new FrameDecoder();
  const deliver = (frame: Buffer): void => {
    // A frozen machine reads nothing: a real wire loses its frames rather than keep them for it.
    if (stream.writableLength < 1 << 20) stream.write(encodeFrame(frame));
  };
  lan.attach(name, deliver);
  const gone = (): void => lan.detach(name, deliver);
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const frame of decoder.push(chunk)) lan.receive(name, frame);
    } catch {
      stream.destroy();
    }
  });
  stream.on('close', gone);
  stream.on('error', gone);
}
