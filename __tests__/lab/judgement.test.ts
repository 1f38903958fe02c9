import { faultsNamed } from '../../lab/faults';
import type { Entry } from '../../lab/history';
import { judge, startsIn, type Course } from '../../lab/judgement';
import type { NodeName } from '../../lab/machines';
import { T, timing } from './outcome';

const entry = (node: NodeName, at: number, text: string, about = 'nim-ha'): Entry => ({ node, at: T + at, about, text });
const LOCKED = entry('node-b', 2000, 'Started nim-ha-lock.service - Lock on the share.', 'nim-ha-lock.service');
const ACTIVE = entry('node-b', 9000, 'STARTING -> ACTIVE');
const FENCED = entry('node-b', 1500, 'the NFS server has fenced the silent holder of the lock');

test('what the services took to start: from when nobody else can write, to the last of them', () => {
  expect(startsIn([ACTIVE, entry('node-b', 1000, 'holds the lock on the share'), LOCKED, entry('node-a', 100, 'x -> ACTIVE')])).toEqual([{ node: 'node-b', at: T + 9000, seconds: 7 }]);
});

const COURSE: Course = { active: 'node-a', standby: 'node-b', settled: { active: 'node-a', standby: 'node-b' }, journal: [], twoHolders: 0, injected: T, undone: T + 20_000 };
const judged = (fault: string, course: Partial<Course>, fencing = false): string[] => judge(faultsNamed([fault], fencing ? 'on' : 'off')[0], { ...timing, fencing }, { ...COURSE, ...course });

test('two masters for longer than the design says', () => {
  expect(judged('reboot-active', { twoHolders: 0.9, settled: undefined })).toEqual([]);
  expect(judged('reboot-active', { twoHolders: 1.1 })).toEqual(['two masters, or two answers for the virtual IP, for 1.1 s, allowed 1']);
  expect(judged('partition-one-way', { twoHolders: 30 })).toHaveLength(1);
});

test('a takeover that nothing was a reason for', () => {
  expect(judged('cable-standby', {})).toEqual([]);
  expect(judged('cable-standby', { journal: [LOCKED, ACTIVE] })).toEqual(['node-b became active, though nothing was to happen to node-a']);
  // The journal may lack the line of the lock, or the node may never have let go of it.
  expect(judged('cable-standby', { journal: [ACTIVE, ACTIVE] })).toEqual(['node-b became active, though nothing was to happen to node-a']);
  expect(judged('cable-standby', { journal: [entry('node-b', 9000, 'x -> ACTIVE', 'nginx.service'), entry('node-b', 9000, 'STANDBY -> WAITING')] })).toEqual([]);
  expect(judged('cable-standby', { settled: { active: 'node-b', standby: 'node-a' } })).toEqual(['node-b is active, though nothing was to happen to node-a']);
  expect(judged('reboot-active', { journal: [LOCKED, ACTIVE], settled: { active: 'node-b', standby: 'node-a' } })).toEqual([]);
});

test('an active node that is impressed where nothing was to happen to it', () => {
  const left = entry('node-a', 9000, 'ACTIVE -> FAILED: nginx is failed');
  expect(judged('agent-killed', { journal: [left] })).toEqual(['node-a: ACTIVE -> FAILED: nginx is failed, though nothing was to happen to it']);
  expect(judged('agent-killed', { journal: [{ ...left, node: 'node-b' }, { ...left, about: 'nginx.service' }] })).toEqual([]);
  expect(judged('reboot-active', { journal: [left] })).toEqual([]);
});

test('a takeover while no node may be active', () => {
  expect(judged('power-cut-both', { journal: [{ ...LOCKED, at: T + 21_000 }, { ...ACTIVE, at: T + 30_000 }] })).toEqual([]);
  expect(judged('power-cut-both', { journal: [LOCKED, ACTIVE] })).toEqual(['node-b became active while no node may be']);
  expect(judged('power-cut-both', { journal: [ACTIVE] })).toEqual(['node-b became active while no node may be']);
  expect(judged('power-cut-both', { journal: [{ ...ACTIVE, at: T - 1 }] })).toEqual([]);
});

describe('a node that is cut off from the share for longer than the lease', () => {
  const ISOLATED = entry('node-a', 15_000, 'ACTIVE -> ISOLATED: no answer from the share for half of its lease of 30 s');
  const finished = (at: number) => entry('node-a', at, 'Finished nim-ha-isolate.service - nim-ha: kills what could still write.', 'nim-ha-isolate.service');
  const reboot = (at: number) => entry('node-a', at, 'isolation: the share could not be let go of in time; rebooting at once');
  const letGo = (at: number) => entry('node-a', at, 'let go of the lock on the share');
  const found = (...journal: Entry[]): string[] => judged('partition-active', { journal });
  const SILENT = ['node-a does not say that it has let go of the share, though it was cut off from it for longer than the lease'];

  test('lets go of it before that ends, by isolation or a reboot, or in order', () => {
    expect(found(ISOLATED, finished(28_000))).toEqual([]);
    expect(found(ISOLATED, reboot(27_000))).toEqual([]);
    expect(found(letGo(9000))).toEqual([]);
    // Too short to be one.
    expect(judged('cable-active-short', { journal: [] })).toEqual([]);
  });

  test('and has to say so: an isolation that comes to no end, another node, or a lock that went when calls were aborted', () => {
    expect(found()).toEqual(SILENT);
    expect(found(ISOLATED, { ...finished(28_000), text: 'Starting nim-ha-isolate.service - nim-ha: kills.' })).toEqual(SILENT);
    expect(found(ISOLATED, { ...finished(28_000), node: 'node-b' }, { ...reboot(20_000), node: 'node-b' })).toEqual(SILENT);
    expect(found(letGo(20_000), ISOLATED)).toEqual(SILENT);
  });

  test('not later than that, by the clock of the host and by its own', () => {
    expect(found(ISOLATED, finished(31_500))).toEqual([]);
    expect(found(ISOLATED, finished(32_500))).toEqual(['node-a let go of the share 32.5 s after it was cut off from it, and the lease is 30 s']);
    expect(found(ISOLATED, letGo(20_000), finished(33_000), reboot(34_000))).toEqual(['node-a let go of the share 33.0 s after it was cut off from it, and the lease is 30 s']);
    const own = (after: number) => entry('node-a', 28_000, `isolation: nothing of the share is held here any more, after ${after} s of 30`);
    expect(found(ISOLATED, own(29), finished(28_000))).toEqual([]);
    expect(found(ISOLATED, own(30), finished(28_000))).toEqual(['node-a, by its own clock: isolation: nothing of the share is held here any more, after 30 s of 30']);
  });

  test('with fencing, too', () => {
    expect(judged('partition-active', { journal: [FENCED, LOCKED, ACTIVE] }, true)).toEqual(SILENT);
  });

  test.each(['cable-active', 'cable-both', 'partition-active', 'nfs-path-active', 'isolate-crlf', 'nfs-stopped', 'nfs-hung'])('%s is such a fault', (name) => {
    expect(judged(name, {})).toEqual(SILENT);
  });
});

test('with fencing a node that cannot be heard is fenced before the other one serves', () => {
  const missing = ['node-b serves without having fenced node-a'];
  expect(judged('power-cut-active', { journal: [FENCED, LOCKED, ACTIVE] }, true)).toEqual([]);
  expect(judged('power-cut-active', { journal: [LOCKED, ACTIVE] }, true)).toEqual(missing);
  expect(judged('power-cut-active', { journal: [LOCKED, ACTIVE, { ...FENCED, at: T + 9500 }] }, true)).toEqual(missing);
  expect(judged('power-cut-active', { journal: [{ ...FENCED, node: 'node-a' }, LOCKED, ACTIVE] }, true)).toEqual(missing);
  expect(judged('power-cut-active', { journal: [LOCKED, ACTIVE] })).toEqual([]);
  // A node that is asked in order lets go by itself.
  expect(judged('switchover', { journal: [LOCKED, ACTIVE] }, true)).toEqual([]);
});

test('a fence that nobody can have made is none', () => {
  expect(judged('power-cut-unfenced', { journal: [LOCKED, ACTIVE, { ...FENCED, at: T + 20_000 }] }, true)).toEqual([]);
  expect(judged('power-cut-unfenced', { journal: [FENCED, LOCKED, ACTIVE] }, true)).toEqual(['node-b has fenced node-a, and was to have no way to']);
});
