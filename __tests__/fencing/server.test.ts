import { ChildProcess, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { handOver, NOBODY, plantTree, writeInTree } from './nobody';

const SCRIPTS = path.join(__dirname, '..', '..', 'scripts', 'server');
const INSTALLED = 'usr/local/lib/nim-ha-fence/fence.sh';
const [A, B, SECOND_OF_B, ELSE] = ['10.77.0.11', '10.77.0.12', '192.0.2.12', '10.77.0.50'];
const EXPORTS = ['/mnt/share/clickhouse', '/mnt/share/nms'];
const OPTIONS = 'rw,sync,no_root_squash';

/** exportfs keeps its table in a file; a client is gone a moment after it has been told to expire. */
const STAND_INS = {
  exportfs: `table="\${0%/usr/sbin/*}/var/lib/nfs/etab"
case "$1" in
  -u) where="\${2#*:} \${2%%:*}"; while read -r path client; do [ "$path \${client%%(*}" = "$where" ] || echo "$path $client"; done <"$table" >"$table.new"; mv "$table.new" "$table" ;;
  -i) echo "\${4#*:} \${4%%:*}($3)" >>"$table" ;;
  -f) ;;
  *) exit 9 ;;
esac`,
  logger: 'shift 3; echo "$*" >>"${0%/usr/sbin/*}/log"',
  mount: '[ "$1" = --bind ] || [ "$2" = remount,bind,ro,nodev,nosuid,noexec ]',
  unshare: '[ "$1" = -m ] && shift && exec "$@"',
  sleep: 'for each in "${0%/usr/sbin/*}"/proc/fs/nfsd/clients/*; do [ ! -e "$each/stays" ] && grep -q expire "$each/ctl" && rm -r "$each"; done; exec /bin/sleep "$1"',
};

let root: string;
const at = (name: string): string => path.join(root, name);
const read = (name: string): string => (fs.existsSync(at(name)) ? fs.readFileSync(at(name), 'utf8') : '');
const write = (name: string, text: string, mode = 0o644): void => writeInTree(root, name, text, mode);

const etab = (...lines: string[]): void => write('var/lib/nfs/etab', lines.map((line) => `${line}\n`).join(''));
const exported = (address: string): string[] => EXPORTS.map((each) => `${each} ${address}(${OPTIONS})`);
const client = (number: number, address: string): void => {
  write(`proc/fs/nfsd/clients/${number}/info`, `clientid: 0x1\naddress: "${address}:793"\nstatus: confirmed\n`);
  write(`proc/fs/nfsd/clients/${number}/ctl`, '');
};
/** Seconds since the holder's last sign of life. */
const holderSilentFor = (seconds: number, heard = '+++'): void => {
  write('mnt/share/nms/.nim-ha/lock', heard);
  const then = Date.now() / 1000 - seconds;
  fs.utimesSync(at('mnt/share/nms/.nim-ha/lock'), then, then);
};

let holder: ChildProcess | undefined;
/** A holder that lives: it adds to the file as the heartbeat does. */
const holderAlive = (): void => {
  holderSilentFor(0);
  holder = spawn('bash', ['-c', 'while printf + >>"$0"; do sleep 0.5; done', at('mnt/share/nms/.nim-ha/lock')], { stdio: 'ignore' });
};
afterEach(() => void holder?.kill());

beforeEach(() => {
  root = plantTree('nim-ha-fence-');
  for (const [name, text] of Object.entries(STAND_INS)) write(`usr/sbin/${name}`, `#!/bin/bash\n${text}\n`, 0o755);
  write('etc/nim-ha-fence/pair', [...EXPORTS.map((each) => `EXPORT=${each}`), `OPTIONS=${OPTIONS}`, `NODE=node-a ${A}`, `NODE=node-b ${B} ${SECOND_OF_B}`, ''].join('\n'));
  fs.mkdirSync(at(path.dirname(INSTALLED)), { recursive: true });
  for (const name of ['fence.sh', 'exports.sh']) fs.copyFileSync(path.join(SCRIPTS, name), at(`${path.dirname(INSTALLED)}/${name}`));
  for (const each of ['proc/sys/kernel/random', ...EXPORTS]) fs.mkdirSync(at(each), { recursive: true });
  write('proc/fs/nfsd/exports', '# Version 1.1\n# Path Client(Flags) # IPs\n');
  write('proc/self/mountinfo', `22 1 8:1 / ${root} rw - ext4 /dev/sda1 rw\n`);
  fs.symlinkSync('/proc/sys/kernel/random/uuid', at('proc/sys/kernel/random/uuid'));
  for (const [name, address] of [['node-a', A], ['node-b', B]]) write(`etc/exports.d/nim-ha-pair@${name}.exports`, exported(address).map((line) => `${line}\n`).join(''));
  etab(...exported(A), ...exported(B));
  client(1, A);
  client(2, B);
});
afterEach(() => fs.rmSync(root, { recursive: true }));

function ask(node: string, request: string, pair = 'pair'): { code: number | null; said: string } {
  handOver(root);
  const { status, stdout, stderr } = spawnSync(at(INSTALLED), [pair, node, request], { encoding: 'utf8', env: {}, cwd: root, timeout: 60_000, ...NOBODY });
  return { code: status, said: (stdout + stderr).trim() };
}

/** Everything but the log and the file that requests wait for each other with. */
function picture(): string {
  const files = (fs.readdirSync(root, { recursive: true, encoding: 'utf8' }) as string[]).filter((name) => name !== 'log' && !name.endsWith('pair/lock') && fs.statSync(at(name)).isFile());
  return files.sort().map((name) => `${name}: ${name.startsWith('proc/sys') ? '' : read(name)}`).join('\n');
}

const fenceOf = (said: string): string => /^fenced ([0-9a-f-]{36})$/.exec(said)?.[1] ?? '';

test('a fence takes the export away, on the disk and in force, and ends the client of the peer and no other', () => {
  const { code, said } = ask('node-a', 'fence');
  expect([code, fenceOf(said)]).toEqual([0, expect.stringMatching(/./)]);
  expect(read('var/lib/nim-ha-fence/pair/fenced')).toBe(`node-b ${fenceOf(said)}\n`);
  expect(fs.readdirSync(at('etc/exports.d'))).toEqual(['nim-ha-pair@node-a.exports']);
  expect(read('var/lib/nfs/etab')).toBe(`${exported(A).join('\n')}\n`);
  expect(fs.readdirSync(at('proc/fs/nfsd/clients'))).toEqual(['1']);
  expect(read('proc/fs/nfsd/clients/1/ctl')).toBe('');
  expect(read('log')).toBe(`pair node-a: fence: ${said}\n`);
  // Asked twice, the answer is the same one.
  expect(ask('node-a', 'fence').said).toBe(said);
});

test('what the kernel knows of exports is dropped before the look at them, and again when the clients are gone', () => {
  write('usr/sbin/exportfs', read('usr/sbin/exportfs').replace('-f) ;;', '-f) cd "${0%/usr/sbin/*}" && ls proc/fs/nfsd/clients | xargs >>flushed && { [ ! -e fails ] || [ -d proc/fs/nfsd/clients/2 ]; } ;;'), 0o755);
  expect(fenceOf(ask('node-a', 'fence').said)).not.toBe('');
  expect(read('flushed')).toBe('1 2\n1\n');
  client(2, B);
  write('fails', '');
  expect(ask('node-a', 'fence')).toEqual({ code: 3, said: "refused: the kernel's table of exports cannot be emptied" });
});

test.each([B, `$${SECOND_OF_B}`, `10.77.0.99,${B}`])('what mountd tells the kernel once more, of what it had read before, is emptied again: %s', (client) => {
  const told = `# Version 1.1\n/\t${B}(ro,v4root)\n/mnt/share/nms\t${A}(rw)\n/mnt/share/nms\t${client}(rw,sec=1)\n`;
  write('usr/sbin/exportfs', read('usr/sbin/exportfs').replace('-f) ;;', '-f) cd "${0%/usr/sbin/*}" && echo >>flushed && { [ -e stays ] || [ $(wc -l <flushed) -lt 3 ] || echo >proc/fs/nfsd/exports; } ;;'), 0o755);
  write('proc/fs/nfsd/exports', told);
  expect([fenceOf(ask('node-a', 'fence').said) !== '', read('flushed')]).toEqual([true, '\n\n\n']);
  write('proc/fs/nfsd/exports', told);
  write('stays', '');
  expect(ask('node-a', 'fence')).toEqual({ code: 3, said: 'refused: the kernel still has the share exported to the peer' });
  fs.rmSync(at('proc/fs/nfsd/exports'));
  expect(ask('node-a', 'fence')).toEqual({ code: 3, said: "refused: the kernel's table of exports cannot be read from /proc/fs/nfsd/exports" });
});

test('an export that is back in force when the clients are gone is told: somebody had read it before', () => {
  write('usr/sbin/exportfs', read('usr/sbin/exportfs').replace('-f) ;;', `-f) cd "\${0%/usr/sbin/*}" && [ -d proc/fs/nfsd/clients/2 ] || echo '/mnt/share/nms ${B}(rw)' >>var/lib/nfs/etab ;;`), 0o755);
  expect(ask('node-a', 'fence')).toEqual({ code: 3, said: expect.stringContaining(`the peer still reaches the share: /mnt/share/nms to ${B}`) });
});

test('the one that is fenced fences nobody, learns the name of its fence, and comes back under that name only', () => {
  const name = fenceOf(ask('node-a', 'fence').said);
  expect(ask('node-b', 'fence')).toEqual({ code: 3, said: `refused: fenced itself, as ${name}` });
  expect([ask('node-a', 'status').said, ask('node-b', 'status').said]).toEqual(['free', `fenced ${name}`]);
  const fenced = picture();
  expect(ask('node-b', 'rejoin 00000000-0000-0000-0000-000000000000')).toMatchObject({ code: 3, said: 'refused: fenced under another name' });
  // The survivor has nothing to come back from.
  expect(ask('node-a', `rejoin ${name}`)).toEqual({ code: 0, said: 'free' });
  expect(picture()).toBe(fenced);
  expect(ask('node-b', `rejoin ${name}`)).toEqual({ code: 0, said: 'back' });
  expect(read('etc/exports.d/nim-ha-pair@node-b.exports')).toBe(`${exported(B).join('\n')}\n`);
  expect(read('var/lib/nfs/etab').trim().split('\n').sort()).toEqual([...exported(A), ...exported(B)].sort());
  // The same request, late.
  expect(ask('node-b', `rejoin ${name}`)).toEqual({ code: 0, said: 'free' });
  const next = fenceOf(ask('node-a', 'fence').said);
  expect(next).not.toBe(name);
  expect(ask('node-b', `rejoin ${name}`).code).toBe(3);
});

test.each([
  `/mnt/share/nms *(rw)`, `/mnt/share/nms 10.77.0.0/24(rw)`, `/mnt/share ${B}(rw,crossmnt)`, `/ *(ro,fsid=0)`, `/mnt/share/nms/deeper ${SECOND_OF_B}(rw)`,
  `/mnt/share/clickhouse node-b.example(rw)`, '/mnt/share/nms @trusted(rw)', '/mnt/share/nms gss/krb5(rw)', '/mnt/share/nms db1(rw)', '/mnt/share/nms 10.77(rw)',
  '/mnt/share/nms 2001:db8::7(rw)', '/mnt/share/nms 10.77.0.012(rw)', '/mnt/share/nms 10.77.00.12(rw)', '/mnt/share/nms 010.77.0.50(rw)', '/mnt/share/nms 10.77.0.300(rw)', '/mnt/share/nms 10.77.0.50/32(rw)',
])('a fence beside which another export reaches the share is none: %s', (other) => {
  etab(...exported(A), ...exported(B), other);
  expect(ask('node-a', 'fence')).toMatchObject({ code: 3, said: expect.stringContaining(`the peer still reaches the share: ${other.replace(/ (.*)\(.*/, ' to $1')}`) });
});

test('an export by another name of the same directory counts, too, as a bind mount is one, and what is mounted below it', () => {
  // A link stands in for it: both have the device and the inode of what they show.
  fs.mkdirSync(at('srv'));
  fs.symlinkSync('../mnt/share', at('srv/bind'));
  fs.symlinkSync('../mnt/share', at('srv/a]b=$(touch made)'));
  const refused = { code: 3, said: expect.stringMatching(/^refused: the peer still reaches the share: \/srv.* to \* in .* is exported, too$/) };
  for (const other of ['/srv/bind *(rw)', '/srv/bind/nms *(rw)', '/srv/a]b=$(touch\\040made) *(rw)']) {
    etab(...exported(A), ...exported(B), '/srv/a]b *(rw)', other);
    expect(ask('node-a', 'fence')).toEqual(refused);
  }
  expect(fs.existsSync(at('made'))).toBe(false);
  write('proc/self/mountinfo', `22 1 8:1 / ${root} rw - ext4 /dev/sda1 rw\n23 22 8:1 /mnt/share ${root}/srv/bind rw - ext4 /dev/sda1 rw\n`);
  etab(...exported(A), ...exported(B), '/srv *(rw,crossmnt)');
  expect(ask('node-a', 'fence')).toEqual(refused);
  etab(...exported(A), ...exported(B), '/srv *(rw,nocrossmnt)');
  expect(fenceOf(ask('node-a', 'fence').said)).not.toBe('');
});

test('an export by a symbolic link that leads into the share, or to where something of it is mounted, counts, too', () => {
  for (const each of ['mnt/share/nms/deeper', 'srv/disk']) fs.mkdirSync(at(each), { recursive: true });
  for (const [name, target] of [['a', '../mnt/share/nms/deeper'], ['b', '../mnt'], ['c', '.']]) fs.symlinkSync(target, at(`srv/${name}`));
  write('proc/self/mountinfo', `22 1 8:1 / ${root} rw - ext4 /dev/sda1 rw\n23 22 8:1 /mnt/share/nms/deeper ${root}/srv/disk rw - ext4 /dev/sda1 rw\n`);
  for (const other of ['/srv/a *(rw)', '/srv/a/ *(rw)', '/srv/a/not/yet *(rw)', '/srv/b/share/nms/deeper *(rw)', '/srv/c *(rw,crossmnt)']) {
    etab(...exported(A), ...exported(B), other);
    expect(ask('node-a', 'fence')).toEqual({ code: 3, said: expect.stringMatching(/^refused: the peer still reaches the share: \/srv\/.* to \* in .* is exported, too$/) });
  }
  etab(...exported(A), ...exported(B), '/srv/c *(rw)');
  expect(fenceOf(ask('node-a', 'fence').said)).not.toBe('');
});

test('a server with a hundred exports and mounts is looked through in time', () => {
  const paths = Array.from({ length: 100 }, (_, index) => `/srv/disk${index}/data`);
  for (const each of paths) fs.mkdirSync(at(each), { recursive: true });
  const clients = ['*.example.com', '@hosts', '10.78.0.0/16', '2001:db8::/32'];
  write('proc/self/mountinfo', `22 1 8:1 / ${root} rw - ext4 /dev/sda1 rw\n${paths.map((each, index) => `${index + 23} 22 9:${index} / ${root}${path.dirname(each)} rw - ext4 /dev/sdb${index} rw\n`).join('')}`);
  write('etc/exports', paths.map((each) => `${each} ${clients.map((to) => `${to}(rw,crossmnt)`).join(' ')}\n`).join('') + '/srv *.example.com(ro,crossmnt)\n');
  etab(...exported(A), ...exported(B), ...paths.flatMap((each) => clients.map((to) => `${each} ${to}(rw,crossmnt)`)));
  const began = Date.now();
  expect(fenceOf(ask('node-a', 'fence').said)).not.toBe('');
  expect(Date.now() - began).toBeLessThan(15_000);
}, 70_000);

test('what gives no answer may be the share, and keeps nobody waiting', () => {
  write('usr/sbin/readlink', '#!/bin/bash\n[[ $* != */dead* ]] || exec /bin/sleep 60\nexec /bin/readlink "$@"\n', 0o755);
  etab(...exported(A), ...exported(B), `/dead ${ELSE}(rw)`);
  expect(fenceOf(ask('node-a', 'fence').said)).not.toBe('');
  etab(...exported(A), ...exported(B), '/dead/deeper *(rw)');
  const began = Date.now();
  expect(ask('node-a', 'fence')).toMatchObject({ code: 3, said: expect.stringContaining('the peer still reaches the share: /dead/deeper to *') });
  expect(Date.now() - began).toBeLessThan(20_000);
}, 60_000);

test.each([`/mnt/share/nms ${ELSE}(rw)`, '/mnt/other *(rw)', '/mnt/share/nms2 *(rw)'])('an export that is plainly for somebody or something else is none of our business: %s', (other) => {
  etab(...exported(A), ...exported(B), other);
  expect(fenceOf(ask('node-a', 'fence').said)).not.toBe('');
  expect(read('var/lib/nfs/etab')).toContain(other);
});

test.each([
  ['etc/exports', `/mnt/share/nms ${B}(rw)`], ['etc/exports', `# ours\n"/mnt/share/nms" ${A}(rw) \\\n  ${B}(rw)`], ['etc/exports', '/mnt/share/nms -rw @all'], ['etc/exports', '/mnt/share'],
  ['etc/exports', '# site \\\n/mnt/share/nms *(rw)'], ['etc/exports', '#/srv/old *(rw) \\\n/mnt/share/nms *(rw)'], ['etc/exports', `/mnt/other *(rw) \\\n# site \\\n/mnt/share/nms *(rw)`], ['etc/exports', '/mnt/share/nms *(rw) \\'],
  ['etc/exports', '/mnt/share/nms -rw,no_root_squash'], ['etc/exports', `/mnt/share/nms ${ELSE}(rw) -ro`], ['etc/exports', `/mnt/share/nms ${ELSE} (rw)`], ['etc/exports', `/mnt/share/nms ${ELSE}#x(rw)`], ['etc/exports', `/mnt/share/nms ${ELSE}(rw) ${ELSE}(rw,sec=a#b) *(rw)`], ['etc/exports.d/other.exports', '/mnt/share/nms *(ro)'],
])('what is to be exported at the next start of the server counts, too: %s: %s', (file, text) => {
  write(file, `${text}\n`);
  expect(ask('node-a', 'fence')).toMatchObject({ code: 3, said: expect.stringMatching(/^refused: the peer still reaches the share: .* is exported, too$/) });
});

test('a comment ends with its line, and what is no export by then reaches nothing', () => {
  for (const text of ['#/srv/old *.example.com(rw) \\\n#  backup.example.com(rw) \\\n   third.example.com(rw)\n', '/srv/old *(rw) # for now \\\n   backup.example.com(rw)\n', 'mnt/share/nms *(rw)\n']) {
    write('etc/exports', text);
    const began = Date.now();
    expect([text, fenceOf(ask('node-a', 'fence').said)]).toEqual([text, expect.stringMatching(/./)]);
    expect(Date.now() - began).toBeLessThan(20_000);
  }
});

test('what cannot be seen is not taken for good', () => {
  const [exportsThere, clients] = ['var/lib/nfs/etab', 'proc/fs/nfsd/clients'];
  fs.renameSync(at(clients), at('away'));
  expect(ask('node-a', 'fence')).toMatchObject({ code: 3, said: expect.stringContaining('does not tell its NFS clients') });
  fs.renameSync(at('away'), at(clients));
  fs.rmSync(at(exportsThere));
  write('usr/sbin/exportfs', '#!/bin/bash\n', 0o755);
  expect(ask('node-a', 'fence')).toMatchObject({ code: 3, said: expect.stringContaining('cannot be read from /var/lib/nfs/etab') });
  write('etc/nim-ha-fence/pair', read('etc/nim-ha-fence/pair').replace(SECOND_OF_B, '2001:db8::12'));
  expect(ask('node-a', 'fence').said).toBe('refused: the settings of this pair have an address that is not IPv4');
});

test('half a fence, or half a way back, is made a whole fence under a new name', () => {
  const old = '11111111-2222-3333-4444-555555555555';
  write('var/lib/nim-ha-fence/pair/fenced', `node-b ${old}\n`);
  holderAlive(); // node-b may have come back, and serve
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 3, said: 'refused: the holder of the lock shows life' });
  const name = fenceOf(ask('node-a', 'fence').said);
  expect([name, old]).toEqual([expect.stringMatching(/./), expect.not.stringContaining(name)]);
  expect(fs.readdirSync(at('etc/exports.d'))).toEqual(['nim-ha-pair@node-a.exports']);
  expect(fs.readdirSync(at('proc/fs/nfsd/clients'))).toEqual(['1']);
  // A whole one is only looked at again: the one that asks may have the lock by now.
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 0, said: `fenced ${name}` });
  // A way back that breaks off has another name from the beginning.
  write('usr/sbin/exportfs', '#!/bin/bash\nexit 1\n', 0o755);
  expect(ask('node-b', `rejoin ${name}`)).toMatchObject({ code: 3, said: expect.stringContaining('cannot be put in force') });
  expect(ask('node-b', `rejoin ${name}`)).toEqual({ code: 3, said: 'refused: fenced under another name' });
});

test('who waits for a lock may fence a holder that is silent, and no other', () => {
  const before = picture();
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 3, said: 'refused: there is no lock on the share' });
  expect(picture()).toBe(before);
  holderAlive();
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 3, said: 'refused: the holder of the lock shows life' });
  holder?.kill();
  holderSilentFor(10);
  expect(fenceOf(ask('node-a', 'fence-silent').said)).not.toBe('');
});

test('what is left of the five seconds is waited for on the server, not with another login', () => {
  holderSilentFor(1); // on a busy machine, too, some are left
  const grown = fs.statSync(at('mnt/share/nms/.nim-ha/lock')).mtimeMs;
  expect(fenceOf(ask('node-a', 'fence-silent').said)).not.toBe('');
  expect(Date.now() - grown).toBeGreaterThan(5000);
});

test('a holder on a full share, whose file gets a new time and no byte, shows life, and is not waited for', () => {
  holderSilentFor(0);
  holder = spawn('bash', ['-c', 'while touch "$0"; do sleep 0.5; done', at('mnt/share/nms/.nim-ha/lock')], { stdio: 'ignore' });
  const began = Date.now();
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 3, said: 'refused: the holder of the lock shows life' });
  expect(Date.now() - began).toBeLessThan(20_000);
}, 70_000);

test('a clock of the server that was ahead when the lock grew is not waited for', () => {
  holderSilentFor(-3600);
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 3, said: 'refused: the holder of the lock shows life' });
});

test('a holder that lets go in order has more time', () => {
  holderSilentFor(10, '++-');
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 3, said: 'refused: the holder of the lock shows life' });
  holderSilentFor(30, '++-');
  expect(fenceOf(ask('node-a', 'fence-silent').said)).not.toBe('');
});

// Whoever is root on a node can put anything there: root of the server opens none of it, and nobody waits.
const LOCK = 'mnt/share/nms/.nim-ha/lock';
const pipe = (name: string): void => void spawnSync('mkfifo', [at(name)]);
test.each<[string, () => void]>([
  ['a pipe', () => pipe(LOCK)],
  ['a link to a pipe', () => { pipe(`${path.dirname(LOCK)}/pipe`); fs.symlinkSync('pipe', at(LOCK)); }],
  ['a link to a device', () => fs.symlinkSync('/dev/zero', at(LOCK))],
  ['a link to a file of the server', () => { write('old', '+'); fs.utimesSync(at('old'), 1, 1); fs.symlinkSync(at('old'), at(LOCK)); }],
  ['a directory', () => fs.mkdirSync(at(LOCK))],
  ['in a directory behind a link', () => { write('away/lock', '+'); fs.utimesSync(at('away/lock'), 1, 1); fs.rmdirSync(at(path.dirname(LOCK))); fs.symlinkSync(at('away'), at(path.dirname(LOCK))); }],
])('what is no file is no lock, and keeps nobody waiting: %s', (_what, make) => {
  fs.mkdirSync(at(path.dirname(LOCK)), { recursive: true });
  make();
  const began = Date.now();
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 3, said: 'refused: there is no lock on the share' });
  expect(ask('node-b', 'status').said).toBe('free');
  expect(Date.now() - began).toBeLessThan(20_000);
});

test.each([
  ['without a private mount', () => write('usr/sbin/mount', '#!/bin/bash\n[ "$1" = --bind ] || [ "$2" != remount,bind,ro,nodev,nosuid,noexec ]\n', 0o755)],
  ['in time, and nothing that hangs keeps the next one waiting', () => write('usr/sbin/dd', '#!/bin/bash\ntrap "" TERM\nexec /bin/sleep 25\n', 0o755)],
])('a lock that cannot be read is no silent one: %s', (_what, make) => {
  holderSilentFor(10);
  make();
  expect(ask('node-a', 'fence-silent')).toEqual({ code: 3, said: 'refused: the lock on the share cannot be read' });
  const began = Date.now();
  expect(ask('node-b', 'status').said).toBe('free');
  expect(Date.now() - began).toBeLessThan(8_000);
}, 60_000);

test('a client that the peer has for something else, and that comes back at once, is none of this fence', () => {
  write('usr/sbin/sleep', `${read('usr/sbin/sleep').replace('exec', `mkdir -p "\${0%/usr/sbin/*}/proc/fs/nfsd/clients/7" && printf 'address: "${B}:800"\\n' >"\${0%/usr/sbin/*}/proc/fs/nfsd/clients/7/info"; exec`)}`, 0o755);
  expect(ask('node-a', 'fence').said).toMatch(/^fenced /);
  expect(fs.readdirSync(at('proc/fs/nfsd/clients'))).toEqual(['1', '7']);
});

test('"fenced" is not said before the peer has no client any more', () => {
  client(3, `[::ffff:${SECOND_OF_B}]`);
  write('proc/fs/nfsd/clients/3/stays', '');
  expect(ask('node-a', 'fence')).toEqual({ code: 3, said: "refused: the peer's clients have not come to their end in 20 s" });
  // Nobody waits for what still hangs, and nobody is kept from asking.
  expect(ask('node-b', 'status').said).toMatch(/^fenced /);
  // The record is there, so nobody gives the export back before it is.
  expect(read('var/lib/nim-ha-fence/pair/fenced')).toMatch(/^node-b /);
}, 60_000);

test('whatever else is asked for is refused and logged, and changes nothing', () => {
  const before = picture();
  const bad = ['', 'fence node-b', 'fence;id', '$(touch /tmp/x)', 'rejoin', 'rejoin ../../etc', `rejoin ${'a'.repeat(5000)}`, 'status\nfence', 'FENCE', '-u', '\x00'.replace('\x00', '\x01')];
  for (const request of bad) expect([request, ask('node-a', request)]).toEqual([request, { code: 3, said: 'refused: no such request' }]);
  for (const node of ['node-c', '', '../node-a', 'node-a node-b', '-x']) expect(ask(node, 'fence')).toMatchObject({ code: 3, said: expect.stringMatching(/^refused: /) });
  for (const pair of ['other', '../pair', '', '.']) expect(ask('node-a', 'fence', pair)).toMatchObject({ code: 3, said: expect.stringMatching(/^refused: /) });
  expect(picture()).toBe(before);
  expect(read('log').split('\n').every((line) => line.length < 400)).toBe(true);
  expect(read('log')).toContain(`pair node-a: refused: \\$\\(touch\\ /tmp/x\\)`);
});

describe('while a request waits for another one', () => {
  /** What happens meanwhile; $here is the tree. */
  const meanwhile = (commands: string): void => write('usr/sbin/flock', `#!/bin/bash\nhere="\${0%/usr/sbin/*}" memory="\${0%/usr/sbin/*}/var/lib/nim-ha-fence/pair"\n${commands}\nPATH=/usr/bin:/bin exec flock "$@"\n`, 0o755);

  test.each([
    ['the pair is removed', 'rm -r "$memory" "$here/etc/nim-ha-fence/pair"', 'the pair is being set up anew'],
    ['the pair is removed and set up', 'rm -r "$memory"; mkdir "$memory"; : >"$memory/lock"', 'the pair is being set up anew'],
    ['its settings go', 'rm "$here/etc/nim-ha-fence/pair"', 'no such pair'],
    ['the caller is no node any more', `sed -i 's/^NODE=node-a /NODE=node-c /' "$here/etc/nim-ha-fence/pair"`, 'the settings of this pair name no exports, no options, or not this node and its peer'],
  ])('%s: it is refused', (_what, commands, why) => {
    meanwhile(commands);
    const exportsThere = [read('var/lib/nfs/etab'), fs.readdirSync(at('etc/exports.d'))];
    expect(ask('node-a', 'fence')).toEqual({ code: 3, said: `refused: ${why}` });
    expect([[read('var/lib/nfs/etab'), fs.readdirSync(at('etc/exports.d'))], read('var/lib/nim-ha-fence/pair/fenced')]).toEqual([exportsThere, '']);
  });

  test('it goes by the settings and the record that are there then', () => {
    etab(...exported(A), ...exported(B), ...exported(ELSE));
    meanwhile(`sed -i 's/^NODE=node-b .*/NODE=node-b ${ELSE} ${B} ${SECOND_OF_B}/' "$here/etc/nim-ha-fence/pair"`);
    // The old address of the peer is exported to, too, and that is what it says.
    expect(ask('node-a', 'fence').said).toContain(`the peer still reaches the share: ${EXPORTS[1]} to ${B}`);
    expect(read('var/lib/nfs/etab')).not.toContain(ELSE);
    meanwhile('echo "node-a 11111111-2222-3333-4444-555555555555" >"$memory/fenced"');
    expect(ask('node-a', 'fence').said).toBe('refused: fenced itself, as 11111111-2222-3333-4444-555555555555');
  });
});

test('what a request that was cut off has left half-written is not read, and goes', () => {
  write('var/lib/nim-ha-fence/pair/.fenced.new', 'node-a 1111');
  write('etc/exports.d/.nim-ha-pair@node-b.exports.new', '/mnt/share/nms *(rw)\n');
  expect(ask('node-a', 'status').said).toBe('free');
  const name = fenceOf(ask('node-a', 'fence').said);
  expect(read('var/lib/nim-ha-fence/pair/fenced')).toBe(`node-b ${name}\n`);
  expect(ask('node-b', `rejoin ${name}`).said).toBe('back');
  expect(read('etc/exports.d/nim-ha-pair@node-b.exports')).toBe(`${exported(B).join('\n')}\n`);
  expect([fs.readdirSync(at('var/lib/nim-ha-fence/pair')), fs.readdirSync(at('etc/exports.d'))]).toEqual([['lock'], ['nim-ha-pair@node-a.exports', 'nim-ha-pair@node-b.exports']]);
});

test.each(['2001:db8::12', '::ffff:10.77.0.12', 'node-b.example', '*', '10.77.0.0/24'])('no node has an address like %s', (address) => {
  for (const node of ['node-a', 'node-b']) {
    write('etc/nim-ha-fence/pair', read('etc/nim-ha-fence/pair').replace(/^NODE=node-b .*$/m, `NODE=node-b ${B} ${address}`));
    expect(ask(node, 'fence')).toEqual({ code: 3, said: 'refused: the settings of this pair have an address that is not IPv4' });
  }
});

/** What a request may be: of bytes but NUL, which neither a command that sshd takes nor an argument can have in it. */
function malformed(seed: number, count: number): string[][] {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const of = <T>(all: T[]): T => all[below(all.length)];
  const uuid = '11111111-2222-3333-4444-555555555555';
  const words = [
    'fence', 'fence-silent', 'status', 'rejoin', `rejoin ${uuid}`, uuid, 'node-a', 'node-b', 'pair', 'other', '-u', '--', '--help', '-rf', '/', '/etc/passwd', '../..', '..', '*', '?', '~', '', 'FENCE', 'é', '名', '\u202e', '😀', '$(touch made)', '`touch made`',
    '${IFS}', '$0', '"', "'", '\\', '\\"', ';touch made', '&& touch made', '| touch made', '> made', '<made', '#', '!', '%s%n', '%d', '\x1b[2J', '\x7f', '\x01', '0', '-1', 'x[$(touch made)]', 'a=b', '{a,b}', '((1))',
  ];
  const between = [' ', '', '\n', '\t', '\r\n', '  ', ';', '\x0b', '='];
  const fits = /^(fence|fence-silent|status|rejoin [0-9a-f-]{36})$/;
  const some = (): string => {
    if (below(20) === 0) return of(words).repeat(1 + below(20_000)).slice(0, 100_000);
    return Array.from({ length: 1 + below(6) }, () => of(words) + of(between)).join('') + (below(2) ? of(words) : '');
  };
  const node = (): string => of(['node-c', 'node-A', 'node-a ', ' node-a', 'node-a/', '../node-a', '', '*', '-x', 'node-a node-b', 'node-a\n', '$(touch made)', 'é', 'a'.repeat(64)]);
  const pair = (): string => of(['other', 'PAIR', '../nim-ha-fence/pair', './pair', 'pair/', 'pair ', '', '.', '..', '-x', 'pair\nnode-a', '.pair.new', '$(touch made)', 'a'.repeat(64)]);
  return Array.from({ length: count }, () => {
    for (;;) {
      const request = some();
      const kind = below(10);
      if (kind === 0) return ['pair', node(), of([request, 'fence', 'status', `rejoin ${uuid}`])];
      if (kind === 1) return [pair(), 'node-a', of([request, 'fence', 'status', `rejoin ${uuid}`])];
      if (!fits.test(request)) return ['pair', of(['node-a', 'node-b']), request];
    }
  });
}

const SEED = Number(process.env.NIM_HA_SEED ?? Date.now() % 2 ** 32);
test(`1,000 malformed requests are refused and logged each, and change nothing (NIM_HA_SEED=${SEED})`, () => {
  write('log', '');
  write('ask', '#!/bin/bash\ncd "${0%/*}" && while IFS= read -r -d "" pair && IFS= read -r -d "" node && IFS= read -r -d "" request; do\n  "$PWD/$1" "$pair" "$node" "$request" </dev/null 2>&1\n  echo "=$?"\ndone\n', 0o755);
  const all = (): string =>
    (fs.readdirSync(root, { recursive: true, encoding: 'utf8' }) as string[])
      .filter((name) => name !== 'log' && !name.startsWith('proc/sys'))
      .map((name) => [name, ...(({ mode, ino, mtimeMs, size }) => [mode, ino, mtimeMs, size])(fs.lstatSync(at(name)))].join(' '))
      .join('\n');
  const requests = malformed(SEED, 1000);
  handOver(root);
  const before = [all(), picture()];
  const run = spawnSync('/bin/bash', [at('ask'), INSTALLED], { encoding: 'utf8', input: requests.flat().map((each) => `${each}\0`).join(''), env: {}, cwd: root, maxBuffer: 2 ** 26, ...NOBODY });
  const answers = run.stdout.split(/(?<==\d+)\n/).slice(0, -1);
  expect(answers).toHaveLength(1000);
  const answer = /^refused: (no such request|no such pair|not called by the forced command of a key|the settings of this pair name no exports, no options, or not this node and its peer)\n=3$/;
  requests.forEach((each, index) => expect([each, answers[index]]).toEqual([each, expect.stringMatching(answer)]));
  expect([all(), picture()]).toEqual(before);
  const log = read('log').trim().split('\n');
  // Each answer, and before it what was asked for, where it was no request.
  const asked = answers.filter((each) => each.includes('no such request')).length;
  expect([log.length, log.filter((each) => /^\S+ \S+: .*refused: /.test(each)).length]).toEqual([1000 + asked, 1000 + asked]);
  expect(Math.max(...log.map((each) => each.length))).toBeLessThan(400);
}, 300_000);
