import { problem, Rule } from './rule';

export const valueTypeRules: Rule[] = [
  {
    id: 'value/type',
    summary: 'Each value is of its kind: to plain JavaScript a text "false" is a yes.',
    check: ({ wrongKind }) =>
      (wrongKind ?? []).map(({ path, expected, got }) => problem(path, `must be ${expected}`, got, 'convert it; what comes from the environment is a text, and in JSON quotes make one')),
  },
];
