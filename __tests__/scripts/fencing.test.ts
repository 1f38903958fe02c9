import { DeployNode, Result } from './support/deploy-node';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEfd/QIYBkoDRYZZ1cI+HuN+Qqgxzmyrr1RF28qCwzvi';
const FENCING = { FENCE_SERVER: '192.0.2.13', FENCE_PORT: '22', FENCE_HOST_KEYS: KEY, FENCE_ADDRESSES: '192.0.2.11 198.51.100.11' };

let node: DeployNode;
beforeEach(() => {
  node = new DeployNode();
  node.upload(FENCING);
  node.wrap('getent', '[[ $1 != ahostsv4 ]] || { echo "192.0.2.13 STREAM $2"; exit; }; next "$@"');
  node.wrap('ip', '[[ $* != "-4 route get 192.0.2.13" ]] || { echo "192.0.2.13 dev ens32 src 192.0.2.11 uid 0"; exit; }; next "$@"');
  serverSays('free');
});
afterEach(() => node.destroy());

/** The NFS server's answer to every question, and what was asked. */
const serverSays = (answer: string): void => node.wrap('ssh', `printf '%s\\n' "$*" >>"$FAKE/asked"; ${answer ? `echo "${answer}"` : 'echo "ssh: connect to host 192.0.2.13 port 22: Connection refused" >&2; exit 255'}`);

function ok({ code, out }: Result): string {
  expect({ code, out }).toEqual({ code: 0, out: expect.any(String) });
  return out;
}

const ids = (out: string): string[] => [...out.matchAll(/FAILED \[(.*?)\]/g)].map(([, id]) => id);

describe('preflight', () => {
  test('is content with a server that is there, and an address that is the node’s', () => {
    ok(node.step('preflight'));
  });

  test.each<[id: string, message: string, break_: () => unknown]>([
    ['fencing/server-name', 'IPv4 address of 192.0.2.13, got none', () => node.wrap('getent', '[[ $1 != ahostsv4 ]] || exit 2; next "$@"')],
    ['fencing/own-address', 'address of this node towards 192.0.2.13, got 192.0.2.11, expected 192.0.2.77, to which the server exports', () => node.upload({ FENCE_ADDRESSES: '192.0.2.77 192.0.2.11' })],
    ['fencing/own-address', 'got none', () => node.wrap('ip', '[[ $* != *route* ]] || exit 2; next "$@"')],
    ['fencing/ssh-port', 'TCP port 22 of 192.0.2.13, got no answer', () => node.write('fake/port-away', '22\n')],
    ['data/value', "FENCE_HOST_KEYS, got not-a-key, expected '<type> <base64>'", () => node.upload({ FENCE_HOST_KEYS: 'not-a-key' })],
    ['data/value', 'FENCE_ADDRESSES, got', () => node.upload({ FENCE_ADDRESSES: '192.0.2.11; reboot' })],
    ['data/value', 'FENCE_SERVER, got', () => node.upload({ FENCE_SERVER: '-oProxyCommand=x' })],
  ])('%s: %s', (id, message, break_) => {
    break_();
    const { code, out } = node.step('preflight');
    expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(`FAILED [${id}]: `) });
    expect(ids(out)).toEqual([id]);
    expect(out).toContain(message);
    expect(out).toContain('changed so far: nothing');
  });

  test('fencing/ssh-client: needs both of them', () => {
    // Without the stand-ins of this file, whose way on would be the one that is taken away.
    node.bash('rm -r "$NIM_HA_ROOT/wrapped"');
    node.without('ssh-keygen');
    const { code, out } = node.step('preflight');
    expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('FAILED [fencing/ssh-client]: ssh and ssh-keygen, got no such command, expected an OpenSSH client') });
  });

  test('asks nothing of a server where there is no fencing', () => {
    node.upload({ FENCE_SERVER: '', FENCE_PORT: '', FENCE_HOST_KEYS: '', FENCE_ADDRESSES: '' });
    node.wrap('getent', '[[ $1 != ahostsv4 ]] || touch "$FAKE/asked"; next "$@"');
    ok(node.step('preflight'));
    expect(node.has('fake/asked')).toBe(false);
  });
});

describe('stage', () => {
  const published = 'fake/nfs/nms/.nim-ha/fence-keys/primary.pub';
  beforeEach(() => ok(node.step('preflight')));

  test('makes a key of this node’s own, and leaves its public half on the share', () => {
    ok(node.step('stage'));
    expect(node.mode('var/lib/nim-ha/fence_key')).toBe('600');
    expect(node.read('var/lib/nim-ha/fence_key')).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----/);
    expect(node.read(published)).toMatch(/^ssh-ed25519 AAAA\S+ nim-ha primary\n$/);
    expect(node.read(published)).toBe(node.read('var/lib/nim-ha/fence_key.pub'));
    // Nothing stays mounted.
    expect(node.read('proc/mounts')).toBe('');
  });

  test('keeps the key that is there', () => {
    ok(node.step('stage'));
    const key = node.read(published);
    node.uploadSecret('s3cret.X');
    ok(node.step('stage'));
    expect(node.read(published)).toBe(key);
  });

  test('makes another one where half of one is there', () => {
    node.write('var/lib/nim-ha/fence_key.pub', 'half\n');
    node.write('var/lib/nim-ha/fence_key.new', 'half\n');
    ok(node.step('stage'));
    expect(node.read(published)).toMatch(/^ssh-ed25519 AAAA/);
    expect(node.has('var/lib/nim-ha/fence_key.new')).toBe(false);
  });

  test.each<[id: string, message: string, break_: () => unknown]>([
    ['node/write', 'got an error of ssh-keygen', () => node.wrap('ssh-keygen', 'exit 1')],
    ['storage/mount', 'mount of 192.0.2.13:/mnt/nfs_share/nms', () => node.bash('mv "$FAKE/nfs/nms" "$FAKE/nfs/gone"')],
    ['storage/write', '.nim-ha/fence-keys/primary.pub on 192.0.2.13:/mnt/nfs_share/nms', () => node.write('fake/nfs/nms/.nim-ha/fence-keys', 'a file')],
    ['storage/probe', 'the public key on the share', () => node.wrap('unshare', 'exit 1')],
  ])('ends with %s: %s', (id, message, break_) => {
    break_();
    const { code, out } = node.step('stage');
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining(`FAILED [${id}]`) });
    expect(out).toContain(message);
    expect(node.has('var/lib/nim-ha/staged')).toBe(false);
  });

  test('without fencing there is no key', () => {
    node.upload({ FENCE_SERVER: '', FENCE_PORT: '', FENCE_HOST_KEYS: '', FENCE_ADDRESSES: '' });
    ok(node.step('stage'));
    expect([node.has('var/lib/nim-ha/fence_key'), node.has(published)]).toEqual([false, false]);
  });
});

describe('rollout', () => {
  beforeEach(() => {
    ok(node.step('preflight'));
    ok(node.step('stage'));
  });

  test.each([
    ['', 'rollout/fencing', 'got no answer from the NFS server: ssh: connect to host 192.0.2.13 port 22: Connection refused, expected free'],
    ['refused: no such pair', 'rollout/fencing', 'got refused: no such pair, expected free'],
    ['fenced 11111111-2222-4333-8444-555555555555', 'rollout/fenced', 'got fenced at the share as 11111111-2222-4333-8444-555555555555'],
  ])('is refused before anything changes where the server answers %j', (answer, id, message) => {
    serverSays(answer);
    const before = node.tree();
    const { code, out } = node.step('rollout', '2');
    expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(`FAILED [${id}]`) });
    expect(out).toContain(message);
    const ours = (tree: Record<string, string>) => Object.entries(tree).filter(([path]) => !path.startsWith('run/nim-ha'));
    expect(ours(node.tree())).toEqual(ours(before));
  });

  test('asks with the key of this node, the host keys of the deploy, and a request that is one word', () => {
    ok(node.step('rollout', '2'));
    // The agent, which asks first thing after a boot, need not ask the same.
    expect(node.has('run/nim-ha/booted')).toBe(true);
    expect(node.read('fake/asked')).toMatch(/^-F \/dev\/null -p 22 -i \S+\/var\/lib\/nim-ha\/fence_key .*StrictHostKeyChecking=yes .*nim-ha-fence@192\.0\.2\.13 status$/m);
  });

  test('of an active node that begins to have fencing has its services stop once: what holds the lock has left no mark', () => {
    ok(node.step('rollout', '2'));
    const off = { FENCE_SERVER: '', FENCE_PORT: '', FENCE_HOST_KEYS: '', FENCE_ADDRESSES: '' };
    for (const values of [off, FENCING]) {
      node.upload(values);
      node.uploadSecret('s3cret.X');
      ok(node.step('stage'));
      expect(ok(node.step('rollout', '4'))).toContain('another fencing: the services stop for this change');
      expect(node.has('var/lib/nim-ha/fence_key')).toBe(values === FENCING);
      node.uploadSecret('s3cret.X');
      ok(node.step('stage'));
      expect(ok(node.step('rollout', '4'))).toContain('nothing to do: active, as deployed');
    }
  });

  test.each<[string, Record<string, string>]>([
    ['this node', { NAME: 'other' }],
    ['its peer', { PEER_NAME: 'other' }],
  ])('of an active node has its services stop once where %s gets another name: the mark on the share has the old one', (_, names) => {
    ok(node.step('rollout', '2'));
    node.upload(names);
    node.uploadSecret('s3cret.X');
    ok(node.step('stage'));
    expect(ok(node.step('rollout', '4'))).toContain('another fencing: the services stop for this change');
  });

  test('removal takes the key away, on the share, too', () => {
    ok(node.step('rollout', '2'));
    ok(node.step('remove', 'restore'));
    expect([node.has('var/lib/nim-ha'), node.has('fake/nfs/nms/.nim-ha/fence-keys/primary.pub')]).toEqual([false, false]);
  });
});
