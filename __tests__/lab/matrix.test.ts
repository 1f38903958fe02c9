import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Damage } from '../../lab/audit';
import { FAULTS, SMOKE, faultsNamed } from '../../lab/faults';
import type { Fault } from '../../lab/faults/fault';
import { faultsOptions } from '../../lab/faults-command';
import { Load, longestGap } from '../../lab/load';
import { Matrix, planOf } from '../../lab/matrix';
import type { Outcome } from '../../lab/outcome';
import { rowsOf } from '../../lab/report';
import { reportPage } from '../../lab/report-page';
import { Results } from '../../lab/results';
import type { Rows } from '../../lab/rows';
import { lanesOf } from '../../lab/timeline';
import { outcome, T, timing } from './outcome';

test('the order of the faults follows from the seed; each comes once a round from each role', () => {
  const plan = (seed: number) => planOf({ faults: FAULTS, roles: 'both', seed, rounds: 2 }).map(({ fault, active, round }) => `${round} ${active} ${fault.name}`);
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
  const all = [1, 2].flatMap((round) => ['node-a', 'node-b'].flatMap((node) => FAULTS.map(({ name }) => `${round} ${node} ${name}`)));
  expect([...plan(7)].sort()).toEqual(all.sort());
  // Few switchovers, but any fault may follow any other.
  expect(plan(7)[0].split(' ')[1]).toBe('node-a');
  expect(planOf({ faults: FAULTS, roles: 'one', seed: 7, rounds: 1 })).toHaveLength(FAULTS.length);
});

test('fault names are one of a kind; what names none is refused', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  expect(faultsNamed(['smoke'], 'off').map(({ name }) => name)).toEqual(SMOKE);
  expect(() => faultsNamed(['no-such'], 'off')).toThrow("--only: no fault 'no-such'; there are: smoke, ");
  for (const { bound, name } of FAULTS) expect([name, bound(timing).writes >= bound(timing).vip]).toEqual([name, true]);
});

test('options of the command', () => {
  expect(faultsOptions(['--seed', '7', '--only', 'nfs-hung', '--rounds', '3', '--minutes', '15', '--profile', 'hardened'])).toMatchObject({
    seed: 7, rounds: 3, minutes: 15, profile: 'hardened', faults: [{ name: 'nfs-hung' }],
  });
  expect(faultsOptions([])).toMatchObject({ rounds: 1, profile: 'guide', roles: 'both', fencing: false, faults: FAULTS.filter(({ fencing }) => fencing !== 'only') });
  const fenced = faultsOptions(['--fencing', 'on']);
  expect(fenced).toMatchObject({ fencing: true });
  expect(FAULTS.filter((fault) => !fenced.faults.includes(fault)).map(({ name }) => name)).toEqual(['share-read-only']);
  expect(() => faultsOptions(['--only', 'power-cut-unfenced'])).toThrow("'power-cut-unfenced' is made with fencing only");
  expect(() => faultsOptions(['--only', 'share-read-only', '--fencing', 'on'])).toThrow("'share-read-only' is made without fencing only");
  expect(faultsOptions(['--only', 'smoke'])).toMatchObject({ roles: 'one' });
  for (const args of [['--seed'], ['--seed', 'x'], ['--rounds', '0'], ['--profile', 'x'], ['--roles', 'x'], ['--fencing', 'x'], ['--who', '1']]) expect(() => faultsOptions(args)).toThrow(args[0]);
});

interface Recorded {
  readonly when: Pick<Outcome, 'undone' | 'until'>;
  readonly found: Pick<Outcome, 'findings' | 'expected'>;
}

/** What is recorded of a fault that does nothing, to a pair that is whole, but for what is given. */
async function taken(fault: Partial<Fault>, { accepts = true, damage = [] as readonly Damage[] } = {}): Promise<Recorded> {
  const roles = { active: 'node-a', standby: 'node-b' } as const;
  const nothing = async () => undefined;
  const recorded: Recorded[] = [];
  const matrix = Object.assign(Object.create(Matrix.prototype), {
    timing, lab: { sshArgs: () => [] }, rows: { goThrough: nothing }, acceptsRows: async () => accepts || undefined,
    audit: { settled: async () => roles, findings: async () => [], damage: async () => damage, remember: nothing },
    record: async (_fault: Fault, _scene: unknown, _settled: unknown, when: Recorded['when'], found: Recorded['found']) => void recorded.push({ when, found }),
  });
  await matrix.take({ round: 1, fault: { name: 'x', what: 'x', serves: 'either', inject: nothing, undo: nothing, bound: () => ({ vip: 0, writes: 0 }), ...fault } }, roles);
  return recorded[0];
}

test('a pair that has settled has to accept a row', async () => {
  expect((await taken({})).found.findings).toEqual([]);
  expect((await taken({}, { accepts: false })).found.findings).toEqual(['the pair has settled, and no row was accepted within 240 s']);
});

test('a fault that may damage is excused for what came while it lasted, and for nothing before', async () => {
  const damage = [{ what: '2 acknowledged rows are lost: 8, 9', fresh: true }, { what: '1 acknowledged rows are lost: 7', fresh: false }, { what: '1 rows are there twice', fresh: true }];
  expect((await taken({ mayDamage: / are lost: / }, { damage })).found).toEqual({ expected: [damage[0].what], findings: [damage[1].what, damage[2].what] });
  expect((await taken({}, { damage })).found).toEqual({ expected: [], findings: damage.map(({ what }) => what) });
});

test('rows that were on their way in a span: sent before its end, and not answered before it began', async () => {
  const load = new Load({ insert: async () => undefined } as unknown as Rows, 1);
  await load.stop();
  const row = (number: number, at: number, until: number) => ({ number, at, until, acknowledged: true });
  load.attempts.splice(0, load.attempts.length, row(1, 100, 199), row(2, 150, 200), row(3, 250, 260), row(4, 300, 310), row(5, 301, 310));
  expect(load.onTheirWay(200, 300)).toEqual(new Set([2, 3, 4]));
});

test('a fault is over when it is undone, and not when all machines have come back', async () => {
  let back = Infinity;
  const comesBack = async () => {
    await new Promise((done) => setTimeout(done, 50));
    back = Date.now();
  };
  const { when, found } = await taken({ comesBack });
  expect(found.findings).toEqual([]);
  expect(when.until).toBeGreaterThanOrEqual(back);
  expect(when.undone).toBeLessThan(back);
  expect((await taken({ comesBack: () => Promise.reject(new Error('no login')) })).found.findings).toEqual(['not all machines have come back: no login']);
});

test('the longest time without an acknowledged row', async () => {
  expect(longestGap([0, 500, 4000, 4500])).toBe(3500);
  expect(longestGap([])).toBe(0);
  const load = new Load({ insert: async () => undefined } as unknown as Rows, 1);
  await load.stop();
  const accepted = (until: number) => ({ number: 1, at: until, until, acknowledged: true });
  load.attempts.splice(0, load.attempts.length, accepted(1000), accepted(90_000), { ...accepted(95_000), acknowledged: false }, accepted(100_000));
  // Also where the client had nothing acknowledged just before.
  expect(load.longestOutage(20_000, 101_000)).toBe(70);
  expect(load.longestOutage(500, 101_000)).toBe(89);
  expect(load.longestOutage(90_000, 130_000)).toBe(30);
});

test('lanes: what was heard, and what the journals say, also of the time before their first line', () => {
  const lanes = Object.fromEntries(lanesOf(outcome, { from: T - 3000, to: T + 10_000 }).map(({ name, spans }) => [name, spans.map(({ from, to, label }) => [from - T, to - T, label])]));
  expect(lanes['node-a VRRP master']).toEqual([[-2000, 0, '110']]);
  expect(lanes['node-a virtual IP']).toEqual([[-100, 0, ''], [5000, 5000, '']]);
  expect(lanes['node-a phase']).toEqual([[-3000, 500, 'ACTIVE'], [500, 10_000, 'DRAINING']]);
  expect(lanes['node-b phase']).toEqual([[-3000, 10_000, 'STANDBY']]);
  expect(lanes['node-a nginx']).toEqual([[-3000, 900, '']]);
  expect(lanes['node-b nginx']).toEqual([[3000, 10_000, '']]);
  expect(lanes['node-b lock']).toEqual([[2000, 10_000, '']]);
});

test('a run is good when something has happened, and nothing went wrong; what did not happen is told', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nim-ha-results-'));
  const said: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => !!said.push(String(text)));
  const concluded = (turns: number, ...outcomes: (typeof outcome)[]) => {
    const results = new Results(directory, { command: '', seed: 7, profile: 'guide', timing, accel: 'tcg' }, turns);
    outcomes.forEach((each) => results.add(each));
    return [results.conclude(), said.pop()!.trim().split('\n').pop()];
  };
  try {
    expect(concluded(2)).toEqual([false, '0 passed, 0 failed, 2 not begun']);
    expect(concluded(3, outcome)).toEqual([true, '1 passed, 0 failed, 2 not begun']);
    expect(concluded(2, outcome, { ...outcome, findings: ['x'] })).toEqual([false, '1 passed, 1 failed']);
  } finally {
    write.mockRestore();
    rmSync(directory, { recursive: true });
  }
});

test('the table has best, average and worst; the page is whole by itself and escapes what it is given', () => {
  const slow = { ...outcome, vipAway: 2, writesAway: 40, findings: ['3 acknowledged rows are lost: <1>'] };
  const rows = rowsOf([outcome, slow]);
  expect(rows).toMatchObject([{ fault: 'keepalived-restarted', runs: 2, failed: 1, late: 1, vip: { best: 0.6, average: 1.3, worst: 2 }, writes: { worst: 40 } }]);
  const page = reportPage({ command: 'npm run lab', seed: 7, profile: 'guide', timing, accel: 'tcg', skipped: 1, broken: ['the run <broke> off'], outcomes: [outcome, slow] }, rows);
  expect(page).toContain('<span class="bad">1 audits failed</span>, 1 with lost data, 1 not begun');
  expect(page).toContain('<td class="bad">2.00');
  expect(page).toContain('&#60;1&#62;');
  expect(page).toContain('<pre>the run &#60;broke&#62; off</pre>');
  expect(reportPage({ command: '', seed: 7, profile: 'guide', timing, accel: 'tcg', skipped: 0, broken: [], outcomes: [{ ...outcome, expected: ['line 3 is torn'] }] }, rows)).toContain('expected by the design:\nline 3 is torn');
  expect(page).not.toMatch(/<on>|NaN|undefined|src=|href=/);
  expect(page.match(/<svg/g)).toHaveLength(2);
});
