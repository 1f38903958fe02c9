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
  expect(judged('cable-active', { twoHolders: 0.9, settled: undefined })).toEqual([]);
  expect(judged('cable-active', { twoHolders: 1.1 })).toEqual(['two masters, or two answers for the virtual IP, for 1.1 s, allowed 1']);
  expect(judged('partition-one-way', { twoHolders: 30 })).toHaveLength(1);
});

test('a takeover that nothing was a reason for', () => {
  expect(judged('cable-standby', {})).toEqual([]);
  expect(judged('cable-standby', { journal: [LOCKED, ACTIVE] })).toEqual(['node-b became active, though nothing was to happen to node-a']);
  // The journal may lack the line of the lock, or the node may never have let go of it.
  expect(judged('cable-standby', { journal: [ACTIVE, ACTIVE] })).toEqual(['node-b became active, though nothing was to happen to node-a']);
  expect(judged('cable-standby', { journal: [entry('node-b', 9000, 'x -> ACTIVE', 'nginx.service'), entry('node-b', 9000, 'STANDBY -> WAITING')] })).toEqual([]);
  expect(judged('cable-standby', { settled: { active: 'node-b', standby: 'node-a' } })).toEqual(['node-b is active, though nothing was to happen to node-a']);
  expect(judged('cable-active', { journal: [LOCKED, ACTIVE], settled: { active: 'node-b', standby: 'node-a' } })).toEqual([]);
});

test('an active node that is impressed where nothing was to happen to it', () => {
  const left = entry('node-a', 9000, 'ACTIVE -> FAILED: nginx is failed');
  expect(judged('agent-killed', { journal: [left] })).toEqual(['node-a: ACTIVE -> FAILED: nginx is failed, though nothing was to happen to it']);
  expect(judged('agent-killed', { journal: [{ ...left, node: 'node-b' }, { ...left, about: 'nginx.service' }] })).toEqual([]);
  expect(judged('cable-active', { journal: [left] })).toEqual([]);
});

test('a takeover while no node may be active', () => {
  expect(judged('cable-both', { journal: [{ ...LOCKED, at: T + 21_000 }, { ...ACTIVE, at: T + 30_000 }] })).toEqual([]);
  expect(judged('cable-both', { journal: [LOCKED, ACTIVE] })).toEqual(['node-b became active while no node may be']);
  expect(judged('cable-both', { journal: [ACTIVE] })).toEqual(['node-b became active while no node may be']);
  expect(judged('cable-both', { journal: [{ ...ACTIVE, at: T - 1 }] })).toEqual([]);
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
