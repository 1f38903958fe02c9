import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { handOver, NOBODY, plantTree, writeInTree } from './nobody';

const SCRIPTS = path.join(__dirname, '..', '..', 'scripts', 'server');
/** Where they are uploaded to. */
const UPLOAD = 'upload';
const [A, B, ELSE] = ['10.77.0.11', '10.77.0.12', '10.77.0.50'];
const EXPORTS = ['/mnt/share/clickhouse', '/mnt/share/nms'];
const OPTIONS = 'rw,sync,no_root_squash';
const FILE_OF = (node: string, pair = 'pair'): string => `etc/exports.d/nim-ha-${pair}@${node}.exports`;
const KEYS = 'var/lib/nim-ha-fence/.ssh/authorized_keys';
const FENCE_NAME = '11111111-2222-3333-4444-555555555555';
const lines = (all: string[]): string => all.map((line) => `${line}\n`).join('');
/** What sshd -T says on Debian 12, as far as it matters here. */
const SSHD = lines(['port 22', 'pubkeyauthentication yes', 'pubkeyacceptedalgorithms ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,rsa-sha2-512', 'forcecommand none', 'chrootdirectory none', 'authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2', 'authenticationmethods any', 'usedns no']);
const NOTHING_TO_DO = expect.stringMatching(/nothing was to be done$/);

/** What the tree has of its own; $here is the tree. */
const STAND_INS = {
  exportfs: `table="$here/var/lib/nfs/etab"
case "$1" in
  -u) where="\${2#*:} \${2%%:*}"; while read -r path client; do [ "$path \${client%%(*}" = "$where" ] || echo "$path $client"; done <"$table" >"$table.new"; cat "$table.new" >"$table"; /bin/rm "$table.new" ;;
  -i) where="\${4#*:} \${4%%:*}"; while read -r path client; do [ "$path \${client%%(*}" = "$where" ] || echo "$path $client"; done <"$table" >"$table.new"; cat "$table.new" >"$table"; /bin/rm "$table.new"; echo "$where($3)" >>"$table"; sort -o "$table" "$table" ;;
  -f) ;;
  *) exit 9 ;;
esac`,
  getent: 'grep "^$2:" "$here/etc/passwd"',
  id: 'echo root',
  logger: 'exit 0',
  mount: 'exit 0',
  sshd: '[[ $# = 3 && "$1 $2" = "-T -C" && $3 =~ ^user=nim-ha-fence,host=([0-9.]+),addr=([0-9.]+)$ && ${BASH_REMATCH[1]} = "${BASH_REMATCH[2]}" ]] && cat "$here/sshd/all" "$here/sshd/${BASH_REMATCH[1]}" 2>/dev/null; [ -s "$here/sshd/all" ]',
  sudo: '[ "$1" = -n ] && echo "$# $3 $4" >>"$here/asked" && exec "$here$2" "${@:3}"',
  unshare: 'shift; exec "$@"',
  useradd: `[ "$*" = "--system --user-group --home-dir /var/lib/nim-ha-fence --no-create-home --shell /bin/sh --password * nim-ha-fence" ] || exit 9
echo "nim-ha-fence:x:990:990::/var/lib/nim-ha-fence:/bin/sh" >>"$here/etc/passwd"`,
  userdel: 'grep -v "^$1:" "$here/etc/passwd" >"$here/etc/passwd-"; cat "$here/etc/passwd-" >"$here/etc/passwd"; /bin/rm "$here/etc/passwd-"',
  visudo: '[ "$1" = -cf ] && [ "$(stat -c %a "$2")" = 440 ] && grep -q "^nim-ha-fence ALL=" "$2"',
};
const REAL = ['apt-get', 'bash', 'cat', 'chmod', 'dd', 'flock', 'grep', 'mkdir', 'mv', 'readlink', 'rm', 'rmdir', 'sed', 'setsid', 'sleep', 'sort', 'stat', 'sync', 'timeout', 'tr', 'uname'];
/** Everything that changes something by being run. */
const STEPS = ['exportfs', 'mkdir', 'mv', 'rm', 'rmdir', 'useradd', 'userdel', 'visudo'];

let root: string;
const at = (name: string): string => path.join(root, name);
const read = (name: string): string => (fs.existsSync(at(name)) ? fs.readFileSync(at(name), 'utf8') : '');
const write = (name: string, text: string | Buffer, mode = 0o644): void => writeInTree(root, name, text, mode);
const exported = (address: string, exports = EXPORTS, options = OPTIONS): string => lines(exports.map((each) => `${each} ${address}(${options})`));
const settings = (exports = EXPORTS, options = OPTIONS, nodes = [`node-a ${A}`, `node-b ${B} 192.0.2.12`]): string =>
  lines([...exports.map((each) => `EXPORT=${each}`), `OPTIONS=${options}`, ...nodes.map((each) => `NODE=${each}`)]);
const otherPair = (): string => settings(['/mnt/two'], OPTIONS, ['node-a 10.77.0.21', 'node-b 10.77.0.22']);
const keyOf = (letter: string): string => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.toUpperCase()}${letter.repeat(41)}w`;

function plant(): void {
  root = plantTree('nim-ha-setup-');
  for (const name of fs.readdirSync(SCRIPTS)) write(`${UPLOAD}/${name}`, fs.readFileSync(path.join(SCRIPTS, name)));
  for (const [name, text] of Object.entries(STAND_INS)) write(`bin/${name}`, `#!/bin/bash\nhere="\${0%/*/*}"\n${text}\n`, 0o755);
  // What is not on every machine is never run.
  for (const name of REAL) fs.symlinkSync(['/bin', '/usr/bin'].map((dir) => `${dir}/${name}`).find((file) => fs.existsSync(file)) ?? '/bin/true', at(`bin/${name}`));
  for (const name of ['usr/local/lib', 'run', 'etc/exports.d', 'etc/sudoers.d', 'proc/fs/nfsd/clients', 'mnt/two', ...EXPORTS.map((each) => each.slice(1))]) fs.mkdirSync(at(name), { recursive: true });
  write('proc/fs/nfsd/threads', '8\n');
  write('proc/self/mountinfo', `22 1 8:1 / ${root} rw - ext4 /dev/sda1 rw\n`);
  write('sshd/all', SSHD);
  write('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n');
  write('var/lib/nfs/etab', `/mnt/else *(rw)\n`);
  write('etc/exports', '# the site\n/mnt/else *(rw)\n');
}
beforeEach(plant);
afterEach(() => fs.rmSync(root, { recursive: true }));

interface Said {
  code: number | null;
  said: string;
}
function setup(verb: string, { pair = 'pair', input = settings() as string | Buffer, env = {} as Record<string, string>, from = UPLOAD } = {}): Said {
  handOver(root);
  const run = spawnSync('setsid', ['/bin/bash', at(`${from}/setup.sh`), verb, pair], { encoding: 'utf8', input, cwd: root, env: { PATH: at('bin'), NIM_HA_ROOT: root, ...env }, timeout: 60_000, ...NOBODY });
  return { code: run.status, said: (run.stdout + run.stderr).trim() };
}
const idsIn = (said: string): string[] => [...said.matchAll(/FAILED \[(.*?)\]/g)].map((match) => match[1]);

/** All that is there, with its mode, but the tools and what setups and requests wait for each other with. */
function picture(): string {
  const names = (fs.readdirSync(root, { recursive: true, encoding: 'utf8' }) as string[]).filter((name) => !/^(bin|real|run|count|asked|log|upload|sshd)(\/|$)/.test(name) && !name.endsWith('/lock'));
  return names
    .sort()
    .map((name) => {
      const stat = fs.lstatSync(at(name));
      return `${name} ${stat.mode.toString(8)} ${stat.isFile() ? read(name) : stat.isSymbolicLink() ? fs.readlinkSync(at(name)) : ''}`;
    })
    .join('\n');
}

/** A refusal that leaves everything as it was. */
function expectRefusal(verb: string, ids: string[], options: Parameters<typeof setup>[1] = {}): string {
  const before = picture();
  const { code, said } = setup(verb, options);
  expect({ code, ids: idsIn(said), said }).toEqual({ code: 3, ids, said: expect.stringMatching(/changed so far: nothing$/) });
  expect(picture()).toBe(before);
  return said;
}

function leaveKeys(a: string | Buffer = `${keyOf('a')} root@node-a\n`, b: string | Buffer = `${keyOf('b')}\n`, share = 'mnt/share/nms'): void {
  write(`${share}/.nim-ha/fence-keys/node-a.pub`, a);
  write(`${share}/.nim-ha/fence-keys/node-b.pub`, b);
}

test('check changes nothing; install puts everything in place, once; remove leaves the server as it was', () => {
  const before = picture();
  expect(setup('check')).toEqual({ code: 0, said: expect.stringMatching(/: fencing: the server fits$/) });
  expect(picture()).toBe(before);
  expect(setup('install').code).toBe(0);
  // All of it: a removal may come when what was uploaded is gone.
  expect(fs.readdirSync(at('usr/local/lib/nim-ha-fence'))).toEqual(fs.readdirSync(SCRIPTS));
  for (const [name, mode] of [
    ['usr/local/lib/nim-ha-fence', 0o755], ['usr/local/lib/nim-ha-fence/fence.sh', 0o755], ['usr/local/lib/nim-ha-fence/setup.sh', 0o755], ['usr/local/lib/nim-ha-fence/exports.sh', 0o644], ['etc/nim-ha-fence', 0o700], ['etc/nim-ha-fence/pair', 0o600],
    ['var/lib/nim-ha-fence', 0o755], ['var/lib/nim-ha-fence/pair', 0o700], ['var/lib/nim-ha-fence/.ssh', 0o755], [KEYS, 0o644], ['etc/sudoers.d/nim-ha-fence', 0o440],
  ] as const) expect([name, fs.statSync(at(name)).mode & 0o7777]).toEqual([name, mode]);
  expect(read('etc/nim-ha-fence/pair')).toBe(settings());
  expect(read('etc/passwd')).toContain('\nnim-ha-fence:');
  expect(read('etc/sudoers.d/nim-ha-fence')).toBe('Defaults:nim-ha-fence !requiretty\nnim-ha-fence ALL=(root) NOPASSWD: /usr/local/lib/nim-ha-fence/fence.sh\n');
  expect([read(FILE_OF('node-a')), read(FILE_OF('node-b'))]).toEqual([exported(A), exported(B)]);
  expect(read('var/lib/nfs/etab').trim().split('\n').sort()).toEqual(`/mnt/else *(rw)\n${exported(A)}${exported(B)}`.trim().split('\n').sort());
  expect(read('etc/exports')).toBe('# the site\n/mnt/else *(rw)\n');
  const installed = picture();
  expect(setup('install')).toEqual({ code: 0, said: NOTHING_TO_DO });
  expect(setup('check').code).toBe(0);
  expect(picture()).toBe(installed);
  expect(setup('remove').code).toBe(0);
  expect(picture()).toBe(before);
  expect(fs.readdirSync(at('run'))).toEqual([]);
  expect(setup('remove')).toEqual({ code: 0, said: expect.stringMatching(/nothing to remove$/) });
});

test('what is installed removes itself', () => {
  const before = picture();
  expect(setup('install').code).toBe(0);
  fs.rmSync(at(UPLOAD), { recursive: true });
  expect(setup('remove', { from: 'usr/local/lib/nim-ha-fence' })).toEqual({ code: 0, said: expect.stringMatching(/: fencing: removed$/) });
  expect(picture()).toBe(before);
});

describe('a removal while a node has the share mounted', () => {
  const client = (address: string, more: string): void => write('proc/fs/nfsd/clients/7/info', `clientid: 0x1\naddress: "${address}:876"\n${more}name: "Linux NFSv4.2 node"\n`);
  beforeEach(() => {
    setup('install');
    write('proc/fs/nfsd/nfsv4leasetime', '90\n');
  });

  test.each([A, `::ffff:${A}`, `[::ffff:${A}]`, '192.0.2.12'])('by nothing but our export is refused: %s', (address) => {
    client(address, 'status: confirmed\nseconds from last renew: 12\n');
    const said = expectRefusal('remove', ['fencing/in-use']);
    expect(said).toContain(`in use by ${address === '192.0.2.12' ? 'node-b' : 'node-a'}, and exported to it only by this`);
    if (address === A) expect(said).toContain(exported(A).trim());
  });

  const confirmed = 'status: confirmed\nseconds from last renew: 12\n';
  const IN_FORCE = 'var/lib/nfs/etab';
  const HIS = 'rw,sync,no_root_squash,no_subtree_check';
  const both = (client: string): string => lines(EXPORTS.map((each) => `${each} ${client}`));
  const inForce = (): string[] => read(IN_FORCE).trim().split('\n').sort();
  /** What exportfs -ra makes of a file of somebody else: a line for a client that is exported to already is one entry with it. */
  const exportAll = (text: string): void => {
    const keys = text.trim().split('\n').map((each) => each.replace(/\(.*/, '('));
    write(IN_FORCE, `${read(IN_FORCE).split(/(?<=\n)/).filter((each) => !keys.some((key) => each.startsWith(key))).join('')}${text}`);
  };

  test('that another export lets in goes on: it has been put there for that', () => {
    client(A, confirmed);
    write('etc/exports', both('10.77.0.0/24(rw)'));
    exportAll(both('10.77.0.0/24(rw)'));
    expect(setup('remove').code).toBe(0);
    expect(inForce()).toEqual(['/mnt/else *(rw)', ...both('10.77.0.0/24(rw)').trim().split('\n')]);
  });

  describe('by a line of the operator for the same path and client', () => {
    // One entry with ours in the table, whatever its options are. Those of ours are in force where our file comes first.
    test.each([
      ['etc/exports', both(`${A}(${HIS})`), true], ['etc/exports', both(`${A}(${HIS})`), false], ['etc/exports.d/site.exports', both(`${A}(${HIS})`), false], ['etc/exports', both(`-rw,sync ${ELSE}(ro) ${A}(no_root_squash,no_subtree_check) @all`), false],
      ['etc/exports', both(`${ELSE}(ro) \\\n  ${A}(${HIS}) # ours`), false], ['etc/exports', both(`${A}(${HIS})`) + both(`${A}(ro)`), false], ['etc/exports', both(`node-a.example(${HIS})`), false], ['etc/exports', lines(EXPORTS.map((each) => `"/srv/link${each.slice(4)}/" ${A}(${HIS})`)), false],
    ])('keeps it, with his options: %#', (file, text, all) => {
      client(A, confirmed);
      write('bin/getent', '#!/bin/bash\n[ "$*" != "ahostsv4 node-a.example" ] || printf "%s STREAM\\n" 192.0.2.77 10.77.0.11\n[ "$1" != passwd ] || grep "^$2:" "${0%/*/*}/etc/passwd"\n', 0o755);
      fs.mkdirSync(at('srv'));
      fs.symlinkSync('../mnt', at('srv/link'));
      write(file, text);
      if (all) exportAll(text);
      const { code, said } = setup('remove');
      expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining(`changed: /mnt/share/nms is exported to ${A} by /${file} alone\n`) });
      expect(inForce()).toEqual(['/mnt/else *(rw)', ...both(`${A}(${HIS})`).trim().split('\n')]);
      expect(said.match(/by \S* alone$/gm)).toHaveLength(2);
      expect(fs.readdirSync(at('etc/exports.d'))).toEqual(file.startsWith('etc/exports.d') ? ['site.exports'] : []);
      expect([fs.existsSync(at('var/lib/nim-ha-fence')), setup('remove').said]).toEqual([false, expect.stringMatching(/nothing to remove$/)]);
      expect(inForce()).toEqual(['/mnt/else *(rw)', ...both(`${A}(${HIS})`).trim().split('\n')]);
    });

    test('keeps it where no client is there, too; without options it is what exportfs makes of it', () => {
      write('etc/exports', `/mnt/share/nms ${A} ${B}()\n`);
      expect(setup('remove').code).toBe(0);
      expect(inForce()).toEqual(['/mnt/else *(rw)', `/mnt/share/nms ${A}(ro)`, `/mnt/share/nms ${B}(ro)`]);
    });

    test('gives nothing back to one that is fenced', () => {
      write('var/lib/nim-ha-fence/pair/fenced', `node-b ${FENCE_NAME}\n`, 0o600);
      fs.rmSync(at(FILE_OF('node-b')));
      write(IN_FORCE, exported(A));
      write('etc/exports', exported(A) + exported(B));
      expect(setup('remove').code).toBe(0);
      expect([inForce(), fs.existsSync(at('var/lib/nim-ha-fence'))]).toEqual([exported(A).trim().split('\n'), false]);
    });

    test('that exportfs does not take is told, and the removal goes on when it is corrected', () => {
      write('bin/real', read('bin/exportfs'), 0o755);
      write('bin/exportfs', '#!/bin/bash\n[[ "$*" != *bogus* ]] || exit 1\nexec "${0%/*}/real" "$@"\n', 0o755);
      client(A, confirmed);
      write('etc/exports', both(`${A}(rw,bogus)`));
      const { code, said } = setup('remove');
      expect([code, idsIn(said), said]).toEqual([1, ['fencing/export'], expect.stringContaining(`export of /mnt/share/clickhouse to ${A} as /etc/exports has it, got an error of exportfs, expected in force; see the line above`)]);
      expect(inForce()).toEqual(expect.arrayContaining(exported(A).trim().split('\n')));
      write('etc/exports', both(`${A}(${HIS})`));
      expect(setup('remove')).toEqual({ code: 0, said: expect.stringMatching(/: fencing: removed$/) });
      expect(inForce()).toEqual(['/mnt/else *(rw)', ...both(`${A}(${HIS})`).trim().split('\n')]);
    });
  });

  test.each([
    ['a net', both('10.77.0.0/24(rw)'), both('10.77.0.0/24(rw,wdelay)')], ['a name', both('node-a(rw)'), both('node-a.example(rw,wdelay)')], ['everybody', lines(EXPORTS), both('*(ro,wdelay)')],
  ])('and a file names it, but that is not in force: refused, %s', (_, text, table) => {
    client(A, confirmed);
    write('etc/exports', text);
    expect(expectRefusal('remove', ['fencing/in-use'])).toContain(
      `FAILED [fencing/in-use]: ${EXPORTS.join(' ')}, got in use by node-a, and in force for it only by this: what a file of your own has is not, expected one of your own in force; run exportfs -ra, and repeat what you did`,
    );
    exportAll(table);
    expect(setup('remove').code).toBe(0);
    expect(inForce()).toEqual(['/mnt/else *(rw)', ...table.trim().split('\n')]);
  });

  test.each([
    ['one export of the two', `/mnt/share/nms ${A}(rw)\n`, ['/mnt/share/clickhouse']], ['a directory above them', '/mnt/share *(rw)\n', EXPORTS], ['another host', both(`${ELSE}(rw)`), EXPORTS],
  ])('and somebody has exported something else: refused, %s', (_, text, missing) => {
    client(A, confirmed);
    write('etc/exports', text);
    exportAll(text);
    const said = expectRefusal('remove', ['fencing/in-use']);
    expect(said).toContain(`: ${missing.join(' ')}, got in use by node-a, and exported to it only by this`);
    expect(said).toContain(`first\n${exported(A, missing)}nim-ha `);
  });

  test('and it is exported by hand alone: refused, for the next start of the server knows nothing of it', () => {
    client(A, confirmed);
    exportAll(both('10.77.0.0/24(rw)'));
    expectRefusal('remove', ['fencing/in-use']);
  });

  test.each([
    ['that is dead', A, 'status: courtesy\nseconds from last renew: 12\n'],
    ['that has not been heard of for longer than the lease', A, 'status: confirmed\nseconds from last renew: 91\n'],
    ['that is of somebody else', ELSE, 'status: confirmed\nseconds from last renew: 1\n'],
  ])('%s goes on', (_, address, more) => {
    client(address, more);
    expect(setup('remove').code).toBe(0);
  });
});

test('a directory for exports that was not there goes again, and one with something in it stays', () => {
  fs.rmdirSync(at('etc/exports.d'));
  const before = picture();
  setup('install');
  expect(setup('remove').code).toBe(0);
  expect(picture()).toBe(before);
  setup('install');
  write('etc/exports.d/other.exports', '');
  expect(setup('remove').code).toBe(0);
  expect(fs.readdirSync(at('etc/exports.d'))).toEqual(['other.exports']);
});

test('what is damaged is mended', () => {
  setup('install');
  const installed = picture();
  write('usr/local/lib/nim-ha-fence/fence.sh', 'exit 0\n', 0o700);
  write('etc/sudoers.d/nim-ha-fence', 'nim-ha-fence ALL=(root) NOPASSWD: ALL\n');
  for (const name of ['var/lib/nim-ha-fence', 'var/lib/nim-ha-fence/.ssh', KEYS, 'etc/nim-ha-fence']) fs.chmodSync(at(name), 0o777);
  write('var/lib/nfs/etab', read('var/lib/nfs/etab').replace(`nms ${A}(rw`, `nms ${A}(ro`));
  fs.rmSync(at(FILE_OF('node-b')));
  expect(setup('install').code).toBe(0);
  expect(picture()).toBe(installed);
});

test('what a request reads is of one version, whenever it begins; what this version does not have goes', () => {
  setup('install');
  const installed = picture();
  for (const name of ['exports.sh', 'fence.sh', 'setup-keys.sh']) write(`usr/local/lib/nim-ha-fence/${name}`, `# old\n`, 0o644);
  write('usr/local/lib/nim-ha-fence/old.sh', '# old\n');
  // At each of its commands: how many there are of the old ones.
  const look = 'echo "$(grep -lx "# old" "$here"/usr/local/lib/nim-ha-fence/*.sh | sort -u | tr "\\n" " ")" >>"$here/log"';
  for (const name of ['mv', 'sync', 'chmod']) {
    fs.rmSync(at(`bin/${name}`));
    write(`bin/${name}`, `#!/bin/bash\nhere="\${0%/*/*}"\n${look}\nexec /bin/${name} "$@"\n`, 0o755);
  }
  expect(setup('install').code).toBe(0);
  const seen = [...new Set(read('log').trim().split('\n').map((line) => line.split(' ').filter(Boolean).map((file) => path.basename(file)).join()))];
  expect(seen).toEqual(['exports.sh,fence.sh,old.sh,setup-keys.sh', 'old.sh']);
  for (const name of ['mv', 'sync', 'chmod']) fs.rmSync(at(`bin/${name}`));
  expect(picture()).toBe(installed);
});

test('a rule that visudo does not take is not put in place', () => {
  write('bin/visudo', '#!/bin/bash\nexit 1\n', 0o755);
  const { code, said } = setup('install');
  expect([code, idsIn(said), said]).toEqual([1, ['fencing/sudoers'], expect.stringContaining('changed so far: /usr/local/lib/nim-ha-fence; ')]);
  expect(fs.readdirSync(at('etc/sudoers.d'))).toEqual([]);
});

test('two pairs do not touch each other', () => {
  setup('install', { pair: 'two', input: otherPair() });
  leaveKeys(keyOf('c'), keyOf('d'), 'mnt/two');
  setup('admit', { pair: 'two' });
  const before = picture();
  expect(read(KEYS)).toMatch(/ nim-ha two node-a\n.* nim-ha two node-b\n$/);
  leaveKeys();
  const withKeys = picture();
  expect(setup('remove')).toEqual({ code: 0, said: expect.stringMatching(/nothing to remove$/) });
  expect([setup('install').code, setup('admit').code]).toEqual([0, 0]);
  expect(read(KEYS).match(/ nim-ha (pair|two) node-[ab]$/gm)).toHaveLength(4);
  expect(setup('remove').code).toBe(0);
  expect(picture()).toBe(withKeys);
  expect(before).not.toBe('');
});

const line = (text: string): string => `${settings()}${text}\n`;
const oneOf = (name: string, value: string): string => settings().replace(new RegExp(`^${name}=.*`, 'm'), () => `${name}=${value}`);
test.each([
  ['nothing', ''], ['a blank line', line('')], ['a comment', line('# x')], ['a line of another kind', line('SHELL=/bin/sh')], ['a key in small letters', line('export=/mnt/x')], ['a line with a space before it', line(' EXPORT=/mnt/x')],
  ['a relative path', oneOf('EXPORT', 'mnt/x')], ['a path with ..', oneOf('EXPORT', '/mnt/two/../share')], ['a path with .', oneOf('EXPORT', '/mnt/./two')], ['a path with //', oneOf('EXPORT', '/mnt//two')],
  ['a path that ends with /', oneOf('EXPORT', '/mnt/two/')], ['the root', oneOf('EXPORT', '/')], ['a path with a space', oneOf('EXPORT', '/mnt/a b')], ['a path with a quote', oneOf('EXPORT', '/mnt/a"b')],
  ['a path with a backslash', oneOf('EXPORT', '/mnt/a\\040b')], ['a path with #', oneOf('EXPORT', '/mnt/a#b')], ['a path with a control character', oneOf('EXPORT', '/mnt/a\x01b')], ['a path with a star', oneOf('EXPORT', '/mnt/*')],
  ['a path with a parenthesis', oneOf('EXPORT', '/mnt/a(rw)')], ['a path with a command', oneOf('EXPORT', '/mnt/$(id)')], ['an empty path', oneOf('EXPORT', '')], ['no exports', settings([])],
  ['an export twice', settings(['/mnt/share/nms', '/mnt/share/nms'])], ['an export inside of another', settings(['/mnt/share/nms', '/mnt/share'])],
  ['lines that end as on Windows', settings().replaceAll('\n', '\r\n')], ['a NUL', settings().replace('clickhouse', 'click\0house')], ['too much', line('EXPORT=/mnt/a').repeat(1000)],
  ['no options', settings().replace(/^OPTIONS=.*\n/m, '')], ['options twice', line(`OPTIONS=${OPTIONS}`)], ['empty options', settings(EXPORTS, '')], ['options with a parenthesis', settings(EXPORTS, `${OPTIONS}) *(rw`)],
  ['options with a space', settings(EXPORTS, 'rw,sync, no_root_squash')], ['options with an empty one', settings(EXPORTS, 'rw,,sync,no_root_squash')], ['options with a comma at the end', settings(EXPORTS, `${OPTIONS},`)],
  ['options that look like another argument', settings(EXPORTS, `-u,${OPTIONS}`)], ['options without rw', settings(EXPORTS, 'sync,no_root_squash')], ['options without sync', settings(EXPORTS, 'rw,no_root_squash')],
  ['options without no_root_squash', settings(EXPORTS, 'rw,sync')], ['options with ro', settings(EXPORTS, `${OPTIONS},ro`)], ['options with async', settings(EXPORTS, `${OPTIONS},async`)], ['options with root_squash', settings(EXPORTS, `${OPTIONS},root_squash`)],
  ['options with fsid', settings(EXPORTS, `${OPTIONS},fsid=7`)], ['options with fsid first', settings(EXPORTS, `fsid=root,${OPTIONS}`)], ['options with uuid', settings(EXPORTS, `${OPTIONS},uuid=6c2f0c52,no_wdelay`)], ['options with all_squash', settings(EXPORTS, `${OPTIONS},all_squash`)], ['options with a path', settings(EXPORTS, `${OPTIONS},refer=/x@192.0.2.1`)],
  ...([
    ['no nodes', []], ['one node', [`a ${A}`]], ['three nodes', [`a ${A}`, `b ${B}`, `c ${ELSE}`]], ['a name twice', [`a ${A}`, `a ${B}`]], ['an address twice', [`a ${A}`, `b ${A}`]], ['a second address twice', [`a ${A} ${ELSE}`, `b ${B} ${ELSE}`]],
    ['a node without address', ['a', `b ${B}`]], ['an IPv6 address', ['a 2001:db8::1', `b ${B}`]], ['a host name', ['a node-a.example', `b ${B}`]], ['a net', ['a 10.77.0.0/24', `b ${B}`]], ['an octet that is too large', ['a 10.77.0.256', `b ${B}`]],
    ['an octal octet', ['a 10.77.0.011', `b ${B}`]], ['three octets', ['a 10.77.0', `b ${B}`]], ['everybody', ['a 0.0.0.0', `b ${B}`]], ['the server itself', ['a 127.0.0.1', `b ${B}`]], ['a multicast address', ['a 224.0.0.18', `b ${B}`]], ['a star', ['a *', `b ${B}`]],
    ['two spaces', [`a  ${A}`, `b ${B}`]], ['a tab', [`a ${A}\t${ELSE}`, `b ${B}`]], ['a space at the end', [`a ${A} `, `b ${B}`]], ['a name with a slash', [`../a ${A}`, `b ${B}`]], ['a name with @', [`a@b ${A}`, `b ${B}`]], ['a name with a dot first', [`.a ${A}`, `b ${B}`]],
    ['an unknown node\'s keys', [`a ${A}`, `b ${B}\nKEYS=c ssh-rsa AAAA`]], ['keys that are no keys', [`a ${A}`, `b ${B}\nKEYS=a $(id)`]], ['keys of a path', [`a ${A}`, `b ${B}\nKEYS=../a ssh-rsa AAAA`]],
    ['a name that is an option', [`-a ${A}`, `b ${B}`]], ['a name that is too long', [`${'a'.repeat(64)} ${A}`, `b ${B}`]], ['a name with a quote', [`a"b ${A}`, `b ${B}`]], ['a name with a command', [`$(id) ${A}`, `b ${B}`]],
  ] as [string, string[]][]).map(([what, nodes]): [string, string] => [what, settings(EXPORTS, OPTIONS, nodes)]),
])('settings that do not fit are refused: %s', (_what, input) => {
  const before = picture();
  const { code, said } = setup('install', { input });
  expect([code, [...new Set(idsIn(said))], said]).toEqual([3, ['fencing/settings'], expect.stringMatching(/changed so far: nothing$/)]);
  expect(picture()).toBe(before);
});

test('a pair has a name, and a call its two arguments', () => {
  for (const pair of ['../x', '.x', '-x', 'a b', 'a@b', 'a/b', '', '$(id)', 'x'.repeat(64), 'a\nb']) expectRefusal('remove', ['fencing/pair'], { pair });
  for (const verb of ['', 'destroy', '-h']) expect([verb, setup(verb)]).toEqual([verb, { code: 2, said: expect.stringMatching(/^setup\.sh VERB PAIR: [^]*\n {2}check [^]*\n {2}install [^]*\n {2}admit [^]*\n {2}remove /) }]);
});

test('where another one is at work for too long, nothing is changed', () => {
  setup('install');
  leaveKeys();
  write('bin/flock', '#!/bin/bash\nexit 1\n', 0o755);
  const before = picture();
  for (const verb of ['install', 'admit', 'remove']) expect([verb, setup(verb)]).toEqual([verb, { code: 5, said: expect.stringMatching(/: fencing: another setup is at work, or requests of the nodes are: try again later$/) }]);
  // Nor where a request of a node is.
  write('bin/flock', '#!/bin/bash\n[ "$3" = 8 ]\n', 0o755);
  for (const verb of ['install', 'remove']) expect([verb, setup(verb, { input: settings(EXPORTS, `${OPTIONS},crossmnt`) }).code]).toEqual([verb, 5]);
  expect(picture()).toBe(before);
});

test('after the nodes were let in, and one was fenced, the removal leaves the server as it was', () => {
  leaveKeys();
  const before = picture();
  setup('install');
  setup('admit');
  write('usr/sbin/logger', '#!/bin/bash\n', 0o755);
  write('usr/sbin/exportfs', '#!/bin/bash\nexec "${0%/usr/sbin/*}/bin/exportfs" "$@"\n', 0o755);
  write('proc/fs/nfsd/exports', '');
  fs.mkdirSync(at('proc/sys/kernel/random'), { recursive: true });
  fs.symlinkSync('/proc/sys/kernel/random/uuid', at('proc/sys/kernel/random/uuid'));
  handOver(root);
  const run = spawnSync(at('usr/local/lib/nim-ha-fence/fence.sh'), ['pair', 'node-a', 'fence'], { encoding: 'utf8', env: {}, cwd: root, ...NOBODY });
  expect(run.stdout + run.stderr).toMatch(/^fenced [0-9a-f-]{36}\n$/);
  expect(read('var/lib/nfs/etab')).not.toContain(B);
  for (const name of ['usr/sbin', 'proc/sys', 'proc/fs/nfsd/exports']) fs.rmSync(at(name), { recursive: true });
  expect(setup('remove').code).toBe(0);
  expect(picture()).toBe(before);
});

test.each(['', '/', 'relative', '/nowhere'])('what was meant to be a tree is never this system: %s', (tree) => {
  const before = picture();
  expect(setup('install', { env: { NIM_HA_ROOT: tree } })).toEqual({ code: 2, said: `setup.sh: NIM_HA_ROOT is '${tree}', and no tree with commands of its own; unset it to set up this system` });
  expect(picture()).toBe(before);
});

test('all that is in the way is in one report', () => {
  for (const name of ['exportfs', 'flock', 'logger', 'sudo', 'sshd', 'visudo', 'useradd']) fs.rmSync(at(`bin/${name}`));
  fs.rmSync(at('proc/fs/nfsd'), { recursive: true });
  fs.rmSync(at('mnt/share/nms'), { recursive: true });
  fs.rmSync(at('mnt/share/clickhouse'), { recursive: true });
  write('mnt/share/clickhouse', '');
  write('etc/passwd', 'nim-ha-fence:x:7:7::/home/x:/bin/sh\n');
  write('etc/nim-ha-fence/two', settings(['/mnt/share']));
  write('etc/exports', '/mnt/share *(rw)\n');
  const said = expectRefusal('install', [...Array<string>(7).fill('fencing/tool'), 'fencing/nfsd', 'fencing/user', 'fencing/path', 'fencing/path', 'fencing/other-pair', 'fencing/other-pair', 'fencing/other-export']);
  for (const text of ['exportfs, got no such command, expected one; apt-get install nfs-kernel-server', 'apt-get install openssh-server', 'apt-get install passwd', 'apt-get install bsdutils', `kernel ${os.release()}`, 'not a directory', 'no such directory', '/mnt/share of the pair two'])
    expect(said).toContain(text);
  expect(idsIn(setup('check').said)).toEqual(idsIn(said));
});

test('packages have the names of the family', () => {
  fs.rmSync(at('bin/exportfs'));
  fs.renameSync(at('bin/apt-get'), at('bin/dnf'));
  expect(expectRefusal('install', ['fencing/tool'])).toContain('dnf install nfs-utils');
  fs.rmSync(at('bin/dnf'));
  expect(expectRefusal('install', ['fencing/tool'])).toContain('nfs-kernel-server on Debian, nfs-utils on RHEL');
});

test('a kernel that tells no clients, and a server that does not run, are two things', () => {
  fs.rmSync(at('proc/fs/nfsd/clients'), { recursive: true });
  expect(expectRefusal('install', ['fencing/kernel'])).toContain(`kernel ${os.release()}, got no /proc/fs/nfsd/clients, expected 5.3 or newer`);
  write('proc/fs/nfsd/threads', '0\n');
  expectRefusal('install', ['fencing/nfsd']);
  fs.rmSync(at('proc/fs/nfsd/threads'));
  fs.rmSync(at('var/lib/nfs/etab'));
  expectRefusal('install', ['fencing/nfsd', 'fencing/etab']);
});

test('where SELinux enforces, sshd has to be allowed to read the keys', () => {
  write('bin/getenforce', '#!/bin/bash\necho Enforcing\n', 0o755);
  write('bin/matchpathcon', '#!/bin/bash\necho system_u:object_r:var_lib_t:s0\n', 0o755);
  expect(expectRefusal('install', ['fencing/selinux'])).toContain(`semanage fcontext -a -t ssh_home_t '/var/lib/nim-ha-fence/\\.ssh(/.*)?'`);
  write('bin/matchpathcon', '#!/bin/bash\necho system_u:object_r:ssh_home_t:s0\n', 0o755);
  expect(setup('check').code).toBe(0);
});

test('a path has no symbolic link on its way', () => {
  fs.renameSync(at('mnt/share/nms'), at('mnt/nms'));
  fs.symlinkSync('../nms', at('mnt/share/nms'));
  expectRefusal('install', ['fencing/path']);
  fs.rmSync(at('mnt/share/nms'));
  fs.renameSync(at('mnt/nms'), at('mnt/share/nms'));
  fs.renameSync(at('mnt/share'), at('srv'));
  fs.symlinkSync('../srv', at('mnt/share'));
  expectRefusal('install', ['fencing/path', 'fencing/path']);
});

test.each(['other:x:7:7::/home/x:/bin/sh', 'nim-ha-fence:x:7:7::/home/x:/bin/sh', 'nim-ha-fence:x:7:7::/var/lib/nim-ha-fence:/bin/bash', 'nim-ha-fence:x:7:7::/var/lib/nim-ha-fence/x:/bin/sh'])(
  'a user of that name that is not ours is left alone: %s',
  (entry) => {
    write('etc/passwd', `${entry}\n`);
    if (entry.startsWith('other')) expect(setup('check').code).toBe(0);
    else expectRefusal('install', ['fencing/user']);
    expect(setup('remove').said).toMatch(/nothing to remove$/);
    write('etc/passwd', '');
    setup('install');
    write('etc/passwd', `${entry}\n`);
    expect(setup('remove').code).toBe(0);
    expect(read('etc/passwd')).toBe(`${entry}\n`);
  },
);

describe('sshd that would keep the nodes out is refused', () => {
  const instead = (keyword: string, ...values: string[]): string => lines([...SSHD.trim().split('\n').filter((each) => !each.startsWith(`${keyword} `)), ...values.map((each) => `${keyword} ${each}`)]);
  const refused: [string, string][] = [
    ['DenyUsers', instead('denyusers', 'games', 'nim-*')], ['DenyUsers', instead('denyusers', 'nim-ha-fence@10.77.0.*')], ['DenyUsers', instead('denyusers', '*@10.77.0.0/16')], ['DenyUsers', instead('denyusers', 'nim-ha-fenc?')],
    ['DenyGroups', instead('denygroups', 'nim-ha-fence')], ['AllowUsers', instead('allowusers', 'root', 'admin')], ['AllowUsers', instead('allowusers', 'nim-ha-fence@10.78.0.0/16')], ['AllowUsers', instead('allowusers', 'nim-ha-fence@node-a.example')],
    ['AllowUsers', instead('allowusers', 'nim-ha-fence2')], ['AllowUsers', instead('allowusers', '[n]im-ha-fence')], ['AllowGroups', instead('allowgroups', 'wheel')], ['PubkeyAuthentication', instead('pubkeyauthentication', 'no')],
    ['AuthenticationMethods', instead('authenticationmethods', 'publickey,password keyboard-interactive')], ['PubkeyAcceptedAlgorithms', instead('pubkeyacceptedalgorithms', 'rsa-sha2-512,sk-ssh-ed25519@openssh.com')],
    ['PubkeyAcceptedAlgorithms', instead('pubkeyacceptedalgorithms') + 'pubkeyacceptedkeytypes rsa-sha2-512\n'], ['AuthorizedKeysFile', instead('authorizedkeysfile', '/etc/ssh/keys/%u')], ['AuthorizedKeysFile', instead('authorizedkeysfile', 'none')],
    ['AuthorizedKeysFile', instead('authorizedkeysfile', '%%h/.ssh/authorized_keys')], ['ForceCommand', instead('forcecommand', '/usr/bin/menu')], ['ChrootDirectory', instead('chrootdirectory', '/srv/jail')],
  ];
  test.each(refused)('%s: %#', (keyword, configuration) => {
    write('sshd/all', configuration);
    const said = expectRefusal('install', expect.arrayContaining(['fencing/sshd']) as unknown as string[]);
    // For each address of a node that it is about.
    expect(idsIn(said)).toEqual(Array<string>(/@10\.77\.0\.[*0]/.test(configuration) && keyword === 'DenyUsers' ? 2 : 3).fill('fencing/sshd'));
    expect(said).toContain(`sshd for nim-ha-fence from ${A}: ${keyword}, got `);
    expect(said).toContain("below 'Match User nim-ha-fence', then reload sshd");
  });

  test.each([
    instead('denyusers', 'games', 'nim-ha', 'nim-ha-fence@10.78.0.0/16', 'root@*'), instead('allowusers', 'root', 'nim-ha-*@10.77.0.0/24', 'nim-ha-fence@192.0.2.*'), instead('allowgroups', 'wheel', 'nim-ha-fence'), instead('authenticationmethods', 'password,publickey publickey'),
    instead('authorizedkeysfile', '/etc/ssh/keys/%u %h/.ssh/authorized_keys'), instead('authorizedkeysfile', '/var/lib/%u/.ssh/authorized_keys'),
  ])('and no other: %#', (configuration) => {
    write('sshd/all', configuration);
    expect(setup('check')).toMatchObject({ code: 0 });
  });

  test('for one address alone, and also when there is the user that a Match may be about', () => {
    setup('install');
    leaveKeys();
    write('sshd/192.0.2.12', 'allowusers root\n');
    expect(expectRefusal('install', ['fencing/sshd'])).toContain('from 192.0.2.12: AllowUsers, got root');
    expectRefusal('admit', ['fencing/sshd']);
  });

  test('where nobody can say what it would do', () => {
    write('sshd/all', '');
    expect(expectRefusal('install', Array<string>(3).fill('fencing/sshd'))).toContain(`sshd -T -C user=nim-ha-fence,host=${A},addr=${A}, got an error, expected the configuration of sshd`);
  });
});

describe('another export', () => {
  test.each([
    ['etc/exports', `/mnt/share/nms ${A}(rw)`], ['etc/exports', `/mnt/share/nms ${B}(rw)`], ['etc/exports', '/mnt/share/nms 192.0.2.12(rw)'], ['etc/exports', '/mnt/share 10.77.0.0/24(rw)'], ['etc/exports', '/ *(ro,fsid=0)'],
    ['etc/exports.d/site.exports', '/mnt/share/clickhouse/deeper @all(rw)'], ['etc/exports.d/site.exports', '/mnt/share/nms'], ['var/lib/nfs/etab', '/mnt/share\t*(rw)'], ['var/lib/nfs/etab', '/mnt/share/nms 192.0.2.12(rw)'],
    ['etc/exports.d/nim-ha-two@node-a.exports', `/mnt/share/nms ${A}(${OPTIONS})`], ['etc/exports', '/mnt/share/nms 10.77.00.011(rw)'], ['etc/exports', '/mnt/share/nms 10.77.0.011(rw)'],
  ])('by which a node reaches the share is refused: %s: %s', (file, text) => {
    write(file, `${read(file)}${text}\n`);
    const said = expectRefusal('install', ['fencing/other-export']);
    const [where, to = '*'] = text.split(/\s/);
    expect(said).toContain(`export of ${where} to ${to.replace(/\(.*/, '')}, got one in /${file}, expected`);
    expect(said).toContain('exportfs -ra');
    // Exactly the lines that install would write, and nothing before or after them.
    expect(said).toContain(`\n# /${FILE_OF('node-a')}\n${exported(A)}# /${FILE_OF('node-b')}\n${exported(B)}nim-ha `);
  });

  test.each([['etc/exports', `/mnt/share/nms ${ELSE}(rw)`], ['etc/exports', '/mnt/share2 *(rw)'], ['var/lib/nfs/etab', '/mnt/two *(rw)'], ['etc/exports.d/site', '/mnt/share *(rw)']])('that is plainly something else is let be: %s: %s', (file, text) => {
    write(file, `${read(file)}${text}\n`);
    expect(setup('check')).toMatchObject({ code: 0 });
  });

  test('is none in a comment, which ends with its line, nor where no path stands', () => {
    for (const text of ['#/srv/old *.example.com(rw) \\\n#  backup.example.com(rw) \\\n   third.example.com(rw)\n', 'mnt/share/nms *(rw)\n']) {
      write('etc/exports', text);
      expect([text, setup('check')]).toEqual([text, { code: 0, said: expect.stringMatching(/the server fits$/) }]);
    }
    write('etc/exports', '#/srv/old *(rw) \\\n/mnt/share/nms *(rw)\n');
    expect(expectRefusal('install', ['fencing/other-export'])).toContain('export of /mnt/share/nms to *, got one in /etc/exports');
  });

  test.each(['-rw,no_root_squash', `${ELSE}(rw) -ro`, `${ELSE} (rw)`])('with options and no client is one to everybody: %s', (options) => {
    write('etc/exports', `/mnt/share/nms ${options}\n`);
    expect(expectRefusal('install', ['fencing/other-export'])).toContain('export of /mnt/share/nms to *, got one in /etc/exports');
  });

  test('is told by its path, also where that is quoted, or has a space before a digit', () => {
    fs.mkdirSync(at('srv'));
    for (const name of ['a b', 'a 1', 'a#b']) fs.symlinkSync('../mnt/share', at(`srv/${name}`));
    for (const [text, path] of [['"/srv/a b" *(rw)', '/srv/a b'], ['/srv/"a b" *(rw)', '/srv/a b'], ['/srv/a#b *(rw)', '/srv/a#b'], ['/srv/a\\0401 *(rw)', '/srv/a\\0401'], ['/srv/a\\043b *(rw)', '/srv/a\\043b']]) {
      write('etc/exports', `${text}\n`);
      expect(expectRefusal('install', ['fencing/other-export'])).toContain(`export of ${path} to *, got one in /etc/exports`);
    }
  });

  test('by another name of the same directory is refused, as a bind mount is', () => {
    // A link stands in for it: both have the device and the inode of what they show.
    fs.mkdirSync(at('srv/deeper'), { recursive: true });
    fs.symlinkSync('../mnt/share', at('srv/bind'));
    for (const each of ['/srv/bind', '/srv/bind/nms', '/srv/bind/nms/']) {
      write('etc/exports', `${each} *(rw)\n`);
      expect(expectRefusal('install', ['fencing/other-export'])).toContain(`export of ${each} to *, got one in /etc/exports`);
    }
    fs.mkdirSync(at('mnt/share/nms/deeper'));
    write('etc/exports', '/srv/bind/nms/deeper *(rw)\n');
    expectRefusal('install', ['fencing/other-export']);
    fs.renameSync(at('srv/bind'), at('srv/a b'));
    write('etc/exports', '/srv/a\\040b *(rw)\n');
    expectRefusal('install', ['fencing/other-export']);
    write('etc/exports', `/srv/deeper *(rw)\n/srv/none *(rw)\n/srv/a\\040b ${ELSE}(rw)\n`);
    expect(setup('check').code).toBe(0);
  });

  test('by a bind mount of what is inside of the share is refused, as the list of mounts tells it', () => {
    fs.mkdirSync(at('srv/a b'), { recursive: true });
    const mounts = (from: string): string => [`22 1 8:1 / ${root}`, `23 22 8:2 / ${root}/mnt/share`, `24 22 ${from} ${root}/srv/a\\040b`].map((each) => `${each} rw - ext4 /dev/sda1 rw\n`).join('');
    write('etc/exports', '/srv/a\\040b *(rw)\n');
    for (const from of ['8:2 /nms/deeper', '8:2 /nms', '8:2 /']) {
      // In whatever order they were mounted.
      for (const all of [mounts(from), mounts(from).split(/(?<=\n)/).reverse().join('')]) {
        write('proc/self/mountinfo', all);
        expectRefusal('install', ['fencing/other-export']);
      }
    }
    // The kernel writes the space before a digit in the same way.
    write('proc/self/mountinfo', mounts('8:2 /nms/deeper').replace('srv/a\\040b', 'srv/a\\0401'));
    fs.mkdirSync(at('srv/a 1'));
    write('etc/exports', '"/srv/a 1" *(rw)\n');
    expectRefusal('install', ['fencing/other-export']);
    write('etc/exports', '/srv/a\\040b *(rw)\n');
    for (const from of ['8:2 /nms2', '8:1 /nms', '8:1 /mnt/share/nms/deeper']) {
      write('proc/self/mountinfo', mounts(from));
      expect([from, setup('check').code]).toEqual([from, 0]);
    }
  });

  test('by a symbolic link that leads into the share is refused', () => {
    for (const each of ['mnt/share/nms/deeper', 'srv']) fs.mkdirSync(at(each), { recursive: true });
    fs.symlinkSync('../mnt/share/nms/deeper', at('srv/link'));
    write('etc/exports', '/srv/link *(rw)\n');
    expect(expectRefusal('install', ['fencing/other-export'])).toContain('export of /srv/link to *, got one in /etc/exports');
    write('etc/exports', `/srv/link ${ELSE}(rw)\n/srv *(rw)\n`);
    expect(setup('check').code).toBe(0);
  });

  test('that appears while an install waits for another one is refused, too', () => {
    fs.mkdirSync(at('srv'));
    write('etc/exports', '/srv/link *(rw)\n');
    write('bin/flock', '#!/bin/bash\nhere="${0%/*/*}"\n[ -e "$here/srv/link" ] || /bin/ln -s ../mnt/share "$here/srv/link"\nexec /usr/bin/flock "$@"\n', 0o755);
    expect(setup('check').code).toBe(0);
    const { code, said } = setup('install');
    expect([code, idsIn(said), said]).toEqual([3, ['fencing/other-export'], expect.stringMatching(/changed so far: nothing$/)]);
  });

  test('by a mount below it is refused where a client crosses mounts', () => {
    fs.mkdirSync(at('srv'));
    fs.symlinkSync('../mnt/share', at('srv/bind'));
    write('proc/self/mountinfo', `22 1 8:1 / ${root} rw - ext4 /dev/sda1 rw\n23 22 8:1 /mnt/share ${root}/srv/bind rw - ext4 /dev/sda1 rw\n`);
    for (const options of ['*(rw,crossmnt)', '-crossmnt *(rw)', '*(crossmnt,rw)']) {
      write('etc/exports', `/srv ${options}\n`);
      expectRefusal('install', ['fencing/other-export']);
    }
    write('etc/exports', '/srv *(rw,nocrossmnt)\n/mnt/two *(rw,crossmnt)\n');
    expect(setup('check').code).toBe(0);
  });

  test('is named once by its file, and moved over as the report says', () => {
    write('etc/exports', '/mnt/share *(rw)\n');
    write('var/lib/nfs/etab', '/mnt/share\t*(rw,wdelay)\n');
    expect(expectRefusal('install', ['fencing/other-export'])).toContain('one in /etc/exports,');
    const site = `/mnt/share/clickhouse ${A}(rw) ${B}(rw)\n/mnt/share/nms ${A}(rw) ${B}(rw)\n`;
    write('etc/exports', site);
    write('var/lib/nfs/etab', lines([...EXPORTS.flatMap((each) => [`${each} ${A}(rw)`, `${each} ${B}(rw)`])]));
    const said = expectRefusal('install', Array<string>(4).fill('fencing/other-export'));
    for (const [, file, text] of said.matchAll(/^# \/(.*)\n((?:\/.*\n)+)/gm)) write(file, text);
    write('etc/exports', '');
    const moved = exported(A) + exported(B);
    write('var/lib/nfs/etab', moved);
    expect(setup('check').code).toBe(0);
    const { code, said: installed } = setup('install');
    expect([code, installed]).toEqual([0, expect.not.stringContaining('is not exported')]);
    expect([read(FILE_OF('node-a')), read(FILE_OF('node-b'))]).toEqual([exported(A), exported(B)]);
  });

  test('a file under our name that is not ours is not written over', () => {
    write(FILE_OF('node-a'), `/mnt/else ${A}(ro)\n`);
    expectRefusal('install', ['fencing/foreign-file']);
    write(FILE_OF('node-a'), exported(A));
    expect(setup('install').code).toBe(0);
  });
});

test('another pair under the same name is refused, and goes on', () => {
  setup('install');
  leaveKeys();
  setup('admit');
  const said = expectRefusal('install', ['fencing/other-pair'], { input: otherPair() });
  expect(said).toMatch(/pair pair, got one with other nodes and other exports: 10\.77\.0\.1[12] 10\.77\.0\.1[12]; \/mnt\/share\/clickhouse \/mnt\/share\/nms,[^]*setup\.sh remove pair/);
});

describe('machines that use the share', () => {
  const client = (address: string): void => {
    write('proc/fs/nfsd/nfsv4leasetime', '90\n');
    write('proc/fs/nfsd/clients/7/info', `clientid: 0x1\naddress: "${address}:876"\nstatus: confirmed\nseconds from last renew: 12\nname: "Linux NFSv4.2 node"\n`);
  };
  const exportfs = (): string => read('log');
  beforeEach(() => {
    setup('install');
    leaveKeys();
    setup('admit');
    write('real/exportfs', read('bin/exportfs'), 0o755);
    write('bin/exportfs', '#!/bin/bash\nhere="${0%/*/*}"\necho "$*" >>"$here/log"\nexec "$here/real/exportfs" "$@"\n', 0o755);
  });

  test.each([
    ['another path', settings(['/mnt/share/nms', '/mnt/share/more'])],
    ['another machine in its place', settings(EXPORTS, OPTIONS, [`node-a ${ELSE}`, `node-b ${B}`])],
  ])('keep their exports: %s is refused', (_, input) => {
    fs.mkdirSync(at('mnt/share/more'));
    client(A);
    const said = expectRefusal('install', ['fencing/in-use'], { input });
    expect(said).toContain(`for ${A}, got a client there that uses this server`);
    fs.rmSync(at('proc/fs/nfsd/clients/7'), { recursive: true });
    expect(setup('install', { input }).code).toBe(0);
  });

  test('keep them under another name, but not the key of the old one', () => {
    client(A);
    expect(setup('install', { input: settings(EXPORTS, OPTIONS, [`node-x ${A}`, `node-b ${B}`]) }).code).toBe(0);
    expect([exportfs(), read('var/lib/nfs/etab')]).toEqual([expect.not.stringContaining('-u'), expect.stringMatching(/clickhouse 10\.77\.0\.11[^]*nms 10\.77\.0\.11/)]);
    expect(fs.readdirSync(at('etc/exports.d'))).toEqual(['nim-ha-pair@node-b.exports', 'nim-ha-pair@node-x.exports']);
    expect(read(KEYS)).toMatch(/^.* nim-ha pair node-b\n$/);
  });

  test('keep them when they exchange their names, and no key speaks for the other one', () => {
    client(A);
    expect(setup('install', { input: settings(EXPORTS, OPTIONS, [`node-a ${B}`, `node-b ${A}`]) }).code).toBe(0);
    expect(exportfs()).not.toContain('-u');
    expect([read(FILE_OF('node-a')), read(FILE_OF('node-b')), read(KEYS)]).toEqual([exported(B), exported(A), '']);
    expect(fs.readdirSync(at('etc/exports.d'))).toEqual(['nim-ha-pair@node-a.exports', 'nim-ha-pair@node-b.exports']);
  });

  test('are in some file all the while, wherever that stops', () => {
    client(A);
    write('real/mv', '#!/bin/bash\nexec /bin/mv "$@"\n', 0o755);
    fs.rmSync(at('bin/mv'));
    // Before each file is put in place: whom the files of the server name.
    write('bin/mv', '#!/bin/bash\nhere="${0%/*/*}"\ncat "$here"/etc/exports.d/*.exports | sort -u | grep -c . >>"$here/log.count"\nexec "$here/real/mv" "$@"\n', 0o755);
    const input = settings(EXPORTS, OPTIONS, [`node-a ${B}`, `node-b ${A}`]);
    expect(setup('install', { input }).code).toBe(0);
    expect(new Set(read('log.count').trim().split('\n'))).toEqual(new Set(['4']));
  });

  test('what an install that was cut off has left under the other name is taken away by the next', () => {
    write(FILE_OF('node-x'), exported(A), 0o600);
    expect(setup('install').code).toBe(0);
    expect(fs.readdirSync(at('etc/exports.d'))).toEqual(['nim-ha-pair@node-a.exports', 'nim-ha-pair@node-b.exports']);
    write(FILE_OF('node-x'), `/mnt/share ${A}(rw)\n`, 0o600);
    expectRefusal('install', ['fencing/other-export']);
  });
});

test('no path of another pair, nor one above or below it', () => {
  setup('install', { pair: 'two', input: otherPair() });
  for (const each of ['/mnt/two', '/mnt', '/mnt/two/deeper']) {
    fs.mkdirSync(at(each), { recursive: true });
    const { code, said } = setup('install', { input: settings([each]) });
    expect([code, idsIn(said)]).toEqual([3, expect.arrayContaining(['fencing/other-pair'])]);
    expect(said).toContain(`export ${each}, got /mnt/two of the pair two, expected a path of this pair alone; correct the share in the program, or remove that pair`);
  }
});

describe('a pair that is called otherwise in the program now', () => {
  beforeEach(() => void setup('install'));

  test.each([
    ['as it is', settings()], ['in another order', settings([...EXPORTS].reverse(), OPTIONS, [`node-b ${B} 192.0.2.12`, `node-a ${A}`])], ['with other names, options and keys', settings(EXPORTS, `${OPTIONS},no_subtree_check`, [`a ${A}`, `b ${B} 192.0.2.12`]) + 'KEYS=a ssh-rsa AAAA\n'],
  ])('is told what it is called on this server: %s', (_, input) => {
    // And nothing of its own exports, which are none of somebody else.
    const said = expectRefusal('install', ['fencing/other-pair'], { pair: 'renamed', input });
    expect(said).toContain(
      'pair renamed, got its nodes and exports, set up here as pair, expected the name that they have here; ' +
        `give it in the program: name: 'pair' in NfsFencing.linuxServer, or "name": "pair" in nfsShare.fencing of a config file`,
    );
    expect(setup('install')).toEqual({ code: 0, said: NOTHING_TO_DO });
  });

  test.each([
    ['another machine', settings(EXPORTS, OPTIONS, [`node-a ${A}`, `node-b ${ELSE} 192.0.2.12`])], ['an address less', settings(EXPORTS, OPTIONS, [`node-a ${A}`, `node-b ${B}`])], ['an export less', settings(['/mnt/share/nms'])],
  ])('is none that has something else of it: %s', (_, input) => {
    const { code, said } = setup('install', { pair: 'renamed', input });
    expect([code, said]).toEqual([3, expect.stringContaining('export /mnt/share/nms, got /mnt/share/nms of the pair pair, expected a path of this pair alone; correct the share in the program, or remove that pair')]);
    expect(said).not.toContain('set up here as');
  });
});

test('other settings: what they do not export any more is withdrawn, in force and in the files', () => {
  setup('install');
  leaveKeys();
  setup('admit');
  fs.mkdirSync(at('mnt/share/more'));
  const next = settings(['/mnt/share/nms', '/mnt/share/more'], `${OPTIONS},no_subtree_check`, ['node-a 10.77.0.31', `node-c ${B}`]);
  expect(setup('install', { input: next }).code).toBe(0);
  const [now, options] = [['/mnt/share/nms', '/mnt/share/more'], `${OPTIONS},no_subtree_check`];
  expect(fs.readdirSync(at('etc/exports.d'))).toEqual(['nim-ha-pair@node-a.exports', 'nim-ha-pair@node-c.exports']);
  expect([read(FILE_OF('node-a')), read(FILE_OF('node-c'))]).toEqual([exported('10.77.0.31', now, options), exported(B, now, options)]);
  expect(read('var/lib/nfs/etab').trim().split('\n').sort()).toEqual(`/mnt/else *(rw)\n${exported('10.77.0.31', now, options)}${exported(B, now, options)}`.trim().split('\n').sort());
  // Both are other machines by those names now, and their keys let nobody in.
  expect(read(KEYS)).toBe('');
  expect(setup('install', { input: next }).said).toEqual(NOTHING_TO_DO);
  expect(setup('install', { input: settings(now, `${OPTIONS},crossmnt`, ['node-a 10.77.0.31', `node-c ${B}`]) }).code).toBe(0);
  expect(read('var/lib/nfs/etab').match(/crossmnt/g)).toHaveLength(4);
});

test('other settings: what a file of somebody else gives to a machine that has left stays in force, with the options that it has there', () => {
  setup('install');
  write('etc/exports', `/mnt/share/nms ${A}(ro,sync)\n`);
  expect(setup('install', { input: settings(EXPORTS, OPTIONS, [`node-a ${ELSE}`, `node-b ${B} 192.0.2.12`]) }).code).toBe(0);
  expect(read('var/lib/nfs/etab').split('\n').filter((each) => each.includes(A))).toEqual([`/mnt/share/nms ${A}(ro,sync)`]);
  expect(fs.readdirSync(at('etc/exports.d')).map((name) => read(`etc/exports.d/${name}`))).toEqual([exported(ELSE), exported(B)]);
});

describe('while a node is fenced', () => {
  const fence = (input = settings()): void => {
    setup('install', { input });
    write('var/lib/nim-ha-fence/pair/fenced', `node-b ${FENCE_NAME}\n`, 0o600);
    fs.rmSync(at(FILE_OF('node-b')));
    write('var/lib/nfs/etab', `/mnt/else *(rw)\n${exported(A)}`);
  };

  test('the same settings leave it out', () => {
    fence();
    const before = picture();
    expect(setup('install')).toEqual({ code: 0, said: NOTHING_TO_DO });
    expect(picture()).toBe(before);
    expect(setup('install', { input: settings(EXPORTS, `${OPTIONS},no_subtree_check`) }).code).toBe(0);
    expect([fs.existsSync(at(FILE_OF('node-b'))), read('var/lib/nfs/etab')]).toEqual([false, expect.not.stringContaining(B)]);
    expect(read(FILE_OF('node-a'))).toContain('no_subtree_check');
  });

  test.each([
    ['an export', settings(['/mnt/share/nms'])], ['an address', settings(EXPORTS, OPTIONS, [`node-a ${A}`, `node-b ${ELSE} 192.0.2.12`])], ['a second address', settings(EXPORTS, OPTIONS, [`node-a ${A}`, `node-b ${B}`])],
    ['a name', settings(EXPORTS, OPTIONS, [`node-a ${A}`, `node-c ${B} 192.0.2.12`])],
  ])('other settings are refused: %s', (_what, input) => {
    fence();
    expect(expectRefusal('install', ['fencing/fenced'], { input })).toContain('bring node-b back first: run nim-ha rejoin there');
  });

  describe('and another machine is in its place', () => {
    const withKeys = (address: string, a: string, b: string): string => settings(EXPORTS, OPTIONS, [`node-a ${A}`, `node-b ${address}`]) + lines([`KEYS=node-a${a}`, `KEYS=node-b${b}`]);
    const [ONE, OTHERS, NEW] = [' ssh-ed25519 AAAA', ' ssh-rsa BBBB,ssh-ed25519 CCCC', ' ssh-ed25519 DDDD'];
    beforeEach(() => {
      setup('install', { input: withKeys(B, ONE, OTHERS) });
      leaveKeys();
      setup('admit');
      fence(withKeys(B, ONE, OTHERS));
    });

    test.each([['another address', ELSE], ['the same address', B]])('at %s: with the old one go its record and its key', (_, address) => {
      const replaced = withKeys(address, ONE, NEW);
      const { code, said } = setup('install', { input: replaced });
      expect([code, said]).toEqual([0, expect.stringContaining('node-b is not fenced any more: another machine is in its place')]);
      expect(read('var/lib/nim-ha-fence/pair/fenced')).toBe('');
      expect(read(KEYS)).toMatch(/^.* nim-ha pair node-a\n$/);
      expect(read('var/lib/nfs/etab')).toBe(lines([`/mnt/else *(rw)`, ...EXPORTS.flatMap((each) => [A, address].map((client) => `${each} ${client}(${OPTIONS})`))]));
      expect(setup('install', { input: replaced }).said).toEqual(NOTHING_TO_DO);
    });

    // It may still hold what it has to let go of first.
    test.each([
      ['has another address', withKeys(ELSE, ONE, OTHERS)],
      ['has one of the keys', withKeys(ELSE, ONE, ' ssh-ed25519 CCCC')],
      ['has exchanged its name', settings(EXPORTS, OPTIONS, [`node-a ${ELSE}`, `node-b ${A}`]) + lines([`KEYS=node-a${OTHERS}`, `KEYS=node-b${NEW}`])],
      ['has no keys that would tell', withKeys(ELSE, ONE, '')],
      ['has a key of another type, too', withKeys(ELSE, ONE, ' ecdsa-sha2-nistp256 EEEE')],
      ['may be the other one, of which another type is named', withKeys(ELSE, ' ecdsa-sha2-nistp256 EEEE', NEW)],
      ['may be the other one, which has none', withKeys(ELSE, '', NEW)],
    ])('not where it %s', (_, input) => {
      expect(expectRefusal('install', ['fencing/fenced'], { input })).toContain('by one with other host keys of the types of its own: ssh-rsa ssh-ed25519');
    });

    test('not by a key of another type at the same address', () => {
      expect(setup('install', { input: withKeys(B, ONE, ' ecdsa-sha2-nistp256 EEEE') }).code).toBe(0);
      expect([read('var/lib/nim-ha-fence/pair/fenced'), fs.existsSync(at(FILE_OF('node-b')))]).toEqual([`node-b ${FENCE_NAME}\n`, false]);
    });

    test('a key more of the same machine changes nothing', () => {
      expect(setup('install', { input: withKeys(B, ONE, `${OTHERS},ssh-ed25519 DDDD`) }).code).toBe(0);
      expect([read('var/lib/nim-ha-fence/pair/fenced'), fs.existsSync(at(FILE_OF('node-b')))]).toEqual([`node-b ${FENCE_NAME}\n`, false]);
    });
  });

  test('nobody is told to put its export back', () => {
    fence();
    write('etc/exports', '/mnt/share *(rw)\n');
    expect(expectRefusal('install', ['fencing/other-export'])).not.toContain('# /etc/exports.d/nim-ha-pair@node-b');
  });

  test('the pair can be removed', () => {
    const before = picture();
    fence();
    expect(setup('remove').code).toBe(0);
    expect(picture()).toBe(before);
  });
});

describe('the keys of the nodes', () => {
  const dir = 'mnt/share/nms/.nim-ha/fence-keys';
  const valid = `${keyOf('a')} root@node-a\n`;
  beforeEach(() => {
    setup('install');
    leaveKeys();
  });
  const lineOf = (node: string, key: string): string =>
    `restrict,command="sudo -n /usr/local/lib/nim-ha-fence/fence.sh pair ${node} \\"$(export LC_ALL=C; printf %.200s \\"$SSH_ORIGINAL_COMMAND\\" | tr -c \\"a-z0-9 -\\" \\"[?*]\\")\\"" ${key} nim-ha pair ${node}`;

  test('let the two in, without their comments, once', () => {
    write(KEYS, 'ssh-ed25519 AAAAC3Nzsomebody else\n');
    expect(setup('admit').code).toBe(0);
    expect(read(KEYS)).toBe(lines(['ssh-ed25519 AAAAC3Nzsomebody else', lineOf('node-a', keyOf('a')), lineOf('node-b', keyOf('b'))]));
    expect(setup('admit')).toEqual({ code: 0, said: NOTHING_TO_DO });
    expect(setup('install').said).toEqual(NOTHING_TO_DO);
    leaveKeys(keyOf('a'), `${keyOf('c')} $(id) " ' \\`);
    expect(setup('admit').code).toBe(0);
    expect(read(KEYS)).toBe(lines(['ssh-ed25519 AAAAC3Nzsomebody else', lineOf('node-a', keyOf('a')), lineOf('node-b', keyOf('c'))]));
  });

  const replace = (make: (file: string) => void): (() => void) => () => {
    fs.rmSync(at(`${dir}/node-a.pub`));
    make(at(`${dir}/node-a.pub`));
  };
  const text = (all: string | Buffer): (() => void) => replace((file) => fs.writeFileSync(file, all));
  const body = keyOf('a').split(' ')[1];
  test.each<[string, () => void]>([
    ['none', replace(() => undefined)], ['a symbolic link', replace((file) => { write('elsewhere', valid); fs.symlinkSync(at('elsewhere'), file); })], ['a link to nowhere', replace((file) => fs.symlinkSync('/nowhere', file))],
    ['a link to the file beside it', replace((file) => { write(`${dir}/x`, valid); fs.symlinkSync('x', file); })], ['a directory', replace((file) => fs.mkdirSync(file))],
    ['a pipe', replace((file) => spawnSync('mkfifo', [file]))], ['a link to a device', replace((file) => fs.symlinkSync('/dev/zero', file))],
    ['its directory is a link', () => { fs.renameSync(at(dir), at('keys')); fs.symlinkSync(at('keys'), at(dir)); }], ['its directory is a link to one beside it', () => { fs.renameSync(at(dir), at(`${dir}2`)); fs.symlinkSync('fence-keys2', at(dir)); }],
    ['the directory above is a link', () => { fs.renameSync(at('mnt/share/nms/.nim-ha'), at('nim-ha')); fs.symlinkSync(at('nim-ha'), at('mnt/share/nms/.nim-ha')); }], ['its directory is a file', () => { fs.rmSync(at(dir), { recursive: true }); write(dir, valid); }],
    ['empty', text('')], ['a newline', text('\n')], ['two keys', text(`${valid}${keyOf('c')}\n`)], ['a line before', text(`\n${valid}`)], ['a line after', text(`${valid}\n`)], ['options', text(`command="id" ${valid}`)], ['a space before', text(` ${valid}`)],
    ['two spaces', text(valid.replace('ssh-ed25519 ', 'ssh-ed25519  '))], ['a tab', text(valid.replace(' ', '\t'))], ['lines as on Windows', text(valid.replace('\n', '\r\n'))], ['a control character in the comment', text(`${keyOf('a')} a\x1bb\n`)],
    ['a NUL', text(`${keyOf('a')}\0 x\n`)], ['a NUL and more', text(`${valid}\0${valid}`)], ['another kind of key', text('ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB\n')], ['a security key', text(`sk-ssh-ed25519@openssh.com ${body}\n`)], ['a key that is too short', text(`ssh-ed25519 ${body.slice(0, -1)}\n`)],
    ['a key that is too long', text(`ssh-ed25519 ${body}A\n`)], ['a key of something else', text(`ssh-ed25519 ${'A'.repeat(68)}\n`)], ['a length that is wrong', text(`ssh-ed25519 ${body.slice(0, 25)}a${body.slice(26)}\n`)], ['a key with a quote', text(`ssh-ed25519 ${body.slice(0, -1)}"\n`)],
    ['padding', text(`ssh-ed25519 ${body.slice(0, -2)}==\n`)], ['bytes that are no text', text(Buffer.from([0xff, 0xfe, ...Buffer.from(valid)]))], ['a comment that is too long', text(`${keyOf('a')} ${'x'.repeat(1100)}\n`)], ['more than fits', text('x'.repeat(3_000_000))],
    ['a private key', text('-----BEGIN OPENSSH PRIVATE KEY-----\n')],
  ])('that are something else are refused: %s', (_what, make) => {
    make();
    const said = expectRefusal('admit', expect.arrayContaining(['fencing/key']) as unknown as string[]);
    expect(said).not.toMatch(/AAAA|BEGIN|xxx/);
  });

  test('that cannot be read in time are refused', () => {
    write('bin/dd', '#!/bin/bash\nexec sleep 60\n', 0o755);
    fs.rmSync(at(`${dir}/node-b.pub`));
    expect(expectRefusal('admit', ['fencing/key', 'fencing/key'])).toContain('no answer in 10 s');
  });

  test('are not read where devices of the share could be opened', () => {
    write('bin/mount', '#!/bin/bash\n[ "$1" = --bind ] || [ "$2" != remount,bind,ro,nodev,nosuid,noexec ]\n', 0o755);
    expectRefusal('admit', ['fencing/key', 'fencing/key']);
  });

  test('are different ones', () => {
    leaveKeys(keyOf('a'), `${keyOf('a')} x`);
    expectRefusal('admit', ['fencing/same-key']);
    leaveKeys();
    setup('admit');
    // Of the other node, until now.
    leaveKeys(keyOf('b'), keyOf('c'));
    expectRefusal('admit', ['fencing/same-key']);
    setup('install', { pair: 'two', input: otherPair() });
    leaveKeys(keyOf('c'), keyOf('a'), 'mnt/two');
    expectRefusal('admit', ['fencing/same-key'], { pair: 'two' });
    leaveKeys(keyOf('c'), keyOf('d'), 'mnt/two');
    expect(setup('admit', { pair: 'two' }).code).toBe(0);
  });

  test('are for a pair that is there, and nodes that have been there', () => {
    expectRefusal('admit', ['fencing/not-installed'], { pair: 'two' });
    fs.rmSync(at('mnt/share/nms/.nim-ha'), { recursive: true });
    expectRefusal('admit', ['fencing/share']);
    setup('remove');
    expectRefusal('admit', ['fencing/not-installed']);
  });

  // What the account has for a shell may be either.
  test.each(['dash', 'bash'])('call fence.sh with what the caller says as one word, whatever it is, by a shell that is %s', (shell) => {
    const sh = ['/bin', '/usr/bin'].map((dir) => `${dir}/${shell}`).find((file) => fs.existsSync(file)) ?? '/bin/sh';
    setup('admit');
    write('usr/sbin/logger', '#!/bin/bash\n', 0o755);
    write('bin/sudo', `${read('bin/sudo').replace('[ "$1" = -n ]', '[ "$1" = -n ] && echo "$5" >"$here/passed"')}`, 0o755);
    const command = /command="((?:[^"\\]|\\.)*)"/.exec(read(KEYS))?.[1].replaceAll('\\"', '"') ?? '';
    const ask = (request?: string): Said => {
      handOver(root);
      const run = spawnSync(sh, [...(shell === 'bash' ? ['--posix'] : []), '-c', command], { encoding: 'utf8', cwd: root, ...NOBODY, env: { PATH: at('bin'), LC_ALL: 'C.UTF-8', ...(request === undefined ? {} : { SSH_ORIGINAL_COMMAND: request }) } });
      return { code: run.status, said: (run.stdout + run.stderr).trim() };
    };
    expect(ask('status')).toEqual({ code: 0, said: 'free' });
    expect([ask(`rejoin ${FENCE_NAME}`), read('passed')]).toEqual([{ code: 0, said: 'free' }, `rejoin ${FENCE_NAME}\n`]);
    // sudo writes to the log what it is called with.
    const passed = (request: string): string => (ask(request), read('passed'));
    expect([passed('x'.repeat(100_000)), passed('é'.repeat(50_000)), passed('\x1b[2J\x07\x7f'.repeat(1000)).length]).toEqual([`${'x'.repeat(200)}\n`, `${'?'.repeat(200)}\n`, 201]);
    expect([passed('status\nfence'), passed('status\n'), passed('\x1b[2J\x01\x7f\t'), passed('FENCE; "$(id)" \\ é *?[a-z]'), passed(`status${' '.repeat(300)}`)]).toEqual([
      'status?fence\n', 'status?\n', '??2????\n', '?????? ???id?? ? ?? ???a-z?\n', `status${' '.repeat(194)}\n`,
    ]);
    fs.rmSync(at('asked'));
    fs.rmSync(at('passed'));
    const before = picture();
    const bad = [undefined, '', '"; id; "', `'; id; '`, '$(id)', '`id`', 'status\nfence', 'status; fence', 'fence node-b', '\\', '\\" x', '*', '-n', 'status && id', '|id', '>/x', '$SSH_ORIGINAL_COMMAND', 'x'.repeat(100_000)];
    for (const request of bad) expect([request, ask(request)]).toEqual([request, { code: 3, said: 'refused: no such request' }]);
    fs.rmSync(at('passed'));
    expect(picture()).toBe(before);
    // -n, the program, pair, node and the request.
    expect(read('asked')).toBe('5 pair node-a\n'.repeat(bad.length));
  });
});

describe('a setup that stops at any step is made whole', () => {
  /** Runs all that change something through a count; the one at `step` fails, or all of it dies before it. */
  const counted = (): void => {
    fs.mkdirSync(at('real'));
    for (const name of STEPS) {
      fs.renameSync(at(`bin/${name}`), at(`real/${name}`));
      write(
        `bin/${name}`,
        `#!/bin/bash
here="\${0%/*/*}"
n=0
[ ! -e "$here/count" ] || n=$(<"$here/count")
echo $((n + 1)) >"$here/count"
[ "$n" != "$STOP_AT" ] || { [ "$STOP_HOW" = dies ] && kill -KILL 0; exit 1; }
exec "$here/real/${name}" "$@"\n`,
        0o755,
      );
    }
  };
  const stopAt = (verb: string, step: number, how: string, input = settings()): Said => {
    fs.rmSync(at('count'), { force: true });
    return setup(verb, { input, env: { STOP_AT: String(step), STOP_HOW: how } });
  };
  const stepsOf = (): number => Number(read('count'));
  // One machine gets the name of another one, which leaves; one that is new gets its old name.
  const second = settings(['/mnt/share/nms', '/mnt/two'], `${OPTIONS},no_subtree_check`, ['node-a 10.77.0.31', `node-b ${A}`]);
  const more = settings(EXPORTS, OPTIONS, [`node-y ${A}`, `node-x ${ELSE}`]);

  const nothing = (): void => undefined;
  /** For each step of `verb`: from `start`, stop there, where `meanwhile` has to hold; then each of `repairs` has to end in the same as if nothing had been. */
  function walk(verb: string, input: string, how: string, start: () => void, repairs: [string, string][], meanwhile: () => void = nothing): void {
    start();
    counted();
    const template = `${root}-template`;
    spawnSync('cp', ['-a', root, template]);
    const fresh = (): void => {
      fs.rmSync(root, { recursive: true });
      spawnSync('cp', ['-a', template, root]);
    };
    const wanted = repairs.map(([repair, by]) => {
      fresh();
      expect(stopAt(repair, -1, how, by).code).toBe(0);
      return picture();
    });
    fresh();
    stopAt(verb, -1, how, input);
    const steps = stepsOf();
    expect(steps).toBeGreaterThan(5);
    for (let step = 0; step < steps; step++) {
      repairs.forEach(([repair, by], index) => {
        fresh();
        const { code, said } = stopAt(verb, step, how, input);
        meanwhile();
        const { code: then, said: repaired } = stopAt(repair, -1, how, by);
        expect({ step, repair, then, repaired, is: picture(), said, code }).toEqual({ step, repair, then: 0, repaired, is: wanted[index], said, code });
      });
    }
    fs.rmSync(template, { recursive: true });
  }
  const installed = (): void => {
    setup('install');
    leaveKeys();
    setup('admit');
  };

  test('install: every step fails once', () => walk('install', settings(), 'fails', nothing, [['install', settings()]]), 600_000);
  test('install: dies before every step', () => walk('install', settings(), 'dies', nothing, [['install', settings()], ['remove', '']]), 600_000);
  test('install of other settings: dies before every step', () => walk('install', second, 'dies', installed, [['install', second], ['install', more], ['remove', '']]), 900_000);
  test('remove: dies before every step', () => walk('remove', '', 'dies', installed, [['remove', '']]), 600_000);

  test('remove, with lines of the operator for the same: dies before every step, and they are in force all the while', () => {
    const withLines = (): void => {
      installed();
      write('etc/exports', exported(A, EXPORTS, `${OPTIONS},no_subtree_check`));
    };
    const inForce = (options: string): string[] => [...read('var/lib/nfs/etab').matchAll(new RegExp(`^/mnt/share/(?:nms|clickhouse) ${A}\\(${OPTIONS}${options}\\)$`, 'gm'))].map(([each]) => each);
    walk('remove', '', 'dies', withLines, [['remove', '']], () => expect(inForce('(?:,no_subtree_check)?')).toHaveLength(2));
    // As after the last step.
    expect(inForce(',no_subtree_check')).toHaveLength(2);
  }, 600_000);
});
