import { DeployNode } from './support/deploy-node';

let node: DeployNode;
beforeEach(() => (node = new DeployNode()));
afterEach(() => node.destroy());

const lines = (server: string) =>
  ['clickhouse', 'nms'].map((name) => `${server}:/mnt/nfs_share/${name} /var/lib/${name} nfs defaults 0 0\n`).join('');
const apply = (server = '192.0.2.13') => node.script('fstab.sh', ['apply'], lines(server));

test.each([
  ['an ordinary file', '# <file system>\nLABEL=root\t/  ext4 defaults 0 1\n\n# end\n'],
  ['a file without a newline at its end', 'LABEL=root / ext4 defaults 0 1'],
  ['an empty file', ''],
  ['a file with line ends of another system', 'LABEL=root / ext4 defaults 0 1\r\n#x\r\n'],
])('%s: twice is still two lines, a changed server replaces them, removal restores every byte', (_, before) => {
  node.write('etc/fstab', before, 0o640);
  expect(apply()).toEqual({ code: 0, out: 'changed\n' });
  expect(apply()).toEqual({ code: 0, out: '' });
  const once = node.read('etc/fstab');
  expect(once.startsWith(before)).toBe(true);
  expect(once.match(/192\.0\.2\.13:/g)).toHaveLength(2);
  expect(node.script('fstab.sh', ['check'], lines('192.0.2.14')).code).toBe(1);
  expect(apply('192.0.2.14').out).toBe('changed\n');
  expect(node.read('etc/fstab')).toBe(once.replaceAll('192.0.2.13', '192.0.2.14'));
  expect(node.mode('etc/fstab')).toBe('640');
  expect(node.script('fstab.sh', ['remove']).code).toBe(0);
  expect(node.read('etc/fstab')).toBe(before);
});

test('a record that an interrupted change left behind is put right, too', () => {
  apply();
  const record = 'var/lib/nim-ha/fstab.lines';
  node.write(record, `${node.read(record)}${lines('192.0.2.9')}`);
  const check = () => node.script('fstab.sh', ['check'], lines('192.0.2.13')).code;
  expect(check()).toBe(1);
  apply();
  expect(check()).toBe(0);
});

test('lines keep their place, and lines of others around them stay', () => {
  apply();
  node.write('etc/fstab', `${node.read('etc/fstab')}tmpfs /scratch tmpfs defaults 0 0\n`);
  apply('nfs.example');
  expect(node.read('etc/fstab')).toBe(`LABEL=root / ext4 defaults 0 1\n${lines('nfs.example')}tmpfs /scratch tmpfs defaults 0 0\n`);
});

test('the lines are off the disk before a removal forgets which they were', () => {
  apply();
  const record = '$NIM_HA_ROOT/var/lib/nim-ha/fstab.lines';
  node.wrap('sync', `[[ $1 != "$NIM_HA_ROOT/etc" ]] || { grep -c 192 "$NIM_HA_ROOT/etc/fstab"; wc -l <"${record}"; } >>"$FAKE/looks"; next "$@"`);
  node.wrap('rm', `[[ $* != *fstab.lines* ]] || echo gone >>"$FAKE/looks"; next "$@"`);
  expect(node.script('fstab.sh', ['remove']).code).toBe(0);
  expect(node.read('fake/looks')).toBe('0\n2\ngone\n');
});

test('a removal that the disk does not take keeps the record', () => {
  apply();
  node.wrap('sync', '[[ $1 != "$NIM_HA_ROOT/etc" ]] || exit 1; next "$@"');
  expect(node.script('fstab.sh', ['remove']).code).toBe(1);
  expect(node.has('var/lib/nim-ha/fstab.lines')).toBe(true);
});

test('a line that was there before us is used, and stays on removal', () => {
  node.write('etc/fstab', lines('192.0.2.13'));
  expect(apply().out).toBe('');
  node.script('fstab.sh', ['remove']);
  expect(node.read('etc/fstab')).toBe(lines('192.0.2.13'));
});

describe('a line of ours that somebody has edited', () => {
  const EDITED = lines('192.0.2.13').replace('/var/lib/nms nfs defaults', '/var/lib/nms/   nfs defaults,nofail,_netdev');
  beforeEach(() => {
    apply();
    node.write('etc/fstab', node.read('etc/fstab').replace(lines('192.0.2.13'), EDITED));
  });

  test('goes with a removal, which says so', () => {
    expect(node.script('fstab.sh', ['remove'])).toEqual({ code: 0, out: `changed\nedited ${EDITED.split('\n')[1]}\n` });
    expect(node.read('etc/fstab')).toBe('LABEL=root / ext4 defaults 0 1\n');
  });

  test.each([[[]], [['take-over']]])('is as wanted again after another apply %j, and is not taken over', (args) => {
    expect(node.script('fstab.sh', ['foreign'], lines('192.0.2.13')).out).toBe('');
    expect(node.script('fstab.sh', ['check', ...args], lines('192.0.2.13')).code).toBe(1);
    expect(node.script('fstab.sh', ['apply', ...args], lines('192.0.2.13')).out).toBe('changed\n');
    expect(node.read('etc/fstab')).toBe(`LABEL=root / ext4 defaults 0 1\n${lines('192.0.2.13')}`);
    expect(node.has('var/lib/nim-ha/fstab.taken')).toBe(false);
  });

  test("is not one of another device, nor ours in a comment", () => {
    const others = `# ${lines('192.0.2.13')}nfs.example:/mnt/nfs_share/nms /var/lib/nms nfs defaults 0 0\n`.replace(/\n(?=192)/, '\n#');
    node.write('etc/fstab', others);
    node.script('fstab.sh', ['remove']);
    expect(node.read('etc/fstab')).toBe(others);
  });
});

test('a line that was taken over stays theirs, whatever of it is like ours', () => {
  const theirs = lines('192.0.2.13').replaceAll('defaults', 'soft');
  node.write('etc/fstab', theirs);
  node.script('fstab.sh', ['apply', 'take-over'], lines('192.0.2.13'));
  node.write('etc/fstab', theirs);
  node.script('fstab.sh', ['remove']);
  expect(node.read('etc/fstab')).toBe(theirs);
});

test("another's line for one of the mount points is found, a comment is not", () => {
  node.write('etc/fstab', '# /dev/sdb /var/lib/nms ext4\n/dev/sdb  /var/lib/nms\text4 defaults 0 2\n');
  expect(node.script('fstab.sh', ['foreign'], lines('192.0.2.13')).out).toBe('/dev/sdb  /var/lib/nms\text4 defaults 0 2\n');
});

test.each(['/var/lib/nms/', '/var//lib/./nms', '/var/lib/n\\155s', '/var/lib/clickhouse///'])("another's line is found where its mount point is written %s", (point) => {
  node.write('etc/fstab', `/dev/sdb ${point} ext4 defaults 0 2\n/dev/sdc ${point}2 ext4 defaults 0 2\n`);
  expect(node.script('fstab.sh', ['foreign'], lines('192.0.2.13')).out).toBe(`/dev/sdb ${point} ext4 defaults 0 2\n`);
});

test('a file with a NUL is left alone, for bash would lose it', () => {
  node.write('etc/fstab', 'tmpfs /a tmpfs\0 defaults 0 0\n');
  for (const verb of ['foreign', 'apply', 'check', 'remove']) {
    expect(node.script('fstab.sh', [verb], lines('192.0.2.13'))).toEqual({ code: 2, out: 'fstab: /etc/fstab has a NUL in it; take it out by hand\n' });
  }
  expect(node.read('etc/fstab')).toBe('tmpfs /a tmpfs\0 defaults 0 0\n');
});

test.each([
  ['one line', lines('a').split('\n')[0] + '\n'],
  ['a mount point that is not ours', lines('a').replace('/var/lib/nms ', '/etc ')],
  ['the same mount point twice', lines('a').replace('/var/lib/nms ', '/var/lib/clickhouse ')],
  ['shell in a field', lines('$(reboot)')],
  ['a further field', lines('a').replace('0 0\n', '0 0 exec\n')],
])('%s is refused and changes nothing', (_, wanted) => {
  const before = node.read('etc/fstab');
  expect(node.script('fstab.sh', ['apply'], wanted).code).toBe(2);
  expect(node.read('etc/fstab')).toBe(before);
});
