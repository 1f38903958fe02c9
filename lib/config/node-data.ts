import { renderFiles } from './files';
import { renderFstab } from './fstab';
import { NodeModel, PairModel } from './model';

/** Text -> base64. For text with a token in it only Terraform can do that, so the caller brings the function. */
export type Encode = (text: string) => string;

/** For text without tokens. */
export const encodeLiteral: Encode = (text) => Buffer.from(text).toString('base64');

/**
 * The keys of `node.data` with their values, in the order of ARCHITECTURE.md. `extra` adds keys that the model does not
 * know (`GENERATION`) or replaces one; `encode` packs the text of each file inside the value of `FILES`.
 */
export function nodeDataEntries(
  pair: PairModel,
  node: NodeModel,
  extra: Record<string, string> | undefined,
  encode: Encode,
): Array<[string, string]> {
  const peer = node.role === 'primary' ? pair.secondary : pair.primary;
  const values: Record<string, string> = {
    NAME: node.name,
    ROLE: node.role,
    HOST: node.host,
    PEER_HOST: peer.host,
    PEER_NAME: peer.name,
    INTERFACE: node.networkInterface,
    VIRTUAL_IP: pair.virtualIp.address,
    VIRTUAL_ROUTER_ID: String(pair.virtualIp.virtualRouterId),
    PROFILE: pair.profile,
    NFS_SERVER: pair.nfs.server,
    NFS_EXPORT_PATH: pair.nfs.exportPath,
    MOUNT_OPTIONS: pair.nfs.mountOptions.join(','),
    SERVICES: pair.services.join(' '),
    OPERATION_MODE: pair.operationMode ?? '',
    INSTALL_KEEPALIVED: pair.installKeepalived ? 'yes' : 'no',
    TAKE_OVER: pair.takeOver ? 'yes' : 'no',
    FILES: renderFiles(pair, node)
      .map((file) => `${file.mode} ${file.path} ${encode(file.text)}`)
      .join('\n'),
    FSTAB: renderFstab(pair).join('\n'),
    ...fencingEntries(pair, node),
    ...extra,
  };
  return Object.entries(values);
}

/** What a node has to know to ask for a fence. Without fencing nothing: the data is as it always was. */
function fencingEntries({ nfs }: PairModel, { role }: NodeModel): Record<string, string> {
  if (!nfs.fencing) {
    return {};
  }
  const { nodePort, hostKeys, primaryAddresses, secondaryAddresses } = nfs.fencing;
  return {
    FENCE_SERVER: nfs.server,
    FENCE_PORT: String(nodePort),
    FENCE_HOST_KEYS: hostKeys.join('\n'),
    FENCE_ADDRESSES: (role === 'primary' ? primaryAddresses : secondaryAddresses).join(' '),
  };
}

/** `node.data`: one `KEY=<base64>` per line. Base64, so that no value can end its line or mean anything to a shell. */
export function renderNodeData(entries: Array<[string, string]>, encode: Encode): string {
  return entries.map(([key, value]) => `${key}=${encode(value)}\n`).join('');
}
