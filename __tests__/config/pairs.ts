import {
  DEFAULT_EXPORT_PATH,
  DEFAULT_FSTAB_OPTIONS,
  DEFAULT_VIRTUAL_ROUTER_ID,
  GUIDE_MOUNT_OPTIONS,
  GUIDE_SERVICES,
  NodeModel,
  PairModel,
} from '../../lib/config/model';

/** Public halves of two throw-away keys. */
export const HOST_KEYS = {
  primary: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIOrXrAhkbdyWTDBqIZe6TUdhYavh+DeyrAv8igRSk3R',
  secondary: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMimHm4mgpWO0C72YuSXoEGvX6nWZIgNrQG8oyvnX1s7',
};

const node = (role: 'primary' | 'secondary', host: string): NodeModel => ({
  name: role === 'primary' ? 'nim-a' : 'nim-b',
  role,
  host,
  port: 22,
  networkInterface: 'ens32',
  hostKeys: [HOST_KEYS[role]],
});

/** A pair as the guide has it. Each call makes a new one, so that a test may change its own. */
export function guidePair(changes: Partial<PairModel> = {}): PairModel {
  return {
    primary: node('primary', '192.0.2.11'),
    secondary: node('secondary', '192.0.2.12'),
    virtualIp: { address: '192.0.2.100', virtualRouterId: DEFAULT_VIRTUAL_ROUTER_ID, authPass: 'Pa55-wrd' },
    nfs: {
      server: '192.0.2.13',
      exportPath: DEFAULT_EXPORT_PATH,
      mountOptions: [...GUIDE_MOUNT_OPTIONS],
      fstabOptions: DEFAULT_FSTAB_OPTIONS,
    },
    services: [...GUIDE_SERVICES],
    profile: 'guide',
    installKeepalived: true,
    takeOver: false,
    oidc: false,
    forwardProxy: false,
    ...changes,
  };
}
