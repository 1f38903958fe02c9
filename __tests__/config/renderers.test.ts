import { renderFiles } from '../../lib/config/files';
import { renderFstab } from '../../lib/config/fstab';
import { renderKeepalivedConf } from '../../lib/config/keepalived-conf';
import { renderTarget } from '../../lib/config/target-unit';
import { guidePair } from './pairs';

const withNfs = (changes: object): string[] => renderFstab(guidePair({ nfs: { ...guidePair().nfs, ...changes } }));

test('fstab: an IPv6 server is put in brackets, a name and a token are not', () => {
  expect(withNfs({ server: '2001:db8::13' })[0]).toMatch(/^\[2001:db8::13\]:\/mnt/);
  expect(withNfs({ server: 'nfs.example.com' })[0]).toMatch(/^nfs\.example\.com:\/mnt/);
  expect(withNfs({ server: '${TfToken[TOKEN.0]}' })[0]).toMatch(/^\$\{TfToken\[TOKEN\.0\]\}:\/mnt/);
});

test('fstab: the root of the server’s exports has no double slash', () => {
  expect(withNfs({ exportPath: '/' })[0]).toBe('192.0.2.13:/clickhouse /var/lib/clickhouse nfs defaults 0 0');
});

test('fstab: options are the fourth field', () => {
  expect(withNfs({ fstabOptions: 'vers=4.2,nofail' })[1]).toBe(
    '192.0.2.13:/mnt/nfs_share/nms /var/lib/nms nfs vers=4.2,nofail 0 0',
  );
});

test('hardened: priorities 150 and 100, nobody preempts, a failed check is a FAULT', () => {
  const pair = guidePair({ profile: 'hardened' });
  const [primary, secondary] = [renderKeepalivedConf(pair, pair.primary), renderKeepalivedConf(pair, pair.secondary)];
  expect(primary).toContain('    state BACKUP\n    nopreempt\n');
  expect(primary).toContain('    weight 0\n');
  expect(primary).toContain('    priority 150\n');
  expect(secondary).toBe(primary.replace('priority 150', 'priority 100'));
});

test('the target wants each service once, in order', () => {
  const wants = renderTarget(guidePair({ services: ['nginx', 'nms-core'] })).match(/^Wants=.*$/gm);
  expect(wants).toEqual(['Wants=nginx.service', 'Wants=nms-core.service']);
});

test('renderers never throw, whatever the rules will say of the pair', () => {
  const odd = guidePair({ services: [], virtualIp: { address: '', virtualRouterId: NaN, authPass: '' } });
  odd.nfs = { server: '', exportPath: '', mountOptions: [], fstabOptions: '' };
  expect(() => [renderFiles(odd, odd.primary), renderFstab(odd)]).not.toThrow();
});
