import { renderFencingSettings } from '../../lib/config/fencing-settings';
import { FencingModel } from '../../lib/config/model';
import { guidePair } from './pairs';

const fencing: FencingModel = {
  name: 'demo',
  host: 'nfs.example.com',
  port: 22,
  nodePort: 22,
  hostKeys: [],
  exportOptions: ['rw', 'sync', 'no_root_squash'],
  primaryAddresses: ['192.0.2.11', '198.51.100.11'],
  secondaryAddresses: ['192.0.2.12'],
  primaryHostKeys: ['ssh-ed25519 AAAA', 'ssh-rsa BBBB'],
  secondaryHostKeys: [],
};

test('a pair without fencing has none', () => {
  expect(renderFencingSettings(guidePair())).toBe('');
});

test.each([
  ['/mnt/nfs_share', '/mnt/nfs_share'],
  ['/', ''],
])('the exports below %s, the options, and each node with its addresses', (exportPath, parent) => {
  const pair = guidePair();
  expect(renderFencingSettings({ ...pair, nfs: { ...pair.nfs, exportPath, fencing } })).toBe(
    [
      `EXPORT=${parent}/clickhouse`,
      `EXPORT=${parent}/nms`,
      'OPTIONS=rw,sync,no_root_squash',
      'NODE=nim-a 192.0.2.11 198.51.100.11',
      'NODE=nim-b 192.0.2.12',
      'KEYS=nim-a ssh-ed25519 AAAA,ssh-rsa BBBB',
      'KEYS=nim-b',
    ].join('\n'),
  );
});
