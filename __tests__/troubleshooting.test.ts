import { readFileSync, readdirSync } from 'fs';
import { join } from 'path';
import { RULES } from '../lib/rules';
import { root } from './built-library';

/**
 * Ids that a script makes of a variable: the text that has to be there, how often, and what it can become. "words" says where the
 * variable gets its values, and those that end before the message does.
 */
const COMPUTED = [
  {
    file: 'operator/ssh-node.sh',
    form: '[ssh/$2]',
    times: 2,
    words: ['bad-settings', 'host-key', 'missing-tool', 'no-answer', 'no-credentials', 'no-program', 'permission-denied', 'refused', 'sudo-needs-password', 'unreachable', 'unusable-key'],
    // Nothing is wrong, and only reading ends with it.
    withoutId: ['no-status', 'not-installed'],
  },
];

/** Calls without an id of their own: what hands on the id of its caller, and other functions of that name. Each has to be there. */
const NO_ID: { [file: string]: string[] } = {
  'report.sh': ['problem "$@"', 'problem "$@"'],
  'server/setup-report.sh': ['problem "$@"', 'problem "$@"'],
  'agent.sh': ['fail "$down_service"', 'fail "services'],
};
/** Its `refuse` is an answer to a node, in words. */
const OWN_REFUSE = 'server/fence.sh';

const ID = /^[a-z0-9]+\/[a-z0-9]+(?:-[a-z0-9]+)*$/;
const page = readFileSync(join(root, 'docs', 'troubleshooting.md'), 'utf8');

function filesOf(directory: string, ending: string): Array<{ file: string; text: string }> {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(root, directory, file), 'utf8') }));
}

/** Without comments, and with lines that go on joined. */
const scripts = filesOf('scripts', '.sh').map(({ file, text }) => ({
  file,
  text: text.replace(/\\\n\s*/g, ' ').replace(/^\s*#.*$/gm, '').replace(/\s# .*$/gm, ''),
}));
const library = ['lib', 'stacks'].flatMap((directory) => filesOf(directory, '.ts')).map(({ text }) => text);

/** What is called as one of the functions that take an id: `problem storage/lock`, and what stands there instead of one. */
const calls = scripts
  .filter(({ file }) => file !== OWN_REFUSE)
  .flatMap(({ file, text }) =>
    [...text.matchAll(/(?:^|[;&|(){!]|\b(?:then|do|else))[ \t]*((problem|fail|refuse|warn)[ \t]+("?[^\s;)]+))/gm)].map(([, call, , argument]) => ({
      file,
      call,
      id: argument.replace(/^"([^"]*)"$/, '$1'),
    })),
  );
/** What stands in brackets without a call: `FAILED [ssh/lost]`. */
const brackets = scripts.flatMap(({ file, text }) =>
  [...text.matchAll(/\[([a-z0-9${}]+\/[a-zA-Z0-9${}_-]+)\]/g)].map(([form, id]) => ({ file, form, id })),
);
const ruleIds = RULES.map(({ id }) => id);
const libraryIds = library.flatMap((text) => [...text.matchAll(/\[([a-z0-9]+\/[a-z0-9-]+)\]/g)].map(([, id]) => id));
const scriptIds = [
  ...calls.map(({ id }) => id).filter((id) => ID.test(id)),
  ...brackets.map(({ id }) => id).filter((id) => ID.test(id)),
  ...COMPUTED.flatMap(({ form, words }) => words.map((word) => form.slice(1, -1).replace(/\$.*/, word))),
];
const printed = [...new Set([...ruleIds, ...libraryIds, ...scriptIds])].sort();

/** Of each heading with a slash, in the order of the page: its section, and its text. */
const paragraphs = page.split(/^## /m).flatMap((part) =>
  part
    .split(/^### /m)
    .slice(1)
    .map((text) => ({ section: part.split('\n')[0], heading: text.split('\n')[0], lines: text.split('\n').slice(1).filter((line) => line !== '') })),
);
const explained = paragraphs.map(({ heading }) => heading.replace(/^`(.*)`$/, '$1'));

test('the scan finds ids where they are', () => {
  expect(ruleIds.length).toBeGreaterThan(40);
  expect(calls.length).toBeGreaterThan(110);
  expect(printed).toEqual(expect.arrayContaining(['vip/address-ipv6', 'ssh/bastion-host-keys-missing', 'storage/lock', 'step/no-result', 'ssh/lost', 'ssh/host-key']));
});

test('each id that can be printed has a paragraph', () => {
  expect(printed.filter((id) => !explained.includes(id))).toEqual([]);
});

test('each paragraph is about an id that can be printed', () => {
  expect(explained.filter((id) => !printed.includes(id))).toEqual([]);
});

test('each id is explained once, and names one rule', () => {
  expect(explained.filter((id, index) => explained.indexOf(id) !== index)).toEqual([]);
  expect(ruleIds.filter((id, index) => ruleIds.indexOf(id) !== index)).toEqual([]);
  // One paragraph cannot tell two that share a name apart.
  expect(ruleIds.filter((id) => scriptIds.includes(id))).toEqual([]);
});

test.each(paragraphs)('$heading is an id, and says something in a few lines', ({ heading, lines }) => {
  expect(heading).toMatch(/^`[a-z0-9]+\/[a-z0-9-]+`$/);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThan(7);
});

test('rules are explained under "At synth", and nothing else is', () => {
  const atSynth = paragraphs.filter(({ section }) => section === 'At synth').map(({ heading }) => heading.slice(1, -1));
  expect(atSynth.sort()).toEqual([...new Set([...ruleIds, ...libraryIds])].sort());
});

test('every rule of lib/rules is in the list of rules', () => {
  const written = filesOf('lib/rules', '.ts').flatMap(({ text }) => [...text.matchAll(/\bid: ['"`]([^'"`]+)/g)].map(([, id]) => id));
  expect(written.sort()).toEqual([...ruleIds].sort());
});

test('a call without an id is one that is known to have none', () => {
  const without = calls.filter(({ id }) => !ID.test(id));
  const known = Object.entries(NO_ID).flatMap(([file, each]) => each.map((call) => ({ file, call })));
  const text = (all: Array<{ file: string; call: string }>) => all.map(({ file, call }) => `${file}: ${call}`).sort();
  expect(text(without)).toEqual(text(known));
});

test('an id that is made of a variable is declared, and still made so', () => {
  const made = brackets.filter(({ id }) => !ID.test(id)).map(({ file, form }) => `${file}: ${form}`);
  expect(made.sort()).toEqual(COMPUTED.flatMap(({ file, form, times }) => Array(times).fill(`${file}: ${form}`)).sort());
  // Nor is one put together by printf, but in the one place, of the nodes and of the server, that all calls go through.
  const formats = scripts.flatMap(({ file, text }) => [...text.matchAll(/(?:FAILED|SKIPPED|WARNING) \[[^\]]*\]/g)].map(([form]) => ({ file, form })));
  const unclear = formats.filter(({ form }) => !ID.test(/\[(.*)\]/.exec(form)![1])).map(({ file, form }) => `${file}: ${form}`);
  expect(unclear.sort()).toEqual(['operator/ssh-node.sh: FAILED [ssh/$2]', 'operator/ssh-node.sh: SKIPPED [ssh/$2]', 'report.sh: FAILED [%s]', 'server/setup-report.sh: FAILED [%s]']);
});

test('of ids in lib only those of rules are put into a message from elsewhere', () => {
  const made = library.flatMap((text) => [...text.matchAll(/ \[\$\{id\}\]|\[[a-z0-9-]*\/?\$\{[^}]*\}\/?[a-z0-9-]*\](?=`)/g)].map(([form]) => form));
  expect(made.filter((form) => form === ' [${id}]' || form.includes('/'))).toEqual([' [${id}]']);
});

test('the words that ssh-node.sh makes ids of are all declared', () => {
  const [{ file, words, withoutId }] = COMPUTED;
  const { text } = scripts.find((script) => script.file === file)!;
  const arguments_ = [...text.matchAll(/\bno_answer[ \t]+(?:true|false|null)[ \t]+([^\s;]+)/g)].map(([, word]) => word);
  const [, reasons] = /^reason_of\(\) \{\n(.*?)^\}/ms.exec(text)!;
  const echoed = [...reasons.matchAll(/\becho ([^\s;]+)/g)].map(([, word]) => word);
  expect(arguments_.filter((word) => !/^[a-z-]+$/.test(word))).toEqual(['"$(reason_of)"']);
  const all = [...arguments_.filter((word) => /^[a-z-]+$/.test(word)), ...echoed];
  expect([...new Set(all)].sort()).toEqual([...words, ...withoutId].sort());
  for (const word of withoutId) expect(page).toContain(`\`${word}\``);
});

test('nothing in a script looks like an id of ours and is none', () => {
  const areas = new Set(scriptIds.map((id) => id.split('/')[0]));
  const found = scripts
    .filter(({ file }) => file !== OWN_REFUSE)
    .flatMap(({ file, text }) => [...text.matchAll(/(?:^|[\s"'=([])([a-z0-9]+\/[a-z0-9]+(?:-[a-z0-9]+)*)(?=[\s"'\])]|$)/gm)].map(([, word]) => ({ file, word })));
  expect(found.filter(({ word }) => areas.has(word.split('/')[0]) && !printed.includes(word))).toEqual([]);
  // Of an id in a variable the call is found above; here, that it is used as one at all.
  expect(found.filter(({ word }) => printed.includes(word)).length).toBeGreaterThan(110);
});

/** What is put into a text later becomes one "…", as on the page. */
function constantPart(text: string): string {
  let depth = 0;
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const [opening] = /^\$[({]+|^\$\w+/.exec(text.slice(at)) ?? [];
    if (depth === 0 && opening) {
      out += '…';
      depth = (opening.match(/[({]/g) ?? []).length;
      at += opening.length - 1;
    } else if (depth > 0) {
      if (/[({]/.test(text[at])) depth += 1;
      if (/[)}]/.test(text[at])) depth -= 1;
    } else {
      out += text[at];
    }
  }
  return out;
}

test('each reason that a node gives is explained, in its words, once', () => {
  const given = scripts
    .filter(({ file }) => /^(?:agent.*|status|settle)\.sh$/.test(file))
    .flatMap(({ text }) => [...text.matchAll(/\b(?:reason=|pending_means=|fail )"([^"]+)"/g)].map(([, reason]) => constantPart(reason)))
    // Another reason, handed on.
    .filter((reason) => reason !== '…');
  const entries = [...page.matchAll(/^- \*\*`([^`]+)`\*\*/gm)].map(([, text]) => text.replace(/\s+/g, ' '));
  expect(given.length).toBeGreaterThan(14);
  expect([...entries].sort()).toEqual([...new Set(given)].sort());
});

test('each alert of the example has a row that says what to do', () => {
  const rules = readFileSync(join(root, 'examples', 'prometheus', 'nim-ha.rules.yml'), 'utf8');
  const alerts = [...rules.matchAll(/^ *- alert: (\w+)$/gm)].map(([, alert]) => alert);
  expect(alerts.length).toBeGreaterThan(4);
  const [, section] = /^## An alert fires\n(.*?)^## /ms.exec(page)!;
  expect([...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, alert]) => alert).sort()).toEqual(alerts.sort());
});

test('links within the page lead to headings', () => {
  const anchor = (heading: string) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replace(/ /g, '-');
  const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading));
  const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, link]) => link);
  expect(links).not.toEqual([]);
  expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
});
