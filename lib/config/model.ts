/**
 * What the renderers and the rules know of a pair: plain values, no constructs. A string may hold a Terraform token;
 * a renderer copies it as it is and never looks inside.
 */
export interface NodeModel {
  name: string;
  role: 'primary' | 'secondary';
  host: string;
  port: number;
  networkInterface: string;
  hostKeys: string[];
}

/** The NFS server as far as it fences. Of the addresses of a node the first is the one that it mounts from. */
export interface FencingModel {
  name: string;
  host: string;
  port: number;
  /** As the nodes reach it. */
  nodePort: number;
  hostKeys: string[];
  exportOptions: string[];
  primaryAddresses: string[];
  secondaryAddresses: string[];
  /** By these the server tells a machine from another one at its address. */
  primaryHostKeys: string[];
  secondaryHostKeys: string[];
}

export interface PairModel {
  primary: NodeModel;
  secondary: NodeModel;
  virtualIp: { address: string; virtualRouterId: number; authPass: string; segment?: string };
  nfs: { server: string; exportPath: string; mountOptions: string[]; fstabOptions: string; fencing?: FencingModel };
  services: string[];
  profile: 'guide' | 'hardened';
  operationMode?: 'connected' | 'disconnected';
  installKeepalived: boolean;
  takeOver: boolean;
  oidc: boolean;
  forwardProxy: boolean;
}

/** One file of a node, whole. */
export interface RenderedFile {
  path: string;
  /** Octal, four digits: `0644`. */
  mode: string;
  text: string;
}

/** The guide's `check_nms_services`, in its order. */
export const GUIDE_SERVICES: string[] = [
  'clickhouse-server',
  'nginx',
  'nms-core',
  'nms-dpm',
  'nms-integrations',
  'nms-ingestion',
];

/** The options of the guide's `mount` command. Its line breaks split them into words that mount refuses; one list does not. */
export const GUIDE_MOUNT_OPTIONS: string[] = [
  'rw',
  'relatime',
  'vers=4.2',
  'rsize=524288',
  'wsize=524288',
  'namlen=255',
  'hard',
  'proto=tcp',
  'timeo=600',
  'retrans=2',
  'sec=sys',
];

export const DEFAULT_FSTAB_OPTIONS = 'defaults';
/** The services write as users of their own, and the lock and what is stored must survive the server. The third is what exportfs warns for when it is not said. */
export const DEFAULT_EXPORT_OPTIONS: string[] = ['rw', 'sync', 'no_subtree_check', 'no_root_squash'];
export const DEFAULT_EXPORT_PATH = '/mnt/nfs_share';
export const DEFAULT_VIRTUAL_ROUTER_ID = 251;

/** Stands in keepalived.conf until the node puts the password in: the password itself is in no rendered text. */
export const AUTH_PASS_PLACEHOLDER = '<AUTH_PASSWORD>';

/** Directory below the export path -> where it is mounted. */
export const MOUNTS: Record<'clickhouse' | 'nms', string> = {
  clickhouse: '/var/lib/clickhouse',
  nms: '/var/lib/nms',
};
