import { existsSync, readFileSync } from 'fs';
import { join } from 'path';
import { RULES } from '../lib/rules';
import { root } from './built-library';

const text = readFileSync(join(root, 'docs', 'guide-coverage.md'), 'utf8');
const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| guide') && !line.startsWith('| ---'));
const words = [...text.matchAll(/`([^`\s]+)`/g)].map(([, word]) => word);
const topics = new Set(RULES.map(({ id }) => id.split('/')[0]));
const source = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The heading that a row stands under. */
const headings: string[] = [];
for (const row of rows) headings.push(/^\| \*\*(.+?)\*\* /.exec(row)?.[1] ?? headings[headings.length - 1]);

test('every file that is named exists', () => {
  const files = words.filter((word) => /^[\w.-]+(\/[\w.-]+)*\.(ts|sh|md)$/.test(word) && (word.includes('/') || word.endsWith('.md')));
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('every id that is named is a rule, or a check of the script in the same row', () => {
  const found = rows.flatMap((row) => {
    const ids = [...row.matchAll(/`([a-z]+\/[a-z-]+)`/g)].map(([, id]) => id);
    const scripts = [...row.matchAll(/`(scripts\/preflight[a-z-]*\.sh)`/g)].map(([, file]) => source(file)).join('');
    return ids.map((id) => ({ id, known: RULES.some((rule) => rule.id === id) || scripts.includes(` ${id} `) }));
  });
  expect(found.filter(({ known }) => !known)).toEqual([]);
  expect(found.filter(({ id }) => topics.has(id.split('/')[0])).length).toBeGreaterThan(20);
});

test.each(RULES.map(({ id, guide }) => [id, guide]))('%s is in rows under its own heading, or has none and is in no row', (id, guide) => {
  const under = headings.filter((_, index) => rows[index].includes(`\`${id}\``));
  expect([...new Set(under)]).toEqual(guide === undefined ? [] : [guide]);
});
