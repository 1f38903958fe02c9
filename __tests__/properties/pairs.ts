import fc from 'fast-check';
import { PairModel } from '../../lib/config/model';
import { RuleInput } from '../../lib/rules/rule';
import { ED25519_A, ED25519_B } from '../fixture';
import { guidePair } from '../config/pairs';
import { hostile } from './support';

/** Every string that a user can give of a pair: its place, and values that pass there. */
const STRINGS: Record<string, string[]> = {
  'primary.name': ['nim-a', 'a.b_c', 'N'],
  'primary.host': ['192.0.2.11', 'nim-a.example.com', '2001:db8::11'],
  'primary.networkInterface': ['ens32', 'eth0.7', 'bond-0'],
  'primary.hostKeys.0': [ED25519_A],
  'secondary.name': ['nim-b', 'x'],
  'secondary.host': ['192.0.2.12', 'nim-b'],
  'secondary.networkInterface': ['ens32', 'eno1'],
  'secondary.hostKeys.0': [ED25519_B],
  'virtualIp.address': ['192.0.2.100', '192.0.2.100/24', '10.0.0.5/32'],
  'virtualIp.authPass': ['Pa55-wrd', 'a', '._-'],
  'virtualIp.segment': ['lan', 'VLAN 7'],
  'nfs.server': ['192.0.2.13', 'nfs.example.com', '2001:db8::13'],
  'nfs.exportPath': ['/mnt/nfs_share', '/', '/srv/a-b/c.d'],
  'nfs.mountOptions.0': ['rw', 'vers=4.2', 'sec=krb5p'],
  'nfs.fstabOptions': ['defaults', 'nofail,_netdev', 'x-systemd.requires=a.service'],
  'nfs.fencing.name': ['stack-nim', 'a'],
  'nfs.fencing.host': ['192.0.2.13', 'nfs.example.com'],
  'nfs.fencing.hostKeys.0': [ED25519_A],
  'nfs.fencing.exportOptions.0': ['rw', 'anonuid=3'],
  'nfs.fencing.primaryAddresses.0': ['192.0.2.11', '10.0.0.1'],
  'services.0': ['clickhouse-server', 'nms@1', 'a.b'],
  'ssh.timeoutText': ['2m', '1m30s', '0.5h'],
  'ssh.user': ['ops', 'root', 'first.last@example'],
  'ssh.keyFiles.0': ['~/.ssh/id_ed25519', '/home/my keys/$id'],
  'ssh.environment.0': ['TF_VAR_key', '_x'],
  'ssh.bastion.host': ['192.0.2.1', 'bastion.example.com', '2001:db8::1'],
  'ssh.bastion.user': ['ops', 'jump'],
  'ssh.bastion.hostKeys.0': [ED25519_A],
};

const NUMBERS: Record<string, number[]> = {
  'primary.port': [22, 65535],
  'virtualIp.virtualRouterId': [1, 255],
  'nfs.fencing.nodePort': [22, 2222],
  'ssh.bastion.port': [22, 2222],
};

function put(input: any, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  keys.reduce((inner, key) => inner[key], input)[last] = value;
}

/** The hardened ones have fencing, the others have not. */
export function pairWith(changes: Array<[path: string, value: unknown]>, profile: PairModel['profile']): RuleInput {
  const input: any = {
    ...guidePair({ profile }),
    ssh: {
      hostKeyChecking: true,
      timeoutText: '5m',
      user: 'ops',
      keyFiles: ['~/.ssh/id_ed25519'],
      environment: ['TF_VAR_key'],
      bastion: { host: '192.0.2.1', port: 22, user: 'ops', hostKeys: [ED25519_B] },
    },
    siblings: [{ path: 'other', segment: 'lan', virtualRouterId: 251, virtualIp: '192.0.2.100', nodes: [{ host: '192.0.2.99', port: 22 }] }],
  };
  if (profile === 'hardened') {
    const addresses = { primaryAddresses: ['192.0.2.11'], secondaryAddresses: ['192.0.2.12', '10.0.0.2'] };
    input.nfs.fencing = { name: 'stack-nim', host: '192.0.2.13', port: 22, nodePort: 22, hostKeys: [ED25519_A], exportOptions: ['rw', 'sync', 'no_root_squash'], ...addresses };
  }
  for (const [path, value] of changes) {
    if (input.nfs.fencing || !path.startsWith('nfs.fencing')) put(input, path, value);
  }
  // As the model of a pair has them from its nodes.
  if (input.nfs.fencing) Object.assign(input.nfs.fencing, { primaryHostKeys: input.primary.hostKeys, secondaryHostKeys: input.secondary.hostKeys });
  return input;
}

const NO_LETTERS = [...Array(128).keys()].map((code) => String.fromCharCode(code)).filter((character) => !/[A-Za-z0-9]/.test(character));

/** Each character of ASCII but letters and digits, at each place of each string: chance leaves some of them out. */
export function* everyCharacter(): Generator<RuleInput> {
  for (const [path, [text]] of Object.entries(STRINGS)) {
    // Of a key the places are all alike.
    const places = text.length > 40 ? [0, 11, 40, text.length] : [...Array(text.length + 1).keys()];
    for (const at of places) {
      for (const character of NO_LETTERS) yield pairWith([[path, text.slice(0, at) + character + text.slice(at)]], path.startsWith('nfs.fencing') ? 'hardened' : 'guide');
    }
  }
}

/** A pair that is well but for up to three of its values. */
export const pairs: fc.Arbitrary<RuleInput> = fc
  .array(
    fc.oneof(
      { arbitrary: fc.constantFrom(...Object.keys(STRINGS)).chain((path) => fc.tuple(fc.constant(path), hostile(...STRINGS[path]) as fc.Arbitrary<unknown>)), weight: 9 },
      {
        arbitrary: fc.constantFrom(...Object.keys(NUMBERS)).chain((path) => fc.tuple(fc.constant(path), fc.oneof<fc.Arbitrary<unknown>[]>(fc.constantFrom(...NUMBERS[path]), fc.integer(), fc.double()))),
        weight: 1,
      },
    ),
    { maxLength: 3 },
  )
  .chain((changes) => fc.tuple(fc.constant(changes), fc.constantFrom('guide' as const, 'hardened' as const)))
  .map(([changes, profile]) => pairWith(changes, profile));
