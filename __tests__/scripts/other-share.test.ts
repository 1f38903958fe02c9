import { DeployNode, fstabLines, Result } from './support/deploy-node';

let node: DeployNode;

function ok(result: Result): string {
  expect(result).toEqual({ code: 0, out: expect.any(String) });
  return result.out;
}

const OTHER = { NFS_SERVER: '192.0.2.77', FSTAB: fstabLines('192.0.2.77') };
/** Names it in the program of a pair that is stopped, with what `make` has put there. */
const otherShare = (make: string) => {
  ok(node.bash(`rm -f "$NIM_HA_ROOT/run/nim-ha/lock-held"; mkdir -p "$FAKE/nfs-192.0.2.77" && cd "$FAKE/nfs-192.0.2.77" && ${make}`));
  node.upload(OTHER);
};
const EMPTY = 'mkdir clickhouse nms';
const COPY = 'cp -a "$FAKE/nfs/." .';
const unmount = 'for name in nms clickhouse; do umount "$NIM_HA_ROOT/var/lib/$name"; done';
/** Entries of other hosts only. */
const theirs = (directory: string) =>
  `cd ${directory}/nms/.nim-ha/nodes && rm -f ./* && for name in primary@198.51.100.1 secondary@198.51.100.2; do echo identity=nim-b >"$name"; done`;

describe.each(['primary', 'secondary'] as const)('a deployed %s', (role) => {
  beforeAll(() => {
    node = new DeployNode(role);
    if (role === 'secondary') node.set('peer-active');
    for (const step of [['preflight'], ['stage'], ...(role === 'primary' ? ['2', '4'] : ['1', '3']).map((number) => ['rollout', number])]) ok(node.step(...step));
    // A secondary finds what the primary has carried there.
    node.write('fake/nfs/nms/.nim-ha/imported', 'clickhouse=101:101\nnms=102:102\n');
    node.write('fake/nfs/clickhouse/data/part.bin', 'rows on this disk');
    node.write('fake/nfs/nms/state.json', '{}');
    node.snapshot();
  });
  beforeEach(() => node.restore());
  afterAll(() => node.destroy());

  const ids = () => {
    const { code, out } = node.step('preflight');
    return [code, ...[...out.matchAll(/FAILED \[(.*?)\]/g)].map(([, id]) => id)];
  };
  const RENUMBERED = { HOST: '192.0.2.211', PEER_HOST: '192.0.2.212' };

  test.each([['mounted', ':'], ['not mounted', unmount]])("is not sent to another pair's share; its own is %s", (_, make) => {
    ok(node.bash(make));
    otherShare(`${COPY} && ${theirs('.')}`);
    expect(node.step('preflight')).toEqual({
      code: 3,
      out: expect.stringContaining('FAILED [storage/other-pair]: 192.0.2.77:/mnt/nfs_share/nms, got the data of a pair of other nodes: primary@198.51.100.1 secondary@198.51.100.2, expected'),
    });
    // It has left no entry there, by which the next run would take it for its own.
    expect(ids()).toEqual([3, 'storage/other-pair']);
  });

  test('moves with a copy of its share, its hosts renumbered or not', () => {
    otherShare(COPY);
    expect(ids()).toEqual([0]);
    node.bash('rm "$FAKE/nfs-192.0.2.77/nms/.nim-ha/nodes/"*; cp "$FAKE/nfs/nms/.nim-ha/nodes/"* "$FAKE/nfs-192.0.2.77/nms/.nim-ha/nodes"');
    node.upload(RENUMBERED);
    expect(ids()).toEqual([0]);
  });

  test('does not move while it serves, for what is written after the copy is not in it; another name of its share is no move', () => {
    otherShare(COPY);
    node.write('run/nim-ha/lock-held', '');
    expect(ids()).toEqual([3, 'storage/moves-while-serving']);
    node.upload({ NFS_SERVER: 'nfs.example', FSTAB: fstabLines('nfs.example') });
    expect(ids()).toEqual([0]);
    node.upload({ NFS_SERVER: '192.0.2.13', FSTAB: fstabLines('192.0.2.13') });
    expect(ids()).toEqual([0]);
  });

  test.each([
    ['mounted', ':'],
    ['not mounted', unmount],
    ['mounted by version 3', 'sed -i "s/ nfs4 / nfs /" "$NIM_HA_PROC_MOUNTS"'],
  ])('keeps its share, %s, whose entries are of other hosts', (_, make) => {
    ok(node.bash(`${make}; ${theirs('"$FAKE/nfs"')}`));
    node.upload(RENUMBERED);
    expect(ids()).toEqual([0]);
  });

  test('keeps it under another name of its server, too', () => {
    ok(node.bash(theirs('"$FAKE/nfs"')));
    node.upload({ ...RENUMBERED, NFS_SERVER: 'nfs.example', FSTAB: fstabLines('nfs.example') });
    expect(ids()).toEqual([0]);
  });

  const EMPTY_CLICKHOUSE = `${COPY} && rm -rf clickhouse && mkdir clickhouse`;
  const withClickHouse = () => {
    node.write('fake/units/clickhouse-server.service', 'disabled inactive\n');
    node.upload({ SERVICES: 'nginx clickhouse-server nms-core' });
  };

  test.each([['mounted', ':'], ['not mounted', unmount]])('is not sent to a copy of its share, %s, that has everything but the rows of ClickHouse', (_, make) => {
    ok(node.bash(make));
    otherShare(EMPTY_CLICKHOUSE);
    withClickHouse();
    const { code, out } = node.step('preflight');
    expect([code, out.match(/FAILED.*, while/g)]).toEqual([3, ['FAILED [storage/other-share]: 192.0.2.77:/mnt/nfs_share/clickhouse, got empty, while']]);
  });

  test.each([
    ['without ClickHouse in it', () => otherShare(EMPTY_CLICKHOUSE)],
    [
      'whose ClickHouse has no rows on the old share either',
      () => {
        node.bash('rm -rf "$FAKE/nfs/clickhouse/"*');
        otherShare(COPY);
        withClickHouse();
      },
    ],
    [
      'that stays on its share, whose ClickHouse has not begun',
      () => {
        node.bash(`rm -rf "$FAKE/nfs/clickhouse/"*; ${unmount}`);
        withClickHouse();
      },
    ],
  ])('may have an empty export of it: a pair %s', (_, make) => {
    make();
    expect(ids()).toEqual([0]);
  });

  test('is not sent to an empty share, whatever the other node is', () => {
    otherShare(EMPTY);
    const { code, out } = node.step('preflight');
    expect([code, out]).toEqual([3, expect.stringContaining('FAILED [storage/other-share]: 192.0.2.77:/mnt/nfs_share/clickhouse, got empty, while the pair has served from another share')]);
    expect(out).toContain('FAILED [storage/other-share]: 192.0.2.77:/mnt/nfs_share/nms, got empty');
  });
});

describe('a secondary whose first deploy broke off before the primary had its turn', () => {
  beforeAll(() => {
    node = new DeployNode('secondary');
    for (const step of [['preflight'], ['stage'], ['rollout', '1']]) ok(node.step(...step));
    node.snapshot();
  });
  beforeEach(() => node.restore());
  afterAll(() => node.destroy());

  test.each([['mounted', ':'], ['not mounted', unmount]])('may be given the same empty share, %s, or another', (_, make) => {
    ok(node.bash(make));
    ok(node.step('preflight'));
    otherShare(EMPTY);
    ok(node.step('preflight'));
  });
});
