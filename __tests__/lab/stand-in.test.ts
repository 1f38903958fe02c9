import { execFileSync, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { missingFrom, readLedger } from '../../lab/ledger';

const PROGRAM = path.resolve(__dirname, '../../lab/stand-ins/stand-in.pl');

describe('the stand-in of a service', () => {
  let directory: string;
  beforeEach(() => void fs.mkdirSync(path.join((directory = fs.mkdtempSync(path.join(os.tmpdir(), 'stand-in-'))), 'log')));
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  const read = (name: string): string => fs.readFileSync(path.join(directory, name), 'utf8');
  const lines = (): number => (fs.existsSync(path.join(directory, 'nms-core/data')) ? read('nms-core/data').split('\n').length - 1 : 0);

  /** Runs until the file has so many lines more. */
  async function runs(more: number, shareType = execFileSync('stat', ['-f', '-c', '%T', directory], { encoding: 'utf8' }).trim()): Promise<void> {
    const enough = lines() + more;
    const env = { ...process.env, NMS_SHARE_TYPE: shareType, NMS_STATE_DIR: directory, NMS_LOG_DIR: path.join(directory, 'log'), NMS_BEAT_SECONDS: '0.05' };
    const child = spawn('perl', [PROGRAM, 'nms-core'], { env, stdio: 'ignore' });
    const ended = new Promise((done) => child.on('exit', done));
    while (lines() < enough) await new Promise((done) => setTimeout(done, 20));
    child.kill();
    await ended;
  }

  test('one run after another: no damage, and every line that was noted is there', async () => {
    await runs(3);
    await runs(3);
    const ledger = readLedger(read('nms-core/data'));
    expect(ledger.damage).toEqual([]);
    expect(ledger.tenures).toHaveLength(2);
    const notes = read('log/nms-core');
    expect(notes.split('\n').length).toBeGreaterThan(4);
    expect(missingFrom(ledger, notes)).toEqual([]);
  });

  test('one line as a border: what another run writes behind it is damage', async () => {
    await runs(3);
    const env = { ...process.env, NMS_SHARE_TYPE: execFileSync('stat', ['-f', '-c', '%T', directory], { encoding: 'utf8' }).trim(), NMS_STATE_DIR: directory, NMS_LOG_DIR: path.join(directory, 'log') };
    const before = read('nms-core/data');
    execFileSync('perl', [PROGRAM, 'nms-core', 'once'], { env });
    const data = read('nms-core/data');
    expect(readLedger(data)).toMatchObject({ damage: [], tenures: [expect.anything(), expect.anything()] });
    expect(read('log/nms-core').split('\n')).toContain(data.trim().split('\n').pop());
    const [last] = before.trim().split('\n').slice(-1);
    expect(readLedger(`${data}${last.replace(/^\d+/, (number) => String(Number(number) + 2))}\n`).damage).toEqual([expect.stringContaining('writes on after')]);
  });

  test('what is not on the share is not noted', async () => {
    await runs(3, 'nfs');
    expect(fs.readdirSync(path.join(directory, 'log'))).toEqual([]);
  });

  test('a share that takes only the beginning of a line: no damage', async () => {
    // A limit on the size of a file stands for the full share. Nothing of 1024 bytes ends with a line's end here.
    const env = { ...process.env, LC_ALL: 'C', NMS_SHARE_TYPE: 'none', NMS_STATE_DIR: directory, NMS_LOG_DIR: path.join(directory, 'log'), NMS_BEAT_SECONDS: '0.01' };
    const ended = spawnSync('bash', ['-c', 'trap "" XFSZ; ulimit -f 1; exec perl "$0" nms-core', PROGRAM], { env, encoding: 'utf8', timeout: 20_000 });
    expect(ended.stderr).toBe('data: cannot be written: File too large\n');
    const data = read('nms-core/data');
    expect(data.length).toBeGreaterThan(900);
    expect(data.endsWith('\n')).toBe(true);
    expect(readLedger(data).damage).toEqual([]);
  });

  test('two at the same time: damage', async () => {
    await Promise.all([runs(12), runs(12)]);
    expect(readLedger(read('nms-core/data')).damage).not.toEqual([]);
  });
});
