import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { eventually } from '../../lab/checks';
import { History } from '../../lab/history';
import type { Lab } from '../../lab/lab';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'nim-ha-history-'));
const login = path.join(dir, 'login');
let history: History;

// Instead of a login: a node's uptime, then the lines of its journal, which is a file here.
beforeAll(() => fs.writeFileSync(login, `#!/bin/bash\necho 100.00 100.00\nexec tail -n +1 -f "${dir}/$1"\n`, { mode: 0o755 }));
afterAll(() => fs.rmSync(dir, { recursive: true }));
afterEach(() => history.close());

let lines = 0;
const note = (node: string, text: string): void =>
  fs.appendFileSync(path.join(dir, node), `${JSON.stringify({ __CURSOR: `${node}${++lines}`, __MONOTONIC_TIMESTAMP: '1000000', SYSLOG_IDENTIFIER: 'nim-ha', MESSAGE: text })}\n`);

function follow(answering: readonly string[]): History {
  for (const node of ['node-a', 'node-b']) for (const file of [node, `${node}.console`]) fs.writeFileSync(path.join(dir, file), '');
  const machine = (node: string) => ({ console: path.join(dir, `${node}.console`), ssh: async (command: string) => { if (answering.includes(node)) note(node, /'(.*)'/.exec(command)![1]); } });
  return new History({ sshArgs: (node: string) => [node], machine } as unknown as Lab, login);
}

test('what was in the journals by then is in the entries, and the lab has added none of its own', async () => {
  history = follow(['node-a', 'node-b']);
  note('node-a', 'STANDBY -> WAITING');
  expect(await history.unread(30)).toEqual([]);
  expect(await history.unread(30)).toEqual([]);
  expect(history.entries.map(({ node, text }) => ({ node, text }))).toEqual([{ node: 'node-a', text: 'STANDBY -> WAITING' }]);
});

test('what a node says on its console before it reboots itself is in the entries, and nothing else of it', async () => {
  history = follow([]);
  const text = 'isolation: the share could not be let go of in time; rebooting at once';
  const before = Date.now();
  // Again and again, for nobody tells when it is listened to.
  const heard = await eventually(30, async () => {
    fs.appendFileSync(path.join(dir, 'node-b.console'), `[    5.10] nim-ha: starts\r\n[  512.345678] nim-ha: ${text}\r\n[  512.4] sysrq: Resetting\r\n`);
    return history.entries[0];
  });
  expect(heard).toEqual({ node: 'node-b', at: expect.any(Number), about: 'nim-ha', text });
  expect(heard!.at).toBeGreaterThanOrEqual(before);
  expect(new Set(history.entries.map((entry) => `${entry.node} ${entry.text}`))).toEqual(new Set([`node-b ${text}`]));
});

test('a journal that says nothing is told from one in which nothing was to be said', async () => {
  history = follow(['node-a']);
  expect(await history.unread(2)).toEqual(['node-b']);
});
