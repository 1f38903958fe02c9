import { spawnSync } from 'child_process';
import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';

const REFUSED: [string, string][] = [
  ['lib/config/x.ts', "export * from 'cdktf';"],
  ['lib/config/x.ts', "export * from 'constructs';"],
  ['lib/config/x.ts', "export * from '../remote/text';"],
  ['lib/config/x.ts', "export * from '../virtual-ip';"],
  ['lib/rules/x.ts', "export * from 'cdktf';"],
  ['lib/rules/x.ts', "export type { Login } from '../remote/login';"],
  ['lib/remote/x.ts', "export * from '../config/model';"],
  ['lib/remote/x.ts', "export * from '../rules';"],
  ['lib/remote/x.ts', "export * from '../ssh-access';"],
  ['lib/x.ts', "export * from '../stacks/config';"],
];
const FINE: [string, string][] = [
  ['lib/rules/x.ts', "export * from '../config/model';"],
  ['lib/remote/x.ts', "export * from './text';"],
  ['lib/remote/x.ts', "export * from 'cdktf';"],
  ['lib/x.ts', "export * from './remote/text';"],
  ['stacks/x.ts', "export * from '../lib';"],
];

// In a process of its own: the configuration is an ES module, which jest cannot load.
const LINT = `
const { ESLint } = require('eslint');
const eslint = new ESLint();
const lint = ([filePath, text]) => eslint.lintText(text + '\\n', { filePath });
Promise.all(JSON.parse(process.argv[1]).map(lint)).then((results) =>
  console.log(JSON.stringify(results.map(([{ messages }]) => messages.map(({ ruleId }) => ruleId)))));
`;
const { stdout, stderr } = spawnSync(process.execPath, ['-e', LINT, JSON.stringify([...REFUSED, ...FINE])], {
  cwd: join(__dirname, '..'),
  encoding: 'utf8',
});
const complaints: string[][] = JSON.parse(stdout || `[["${stderr}"]]`);

test.each(REFUSED.map((arrow, index) => [...arrow, index] as const))('%s: %s is refused', (_file, _text, index) => {
  expect(complaints[index]).toEqual(['no-restricted-imports']);
});

test.each(FINE.map((arrow, index) => [...arrow, index + REFUSED.length] as const))('%s: %s is fine', (_file, _text, index) => {
  expect(complaints[index]).toEqual([]);
});

// bash takes the last one without a word: a merge that leaves both has what was mended in the first undone.
test('no script defines a function twice', () => {
  const scripts = join(__dirname, '..', 'scripts');
  const twice = readdirSync(scripts, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sh'))
    .flatMap((file) => [...readFileSync(join(scripts, file), 'utf8').matchAll(/^(\w+)\(\) /gm)].map(([, name]) => `${file}: ${name}`))
    .filter((name, index, all) => all.indexOf(name) !== index);
  expect(twice).toEqual([]);
});
