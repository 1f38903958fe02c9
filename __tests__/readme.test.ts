import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { dirname, join } from 'path';
import { AnnotationMetadataEntryType, TerraformStack, Testing } from 'cdktf';
import * as ts from 'typescript';
import { configOf, loadConfig } from '../stacks/config';
import { NimHaStack } from '../stacks/nim-ha-stack';
import { root } from './built-library';
import { secretVariables, synth } from './fixture';

const text = (document: string): string => readFileSync(join(root, document), 'utf8');
const readme = text('README.md');
/** The README, and what was taken out of it: what they show has to work. */
const shown = ['README.md', 'docs/own-stack.md', 'docs/fencing.md'].map(text).join('\n');

function blocks(language: string): string[] {
  return [...shown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block);
}

/** Synthesised with its validations, with no secret in plan files, and without a warning. */
function accepted(stack: TerraformStack): void {
  const tf = synth(stack);
  expect(tf.resource).toHaveProperty('null_resource');
  expect(secretVariables(tf).sort()).toEqual([['auth_pass', true], ['ssh_private_key', true]]);
  const annotations = stack.node.findAll().flatMap(({ node }) => node.metadata);
  expect(annotations.filter(({ type }) => type === AnnotationMetadataEntryType.WARN)).toEqual([]);
}

/** A block may say in its first line which file it is; others import it by that name. */
const programs = blocks('ts').map((block, index) => ({ text: block, name: /^\/\/ ([a-z.]+)\.ts\n/.exec(block)?.[1] ?? `block-${index}` }));

const load: NodeJS.Require = require;

type Exported = { [name: string]: new (scope: unknown, id: string) => TerraformStack };

/** Runs it, and what it imports of the others. Its tests run at once; their snapshots are kept nowhere, but must have something in them. */
function run(text: string, snapshots: unknown[] = []): Exported {
  const { outputText } = ts.transpileModule(text, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  const exported: Exported = {};
  const find = (module: string): unknown => {
    const other = programs.find(({ name }) => module === `./${name}`);
    return other ? run(other.text) : load(module);
  };
  const keeps = (value: unknown) => ({ toMatchSnapshot: () => snapshots.push(value) });
  new Function('require', 'exports', 'test', 'expect', outputText)(find, exported, (_: string, body: () => void) => body(), keeps);
  return exported;
}

test('the ts blocks are right in the eyes of a strict compiler', () => {
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  // They exist in memory only, as the files of a directory of the project.
  const directory = join(root, 'readme');
  const files = new Map(programs.map(({ name, text }) => [join(directory, `${name}.ts`), text]));
  const { readFile, fileExists, getSourceFile, directoryExists } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.directoryExists = (path) => path === directory || directoryExists!(path);
  host.getSourceFile = (path, target, ...rest) => (files.has(path) ? ts.createSourceFile(path, files.get(path)!, target) : getSourceFile(path, target, ...rest));
  const found = ts.getPreEmitDiagnostics(ts.createProgram([...files.keys()], options, host));
  expect(ts.formatDiagnostics(found, { ...host, getCurrentDirectory: () => root })).toBe('');
});

test.each(programs.filter(({ text }) => /^export class/m.test(text)))('$name.ts synthesises', ({ text }) => {
  const exported = run(text);
  expect(Object.keys(exported)).not.toEqual([]);
  for (const [id, Stack] of Object.entries(exported)) accepted(new Stack(Testing.app(), id));
});

describe('the program of your own', () => {
  /** What it writes, run in an empty directory. */
  const written = (program: string): { terraform: { backend: unknown } } => {
    const before = process.cwd();
    const directory = mkdtempSync(join(tmpdir(), 'readme-'));
    try {
      process.chdir(directory);
      run(program);
    } finally {
      process.chdir(before);
    }
    return JSON.parse(readFileSync(join(directory, 'cdktf.out', 'stacks', 'platform', 'cdk.tf.json'), 'utf8'));
  };

  test('writes its stack, whose state is a file beside it', () => {
    const { backend } = written(programs.find(({ name }) => name === 'main')!.text).terraform;
    expect(backend).toEqual({ local: { path: expect.stringMatching(/\/terraform\.platform\.tfstate$/) } });
  });

  test('with a backend, has its state there, under a lock', () => {
    const [program, ...others] = programs.filter((each) => each.text.startsWith('// main.ts, with a state'));
    expect(others).toEqual([]);
    expect(written(program.text).terraform.backend).toEqual({ s3: { bucket: 'tf-state', key: 'nim-ha/platform', region: 'eu-central-1', use_lockfile: true } });
  });
});

describe('the test of your own', () => {
  const { text } = programs.find(({ name }) => name === 'platform.test')!;

  test('has the files of both nodes, with no secret in them', () => {
    const snapshots: unknown[] = [];
    run(text, snapshots);
    const files = { '/etc/keepalived/keepalived.conf': expect.stringContaining('<AUTH_PASSWORD>'), '/etc/fstab': expect.stringContaining('192.0.2.13:/mnt/nfs_share/nms') };
    expect(snapshots).toEqual([[expect.objectContaining(files), expect.objectContaining(files)]]);
  });

  test('fails where a rule does not hold, which it would not without "true"', () => {
    const platform = programs.find(({ name }) => name === 'platform')!;
    const right = platform.text;
    platform.text = right.replace("host: '192.0.2.12'", "host: '192.0.2.11'");
    try {
      expect(() => run(text)).toThrow('node/hosts-equal');
      expect(() => run(text.replace('(stack, true)', '(stack)'))).not.toThrow();
    } finally {
      platform.text = right;
    }
  });
});

test('each backend that is shown is one for the app, with a state per pair', () => {
  const backends = blocks('text').filter((block) => block.startsWith('"backend"'));
  expect(backends.map((block) => Object.keys(JSON.parse(`{${block}}`).backend))).toEqual([['s3'], ['http']]);
  const { pairs } = JSON.parse(blocks('json').find((block) => 'pairs' in JSON.parse(block))!);
  for (const block of backends) {
    const { backend } = configOf('pair.json', JSON.stringify({ ...JSON.parse(`{${block}}`), pairs: { ...pairs, other: pairs.nim } }));
    const written = synth(new NimHaStack(Testing.app(), 'nim', { pair: pairs.nim, backend, ephemeralSecrets: true })).terraform.backend;
    expect(written).toEqual(JSON.parse(`{${block}}`.replaceAll('{pair}', 'nim')).backend);
  }
});

test('json blocks that describe pairs are files for the app', () => {
  const configs = blocks('json').filter((block) => 'pairs' in JSON.parse(block));
  expect(configs).not.toEqual([]);
  for (const block of configs) {
    const file = join(mkdtempSync(join(tmpdir(), 'readme-')), 'pair.json');
    writeFileSync(file, block);
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
  const called = [...blocks('sh').join('').matchAll(/\bnpm (?:run )?([a-z-]+)/g)].map(([, name]) => name).filter((name) => !['ci', 'init', 'pack', 'install'].includes(name));
  expect(called).toEqual(expect.arrayContaining(['demo', 'test']));
  expect(called.filter((name) => !scripts[name])).toEqual([]);
});

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LIMITATIONS.md',
  'lab/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
];

/** As GitHub makes it of a heading, the first of its name. */
const anchor = (heading: string): string => heading.toLowerCase().replace(/[^\w\- ]/g, '').replace(/ /g, '-');
const anchorsOf = (document: string): string[] =>
  [...text(document).replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')));

test.each(documents)('links of %s lead to files, and to headings in them', (document) => {
  const targets = [...text(document).matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target));
  const leadNowhere = targets.filter((target) => {
    const [path, heading] = target.split('#');
    const file = path === '' ? document : join(dirname(document), path);
    return !existsSync(join(root, file)) || (heading !== undefined && !anchorsOf(file).includes(heading));
  });
  expect(leadNowhere).toEqual([]);
});

test('a section of the README that other texts name is there', () => {
  const sources = ['LIMITATIONS.md', 'stacks/config.ts', 'examples/ci/steps/state-kept.js', ...documents.filter((name) => name.startsWith('docs'))].map(text).join('\n');
  const named = [...sources.matchAll(/README(?:\.md`)?(?:,| describes \()\s*\\?"([^"\\]+)\\?"/g)].map(([, heading]) => heading);
  expect(named).toEqual(expect.arrayContaining(['State', 'How the share is mounted', 'Replacing a server', 'Removing a pair', 'Before you begin']));
  expect(named.filter((heading) => !anchorsOf('README.md').includes(anchor(heading)))).toEqual([]);
});
