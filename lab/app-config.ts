import * as path from 'node:path';
import { GUIDE_MOUNT_OPTIONS } from '../lib/config/model';
import type { Lab } from './lab';

/** Name of the pair, and so of its stack. */
export const STACK = 'demo';

/** With `sync`, as the README advises: without it a share that fills up may cost acknowledged rows. */
export function labShare(lab: Lab, exportPath: string, fencing: boolean): object {
  const { nfsServer: server, fencing: there } = lab.config();
  return { server, exportPath, mountOptions: [...GUIDE_MOUNT_OPTIONS, 'sync'], fstabOptions: 'defaults,sync', ...(fencing && { fencing: there }) };
}

/** The reference app's config file for this lab. */
export function appConfig(lab: Lab, directory: string, fencing: boolean, more: object = {}): object {
  const { primary, secondary, user, virtualIp, nfsExportPath } = lab.config();
  return {
    backend: { local: { path: path.join(directory, '{pair}.tfstate') } },
    pairs: {
      [STACK]: {
        primary,
        secondary,
        ssh: { user },
        virtualIp: { address: virtualIp },
        nfsShare: labShare(lab, nfsExportPath, fencing),
        ...more,
      },
    },
  };
}
