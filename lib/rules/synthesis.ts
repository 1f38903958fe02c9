import { present, problem, quoted, Rule } from './rule';

/** What CDKTF would leave out without a word. */
export const synthesisRules: Rule[] = [
  {
    id: 'synth/add-dependency',
    summary: 'The pair waits for what is in `dependsOn`: CDKTF does nothing for `node.addDependency`.',
    check: ({ addedDependencies }) =>
      present(addedDependencies ?? []).map((path) => problem('dependsOn', 'CDKTF does nothing for node.addDependency', quoted(path), 'give it here, or the resources in it')),
  },
  {
    id: 'synth/hcl',
    summary: 'The program is synthesised to JSON: in HCL `terraform_data` has lost what it holds, and a destroy would reach no node.',
    check: ({ hclOutput }) =>
      hclOutput ? [problem('synth', 'must be JSON, in HCL CDKTF leaves out what a removal needs', 'SYNTH_HCL_OUTPUT', 'unset it, or leave out --hcl')] : [],
  },
];
