import { RULES, Rules } from './model';
import { walk } from './walk';

// Half a million states: half a minute, and more on a busy machine.
jest.setTimeout(300_000);

test('no way leads to a node that writes over what the other one has stored', () => {
  const { states, wrong } = walk(RULES);
  expect(wrong).toBeUndefined();
  expect(states).toBeGreaterThan(10_000);
});

test.each(Object.keys(RULES) as (keyof Rules)[])('without the rule %s there is such a way', (rule) => {
  expect(walk({ ...RULES, [rule]: false }).wrong).toBeDefined();
});
