import { checkAll, RULES } from '../../lib/rules';
import { RuleInput } from '../../lib/rules/rule';
import { guidePair } from '../config/pairs';
import { asTokens, changed } from './row';
import { fencingRows } from './rows-fencing';
import { loginRows } from './rows-login';
import { nfsRows } from './rows-nfs';
import { nodeRows } from './rows-nodes';
import { pairRows } from './rows-pair';
import { sshRows } from './rows-ssh';
import { vipRows } from './rows-vip';

const rows = { ...vipRows, ...nodeRows, ...sshRows, ...loginRows, ...nfsRows, ...fencingRows, ...pairRows };
const failures = Object.values(rows).flatMap((row) => row.fails);

test('every rule has a row with both sides, and every row a rule', () => {
  const covered = Object.keys(rows).filter((id) => rows[id].passes.length > 0 && rows[id].fails.length > 0);
  expect(covered.sort()).toEqual(RULES.map((rule) => rule.id).sort());
});

test('the guide’s pair is accepted', () => {
  expect(checkAll(guidePair())).toEqual([]);
  expect(checkAll(changed({}))).toEqual([]);
});

describe.each(Object.entries(rows))('%s', (id, { passes, fails }) => {
  test('passes', () => {
    for (const change of passes) expect({ change, found: checkAll(changed(change)) }).toEqual({ change, found: [] });
  });

  // The exact list: no other rule may speak up about the same mistake.
  test('fails', () => {
    for (const [change, ...messages] of fails) {
      const found = messages.map((message) => ({ id, message: `${message} [${id}]` }));
      expect({ change, found: checkAll(changed(change)) }).toEqual({ change, found });
    }
  });
});

describe('a token is never judged', () => {
  test('where nothing is known', () => {
    expect(checkAll({})).toEqual([]);
    expect(
      checkAll({
        primary: {},
        secondary: {},
        virtualIp: {},
        nfs: {},
        ssh: {},
        services: [undefined],
        siblings: [{ path: 'x' }],
      }),
    ).toEqual([]);
    const host = '192.0.2.11';
    const known = { segment: 'a', virtualRouterId: 1, virtualIp: '192.0.2.1', nodes: [{ host, port: 22 }] };
    expect(checkAll({ siblings: [{ path: 'x', ...known, nfs: { server: host, exportPath: '/' } }] })).toEqual([]);
    expect(checkAll({ primary: guidePair().primary })).toEqual([]);
    expect(checkAll({ secondary: guidePair().secondary })).toEqual([]);
  });

  test.each<[string, RuleInput]>([
    ['two ports', { primary: { host: 'x', port: undefined }, secondary: { host: 'x', port: undefined } }],
    ['two router ids', { virtualIp: { segment: 'a', virtualRouterId: undefined }, siblings: [{ path: 'x', segment: 'a' }] }],
    ['ports of two pairs', { primary: { port: undefined }, siblings: [{ path: 'x', nodes: [{ host: '192.0.2.11' }] }] }],
    ['two export paths', { nfs: { exportPath: undefined }, siblings: [{ path: 'x', nfs: { server: '192.0.2.13' } }] }],
    ['options of a boot', { nfs: { mountOptions: ['sync'], fstabOptions: undefined } }],
    ['mount options', { nfs: { mountOptions: undefined, fstabOptions: 'sync' } }],
    ['one mount option', { nfs: { mountOptions: ['hard', undefined], fstabOptions: 'sync' } }],
  ])('where tokens may differ, or hold what is missed: %s', (_, change) => {
    expect(checkAll(changed(change))).toEqual([]);
  });

  test.each([true, false])('where what was wrong is a token (whole lists: %s)', (wholeLists) => {
    const judged = failures.flatMap(([change]) => {
      const siblings = change.siblings?.map(({ path }) => ({ path }));
      // A token was given.
      const tokens = { ...(asTokens(change, wholeLists) as RuleInput), siblings, notGiven: [], wrongKind: [] };
      // A list that is known to be empty has no element that could be a token.
      if (!wholeLists && JSON.stringify(change).includes('[]')) return [];
      return checkAll(changed(tokens)).map((found) => ({ change, found }));
    });
    expect(judged).toEqual([]);
  });
});

test('everything that is wrong is reported in one go', () => {
  const wrong = changed({
    oidc: true,
    forwardProxy: true,
    services: [],
    primary: { port: 0 },
    virtualIp: { virtualRouterId: 0, authPass: '' },
  });
  const ids = [
    'node/port-range',
    'vip/router-id-range',
    'vip/auth-pass-empty',
    'service/none',
    'guide/oidc-forward-proxy',
  ];
  expect(checkAll(wrong).map(({ id }) => id)).toEqual(ids);
});

describe('two rules that one text breaks both speak up', () => {
  const twice = ['nfs/option-repeated'];
  test.each<[string, RuleInput, string[]]>([
    ['hard and soft', { nfs: { mountOptions: ['hard', 'soft'] } }, ['nfs/option-soft', ...twice]],
    ['hard and softerr', { nfs: { mountOptions: ['hard', 'softerr'] } }, ['nfs/option-soft', ...twice]],
    ['rw and ro', { nfs: { mountOptions: ['rw', 'ro'] } }, ['nfs/option-read-only', ...twice]],
    ['a refused option behind a comma', { nfs: { mountOptions: ['rw, nolock'] } }, ['nfs/option-syntax', 'nfs/option-breaks-locks']],
    // Of a prefix that is none nothing follows.
    ['no host and no network', { virtualIp: { address: '0.0.0.0/0' } }, ['vip/prefix-range', 'vip/address-special']],
  ])('%s', (_, change, ids) => expect(checkAll(changed(change)).map(({ id }) => id)).toEqual(ids));
});

test('the message is the documented one', () => {
  const [{ id, message }] = checkAll(changed({ virtualIp: { authPass: '123456789012' } }));
  expect(id).toBe('vip/auth-pass-length');
  expect(message).toBe(
    'virtualIp.authPass: keepalived uses only the first 8 characters, got 12; shorten it to 8 or fewer [vip/auth-pass-length]',
  );
});

test('every message has the one form, on one line', () => {
  const form = /^[a-zA-Z]+(\.[a-zA-Z]+)*(\[\d+\])?: [^;]+, got [^\n]+; [^\n]+ \[[a-z]+\/[a-z0-9-]+\]$/;
  const messages = failures.flatMap(([change]) => checkAll(changed(change)).map(({ message }) => message));
  expect(messages.length).toBeGreaterThan(failures.length - 1);
  expect(messages.filter((message) => !form.test(message))).toEqual([]);
});

test('no message holds the password, whatever else is wrong', () => {
  const authPass = 'Sec#ret-0123';
  const found = failures.map(([change]) => checkAll(changed({ ...change, virtualIp: { ...change.virtualIp, authPass } })));
  expect(JSON.stringify(found)).not.toMatch(/Sec|ret-|0123/);
  // Nor one that somebody wrote in front of a host.
  expect(JSON.stringify(checkAll(changed({ primary: { host: 'ops:Hidden1@nim-a' } })))).not.toContain('Hidden1');
});

test('what documentation needs is there', () => {
  expect(new Set(RULES.map((rule) => rule.id)).size).toBe(RULES.length);
  for (const rule of RULES) {
    expect(rule.id).toMatch(/^[a-z]+\/[a-z0-9-]+$/);
    expect(rule.summary).toMatch(/^[A-Z].*\.$/);
  }
});
