import { publicHostKeys } from './keys';
import { LAN_INTERFACE, LAN_PREFIX, NFS_EXPORT_PATH, NodeName, OPERATOR, SSH_PORT, VIRTUAL_IP, machineNamed } from './machines';
import { privateKey } from './workdir';

/** How to reach one node, in the words of the library's `NodeProps`. */
export interface NodeAccess {
  readonly name: NodeName;
  readonly host: string;
  readonly port: number;
  readonly networkInterface: string;
  readonly hostKeys: readonly string[];
}

export interface LabConfig {
  readonly primary: NodeAccess;
  readonly secondary: NodeAccess;
  readonly user: string;
  readonly privateKeyFile: string;
  /** Address with prefix. */
  readonly virtualIp: string;
  readonly nfsServer: string;
  readonly nfsExportPath: string;
  /** How the deploy reaches the NFS server, in the words of the reference app's config file. The nodes reach it as any host of the LAN. */
  readonly fencing: object;
}

export function labConfig(workdir: string): LabConfig {
  const access = (name: NodeName): NodeAccess => {
    const machine = machineNamed(name);
    return { name, host: machine.sshAddress, port: SSH_PORT, networkInterface: LAN_INTERFACE, hostKeys: publicHostKeys(workdir, machine) };
  };
  return {
    primary: access('node-a'),
    secondary: access('node-b'),
    user: OPERATOR,
    privateKeyFile: privateKey(workdir),
    virtualIp: `${VIRTUAL_IP}/${LAN_PREFIX}`,
    nfsServer: machineNamed('nfs').lanAddress,
    nfsExportPath: NFS_EXPORT_PATH,
    fencing: {
      host: machineNamed('nfs').sshAddress,
      port: SSH_PORT,
      nodePort: 22,
      hostKeys: publicHostKeys(workdir, machineNamed('nfs')),
      clientAddresses: { primary: [machineNamed('node-a').lanAddress], secondary: [machineNamed('node-b').lanAddress] },
    },
  };
}
