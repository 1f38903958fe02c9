import { StandInNode } from './node';

const base64 = (text: string) => Buffer.from(text).toString('base64');

let node: StandInNode;
beforeEach(() => {
  node = new StandInNode();
  // As keepalived and the agent leave them on a node that is master.
  node.elect();
  node.write('run/nim-ha/failed', '');
  node.write('run/nim-ha/vrrp-state', 'MASTER\n');
  node.standIn('ip', `printf 'ip %s\\n' "$*" >>"${node.root}/calls"; [[ ! -e ${node.root}/no-such-address ]] || { echo 'RTNETLINK answers: Cannot assign requested address' >&2; exit 2; }`);
});
afterEach(() => node.destroy());

const deployedWith = (values: Record<string, string>) =>
  node.write('etc/nim-ha/node.data', Object.entries(values).map(([key, value]) => `${key}=${base64(value)}\n`).join(''));
const stopped = () => node.run('keepalived-stopped.sh');
const addresses = () => node.read('calls').split('\n').filter((line) => line.startsWith('ip '));
/** What holds whatever the node knows of itself. */
const expectStop = () => {
  expect(['want-master', 'failed'].filter((file) => node.has(`run/nim-ha/${file}`))).toEqual([]);
  expect(node.read('run/nim-ha/vrrp-state')).toBe('STOP\n');
  // Not waited for: the end of keepalived would wait for that of the services, and its start for both.
  expect(node.read('calls')).toMatch(/^--no-block stop nim-ha\.target nim-ha-lock\.service$/m);
};

test('takes the wish, the virtual IP and the services away, however keepalived has ended', () => {
  deployedWith({ VIRTUAL_IP: '192.0.2.100/24', INTERFACE: 'lan0' });
  expect(stopped().status).toBe(0);
  expectStop();
  expect(addresses()).toEqual(['ip address del 192.0.2.100/24 dev lan0']);
});

test('a virtual IP without a prefix is on the node as keepalived puts it there: with /32', () => {
  deployedWith({ VIRTUAL_IP: '192.0.2.100', INTERFACE: 'lan0' });
  expect(stopped().status).toBe(0);
  expectStop();
  expect(addresses()).toEqual(['ip address del 192.0.2.100/32 dev lan0']);
});

test('an address that has gone already is no reason to keep the services', () => {
  deployedWith({ VIRTUAL_IP: '192.0.2.100/24', INTERFACE: 'lan0' });
  node.write('no-such-address', '');
  expect(stopped()).toMatchObject({ status: 0, stderr: '' });
  expectStop();
});

test.each([
  ['no node.data', () => node.remove('etc/nim-ha/node.data')],
  ['a virtual IP that is none', () => deployedWith({ VIRTUAL_IP: '192.0.2.100/24; reboot', INTERFACE: 'lan0' })],
  ['no interface', () => deployedWith({ VIRTUAL_IP: '192.0.2.100/24' })],
])('with %s the wish and the services go all the same', (_, make) => {
  make();
  expect(stopped().status).toBe(0);
  expectStop();
  expect(addresses()).toEqual([]);
});

test('before the first state of a boot there is nothing to take away, and that is no error', () => {
  node.remove('run/nim-ha');
  deployedWith({ VIRTUAL_IP: '192.0.2.100/24', INTERFACE: 'lan0' });
  expect(stopped().status).toBe(0);
  expectStop();
});
