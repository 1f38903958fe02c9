import { Fn, TerraformStack, Testing } from 'cdktf';
import { MonitoredService, NfsFencing, NfsShare, ObserveWith, SshAccess } from '../lib';
import { ED25519_A, PairOptions, pair, stack, synth, variable } from './fixture';

function problems(synthesise: () => unknown): string[] {
  try {
    synthesise();
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.trim()).filter((line) => line.startsWith('['));
  }
}

test('a valid pair has nothing to report', () => {
  const scope = stack();
  pair(scope);
  expect(problems(() => synth(scope))).toEqual([]);
});

test('all that is wrong comes in one go, with the construct path and the rule', () => {
  const scope = stack();
  pair(scope, {
    primary: { networkInterface: 'a-name-that-is-too-long' },
    secondary: { host: '192.0.2.11' },
    ssh: SshAccess.withAgent({ user: 'ops', timeout: '3' }),
    virtualIp: { address: '192.0.2.13', authPass: 'far too long', virtualRouterId: 256 },
    nfsShare: { mountOptions: ['rw', 'nolock'] },
    monitoredServices: [MonitoredService.NGINX, MonitoredService.of('nginx')],
    oidc: true,
    forwardProxy: true,
  });
  const found = problems(() => synth(scope));
  expect(found.every((line) => line.startsWith('[stack/NimHa] '))).toBe(true);
  const rules = found.map((line) => / \[([a-z/-]+)\]$/.exec(line)?.[1]);
  expect(rules).toEqual(
    expect.arrayContaining(['node/interface-name', 'node/hosts-equal', 'ssh/timeout-unit', 'vip/auth-pass-length', 'service/repeated', 'guide/oidc-forward-proxy']),
  );
  expect(found.join('\n')).not.toContain('far too long');
});

test('what the constructor gets it takes: nothing is thrown before validation', () => {
  expect(() => pair(stack(), { virtualIp: { address: '', authPass: '' }, nfsShare: { server: '', mountOptions: [] }, monitoredServices: [] })).not.toThrow();
});

describe('what was not given', () => {
  const none = undefined as unknown as string;
  const ssh = SshAccess.withPrivateKey({ user: none, privateKey: none }).viaBastion({ host: none, hostKeys: [none] });

  function said(options: PairOptions): string[] {
    const scope = stack();
    pair(scope, options);
    return problems(() => synth(scope)).map((line) => line.replace(/^\[.*?\] (\S+): must have a value, got (.*?); .* \[value\/not-given\]$/, '$1 $2'));
  }

  test('is named in the place where it is missing, once, and nothing is thrown before', () => {
    const noKeys = undefined as unknown as string[];
    const server = SshAccess.withPassword({ user: 'admin', password: none, observeWith: ObserveWith.keyFile(none) });
    expect(
      said({
        primary: { host: none, networkInterface: none, hostKeys: noKeys },
        secondary: { host: null as unknown as string, ssh: SshAccess.withPrivateKeyFile({ user: 'ops', path: none }) },
        ssh,
        virtualIp: { address: none, authPass: none },
        nfsShare: {
          server: none,
          mountOptions: ['rw', none],
          fencing: NfsFencing.linuxServer({ ssh: server, hostKeys: noKeys, exportOptions: [none], clientAddresses: { primary: noKeys, secondary: [none] } }),
        },
        monitoredServices: [MonitoredService.of(none)],
        dependsOn: [undefined as any],
      }),
    ).toEqual([
      'primary.host undefined',
      'primary.networkInterface undefined',
      'primary.hostKeys undefined',
      'secondary.host null',
      'secondary.ssh.path undefined',
      'ssh.user undefined',
      'ssh.privateKey undefined',
      'ssh.bastion.host undefined',
      'ssh.bastion.hostKeys[0] undefined',
      'virtualIp.address undefined',
      'virtualIp.authPass undefined',
      'nfsShare.server undefined',
      'nfsShare.mountOptions[1] undefined',
      'nfsShare.fencing.hostKeys undefined',
      'nfsShare.fencing.clientAddresses.primary undefined',
      'nfsShare.fencing.clientAddresses.secondary[0] undefined',
      'nfsShare.fencing.exportOptions[0] undefined',
      'nfsShare.fencing.ssh.password undefined',
      'nfsShare.fencing.ssh.observeWith undefined',
      'monitoredServices[0] undefined',
      'dependsOn[0] undefined',
    ]);
  });

  test.each<[string, SshAccess]>([
    ['ssh.privateKey', SshAccess.withPrivateKey({ user: 'ops', privateKey: '' })],
    ['ssh.path', SshAccess.withPrivateKeyFile({ user: 'ops', path: '' })],
    ['ssh.password', SshAccess.withPassword({ user: 'ops', password: '' })],
    ['ssh.sudoPassword', SshAccess.withAgent({ user: 'ops', sudoPassword: '' })],
    ['ssh.observeWith', SshAccess.withAgent({ user: 'ops', observeWith: ObserveWith.keyFile('') })],
  ])('%s is none where it is empty', (path, empty) => {
    expect(said({ ssh: empty })).toEqual([`${path} an empty text`]);
  });

  test('leads to no warning about it', () => {
    const { metadata } = pair(stack(), { virtualIp: { authPass: none }, primary: { hostKeys: undefined }, secondary: { hostKeys: [] } }).node;
    expect(metadata.filter(({ type }) => type.includes('warn'))).toEqual([]);
  });

  test('is not what a decommission stumbles over', () => {
    expect(() => pair(stack(), { decommission: true, primary: { host: none }, virtualIp: { authPass: none }, ssh })).not.toThrow();
  });
});

test.each(['/k/a"b', '~/a"b', '/k/a\\b', '/k/a\nb', '/k/${var.x}', '/k/%{x'])('the odd path of a key %j is refused by its rule, and not by cdktf', (path) => {
  const scope = stack();
  pair(scope, { ssh: SshAccess.withPrivateKeyFile({ user: 'ops', path }) });
  expect(problems(() => synth(scope))).toEqual([expect.stringContaining('[ssh/key-file-path]')]);
});

test('logging in is judged: the user, the bastion, what the OpenSSH client takes', () => {
  const scope = stack();
  const observeWith = ObserveWith.keyFromEnvironment('$KEY');
  const ssh = SshAccess.withAgent({ user: '${var.user}', observeWith }).viaBastion({ host: 'a b', hostKeys: ['x'], port: 0, user: 'c d' });
  const node = SshAccess.withPrivateKeyFile({ user: 'e f', path: '/k', observeWith: ObserveWith.keyFile('/k"') });
  pair(scope, { ssh, secondary: { ssh: node } });
  expect(problems(() => synth(scope)).map((line) => line.replace(/^\[.*?\] (\S+): .* \[(.*)\]$/, '$1 $2'))).toEqual([
    'ssh.bastion.hostKeys[0] ssh/host-key-format',
    'ssh.user ssh/user-syntax',
    'ssh.bastion.user ssh/user-syntax',
    'secondary.ssh.user ssh/user-syntax',
    'secondary.ssh.path ssh/key-file-path',
    'ssh.observeWith ssh/environment-variable',
    'ssh.bastion.host ssh/bastion-host-syntax',
    'ssh.bastion.port ssh/bastion-port-range',
  ]);
});

test('host keys are wanted, unless that is switched off by name', () => {
  const missing = (ssh: SshAccess): string[] => {
    const scope = stack();
    pair(scope, { ssh, primary: { hostKeys: [] } });
    return problems(() => synth(scope));
  };
  const ssh = SshAccess.withAgent({ user: 'ops' });
  expect(missing(ssh)).toEqual([expect.stringContaining('[ssh/host-keys-missing]')]);
  expect(missing(ssh.ignoringHostKeys())).toEqual([]);
});

test('two pairs of a program are held against each other, also from different stacks', () => {
  const app = Testing.app();
  const one = stack(app, 'one');
  pair(one, { virtualIp: { segment: 'lan' } });
  const two = stack(app, 'two');
  pair(two, { virtualIp: { segment: 'lan' } });
  const found = problems(() => synth(two)).join('\n');
  expect(found).toContain('[segment/router-id-twice]');
  expect(found).toContain('[pairs/node-twice]');
  expect(found).toContain('one/NimHa');
});

test('a segment may be a token: it is compared all the same', () => {
  const scope = stack();
  const segment = variable(scope, 'segment');
  pair(scope, { virtualIp: { segment: segment.stringValue } }, 'One');
  pair(scope, { virtualIp: { segment: segment.stringValue }, primary: { host: '192.0.2.21' } }, 'Two');
  expect(problems(() => synth(scope)).join('\n')).toContain('[segment/router-id-twice]');
});

test('a segment that is a token says nothing of another stack, where the same text may stand for another subnet', () => {
  const app = Testing.app();
  const stacks = ['one', 'two'].map((id) => stack(app, id));
  for (const [index, each] of stacks.entries()) {
    const segment = variable(each, 'segment').stringValue;
    pair(each, { primary: { host: `192.0.2.${index}1` }, secondary: { host: `192.0.2.${index}2` }, virtualIp: { segment }, nfsShare: { exportPath: `/${index}` } });
  }
  for (const each of stacks) expect(problems(() => synth(each)).join('\n')).not.toContain('[segment/');
});

test('behind bastions that are tokens two pairs have the same machines only where it is the same token', () => {
  const app = Testing.app();
  const [one, two] = [stack(app, 'one'), stack(app, 'two')];
  const through = (scope: TerraformStack, name: string) => ({ ssh: SshAccess.withAgent({ user: 'ops' }).viaBastion({ host: variable(scope, name).stringValue, hostKeys: [ED25519_A] }) });
  pair(one, through(one, 'oslo'), 'Oslo');
  const twice = (scope: TerraformStack, options: PairOptions, id: string) => pair(scope, options, id).node.validate().filter((message) => /\[pairs\//.test(message));
  expect(twice(one, through(one, 'bergen'), 'Bergen')).toEqual([]);
  // Of the same name, and of another stack.
  expect(twice(two, through(two, 'oslo'), 'Elsewhere')).toEqual([]);
  expect(twice(one, {}, 'Direct')).toEqual([]);
  expect(twice(one, through(one, 'oslo'), 'Again')).toEqual([
    expect.stringMatching(/^primary\.host: .* a node of one\/Oslo too.*\[pairs\/node-twice\]$/),
    expect.stringMatching(/^secondary\.host: .* a node of one\/Oslo too.*\[pairs\/node-twice\]$/),
    expect.stringMatching(/the share of one\/Oslo too.*\[pairs\/share-twice\]$/),
  ]);
});

describe('two pairs of which not both say where they are', () => {
  const oslo = SshAccess.withAgent({ user: 'ops' }).viaBastion({ host: 'oslo.example', hostKeys: ['ecdsa-sha2-nistp256 AAAA'] });
  const address = '192.0.2.200';
  const own = { address, virtualRouterId: 7 };
  function said(first: PairOptions, second: PairOptions): string[] {
    const app = Testing.app();
    pair(stack(app, 'one'), first);
    const { metadata } = pair(stack(app, 'two'), second).node;
    return metadata.map(({ data }) => String(data)).filter((text) => text.includes('[segment/'));
  }
  const both = (what: string): string[] => [expect.stringMatching(`^two/NimHa and one/NimHa both have ${what}, and not both say .*; give each its virtualIp.segment, .* \\[segment/not-said\\]$`)];

  test.each<[string, PairOptions, PairOptions]>([
    ['virtualRouterId 251', {}, { virtualIp: { address } }],
    ['virtualRouterId 251', { virtualIp: { segment: 'lan' } }, { virtualIp: { address } }],
    ['virtualRouterId 251', {}, { virtualIp: { address, segment: 'lan' } }],
    ['virtualRouterId 251', { ssh: oslo }, { ssh: oslo, virtualIp: { address } }],
    ['the virtual IP "192.0.2.100"', {}, { virtualIp: { address: '192.0.2.100/24', virtualRouterId: 7 } }],
    ['virtualRouterId 251 and the virtual IP "192.0.2.100"', {}, {}],
  ])('a warning names them, and %s', (what, first, second) => expect(said(first, second)).toEqual(both(what)));

  test.each<[string, PairOptions, PairOptions]>([
    ['what both have is nothing', {}, { virtualIp: own }],
    ['both name a segment', { virtualIp: { segment: 'a' } }, { virtualIp: { segment: 'b' } }],
    ['both name one, known or not', { virtualIp: { segment: Fn.uuid() } }, { virtualIp: { segment: 'b' } }],
    ['both name one that is not known', { virtualIp: { segment: Fn.uuid() } }, { virtualIp: { segment: Fn.uuid() } }],
    ['they are behind different bastions', { ssh: oslo }, {}],
    ['the numbers and the addresses are tokens', { virtualIp: { address: Fn.uuid(), virtualRouterId: 7 } }, { virtualIp: { address: Fn.uuid() } }],
  ])('none where %s', (_, first, second) => expect(said(first, second)).toEqual([]));
});

describe('warnings', () => {
  const warnings = (options: PairOptions): unknown[] =>
    pair(stack(), options).node.metadata.filter(({ type }) => type.includes('warn')).map(({ data }) => data);
  const hostKeys = ['ecdsa-sha2-nistp256 AAAA'];
  const fine: PairOptions = { primary: { hostKeys }, secondary: { hostKeys } };

  test('none for what is fine', () => expect(warnings(fine)).toEqual([]));

  test.each<[string, PairOptions]>([
    ['is a literal', { virtualIp: { authPass: 'literal' } }],
    ['cannot be noticed', { virtualIp: { authPass: Fn.uuid() } }],
    // There is no key to hash the password with.
    ['cannot be noticed', { ssh: SshAccess.withAgent({ user: 'ops' }) }],
    ['cannot be noticed', { primary: { hostKeys, ssh: SshAccess.withAgent({ user: 'ops' }) } }],
    ['ssh: its key or password is no Terraform variable', { ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: Fn.uuid() }), virtualIp: { authPassVersion: '1' } }],
    ['primary.ssh: its key or password is no', { primary: { hostKeys, ssh: SshAccess.withPassword({ user: 'ops', password: Fn.uuid() }) }, virtualIp: { authPassVersion: '1' } }],
    ['primary.hostKeys has no ECDSA key', { primary: { hostKeys: [ED25519_A] } }],
    ['ssh.bastion.hostKeys has no ECDSA key', { ssh: SshAccess.withPrivateKeyFile({ user: 'ops', path: '~/id' }).viaBastion({ host: 'jump', hostKeys: [ED25519_A] }) }],
    ['nfsShare.fencing.hostKeys has no ECDSA key', { nfsShare: { fencing: NfsFencing.linuxServer({ hostKeys: [ED25519_A], ssh: SshAccess.withPrivateKeyFile({ user: 'ops', path: '~/id' }) }) } }],
    ['ssh.path "keys/id" is absolute in the state', { ssh: SshAccess.withPrivateKeyFile({ user: 'ops', path: 'keys/id' }) }],
  ])('%s', (text, options) => {
    expect(warnings({ ...fine, ...options })).toEqual([expect.stringContaining(text)]);
  });

  const SECRET = 'S3cret-7f';
  const observeWith = ObserveWith.agent();
  const versioned = { virtualIp: { authPassVersion: '1' } };
  const keyFile = { user: 'ops', path: '~/id' };
  test.each<[string[], PairOptions]>([
    [['ssh.privateKey ssh/secret-literal'], { ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: SECRET, observeWith }) }],
    [['ssh.password ssh/secret-literal', 'ssh: ssh/observe-with-missing'], { ssh: SshAccess.withPassword({ user: 'ops', password: SECRET }) }],
    [['primary.ssh.sudoPassword ssh/secret-literal', 'primary.ssh.sudoPassword ssh/sudo-password-not-variable'], { primary: { hostKeys, ssh: SshAccess.withPrivateKeyFile({ ...keyFile, sudoPassword: SECRET }) } }],
    [['ssh.sudoPassword ssh/sudo-password-not-variable'], { ssh: SshAccess.withPrivateKeyFile({ ...keyFile, sudoPassword: Fn.uuid() }) }],
    [
      ['nfsShare.fencing.ssh.sudoPassword ssh/secret-literal', 'nfsShare.fencing.ssh.sudoPassword ssh/sudo-password-not-variable'],
      { nfsShare: { fencing: NfsFencing.linuxServer({ hostKeys, ssh: SshAccess.withPrivateKeyFile({ ...keyFile, sudoPassword: SECRET }) }) } },
    ],
  ])('of secrets that are no variables: %j', (expected, options) => {
    const found = warnings({ ...fine, ...versioned, ...options }).map(String);
    expect(found.map((text) => text.replace(/^(\S+) .* \[(.*)\]$/, '$1 $2'))).toEqual(expected);
    // What goes without a word otherwise.
    for (const text of found.filter((each) => !each.includes('secret-literal'))) expect(text).toContain('no drift found by repairDrift');
    expect(found.join()).not.toContain(SECRET);
  });

  test('none of a sudoPassword that is a variable', () => {
    const scope = stack();
    const ssh = SshAccess.withPrivateKeyFile({ ...keyFile, sudoPassword: variable(scope, 'sudo_password').stringValue });
    expect(pair(scope, { ...fine, ssh }).node.metadata.filter(({ type }) => type.includes('warn'))).toEqual([]);
  });

  test('none with an agent where a version tells of the change', () => {
    expect(warnings({ ...fine, ssh: SshAccess.withAgent({ user: 'ops' }), virtualIp: { authPassVersion: '1' } })).toEqual([]);
  });
});

test('a share on an IPv6 address is mounted by TCP over IPv6, where nothing else is said', () => {
  const optionsOf = (nfsShare: PairOptions['nfsShare']) => new NfsShare(stack(), 'Share', { server: '2001:db8::13', ...nfsShare }).mountOptions;
  expect(optionsOf({})).toEqual(NfsShare.GUIDE_MOUNT_OPTIONS.map((option) => option.replace('proto=tcp', 'proto=tcp6')));
  expect(optionsOf({ server: '192.0.2.13' })).toEqual(NfsShare.GUIDE_MOUNT_OPTIONS);
  expect(optionsOf({ mountOptions: ['proto=tcp'] })).toEqual(['proto=tcp']);
});

test('the options of a share are its own: a change of them changes neither another share nor the list that was given', () => {
  const share = (mountOptions?: string[]) => new NfsShare(stack(), 'Share', { server: '192.0.2.13', mountOptions });
  share().mountOptions.push('sync');
  expect(share().mountOptions).toEqual(NfsShare.GUIDE_MOUNT_OPTIONS);
  const given = ['rw'];
  share(given).mountOptions.push('sync');
  expect(given).toEqual(['rw']);
  const token = variable(stack(), 'options', 'list(string)').listValue;
  expect(share(token).mountOptions).toEqual(token);
});
