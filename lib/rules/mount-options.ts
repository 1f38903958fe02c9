import { isIP } from 'net';
import { REFUSED_OPTIONS } from './refused-options';
import { present, problem, quoted, Rule, RuleInput } from './rule';

const MOUNT_GUIDE = 'Mount NFS on both servers';
const FSTAB_GUIDE = 'Persist NFS mounts';

interface Options {
  path: 'nfsShare.mountOptions' | 'nfsShare.fstabOptions';
  /** As written: one element per option, or what stands between two commas. */
  options: string[];
}

function optionsOf({ nfs }: RuleInput): Options[] {
  return [
    { path: 'nfsShare.mountOptions', options: present(nfs?.mountOptions ?? []) },
    { path: 'nfsShare.fstabOptions', options: nfs?.fstabOptions?.split(',') ?? [] },
  ];
}

const refusals: Rule[] = REFUSED_OPTIONS.map(({ id, summary, option, demand, todo, only }) => ({
  id,
  summary,
  guide: only === 'nfsShare.fstabOptions' ? FSTAB_GUIDE : MOUNT_GUIDE,
  check: (input) =>
    optionsOf(input)
      .filter(({ path }) => only === undefined || only === path)
      .flatMap(({ path, options }) =>
        // One element may hold several, which is refused as well, but not a way round this.
        options
          .flatMap((text) => text.split(','))
          .filter((text) => option.test(text.trim()))
          .map((text) => problem(path, demand, quoted(text), todo)),
      ),
}));

// Options that decide the same thing under different names. `nolock` and `lock` and the like need no entry.
const SUBJECT = new Map([
  ['soft', 'hard'],
  ['softerr', 'hard'],
  ['ro', 'rw'],
  ['nfsvers', 'vers'],
  ['tcp', 'proto'],
  ['udp', 'proto'],
  ['rdma', 'proto'],
  ['bg', 'fg'],
  ['async', 'sync'],
]);

function subject(option: string): string {
  if (/^v[0-9]/.test(option)) return 'vers';
  const name = option.split('=')[0];
  return SUBJECT.get(name) ?? name.replace(/^no/, '');
}

export const mountOptionRules: Rule[] = [
  {
    id: 'nfs/option-syntax',
    summary: 'An option is one word without spaces, commas, quotes or "#", which fstab and mount would take apart.',
    guide: MOUNT_GUIDE,
    check: (input) => [
      ...(input.nfs?.mountOptions?.length === 0
        ? [problem('nfsShare.mountOptions', 'must have at least one option', 'none', "leave it out for the guide's")]
        : []),
      ...optionsOf(input).flatMap(({ path, options }) =>
        options
          .filter((option) => !/^[A-Za-z0-9._=:/-]+$/.test(option))
          .map((option) =>
            problem(
              path,
              'each option must be one word of letters, digits and "._=:/-"',
              quoted(option),
              'write the options one by one, without spaces',
            ),
          ),
      ),
    ],
  },
  ...refusals,
  {
    id: 'nfs/sync-half',
    summary: 'Both ways to mount the share have "sync", or neither: the first mount is by mountOptions, that of a boot by fstabOptions.',
    guide: FSTAB_GUIDE,
    check: ({ nfs }) => {
      const { mountOptions: mount, fstabOptions: fstab } = nfs ?? {};
      if (!mount?.length || fstab === undefined) return [];
      const inMount = mount.includes('sync');
      if (inMount === fstab.split(',').includes('sync')) return [];
      if (inMount)
        return [problem('nfsShare.fstabOptions', 'must have "sync", for mountOptions has it', quoted(fstab), 'write "defaults,sync"')];
      // A token may be the one that is missed.
      if (mount.includes(undefined)) return [];
      return [problem('nfsShare.mountOptions', 'must have "sync", for fstabOptions has it', quoted(mount.join(',')), 'add it')];
    },
  },
  {
    id: 'nfs/option-family',
    summary: 'The protocol in the options is of the family of the server\'s address: "tcp" is IPv4, "tcp6" is IPv6.',
    guide: MOUNT_GUIDE,
    check: (input) => {
      const version = isIP(input.nfs?.server ?? '');
      if (!version) return [];
      const [wrong, right] = version === 6 ? [/^(?:proto=)?(tcp|udp|rdma)$/, '6'] : [/^proto=(tcp|udp|rdma)6$/, ''];
      return optionsOf(input).flatMap(({ path, options }) =>
        options
          .filter((option) => wrong.test(option))
          .map((option) =>
            problem(path, `must be of IPv${version}, as the server's address is, or mount does not find it`, quoted(option), `write "proto=${wrong.exec(option)![1]}${right}"`),
          ),
      );
    },
  },
  {
    id: 'nfs/option-repeated',
    summary: 'No option is given twice or contradicted: one of the two is ignored without a word.',
    guide: MOUNT_GUIDE,
    check: (input) =>
      optionsOf(input).flatMap(({ path, options }) =>
        options
          .map((option, index) => ({
            option,
            earlier: options.slice(0, index).find((other) => subject(other) === subject(option)),
          }))
          // systemd's own may come several times: x-systemd.requires=a,x-systemd.requires=b
          .filter(({ option, earlier }) => earlier !== undefined && !option.startsWith('x-'))
          .map(({ option, earlier }) =>
            problem(
              path,
              'one of two options is ignored without a word',
              `${quoted(earlier!)} and ${quoted(option)}`,
              'keep one of them',
            ),
          ),
      ),
  },
];
