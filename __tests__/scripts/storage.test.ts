import { existsSync, readFileSync, utimesSync } from 'fs';
import { join } from 'path';
import { DeployNode } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => {
  node = new DeployNode();
  node.write('etc/nim-ha/node.data', node.read('home/ops/.nim-ha/node.data'));
});
afterEach(() => node.destroy());

const importData = () => node.script('storage.sh', ['import']);

test('data goes to an empty share whole: modes, links, names with spaces; and only once', () => {
  node.write('var/lib/clickhouse/x dir/ f ile', 'one', 0o600);
  node.bash('ln -s part.bin "$NIM_HA_ROOT/var/lib/clickhouse/data/link"; chmod 0711 "$NIM_HA_ROOT/var/lib/clickhouse"');
  expect(importData().code).toBe(0);
  expect(node.read('fake/nfs/clickhouse/x dir/ f ile')).toBe('one');
  expect(node.mode('fake/nfs/clickhouse/x dir/ f ile')).toBe('600');
  expect(node.read('fake/nfs/clickhouse/data/link')).toBe('rows on this disk');
  expect(node.mode('fake/nfs/clickhouse')).toBe('711');
  expect(node.has('fake/nfs/clickhouse/.nim-ha-import')).toBe(false);
  // The original stays where it was, and no mount is left.
  expect(node.read('var/lib/clickhouse/data/part.bin')).toBe('rows on this disk');
  expect(node.read('proc/mounts')).toBe('');

  node.write('var/lib/clickhouse/later', '');
  expect(importData().out).toContain("holds the pair's data already");
  expect(node.has('fake/nfs/clickhouse/later')).toBe(false);
});

test('an interrupted copy goes on: half a file is copied again, a whole one is not', () => {
  node.write('var/lib/clickhouse/data/whole.bin', 'whole');
  node.write('fake/nfs/clickhouse/.nim-ha-import/data/data/part.bin', 'rows on');
  node.write('fake/nfs/clickhouse/.nim-ha-import/data/data/gone.bin', 'deleted since');
  node.write('fake/nfs/clickhouse/.nim-ha-import/data/data/whole.bin', 'WHOLE');
  const when = new Date(1700000000000);
  utimesSync(join(node.root, 'var/lib/clickhouse/data/whole.bin'), when, when);
  utimesSync(join(node.root, 'fake/nfs/clickhouse/.nim-ha-import/data/data/whole.bin'), when, when);
  expect(importData().code).toBe(0);
  expect(node.read('fake/nfs/clickhouse/data/part.bin')).toBe('rows on this disk');
  expect(node.has('fake/nfs/clickhouse/data/gone.bin')).toBe(false);
  expect(node.read('fake/nfs/clickhouse/data/whole.bin')).toBe('WHOLE');
});

test('a file that the copy was killed before giving it its mode and owner is copied again', () => {
  const when = new Date(1700000000000);
  for (const [path, mode] of [['var/lib/clickhouse/data/part.bin', 0o640], ['fake/nfs/clickhouse/.nim-ha-import/data/data/part.bin', 0o600]] as const) {
    node.write(path, 'rows on this disk', mode);
    utimesSync(join(node.root, path), when, when);
  }
  expect(importData().code).toBe(0);
  expect(node.mode('fake/nfs/clickhouse/data/part.bin')).toBe('640');
});

test('what an interrupted copy has brought there already needs no more room', () => {
  node.write('var/lib/clickhouse/data/large.bin', 'x'.repeat(1_000_000));
  node.write('fake/nfs/clickhouse/.nim-ha-import/data/data/large.bin', 'x'.repeat(900_000));
  const roomFor = (kib: number) => {
    node.write('wrappers/df', `#!/bin/bash\nprintf 'Avail\\n${kib}\\n'\n`, 0o755);
    return node.bash('PATH="$NIM_HA_ROOT/wrappers:$PATH" bash ./storage.sh import');
  };
  expect(roomFor(50).out).toContain('FAILED [storage/space]');
  expect(roomFor(400).code).toBe(0);
  expect(node.read('fake/nfs/clickhouse/data/large.bin')).toHaveLength(1_000_000);
});

describe('interrupted between the renames', () => {
  const COPIES = 'cp -a --update';
  const importWith = (mv: string) => {
    node.write('wrappers/mv', `#!/bin/bash\n${mv}\nexec /usr/bin/mv "$@"\n`, 0o755);
    node.write('wrappers/cp', '#!/bin/bash\nprintf "cp %s\\n" "$*" >>"$FAKE/calls"\nexec /usr/bin/cp "$@"\n', 0o755);
    return node.bash('PATH="$NIM_HA_ROOT/wrappers:$PATH" bash ./storage.sh import');
  };
  beforeEach(() => {
    node.write('var/lib/clickhouse/metadata/t.sql', 'table');
    const second = 'case "$*" in *import/data/*) [[ ! -e $FAKE/renamed ]] || exit 1; : >"$FAKE/renamed" ;; esac';
    expect(importWith(second).out).toContain('FAILED [storage/rename]: ');
    expect([node.has('fake/nfs/clickhouse/data'), node.has('fake/nfs/clickhouse/metadata')].sort()).toEqual([false, true]);
    expect(node.has('fake/nfs/nms/.nim-ha/imported')).toBe(false);
    node.write('fake/calls', '');
  });

  test('it goes on, and copies nothing of that export any more', () => {
    expect(importWith('').code).toBe(0);
    expect(node.read('fake/nfs/clickhouse/metadata/t.sql')).toBe('table');
    expect(node.has('fake/nfs/nms/.nim-ha/imported')).toBe(true);
    expect(node.read('fake/calls')).toContain(`${COPIES} -- ${node.root}/var/lib/nms/.`);
    expect(node.read('fake/calls')).not.toContain(`${COPIES} -- ${node.root}/var/lib/clickhouse/.`);
  });

  test('it copies again what the services have changed since', () => {
    node.write('var/lib/clickhouse/data/part.bin', 'rows on this disk, and those of the day after');
    node.write('var/lib/clickhouse/data/part2.bin', 'new');
    const again = importWith("");
    expect(again).toEqual({ code: 0, out: expect.stringContaining("/var/lib/clickhouse has changed since it was copied") });
    expect(node.read('fake/nfs/clickhouse/data/part.bin')).toContain('the day after');
    expect(node.read('fake/nfs/clickhouse/data/part2.bin')).toBe('new');
    expect(node.read('fake/nfs/clickhouse/metadata/t.sql')).toBe('table');
  });
});

test('data on the share, and none here, is the pair\'s', () => {
  node.bash('rm -rf "$NIM_HA_ROOT/var/lib/nms/state.json"');
  node.write('fake/nfs/nms/state.json', 'theirs');
  expect(importData()).toEqual({ code: 0, out: expect.stringContaining("192.0.2.13:/mnt/nfs_share/nms holds data, and this node none: it is the pair's") });
  expect(node.read('fake/nfs/nms/state.json')).toBe('theirs');
  expect(node.read('fake/nfs/clickhouse/data/part.bin')).toBe('rows on this disk');
});

test('data on both is refused', () => {
  node.write('fake/nfs/nms/state.json', 'theirs');
  const { code, out } = importData();
  expect(code).toBe(1);
  expect(out).toContain('FAILED [storage/data-on-both]: 192.0.2.13:/mnt/nfs_share/nms');
  expect(out).toContain('look at both, and keep one');
  expect(readFileSync(join(node.root, 'fake/nfs/nms/state.json'), 'utf8')).toBe('theirs');
  expect(existsSync(join(node.root, 'fake/nfs/nms/.nim-ha/imported'))).toBe(false);
  expect(node.read('proc/mounts')).toBe('');
});

test('without room for it nothing is copied', () => {
  node.wrap('df', 'printf "Avail\\n3\\n"');
  const { code, out } = importData();
  expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/FAILED \[storage\/space\]: space on .*\/clickhouse, got 3 KiB, expected more than \d+ KiB/) });
  expect(node.has('fake/nfs/clickhouse/.nim-ha-import')).toBe(false);
});

test('a copy that is not like its source is none, and the next import makes it one', () => {
  node.wrap('cp', '[[ $* != *--update* ]] || exit 0; next "$@"');
  const { code, out } = importData();
  expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('FAILED [storage/copy]: copy of /var/lib/clickhouse to the share, got not equal to its source') });
  expect(node.has('fake/nfs/clickhouse/data')).toBe(false);
  node.wrap('cp', 'next "$@"');
  expect(importData().code).toBe(0);
  expect(node.read('fake/nfs/clickhouse/data/part.bin')).toBe('rows on this disk');
});

test('holder tells a free lock, a held one and a beating one apart', () => {
  // Long enough for a beat on a machine that is busy.
  const holder = () => node.bash('NIM_HA_BEAT_WAIT=1 bash ./storage.sh holder').out.trim();
  expect(holder()).toBe('free');
  node.write('fake/nfs/nms/.nim-ha/lock', '');
  expect(holder()).toBe('free');
  node.holdLock();
  expect(holder()).toBe('held');
  node.letGo();
  // A dash is of one that lets go.
  for (const [byte, is] of [['+', 'beating'], ['-', 'held']]) {
    node.holdLock(`while sleep 0.05; do printf %s ${byte} >&9 || exit; done`);
    expect(holder()).toBe(is);
    node.letGo();
  }
});
