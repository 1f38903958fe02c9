import { present, problem, quoted, Rule } from './rule';

/** What CDKTF would leave out without a word. */
export const synthesisRules: Rule[] = [
  {
    id: 'synth/add-dependency',
    summary: 'The pair waits for what is in `dependsOn`: CDKTF does nothing for `node.addDependency`.',
    check: ({ addedDependencies }) =>
      present(addedDependencies ?? []).map((path) => problem('dependsOn', 'CDKTF does nothing for node.addDependency', quoted(path), 'give it here, or the resources in it')),
  },
];
