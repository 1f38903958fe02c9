import { Fn, TerraformStack, Token } from 'cdktf';
import {
  BastionOptions,
  LinuxServerOptions,
  MonitoredService,
  NfsFencing,
  NfsShare,
  NfsShareProps,
  NimHaPair,
  NimHaPairProps,
  NodeProps,
  ObserveWith,
  PasswordOptions,
  PrivateKeyFileOptions,
  PrivateKeyOptions,
  SshAccess,
  VirtualIp,
  VirtualIpProps,
} from '../lib';
import { ED25519_A, ED25519_B, identityOf, pair, provisioners, stack, synth, variable } from './fixture';

// What plain JavaScript, `any` and JSON bring in: nothing is thrown by a constructor, and validation names each place.

const SECRET = 'S3cret-7f';
const ssh = SshAccess.withAgent({ user: 'ops' });
type Build = (value: any, scope: TerraformStack) => object;
type Table<T> = { [K in keyof Required<T>]: any[] };

// For each property what it must not be; the compiler wants all of them.
const TEXT = [7, true, [SECRET], { secret: SECRET }, () => SECRET];
const NUMBER = [SECRET, true, [7], { secret: SECRET }];
const TEXTS = [SECRET, 7, { secret: SECRET }, [7], ['ok', { secret: SECRET }]];
const YES_OR_NO = ['false', 'no', 0, 1, {}, [true], Fn.uuid()];
const ENUM = ['HARDENED', 'keep', 'restore; reboot', 7, ['guide'], {}];
const INSTANCE = [SECRET, 7, { user: SECRET }, [SECRET]];
const GROUP = [SECRET, 7, [SECRET]];

const NODE: Table<NodeProps> = { host: TEXT, networkInterface: TEXT, hostKeys: TEXTS, name: TEXT, port: NUMBER, ssh: INSTANCE };
const PAIR: Table<NimHaPairProps> = {
  primary: GROUP,
  secondary: GROUP,
  ssh: INSTANCE,
  virtualIp: INSTANCE,
  nfsShare: INSTANCE,
  monitoredServices: ['nginx', { secret: SECRET }, [SECRET], [7]],
  operationMode: ENUM,
  profile: [...ENUM, Fn.uuid()],
  installKeepalived: YES_OR_NO,
  takeOver: YES_OR_NO,
  observe: YES_OR_NO,
  repairDrift: YES_OR_NO,
  removalPolicy: [...ENUM, Fn.uuid()],
  decommission: YES_OR_NO,
  // A construct that is no resource would be left out without a word.
  dependsOn: [SECRET, 7, { secret: SECRET }, [SECRET], [7], [{ secret: SECRET }], [stack()]],
  oidc: YES_OR_NO,
  forwardProxy: YES_OR_NO,
};
const VIRTUAL_IP: Table<VirtualIpProps> = { address: TEXT, authPass: TEXT, authPassVersion: TEXT, virtualRouterId: NUMBER, segment: TEXT };
const NFS_SHARE: Table<NfsShareProps> = { server: TEXT, exportPath: TEXT, mountOptions: TEXTS, fstabOptions: TEXT, fencing: INSTANCE };
const FENCING: Table<LinuxServerOptions> = { ssh: INSTANCE, hostKeys: TEXTS, host: TEXT, port: NUMBER, nodePort: NUMBER, name: TEXT, clientAddresses: GROUP, exportOptions: TEXTS };
const LOGIN = { user: TEXT, sudoPassword: TEXT, timeout: TEXT, observeWith: INSTANCE };
const KEY: Table<PrivateKeyOptions> = { ...LOGIN, privateKey: TEXT };
const KEY_FILE: Table<PrivateKeyFileOptions> = { ...LOGIN, path: TEXT };
const PASSWORD: Table<PasswordOptions> = { ...LOGIN, password: TEXT };
const BASTION: Table<BastionOptions> = { host: TEXT, hostKeys: TEXTS, port: NUMBER, user: TEXT };

let made = 0;
const virtualIp = (scope: TerraformStack, props: object) => new VirtualIp(scope, `VirtualIp${(made += 1)}`, { address: '192.0.2.100', authPass: variable(scope, 'auth_pass').stringValue, ...props });
const nfsShare = (scope: TerraformStack, props: object) => new NfsShare(scope, `NfsShare${(made += 1)}`, { server: '192.0.2.13', ...props });
const node = (host: string, key: string, props: object) => ({ host, networkInterface: 'ens32', hostKeys: [key], ...props });
const primary = (props: object) => node('192.0.2.11', ED25519_A, props);
const secondary = (props: object) => node('192.0.2.12', ED25519_B, props);
const fencing = (options: object) => NfsFencing.linuxServer({ ssh, hostKeys: [ED25519_A], ...options });
/** Where the properties of each table are given, and the path that a message has for them. */
const PLACES: Array<[string, Table<any>, (options: object, scope: TerraformStack) => object]> = [
  ['', PAIR, (options) => options],
  ['primary', NODE, (options) => ({ primary: primary(options) })],
  ['secondary', NODE, (options) => ({ secondary: secondary(options) })],
  ['virtualIp', VIRTUAL_IP, (options, scope) => ({ virtualIp: virtualIp(scope, options) })],
  ['nfsShare', NFS_SHARE, (options, scope) => ({ nfsShare: nfsShare(scope, options) })],
  ['nfsShare.fencing', FENCING, (options, scope) => ({ nfsShare: nfsShare(scope, { fencing: fencing(options) }) })],
  ['nfsShare.fencing.clientAddresses', { primary: TEXTS, secondary: TEXTS }, (options, scope) => ({ nfsShare: nfsShare(scope, { fencing: fencing({ clientAddresses: { primary: ['192.0.2.11'], secondary: ['192.0.2.12'], ...options } }) }) })],
  ['nfsShare.fencing.ssh', LOGIN, (options, scope) => ({ nfsShare: nfsShare(scope, { fencing: fencing({ ssh: SshAccess.withAgent({ user: 'ops', ...options }) }) }) })],
  ['ssh', LOGIN, (options) => ({ ssh: SshAccess.withAgent({ user: 'ops', ...options }) })],
  ['ssh', KEY, (options) => ({ ssh: SshAccess.withPrivateKey({ user: 'ops', privateKey: 'x', ...options }) })],
  ['secondary.ssh', KEY_FILE, (options) => ({ secondary: secondary({ ssh: SshAccess.withPrivateKeyFile({ user: 'ops', path: '/k', ...options }) }) })],
  ['ssh', PASSWORD, (options) => ({ ssh: SshAccess.withPassword({ user: 'ops', password: 'x', ...options }) })],
  ['ssh.bastion', BASTION, (options) => ({ ssh: ssh.viaBastion({ host: 'jump', hostKeys: [ED25519_A], ...options }).ignoringHostKeys() })],
];
const inPlaces = PLACES.flatMap(([place, table, build]) =>
  Object.entries(table).map(([key, values]): [string, any[], Build] => [place ? `${place}.${key}` : key, values, (value, scope) => build({ [key]: value }, scope)]),
);
const CASES: Array<[string, any[], Build]> = [
  ...inPlaces,
  ['ssh.observeWith', TEXT, (value) => ({ ssh: SshAccess.withAgent({ user: 'ops', observeWith: ObserveWith.keyFile(value) }) })],
  ['ssh.observeWith', TEXT, (value) => ({ ssh: SshAccess.withAgent({ user: 'ops', observeWith: ObserveWith.keyFromEnvironment(value) }) })],
  ['monitoredServices', TEXT, (value) => ({ monitoredServices: [MonitoredService.of(value)] })],
];

/** As the fixture's pair, but nothing is spread: what is given gets there as it is. */
function make(scope: TerraformStack, options: object): NimHaPair {
  const given = { primary: primary({}), secondary: secondary({}), ssh, virtualIp: virtualIp(scope, {}), nfsShare: nfsShare(scope, {}), ...options };
  return new NimHaPair(scope, 'NimHa', given as NimHaPairProps);
}

test.each(CASES)('%s of another kind is named, once, and nothing of it is told', (path, values, build) => {
  for (const value of values) {
    const scope = stack();
    const found = make(scope, build(value, scope)).node.validate();
    const form = new RegExp(`^${path.replace(/\./g, '\\.')}(\\[\\d+\\])?: must be .*, got .* \\[value/type\\]$`);
    // The exact list: no other rule speaks up about it.
    expect({ value, found }).toEqual({ value, found: [expect.stringMatching(form)] });
    expect(found.join()).not.toContain(SECRET);
  }
});

test('the words', () => {
  const scope = stack();
  const options = {
    decommission: 'false',
    removalPolicy: 'keep',
    primary: primary({ port: '22', hostKeys: ED25519_A }),
    virtualIp: virtualIp(scope, { authPass: 12345678 }),
    monitoredServices: ['nginx'],
  };
  const todo = 'convert it; what comes from the environment is a text, and in JSON quotes make one [value/type]';
  expect(make(scope, options).node.validate()).toEqual([
    `primary.hostKeys: must be a list of texts, got a text; ${todo}`,
    `primary.port: must be a number, got a text; ${todo}`,
    `monitoredServices[0]: must be a MonitoredService, got a text; ${todo}`,
    `removalPolicy: must be "restore" or "retain", got "keep"; ${todo}`,
    `decommission: must be true or false, without quotes, got "false"; ${todo}`,
    `virtualIp.authPass: must be a text, got a number; ${todo}`,
  ]);
  // A terminal would act on it.
  expect(make(stack(), { profile: '\u009b2J' }).node.validate()).toEqual([expect.stringContaining('got "\\u009b2J";')]);
});

test('what is of another kind is not acted on, even where nobody validates', () => {
  const scope = stack();
  pair(scope, { decommission: 'false', takeOver: 'false', removalPolicy: 'restore; reboot', profile: 'HARDENED' } as any);
  const tf = synth(scope, false);
  expect(Object.keys(tf.resource.null_resource).join()).toContain('rollout');
  expect(JSON.stringify(provisioners(tf))).not.toContain('reboot');
  expect(identityOf(tf).provisioner[0]['local-exec'].command).toMatch(/^set -- remove restore\n/);
});

test.each(['primary', 'secondary', 'ssh', 'virtualIp', 'nfsShare'])('%s that is missing is named, once', (part) => {
  for (const none of [undefined, null]) {
    expect(make(stack(), { [part]: none }).node.validate()).toEqual([expect.stringContaining(`${part}: must have a value, got ${none};`)]);
  }
});

test('null for what has a default is the default', () => {
  const scope = stack();
  const nulls = (table: object, ...not: string[]) => Object.fromEntries(Object.keys(table).filter((key) => !not.includes(key)).map((key) => [key, null]));
  const login: any = { user: 'ops', timeout: null, observeWith: null };
  const bastion: any = { host: 'jump', hostKeys: [ED25519_A], port: null, user: null };
  const options = {
    ...nulls(PAIR, 'primary', 'secondary', 'ssh', 'virtualIp', 'nfsShare'),
    primary: primary(nulls(NODE, 'host', 'networkInterface', 'hostKeys')),
    virtualIp: virtualIp(scope, nulls(VIRTUAL_IP, 'address', 'authPass')),
    nfsShare: nfsShare(scope, { ...nulls(NFS_SHARE, 'server'), fencing: fencing(nulls(FENCING, 'ssh', 'hostKeys')) }),
    ssh: SshAccess.withAgent(login).viaBastion(bastion),
  };
  expect(make(scope, options).node.validate()).toEqual([]);
  expect(() => synth(scope)).not.toThrow();
});

test('a token is of the kind that its place wants, in each of its forms', () => {
  const scope = stack();
  const [word, list, port] = [variable(scope, 'word'), variable(scope, 'list', 'list(string)'), variable(scope, 'port', 'number')];
  const made = pair(scope, {
    primary: { host: word.value, hostKeys: list.listValue, port: port.numberValue },
    secondary: { host: word.stringValue, hostKeys: list.value, port: port.value, name: Token.asString(word.value) },
    virtualIp: { virtualRouterId: port.value, address: word.value },
    nfsShare: { mountOptions: list.value },
    operationMode: word.stringValue as any,
  } as any);
  expect(made.node.validate()).toEqual([]);
  const text = JSON.stringify(synth(scope));
  expect(text).not.toMatch(/TfToken|undefined|object Object/);
  expect(text).toContain('NIM_HA_PORT=${var.port}');
});

test('a wrong kind leads to no warning beside it', () => {
  const login: any = { user: 'ops', privateKey: 7, sudoPassword: 7 };
  const { metadata } = pair(stack(), { virtualIp: { authPass: 7 }, primary: { hostKeys: 'x' }, secondary: { hostKeys: [] }, ssh: SshAccess.withPrivateKey(login) } as any).node;
  expect(metadata.filter(({ type }) => type.includes('warn'))).toEqual([]);
});
