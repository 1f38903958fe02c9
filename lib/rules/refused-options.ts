/** An option that is refused, and why: mount accepts every one of them without a word. */
export interface RefusedOption {
  id: string;
  option: RegExp;
  summary: string;
  demand: string;
  todo: string;
  /** Refused there only; unset: in both. */
  only?: 'nfsShare.mountOptions' | 'nfsShare.fstabOptions';
}

export const REFUSED_OPTIONS: RefusedOption[] = [
  {
    id: 'nfs/option-breaks-locks',
    option: /^(?:nolock$|local_lock=(?!none$))/,
    summary: 'Locks are held by the NFS server: no `nolock`, no `local_lock=`. A local lock lets both nodes write.',
    demand: 'locks must be held by the server, or both nodes write',
    todo: 'remove it',
  },
  {
    id: 'nfs/version',
    option: /^(?:(?:nfs)?vers=|v(?=[0-9]))(?!4(?:\.[0-2])?$)/,
    summary: 'NFS is version 4: in version 3 the locks of a dead node stay until it is back.',
    demand: 'must be NFS 4, where the lock of a dead node ends with its lease',
    todo: 'write "vers=4.2"',
  },
  {
    id: 'nfs/option-soft',
    option: /^soft(?:err)?$/,
    summary: 'Mounts are `hard`: `soft` and `softerr` give up a write after a while, which can corrupt data.',
    demand: 'a write must wait for the server, one that is given up can corrupt data',
    todo: 'write "hard"',
  },
  {
    id: 'nfs/option-read-only',
    option: /^ro$/,
    summary: 'Mounts are writable.',
    demand: 'the active node must write to the share',
    todo: 'write "rw"',
  },
  {
    id: 'nfs/option-stale-cache',
    option: /^nocto$/,
    summary:
      'Close-to-open consistency stays on: without it a node that takes over may read what the other has since changed.',
    demand: 'a node that takes over must see what the other one wrote',
    todo: 'remove it',
  },
  {
    id: 'nfs/option-background',
    option: /^bg$/,
    summary: 'The deploy waits for its mounts: with `bg` mount reports success before there is one.',
    demand: 'mount must not report success before the share is there',
    todo: 'remove it',
    only: 'nfsShare.mountOptions',
  },
  {
    id: 'nfs/option-not-at-boot',
    option: /^(?:noauto|x-systemd\.automount)$/,
    summary: 'The share is mounted at boot: a standby without it cannot take over.',
    demand: 'the share must be mounted at boot, or the standby cannot take over',
    todo: 'remove it; "nofail" lets a boot go on without the server',
    only: 'nfsShare.fstabOptions',
  },
];
