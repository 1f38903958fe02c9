import { execFileSync } from 'child_process';
import { join } from 'path';
import { REFUSED_OPTIONS } from '../../lib/rules/refused-options';
import { RuleInput } from '../../lib/rules/rule';
import { nfsRows } from './rows-nfs';

// lib/rules/refused-options.ts and scripts/refused-options.sh judge the same options, one of literals, one of tokens.
const SCRIPT = join(__dirname, '..', '..', 'scripts', 'refused-options.sh');
const PLACES = ['nfsShare.mountOptions', 'nfsShare.fstabOptions'] as const;

const optionsOf = ({ nfs }: RuleInput): string[] => [...(nfs?.mountOptions ?? []), nfs?.fstabOptions ?? ''].flatMap((text) => (text ?? '').split(','));
/** Those that a node may see at all: others do not fit the pattern of their key. */
const options = [...new Set(Object.values(nfsRows).flatMap(({ passes, fails }) => [...passes, ...fails.map(([change]) => change)]).flatMap(optionsOf))].filter((option) =>
  /^[A-Za-z0-9._=:/-]+$/.test(option),
);

function byRules(place: string, option: string): string {
  const refused = REFUSED_OPTIONS.filter(({ only, option: form }) => (only === undefined || only === place) && form.test(option));
  return refused.map(({ demand, todo }) => `${demand}; ${todo}`).join();
}

function byNode(place: string): string[] {
  const loop = '. "$1"; place="$2"; shift 2; for option; do if refused_option "$place" "$option"; then echo "$demand; $todo"; else echo; fi; done';
  return execFileSync('bash', ['-euc', loop, 'bash', SCRIPT, place, ...options], { encoding: 'utf8' }).split('\n').slice(0, -1);
}

test.each(PLACES)('what is refused in %s is refused on a node, in the same words, and nothing else is', (place) => {
  const judged = (verdicts: string[]) => Object.fromEntries(options.map((option, index) => [option, verdicts[index]]));
  expect(judged(byNode(place))).toEqual(judged(options.map((option) => byRules(place, option))));
});

test('the options that are tried are of every kind', () => {
  expect(options.length).toBeGreaterThan(50);
  for (const { option: form } of REFUSED_OPTIONS) expect(options.filter((option) => form.test(option))).not.toEqual([]);
});
