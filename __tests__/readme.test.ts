import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';
import { AnnotationMetadataEntryType, TerraformStack, Testing } from 'cdktf';
import * as ts from 'typescript';
import { configOf, loadConfig } from '../stacks/config';
import { NimHaStack } from '../stacks/nim-ha-stack';
import { root } from './built-library';
import { secretVariables, synth } from './fixture';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text);
}

/** Synthesised with its validations, with no secret in plan files, and without a warning. */
function accepted(stack: TerraformStack): void {
  const tf = synth(stack);
  expect(tf.resource).toHaveProperty('null_resource');
  expect(secretVariables(tf).sort()).toEqual([['auth_pass', true], ['ssh_private_key', true]]);
  const annotations = stack.node.findAll().flatMap(({ node }) => node.metadata);
  expect(annotations.filter(({ type }) => type === AnnotationMetadataEntryType.WARN)).toEqual([]);
}

describe.each(blocks('ts').map((text, index) => ({ text, index })))('ts block $index', ({ text, index }) => {
  const file = join(root, `readme-${index}.ts`);

  test('is right in the eyes of a strict compiler', () => {
    const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root);
    const host = ts.createCompilerHost(options);
    // The block exists in memory only; its imports are found as if it lay at the top of the project.
    const { readFile, fileExists, getSourceFile } = host;
    host.readFile = (path) => (path === file ? text : readFile(path));
    host.fileExists = (path) => path === file || fileExists(path);
    host.getSourceFile = (path, target, ...rest) => (path === file ? ts.createSourceFile(path, text, target) : getSourceFile(path, target, ...rest));
    const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host));
    expect(ts.formatDiagnostics(found, { ...host, getCurrentDirectory: () => root })).toBe('');
  });

  test('synthesises', () => {
    const { outputText } = ts.transpileModule(text, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
    const exported: { [name: string]: new (scope: unknown, id: string) => TerraformStack } = {};
    new Function('require', 'exports', outputText)(require, exported);
    expect(Object.keys(exported)).not.toEqual([]);
    for (const [name, Stack] of Object.entries(exported)) accepted(new Stack(Testing.app(), name));
  });
});

test('json blocks that describe pairs are files for the app', () => {
  const configs = blocks('json').filter((text) => 'pairs' in JSON.parse(text));
  expect(configs).not.toEqual([]);
  for (const text of configs) {
    const file = join(mkdtempSync(join(tmpdir(), 'readme-')), 'pair.json');
    writeFileSync(file, text);
    for (const [name, pair] of Object.entries(loadConfig(file).pairs)) accepted(new NimHaStack(Testing.app(), name, { pair, ephemeralSecrets: true }));
  }
});

test('a pair is taken away while its key is there, as the refusal of a file without pairs says', () => {
  const section = /^## Removing a pair\n(.*?)^## /ms.exec(readme)![1];
  expect(section).toMatch(/`npx cdktf destroy nim` while its key is still in the config file/);
  expect(() => configOf('pair.json', '{"pairs": {}}')).toThrow(/"npx cdktf destroy" with its name/);
});

test('npm scripts that sh blocks call are there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const called = [...blocks('sh').join('').matchAll(/\bnpm (?:run )?([a-z-]+)/g)].map(([, name]) => name).filter((name) => !['ci', 'pack', 'install'].includes(name));
  expect(called).toEqual(expect.arrayContaining(['demo', 'test']));
  expect(called.filter((name) => !scripts[name])).toEqual([]);
});

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'LIMITATIONS.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
];

test.each(documents)('links of %s lead to files', (document) => {
  const targets = [...readFileSync(join(root, document), 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target);
  const missing = targets.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(document), target)));
  expect(missing).toEqual([]);
});
