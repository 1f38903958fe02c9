import { problem, Rule } from './rule';

export const notGivenRules: Rule[] = [
  {
    id: 'value/not-given',
    summary: 'Each value that a pair needs is given: an environment variable that is not set is none.',
    check: ({ notGiven }) =>
      (notGiven ?? []).map(({ path, got }) => problem(path, 'must have a value', got, 'give one; where it comes from an environment variable, set that')),
  },
];
