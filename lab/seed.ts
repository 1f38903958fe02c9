import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { HOST_KEY_TYPES } from './keys';
import { STAND_INS } from './ledger';
import { LAN_PREFIX, MACHINES, Machine, NFS_EXPORT_PATH, OPERATOR } from './machines';
import type { LabState } from './state';
import { TarEntry, tarFile } from './tar';
import { hostKey, privateKey, seedFile } from './workdir';

// Given by image/customize.sh.
const OPERATOR_UID = 1000;
const NMS_UID = 990;
// Enabled at boot on both nodes, as the vendor's install guide leaves them.
const NODE_UNITS = ['clickhouse-server', 'nginx', 'nms', ...STAND_INS];
const NFS_UNITS = ['rpcbind', 'nfs-server', 'nginx'];

/** Writes the second disk of a machine: a tar file with everything in which it differs from the image. */
export function writeSeed({ workdir, image, leaseSeconds, holdDownSeconds }: LabState, machine: Machine): void {
  const entries = [
    ...tree('guest/all', ''),
    ...identity(machine),
    ...access(workdir, machine),
    ...(machine.name === 'nfs' ? nfsServer(image.aptRepository, leaseSeconds) : node(holdDownSeconds)),
  ];
  fs.writeFileSync(seedFile(workdir, machine.name), tarFile(entries), { mode: 0o600 });
}

function identity(machine: Machine): TarEntry[] {
  const hosts = ['127.0.0.1 localhost', ...MACHINES.map(({ lanAddress, name }) => `${lanAddress} ${name}`)];
  const interfaces = [
    'auto lo lan0 mgmt0',
    'iface lo inet loopback',
    `iface lan0 inet static\n  address ${machine.lanAddress}/${LAN_PREFIX}`,
    // qemu's user network: only SSH comes in, nothing goes out.
    'iface mgmt0 inet static\n  address 10.0.2.15/24',
  ];
  return [
    file('/etc/hostname', `${machine.name}\n`),
    file('/etc/machine-id', `${randomBytes(16).toString('hex')}\n`, 0o444),
    file('/etc/hosts', `${hosts.join('\n')}\n`),
    file('/etc/network/interfaces', `${interfaces.join('\n')}\n`),
  ];
}

function access(workdir: string, machine: Machine): TarEntry[] {
  const home = `/home/${OPERATOR}`;
  const owner = { uid: OPERATOR_UID };
  return [
    { path: `${home}/.ssh`, type: 'dir', mode: 0o700, ...owner },
    { ...file(`${home}/.ssh/authorized_keys`, fs.readFileSync(`${privateKey(workdir)}.pub`, 'utf8'), 0o600), ...owner },
    ...HOST_KEY_TYPES.flatMap((type) => {
      const key = hostKey(workdir, machine.name, type);
      const inside = `/etc/ssh/ssh_host_${type}_key`;
      return [file(inside, fs.readFileSync(key, 'utf8'), 0o600), file(`${inside}.pub`, fs.readFileSync(`${key}.pub`, 'utf8'))];
    }),
  ];
}

function node(holdDownSeconds: number): TarEntry[] {
  const part = read('stand-ins/nms-part.service');
  return [
    ...tree('guest/node', ''),
    { path: '/var/lib/nms', type: 'dir', mode: 0o755, uid: NMS_UID },
    { path: '/usr/lib/nms', type: 'dir', mode: 0o755 },
    file('/usr/lib/nms/stand-in.pl', read('stand-ins/stand-in.pl'), 0o755),
    file('/etc/systemd/system/nms.service', read('stand-ins/nms.service')),
    { path: '/etc/systemd/system/nim-ha-agent.service.d', type: 'dir', mode: 0o755 },
    file('/etc/systemd/system/nim-ha-agent.service.d/lab.conf', `[Service]\nEnvironment=NIM_HA_HOLD_DOWN=${holdDownSeconds}\n`),
    ...STAND_INS.map((name) => file(`/etc/systemd/system/${name}.service`, part)),
    ...enabled(NODE_UNITS),
  ];
}

function nfsServer(aptRepository: string, leaseSeconds: number): TarEntry[] {
  const times = `[nfsd]\nlease-time=${leaseSeconds}\ngrace-time=${leaseSeconds}\n`;
  return [
    ...tree('guest/nfs', ''),
    file('/etc/nfs.conf.d/lab.conf', times),
    ...['', '/clickhouse', '/nms'].map((part): TarEntry => ({ path: `${NFS_EXPORT_PATH}${part}`, type: 'dir', mode: 0o755 })),
    { path: '/srv/apt', type: 'dir', mode: 0o755 },
    ...fs.readdirSync(aptRepository).map((name) => file(`/srv/apt/${name}`, fs.readFileSync(path.join(aptRepository, name)))),
    ...enabled(NFS_UNITS),
  ];
}

/** What `systemctl enable` would link. */
function enabled(units: readonly string[]): TarEntry[] {
  return units.map((name) => {
    const vendor = name === 'nms' || STAND_INS.includes(name) ? '/etc/systemd/system' : '/lib/systemd/system';
    const link = `/etc/systemd/system/multi-user.target.wants/${name}.service`;
    return { path: link, type: 'link', mode: 0o777, target: `${vendor}/${name}.service` };
  });
}

function tree(source: string, inside: string): TarEntry[] {
  const root = path.join(__dirname, source);
  return fs.readdirSync(root, { withFileTypes: true }).flatMap((entry): TarEntry[] => {
    const target = `${inside}/${entry.name}`;
    if (entry.isDirectory()) return [{ path: target, type: 'dir', mode: 0o755 }, ...tree(`${source}/${entry.name}`, target)];
    const mode = target.endsWith('.sh') ? 0o755 : 0o644;
    return [file(target, fs.readFileSync(path.join(root, entry.name)), mode)];
  });
}

function read(name: string): string {
  return fs.readFileSync(path.join(__dirname, name), 'utf8');
}

function file(name: string, content: string | Buffer, mode = 0o644): TarEntry {
  return { path: name, type: 'file', mode, content: Buffer.from(content) };
}
