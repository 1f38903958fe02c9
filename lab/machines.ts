/** The three machines of the lab and their addresses: the one place that knows them. */

export type NodeName = 'node-a' | 'node-b';
/** In the order of their roles: primary, secondary. */
export const NODES: readonly NodeName[] = ['node-a', 'node-b'];

export type MachineName = NodeName | 'nfs';

export interface Machine {
  readonly name: MachineName;
  /** Address on the LAN, where VRRP, ARP and NFS happen. */
  readonly lanAddress: string;
  readonly lanMac: string;
  /** Address on this machine's loopback range that leads to the virtual machine's SSH port. */
  readonly sshAddress: string;
  readonly memoryMiB: number;
}

export const SSH_PORT = 2222;
export const LAN_INTERFACE = 'lan0';
export const LAN_PREFIX = 24;
export const VIRTUAL_IP = '10.77.0.100';
export const PROBE_ADDRESS = '10.77.0.250';
export const PROBE_MAC = '52:54:00:77:00:fa';
export const OPERATOR = 'ops';
export const NFS_EXPORT_PATH = '/mnt/nfs_share';

/** The middle of 127.N.0.x; another lab on the same machine takes another one. */
function loopbackOctet(): number {
  const text = process.env.NIM_HA_LAB_OCTET ?? '77';
  const octet = Number(text);
  if (!Number.isInteger(octet) || octet < 1 || octet > 254) {
    throw new Error(`NIM_HA_LAB_OCTET: got '${text}', expected a number from 1 to 254`);
  }
  return octet;
}

function machine(name: MachineName, host: number, memoryMiB: number): Machine {
  return {
    name,
    lanAddress: `10.77.0.${host}`,
    lanMac: `52:54:00:77:00:${host.toString(16).padStart(2, '0')}`,
    sshAddress: `127.${loopbackOctet()}.0.${host}`,
    memoryMiB,
  };
}

export const MACHINES: readonly Machine[] = [
  machine('node-a', 11, 1024),
  machine('node-b', 12, 1024),
  machine('nfs', 13, 512),
];

export function machineNamed(name: MachineName): Machine {
  return MACHINES.find((candidate) => candidate.name === name)!;
}

/** The name that belongs to a MAC address, or the address itself for a stranger. */
export function nameOfMac(mac: string): string {
  return MACHINES.find((candidate) => candidate.lanMac === mac || secondMac(candidate) === mac)?.name ?? mac;
}

/** Of a second network card that a machine may be given. */
export function secondMac({ lanMac }: Machine): string {
  return lanMac.replace(/00:(\w+)$/, '01:$1');
}
