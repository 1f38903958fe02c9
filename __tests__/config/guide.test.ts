import { readFileSync } from 'fs';
import { join } from 'path';
import { renderFstab } from '../../lib/config/fstab';
import { renderKeepalivedConf } from '../../lib/config/keepalived-conf';
import { GUIDE_MOUNT_OPTIONS } from '../../lib/config/model';
import { renderNotifyScript } from '../../lib/config/notify-script';
import { guidePair } from './pairs';

// The guide's own blocks, copied from it unchanged. What we write is derived from them by the substitutions that
// the guide asks for, so a blank more or less on either side is seen.
const guide = (name: string): string => readFileSync(join(__dirname, 'guide', name), 'utf8');
const pair = guidePair();

function guideConf(state: string, networkInterface: string): string {
  return guide('keepalived.conf')
    .replace('state MASTER', `state ${state}`)
    .replace(/ +#.*$/gm, '')
    .replace('<NETWORK_INTERFACE>', networkInterface)
    .replace('<VIRTUAL_IP_ADDRESS>', '192.0.2.100');
}

test('keepalived.conf is the guide’s block', () => {
  expect(renderKeepalivedConf(pair, pair.primary)).toBe(guideConf('MASTER', 'ens32'));
  expect(renderKeepalivedConf(pair, pair.secondary)).toBe(guideConf('BACKUP', 'ens32'));
});

test('keepalived.conf of the two nodes differs in state and, if theirs differ, in interface', () => {
  const secondary = { ...pair.secondary, networkInterface: 'eth1' };
  expect(renderKeepalivedConf(pair, secondary)).toBe(guideConf('BACKUP', 'eth1'));
});

test('the password is in no rendered keepalived.conf', () => {
  for (const profile of ['guide', 'hardened'] as const) {
    const text = renderKeepalivedConf({ ...pair, profile }, pair.primary);
    expect(text).toContain('        auth_pass <AUTH_PASSWORD>\n');
    expect(text).not.toContain(pair.virtualIp.authPass);
  }
});

test('the notify script holds the guide’s array', () => {
  expect(renderNotifyScript(pair)).toContain(`\n${guide('check-nms-services.txt')}`);
});

test('the fstab lines are the guide’s', () => {
  expect(`${renderFstab(pair).join('\n')}\n`).toBe(guide('fstab').replaceAll('<NFS_SERVER_IP>', '192.0.2.13'));
});

test('the default mount options are the guide’s, in its order', () => {
  const inGuide = [...guide('mount.txt').matchAll(/-o ([^<]*)<NFS_SERVER_IP>/g)].map((match) =>
    match[1].replace(/[\s\\]/g, ''),
  );
  expect(inGuide).toEqual([GUIDE_MOUNT_OPTIONS.join(','), GUIDE_MOUNT_OPTIONS.join(',')]);
});
