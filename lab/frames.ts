/**
 * What is read from, and written to, the wire: the length prefix of qemu's stream netdev, and the few fields of
 * Ethernet, ARP, IPv4 and VRRPv2 that the switch and the probe need.
 */

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const PROTOCOL_VRRP = 112;
const PROTOCOL_TCP = 6;
// Anything longer is no Ethernet frame: the two sides are out of step and the connection is useless.
const LONGEST_FRAME = 0x11000;

/** Prefixes a frame with its length, as qemu's `-netdev stream` expects it. */
export function encodeFrame(frame: Buffer): Buffer {
  const prefixed = Buffer.allocUnsafe(4 + frame.length);
  prefixed.writeUInt32BE(frame.length, 0);
  frame.copy(prefixed, 4);
  return prefixed;
}

/** Cuts a byte stream into frames again; bytes may come in pieces of any size. */
export class FrameDecoder {
  private pending: Buffer = Buffer.alloc(0);

  /** @throws when a length cannot be that of a frame. */
  public push(chunk: Buffer): Buffer[] {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const frames: Buffer[] = [];
    let offset = 0;
    while (this.pending.length - offset >= 4) {
      const length = this.pending.readUInt32BE(offset);
      if (length > LONGEST_FRAME) throw new Error(`a frame of ${length} bytes cannot be: the stream is out of step`);
      if (this.pending.length - offset - 4 < length) break;
      frames.push(this.pending.subarray(offset + 4, offset + 4 + length));
      offset += 4 + length;
    }
    this.pending = this.pending.subarray(offset);
    return frames;
  }
}

export interface Ethernet {
  readonly destination: string;
  readonly source: string;
  readonly type: number;
}

export function parseEthernet(frame: Buffer): Ethernet | undefined {
  if (frame.length < 14) return undefined;
  return { destination: macAt(frame, 0), source: macAt(frame, 6), type: frame.readUInt16BE(12) };
}

export interface Arp {
  readonly operation: 'request' | 'reply';
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetIp: string;
  /** Announces its own address to everybody: what a new VRRP master sends. */
  readonly gratuitous: boolean;
}

export function parseArp(frame: Buffer): Arp | undefined {
  if (frame.length < 42 || frame.readUInt16BE(12) !== ETHERTYPE_ARP) return undefined;
  const operation = frame.readUInt16BE(20);
  if (operation !== 1 && operation !== 2) return undefined;
  const senderIp = ipAt(frame, 28);
  const targetIp = ipAt(frame, 38);
  return {
    operation: operation === 1 ? 'request' : 'reply',
    senderMac: macAt(frame, 22),
    senderIp,
    targetIp,
    gratuitous: senderIp === targetIp,
  };
}

export interface Vrrp {
  readonly sourceIp: string;
  readonly sourceMac: string;
  readonly virtualRouterId: number;
  /** 0 means that the master is leaving. */
  readonly priority: number;
}

export function parseVrrp(frame: Buffer): Vrrp | undefined {
  if (ipProtocol(frame) !== PROTOCOL_VRRP) return undefined;
  const payload = 14 + (frame[14] & 0x0f) * 4;
  // Version and type share a byte; type 1 is the only one there is.
  if (frame.length < payload + 8 || (frame[payload] & 0x0f) !== 1) return undefined;
  return { sourceIp: ipAt(frame, 26), sourceMac: macAt(frame, 6), virtualRouterId: frame[payload + 1], priority: frame[payload + 2] };
}

/** The IPv4 protocol number, or undefined for a frame that carries no IPv4. */
export function ipProtocol(frame: Buffer): number | undefined {
  return frame.length >= 34 && frame.readUInt16BE(12) === ETHERTYPE_IPV4 ? frame[23] : undefined;
}

/** Source and destination of a TCP segment, or undefined for what is none. A later fragment has no ports. */
export function tcpPorts(frame: Buffer): [number, number] | undefined {
  const payload = 14 + (frame[14] & 0x0f) * 4;
  if (ipProtocol(frame) !== PROTOCOL_TCP || frame.length < payload + 4 || (frame.readUInt16BE(20) & 0x1fff) !== 0) return undefined;
  return [frame.readUInt16BE(payload), frame.readUInt16BE(payload + 2)];
}

/** "Who has `targetIp`? Tell me." */
export function arpRequest(fromMac: string, fromIp: string, targetIp: string): Buffer {
  const frame = Buffer.alloc(60);
  writeMac(frame, 0, BROADCAST);
  writeMac(frame, 6, fromMac);
  frame.writeUInt16BE(ETHERTYPE_ARP, 12);
  frame.writeUInt16BE(1, 14);
  frame.writeUInt16BE(ETHERTYPE_IPV4, 16);
  frame[18] = 6;
  frame[19] = 4;
  frame.writeUInt16BE(1, 20);
  writeMac(frame, 22, fromMac);
  writeIp(frame, 28, fromIp);
  writeIp(frame, 38, targetIp);
  return frame;
}

function macAt(frame: Buffer, offset: number): string {
  return [...frame.subarray(offset, offset + 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function ipAt(frame: Buffer, offset: number): string {
  return frame.subarray(offset, offset + 4).join('.');
}

function writeMac(frame: Buffer, offset: number, mac: string): void {
  Buffer.from(mac.replace(/:/g, ''), 'hex').copy(frame, offset);
}

function writeIp(frame: Buffer, offset: number, ip: string): void {
  Buffer.from(ip.split('.').map(Number)).copy(frame, offset);
}
