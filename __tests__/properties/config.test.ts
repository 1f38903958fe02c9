import { Testing } from 'cdktf';
import fc from 'fast-check';
import { configOf } from '../../stacks/config';
import type { Config } from '../../stacks/config-model';
import { NimHaStack } from '../../stacks/nim-ha-stack';
import { ED25519_A, ED25519_B, synth } from '../fixture';
import { hostile, holds, must, oneIn, sample, UNREADABLE } from './support';

const FILE = 'pairs.json';

const valid = () => ({
  backend: { s3: { bucket: 'b', key: '{pair}.tfstate', nested: { a: ['${x}'] } } },
  ephemeralSecrets: true,
  pairs: {
    nim: {
      primary: { host: '192.0.2.11', networkInterface: 'ens32', hostKeys: [ED25519_A], name: 'a', port: 22 },
      secondary: { host: '192.0.2.12', networkInterface: 'ens32', hostKeys: [ED25519_B] },
      ssh: { user: 'ops', login: 'private-key-file', privateKeyFile: '~/key', timeout: '2m', bastion: { host: '192.0.2.1', port: 22, user: 'jump', hostKeys: [ED25519_A] } },
      virtualIp: { address: '192.0.2.100', virtualRouterId: 9, segment: 'lan', authPassVariable: 'site_pass', authPassVersion: '3' },
      nfsShare: {
        server: '192.0.2.13', exportPath: '/a', mountOptions: ['rw'], fstabOptions: 'defaults',
        fencing: { hostKeys: [ED25519_A], ssh: { user: 'root', variable: 'nfs_key' }, host: 'nfs', port: 22, name: 'n', clientAddresses: { primary: ['192.0.2.11'], secondary: ['192.0.2.12'] }, exportOptions: ['rw', 'sync', 'no_root_squash'] },
      },
      monitoredServices: ['nginx'], operationMode: 'connected', profile: 'hardened', installKeepalived: true, observe: true, repairDrift: false, removalPolicy: 'retain', decommission: false, oidc: false, forwardProxy: false,
    },
  },
});

type Path = Array<string | number>;

/** Each place of a value, however deep. */
function places(value: unknown, path: Path = []): Path[] {
  const inner = value !== null && typeof value === 'object' ? Object.entries(value).flatMap(([key, each]) => places(each, [...path, key])) : [];
  return path.length > 0 ? [path, ...inner] : inner;
}

const NAMES = ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'a', 'nim_ha', 'null', 'local', 'source', 'count'];
const text = hostile('192.0.2.11', 'ens32', 'ops', 'guide', 'retain', 'nim', 'password', ...NAMES);
const tree = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, text, fc.oneof(fc.integer(), fc.double(), fc.constant(-1.8881545897087503e289)), fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(text, tie('value'), { maxKeys: 3, noNullPrototype: true })),
})).value;

/** A valid file in which up to three values are others, are missing, or have another name. */
const configs = fc
  .array(fc.tuple(fc.constantFrom(...places(valid())), fc.constantFrom('set', 'set', 'text', 'text', 'text', 'delete', 'rename'), tree, text), { maxLength: 3 })
  .map((changes) => {
    const config: any = valid();
    for (const [path, kind, value, word] of changes) {
      const parent = path.slice(0, -1).reduce((inner: any, key) => inner?.[key], config);
      const key = path[path.length - 1];
      if (parent === null || typeof parent !== 'object') continue;
      if (kind === 'text') parent[key] = word;
      if (kind === 'set') parent[key] = value;
      if (kind === 'rename') Object.defineProperty(parent, word, { value: parent[key], enumerable: true, configurable: true, writable: true });
      if (kind === 'delete' || kind === 'rename') delete parent[key];
    }
    return config;
  });

/** Undefined, or what is told to who wrote the file; throws for what is meant for who wrote the program. */
function refusal(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    const { constructor, message } = error as Error;
    must(constructor === Error, 'not an error of ours', `${constructor.name}: ${message}`);
    must(!/\n\s+at |undefined|\[object|Cannot read|is not a function|Unrecognized Token/.test(message), 'not meant for a user', message);
    must(message.split('\n').every((line) => !UNREADABLE.test(line)), 'cannot be read', message);
    return message;
  }
}

test('a file is accepted as it is, or refused in lines that can be read', () => {
  const found = { accepted: 0, refused: 0 };
  holds('config file', configs, (config) => {
    const content = JSON.stringify(config);
    let read: Config | undefined;
    const message = refusal(() => (read = configOf(FILE, content)));
    found[message === undefined ? 'accepted' : 'refused'] += 1;
    must(message === undefined ? JSON.stringify(read) === content : message.startsWith(`${FILE} is not a valid configuration:\n  `), 'neither', message ?? read);
    must(message !== undefined || !content.includes('TfToken['), 'accepted with a token in it', read);
  });
  expect(Math.min(found.accepted, found.refused)).toBeGreaterThan(1000);
});

test('text that is no JSON, or no object, is refused with its line', () => {
  const content = fc.oneof(text, tree.map((value) => JSON.stringify(value)), fc.tuple(fc.nat(500), text).map(([at, other]) => {
    const whole = JSON.stringify(valid(), undefined, 1);
    return whole.slice(0, at) + other + whole.slice(at);
  }));
  holds('text of a config file', content, (each) => {
    const message = refusal(() => configOf(FILE, each));
    must(message === undefined || /^pairs\.json( is not a valid configuration:\n {2}|: line \d+, column \d+: not valid JSON: .)/.test(message), 'in another form', message);
  });
});

test('what the schema lets pass becomes stacks, or is refused with what is wrong', () => {
  const accepted = sample('stacks of a config file', configs, 1000).flatMap((config): Config[] => {
    let read: Config | undefined;
    return refusal(() => (read = configOf(FILE, JSON.stringify(config)))) === undefined ? [read!] : [];
  });
  let synthesised = 0;
  // A stack takes as long as a hundred files.
  for (const { pairs, backend } of accepted.slice(0, oneIn(100))) {
    const message = refusal(() => {
      const app = Testing.app();
      for (const [name, pair] of Object.entries(pairs)) synth(new NimHaStack(app, name, { pair, backend, ephemeralSecrets: true }));
    });
    must(message === undefined || /\[[a-z]+\/[a-z0-9-]+\]/.test(message), 'a refusal without an id', message);
    if (message === undefined) synthesised += 1;
  }
  expect(synthesised).toBeGreaterThan(10);
});
