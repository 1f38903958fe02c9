import { execFileSync, spawnSync } from 'child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { renderFiles } from '../../lib/config/files';
import { renderFstab } from '../../lib/config/fstab';
import { encodeLiteral, nodeDataEntries, renderNodeData } from '../../lib/config/node-data';
import { guidePair } from './pairs';

const repository = join(__dirname, '..', '..');
const pair = guidePair({ operationMode: 'disconnected' });
const entries = nodeDataEntries(pair, pair.secondary, { GENERATION: '1' }, encodeLiteral);

/** The keys in the table of ARCHITECTURE.md, in its order. */
function documentedKeys(): string[] {
  const text = readFileSync(join(repository, 'ARCHITECTURE.md'), 'utf8');
  const table = text.slice(text.indexOf('| key | value |'), text.indexOf('`FILES` holds every file'));
  return table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]));
}

test('the keys are those of ARCHITECTURE.md, in its order', () => {
  const fencing = { name: 'demo', host: 'nfs', port: 22, nodePort: 22, hostKeys: ['a'], exportOptions: ['rw'], primaryAddresses: ['192.0.2.11'], secondaryAddresses: ['192.0.2.12'], primaryHostKeys: [], secondaryHostKeys: [] };
  const fenced = guidePair({ nfs: { ...pair.nfs, fencing } });
  const keys = (of: typeof pair): string[] => nodeDataEntries(of, of.secondary, { GENERATION: '1' }, encodeLiteral).map(([key]) => key);
  expect(keys(fenced)).toEqual(documentedKeys());
  // A pair without fencing has the data that it always had.
  expect(keys(pair)).toEqual(documentedKeys().filter((key) => !key.startsWith('FENCE_')));
});

test('a node is told of itself and of its peer', () => {
  expect(Object.fromEntries(entries)).toMatchObject({
    NAME: 'nim-b',
    ROLE: 'secondary',
    HOST: '192.0.2.12',
    PEER_HOST: '192.0.2.11',
    PEER_NAME: 'nim-a',
    INTERFACE: 'ens32',
    VIRTUAL_IP: '192.0.2.100',
    VIRTUAL_ROUTER_ID: '251',
    OPERATION_MODE: 'disconnected',
    INSTALL_KEEPALIVED: 'yes',
    TAKE_OVER: 'no',
    MOUNT_OPTIONS: 'rw,relatime,vers=4.2,rsize=524288,wsize=524288,namlen=255,hard,proto=tcp,timeo=600,retrans=2,sec=sys',
    SERVICES: 'clickhouse-server nginx nms-core nms-dpm nms-integrations nms-ingestion',
    FSTAB: renderFstab(pair).join('\n'),
  });
  const primary = Object.fromEntries(nodeDataEntries(pair, pair.primary, undefined, encodeLiteral));
  expect(primary).toMatchObject({
    NAME: 'nim-a',
    ROLE: 'primary',
    HOST: '192.0.2.11',
    PEER_HOST: '192.0.2.12',
    PEER_NAME: 'nim-b',
  });
});

test('FILES holds every rendered file, whole', () => {
  const lines = Object.fromEntries(entries)
    .FILES.split('\n')
    .map((line) => line.split(' '));
  const decoded = lines.map(([mode, path, text]) => ({
    path,
    mode,
    text: Buffer.from(text, 'base64').toString('utf8'),
  }));
  expect(decoded).toEqual(renderFiles(pair, pair.secondary));
});

test('an installation that is not wanted is a word as well', () => {
  const own = nodeDataEntries(guidePair({ installKeepalived: false, takeOver: true }), pair.primary, undefined, encodeLiteral);
  expect(Object.fromEntries(own)).toMatchObject({ INSTALL_KEEPALIVED: 'no', TAKE_OVER: 'yes' });
});

test('a mode of operation that is not set is an empty value', () => {
  const unset = nodeDataEntries(guidePair(), pair.primary, { GENERATION: '1' }, encodeLiteral);
  expect(Object.fromEntries(unset).OPERATION_MODE).toBe('');
});

test('the caller’s encoding is used inside and outside, so that a token is encoded by Terraform', () => {
  const encode = (text: string): string => `base64(${text.length})`;
  expect(renderNodeData([['HOST', '${aws_instance.a.private_ip}']], encode)).toBe('HOST=base64(28)\n');
  const files = Object.fromEntries(nodeDataEntries(pair, pair.primary, undefined, encode)).FILES;
  expect(files.split('\n')[0]).toMatch(/^0600 \/etc\/keepalived\/keepalived\.conf base64\(\d+\)$/);
});

test('the password is in none of it', () => {
  expect(JSON.stringify(entries)).not.toContain(pair.virtualIp.authPass);
  expect(renderNodeData(entries, encodeLiteral)).not.toContain(encodeLiteral(pair.virtualIp.authPass));
});

test('scripts/node-data.sh refuses a value with a NUL or a newline at its end, and what is not base64', () => {
  const directory = mkdtempSync(join(tmpdir(), 'node-data-'));
  try {
    const file = join(directory, 'node.data');
    const read = (line: string) => {
      writeFileSync(file, line);
      const { status, stderr, stdout } = spawnSync('bash', ['-c', 'source "$1"; node_value HOST "$2"', 'bash', join(repository, 'scripts', 'node-data.sh'), file], { encoding: 'utf8' });
      return { status, text: stdout + stderr };
    };
    expect(read(renderNodeData([['HOST', 'nim-a']], encodeLiteral))).toEqual({ status: 0, text: 'nim-a' });
    expect(read(renderNodeData([['HOST', 'nim-a\n']], encodeLiteral))).toEqual({ status: 1, text: expect.stringContaining('HOST does not fit') });
    expect(read(renderNodeData([['HOST', 'nim\0-a']], encodeLiteral))).toEqual({ status: 1, text: 'node.data: HOST has a NUL in it\n' });
    expect(read('HOST=bmlt!WE=\n')).toEqual({ status: 1, text: 'node.data: HOST is not base64\n' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

// One in some hundred reads failed where the end of the process that decodes was waited for.
test('scripts/node-data.sh reads a value two thousand times', () => {
  const directory = mkdtempSync(join(tmpdir(), 'node-data-'));
  try {
    const file = join(directory, 'node.data');
    writeFileSync(file, renderNodeData([['HOST', 'nim-a']], encodeLiteral));
    const code = 'source "$1"; for ((i = 0; i < 2000; i++)); do node_value HOST "$2" >/dev/null; done';
    const { status, stderr } = spawnSync('bash', ['-c', code, 'bash', join(repository, 'scripts', 'node-data.sh'), file], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 120_000);

test('scripts/node-data.sh reads every value back as it was', () => {
  const directory = mkdtempSync(join(tmpdir(), 'node-data-'));
  try {
    const file = join(directory, 'node.data');
    writeFileSync(file, renderNodeData(entries, encodeLiteral));
    const script = 'source "$1"; for key in "${@:3}"; do node_value "$key" "$2" || exit 1; printf "\\0"; done';
    const keys = entries.map(([key]) => key);
    const output = execFileSync('bash', [
      '-c',
      script,
      'bash',
      join(repository, 'scripts', 'node-data.sh'),
      file,
      ...keys,
    ]);
    expect(output.toString('utf8').split('\0').slice(0, -1)).toEqual(entries.map(([, value]) => value));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
