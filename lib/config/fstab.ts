import { isIPv6 } from 'net';
import { exportPathOf } from './export-path';
import { MOUNTS, PairModel } from './model';

/** The guide's two lines of `/etc/fstab`. */
export function renderFstab(pair: PairModel): string[] {
  return Object.entries(MOUNTS).map(
    ([directory, mountPoint]) => `${source(pair, directory)} ${mountPoint} nfs ${pair.nfs.fstabOptions} 0 0`,
  );
}

/** `server:/path`. An IPv6 address needs brackets, or its first colon would end the server's name. */
function source(pair: PairModel, directory: string): string {
  const { server } = pair.nfs;
  return `${isIPv6(server) ? `[${server}]` : server}:${exportPathOf(pair.nfs, directory)}`;
}
