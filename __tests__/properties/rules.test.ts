import { nodeDataEntries } from '../../lib/config/node-data';
import { renderFencingSettings } from '../../lib/config/fencing-settings';
import { PairModel } from '../../lib/config/model';
import { authPassRules } from '../../lib/rules/auth-pass';
import { checkAll } from '../../lib/rules';
import { RuleInput } from '../../lib/rules/rule';
import { everyCharacter, pairs, pairWith } from './pairs';
import { hostile, holds, must, UNREADABLE } from './support';

const FORM = /^[a-zA-Z]+(\.[a-zA-Z]+)*(\[\d+\])?: [^;]+?, got .+; .+ \[[a-z]+\/[a-z0-9-]+\]$/;

/** All that the renderers make of a pair; each file as it is. */
function rendered(input: RuleInput): string[] {
  const pair = input as PairModel;
  const entries = [pair.primary, pair.secondary].flatMap((node) => nodeDataEntries(pair, node, undefined, (text) => text));
  return [...entries.map(([, value]) => value), renderFencingSettings(pair)];
}

const lines = (texts: string[]): number[] => texts.map((text) => text.split('\n').length);

const SHAPE = { guide: lines(rendered(pairWith([], 'guide'))), hardened: lines(rendered(pairWith([], 'hardened'))) };

/** Whether the pair is accepted; throws where it is neither refused readably nor rendered as it was meant. */
function isAccepted(input: RuleInput): boolean {
  const problems = checkAll(input);
  for (const { message } of problems) {
    must(FORM.test(message), 'not in the form of a message', message);
    must(!UNREADABLE.test(message), 'cannot be read', message);
  }
  if (problems.length > 0) return false;
  const texts = rendered(input);
  must(String(lines(texts)) === String(SHAPE[input.profile!]), 'another number of lines', texts);
  for (const value of strings(input)) must(/^[A-Za-z0-9 ._@:=,/+-]*$/.test(value), 'a character that means something', value);
  return true;
}

test('a pair is refused in one readable line for each mistake, or what is rendered of it has no character that means something', () => {
  const found = { true: 0, false: 0 };
  holds('rules', pairs, (input) => {
    found[`${isAccepted(input)}`] += 1;
  });
  // Neither half of the property may be empty.
  expect(Math.min(found.true, found.false)).toBeGreaterThan(1000);
});

test('so with each character of ASCII, in each string', () => {
  const results = [...everyCharacter()].map(isAccepted);
  expect(results.length).toBeGreaterThan(8000);
  expect(new Set(results).size).toBe(2);
});

/** What goes to a node or into Terraform's text; a segment is compared and goes nowhere, of a key's path Terraform takes the rest literally. */
function strings({ primary, secondary, virtualIp, nfs, services, ssh }: RuleInput): string[] {
  const { address, authPass } = virtualIp!;
  const { keyFiles, ...login } = ssh!;
  must(!/["\\\n\r\0]|\$\{|%\{/.test(keyFiles![0]), 'a path that Terraform or ssh would take apart', keyFiles);
  return leaves([primary, secondary, address, authPass, nfs, services, login]);
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(leaves) : [];
}

test('a message about the password tells nothing of it but its length, and how many characters do not fit', () => {
  const messages = (authPass: string): string[] => authPassRules.flatMap(({ check }) => check({ virtualIp: { authPass } }));
  holds('password in messages', hostile('Pa55-wrd', 'a', '._-'), (authPass) => {
    const masked = [...authPass].map((character) => (/^[A-Za-z0-9._-]$/.test(character) ? 'a' : '!')).join('');
    must(String(messages(authPass)) === String(messages(masked)), 'other messages than for its mask', authPass);
    must(messages(authPass).length > 0 || /^[A-Za-z0-9._-]{1,8}$/.test(authPass), 'accepted', authPass);
  });
});
