import { DataLocalCommand } from '@cdktf/provider-local/lib/data-local-command';
import { Fn, IResolvable, ITerraformDependable, Precondition, TerraformAsset, TerraformLocal, Token } from 'cdktf';
import { Construct } from 'constructs';
import { Target } from './login';
import { operatorArguments } from './operator-script';
import { written } from './written';

/**
 * What a node says of itself, read when Terraform plans, or after the steps where something changes. Never an error: an
 * unreachable node is an answer, and where there is no answer at all `fallback` takes its place.
 */
export function observation(
  scope: Construct,
  target: Target,
  script: TerraformAsset,
  after: ITerraformDependable,
  fallback: object,
): IResolvable {
  const read = new DataLocalCommand(scope, 'state', {
    command: 'bash',
    arguments: [script.path, 'observe', ...operatorArguments(target)],
    allowNonZeroExitCode: true,
    dependsOn: [after],
  });
  return local(scope, written((write) => `try(jsondecode(${write(read.stdout)}), ${write(fallback)})`));
}

/** The same shape where nothing is read. */
export function noObservation(scope: Construct, fallback: object): IResolvable {
  return local(scope, fallback);
}

/** A name for the object, so that what reads it does not repeat how it came about. */
function local(scope: Construct, value: unknown): IResolvable {
  // Of the typed views of a local this is the one that is a plain reference.
  return new TerraformLocal(scope, 'observed', value).asBoolean;
}

/** What the nodes say of the roll-out before. */
export interface Generation {
  readonly number: string;
  /** For each node: that this machine can ask it. */
  readonly canBeAsked: Precondition[];
}

/**
 * The number of this roll-out of a pair, asked of both nodes before the steps: higher than the last where a node's files are
 * not as they were deployed, or where only one node has been deployed to, or each by another roll-out. A node that does not answer counts as 0, and is
 * not asked about; one that has nothing of ours as -1; one whose files differ says so by a 0 before its number, which may be the other's.
 */
export function generation(targets: { scope: Construct; target: Target }[], script: TerraformAsset): Generation {
  const answers = targets.map(
    ({ scope, target }) =>
      new DataLocalCommand(scope, 'generation', {
        command: 'bash',
        arguments: [script.path, 'generation', ...operatorArguments(target)],
        allowNonZeroExitCode: true,
      }).stdout,
  );
  const numbers = answers.map((answer) => Fn.try([Fn.tonumber(Fn.trimspace(answer)), 0]));
  const differs = Fn.join('', answers.map((answer) => Fn.join('', Fn.regexall('^0[1-9]', answer))));
  const number = Token.asString(
    written((write) => {
      const [first, second] = numbers.map((number) => write(number));
      const most = `max(${first}, ${second})`;
      const least = `min(${first}, ${second})`;
      return `tostring(max(${most}, 1) + (${most} > 0 && (${least} < 0 || ${least} > 0 && ${least} != ${most} || ${write(differs)} != "") ? 1 : 0))`;
    }),
  );
  return { number, canBeAsked: targets.map(({ scope }, index) => canBeAsked(scope, answers[index])) };
}

/** Words in place of a number say why it never will. Without this no drift would be found, and nothing would say so. */
function canBeAsked(scope: Construct, answer: string): Precondition {
  return {
    condition: written((write) => `!can(regex("^[a-z]", ${write(answer)}))`),
    errorMessage: `${scope.node.id}: repairDrift has to ask the node before each deploy, got ${Fn.trimspace(answer)}; mend that, or leave repairDrift out [ssh/drift-not-asked]`,
  };
}
