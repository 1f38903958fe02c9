import { rmSync, symlinkSync } from 'fs';
import { join } from 'path';
import { DeployNode, fstabLines, Result } from './support/deploy-node';

/** Both nodes of one pair, on one share, between whose turns the roles may change. */
describe('a pair whose secondary is active when a deploy begins', () => {
  const primary = new DeployNode('primary');
  const secondary = new DeployNode('secondary');
  const nodes = [primary, secondary];
  const NOTE = 'fake/nfs/nms/.nim-ha/not-aside/secondary@192.0.2.12';

  const ok = (result: Result): string => {
    expect(result).toEqual({ code: 0, out: expect.any(String) });
    return result.out;
  };
  const keepalived = (node: DeployNode): string => /\S+$/m.exec(node.read('fake/units/keepalived.service'))![0];
  const start = (node: DeployNode, peerServes: boolean): void => {
    ok(node.bash('systemctl stop keepalived.service'));
    node.set('peer-active', peerServes);
    ok(node.bash('systemctl start keepalived.service'));
  };
  /** The other one is the standby, with its keepalived running. */
  const serves = (node: DeployNode): void => {
    for (const each of nodes) start(each, each !== node);
  };
  /** Another deploy, up to its roll-out. */
  const stage = (values: Record<string, string>, secret = 's3cret.X'): void => {
    for (const node of nodes) {
      node.upload(values);
      node.uploadSecret(secret);
      ok(node.step('stage'));
      node.actions();
    }
  };
  const asBefore = (node: DeployNode): void => {
    // A trial mount touches nothing.
    expect(node.actions().filter((action) => !action.includes('/run/nim-ha/step/'))).toEqual([]);
    expect([node.read('etc/keepalived/keepalived.conf').includes('auth_pass s3cret.X'), keepalived(node), node.has('var/lib/nim-ha/pending')]).toEqual([true, 'active', false]);
  };
  const refused = ({ code, out }: Result): void => {
    expect({ code, out }).toEqual({
      code: 3,
      out: expect.stringContaining(
        'FAILED [rollout/role-moved]: the active node, got not secondary any more, which was that at its turn just now, and has not stepped aside, ' +
          'expected the same one in all turns; run the deploy again: it begins with secondary',
      ),
    });
  };

  beforeAll(() => {
    secondary.upload({ HOST: '192.0.2.12', PEER_HOST: '192.0.2.11' });
    rmSync(join(secondary.root, 'fake/nfs'), { recursive: true });
    symlinkSync(join(primary.root, 'fake/nfs'), join(secondary.root, 'fake/nfs'));
    secondary.set('peer-active');
    for (const node of nodes) for (const step of ['preflight', 'stage']) ok(node.step(step));
    ok(secondary.step('rollout', '1'));
    ok(primary.step('rollout', '2'));
    ok(secondary.step('rollout', '3'));
    ok(primary.step('rollout', '4'));
    serves(secondary);
    for (const node of nodes) {
      node.actions();
      node.snapshot();
    }
  }, 180_000); // both nodes from the beginning
  // The share is the primary's, as far as the stand-ins go.
  beforeEach(() => nodes.forEach((node) => node.restore()));
  afterAll(() => nodes.forEach((node) => node.destroy()));

  test.each(['', 'fake/nfs/nms/.nim-ha/not-aside/primary@192.0.2.11'])('changes them in their turns while it stays so; left from when the roles were others: "%s"', (left) => {
    if (left) primary.write(left, '');
    stage({}, 'other');
    expect(ok(secondary.step('rollout', '1'))).toContain("active node: its turn comes after the other's");
    expect([primary.has(NOTE), keepalived(secondary)]).toEqual([true, 'active']);
    secondary.holdLock('while sleep 0.05; do printf + >&9 || exit; done');
    try {
      expect(ok(primary.step('rollout', '2'))).toContain('keepalived is stopped here until the other node is as it should be');
      ok(secondary.step('rollout', '3'));
      primary.set('peer-active');
      ok(primary.step('rollout', '4'));
    } finally {
      secondary.letGo();
    }
    expect([primary.has(NOTE), secondary.actions().includes('systemctl reload keepalived.service'), keepalived(primary)]).toEqual([false, true, 'active']);
    expect(left !== '' && primary.has(left)).toBe(false);
  });

  test('takes its note back when it has stepped aside, also where the share was not mounted before', () => {
    stage({}, 'other');
    primary.write(NOTE, '');
    serves(primary);
    ok(secondary.bash('for name in nms clickhouse; do umount "$NIM_HA_ROOT/var/lib/$name"; done'));
    expect(ok(secondary.step('rollout', '1'))).toContain('keepalived is stopped here');
    expect(primary.has(NOTE)).toBe(false);
  });

  test.each<[string, Record<string, string>, string]>([
    ['another password', {}, 'other'],
    ['another virtual IP', { VIRTUAL_IP: '192.0.2.101' }, 'other'],
    ['another share', { NFS_SERVER: '192.0.2.99', FSTAB: fstabLines('192.0.2.99') }, 's3cret.X'],
  ])('and then the primary is: with %s neither changes beside the other, and the next run does it', (_, values, secret) => {
    if (values.NFS_SERVER) for (const node of nodes) ok(node.bash('cp -a "$(readlink -f "$FAKE/nfs")" "$FAKE/nfs-192.0.2.99"'));
    stage(values, secret);
    ok(secondary.step('rollout', '1'));
    serves(primary);
    nodes.forEach((node) => node.actions());
    refused(primary.step('rollout', '2'));
    nodes.forEach(asBefore);

    expect(ok(secondary.step('rollout', '1'))).toContain('keepalived is stopped here');
    expect(keepalived(secondary)).toBe('inactive');
    ok(primary.step('rollout', '2'));
    ok(secondary.step('rollout', '3'));
    expect(ok(primary.step('rollout', '4'))).toContain('nothing to do: active, as deployed');
    expect(nodes.map(keepalived)).toEqual(['active', 'active']);
  });

  test('and then nobody is: the primary does not begin with what the other one may come back without', () => {
    stage({}, 'other');
    ok(secondary.step('rollout', '1'));
    secondary.bash('systemctl stop keepalived.service');
    primary.actions();
    refused(primary.step('rollout', '2'));
    asBefore(primary);
  });

  test('and then the primary is, with services that have failed: it does not start anew beside the other', () => {
    stage({}, 'other');
    ok(secondary.step('rollout', '1'));
    serves(primary);
    primary.bash('sed -i s/ACTIVE/FAILED/ "$NIM_HA_ROOT/run/nim-ha/state"');
    nodes.forEach((node) => node.actions());
    refused(primary.step('rollout', '2'));
    nodes.forEach(asBefore);
  });

  test('and then the primary is: what neither keepalived nor the mounts notice is changed all the same', () => {
    stage({ OPERATION_MODE: 'connected' });
    ok(secondary.step('rollout', '1'));
    serves(primary);
    primary.actions();
    ok(primary.step('rollout', '2'));
    expect(primary.actions()).toEqual(['systemctl daemon-reload', 'systemctl restart nms-core.service']);
    ok(secondary.step('rollout', '3'));
    expect(primary.has(NOTE)).toBe(false);
  });

  test('writes nothing on the share where nothing is to be changed', () => {
    stage({});
    ok(secondary.step('rollout', '1'));
    expect(primary.has('fake/nfs/nms/.nim-ha/not-aside')).toBe(false);
  });

  test('and whose share does not take the note is not rolled out', () => {
    stage({}, 'other');
    secondary.write('fake/nfs/nms/.nim-ha/not-aside', 'a file in the way');
    expect(secondary.step('rollout', '1')).toEqual({ code: 3, out: expect.stringContaining("FAILED [storage/write]: this node's note in .nim-ha/not-aside, got an error") });
    asBefore(secondary);
  });

  test('leaves no note behind when the pair is removed from it', () => {
    stage({}, 'other');
    ok(secondary.step('rollout', '1'));
    expect(primary.has(NOTE)).toBe(true);
    ok(secondary.step('remove', 'restore'));
    expect(primary.has(NOTE)).toBe(false);
  });
});
