import { TerraformStack, TerraformVariable } from 'cdktf';

export interface SecretVariableConfig {
  readonly meaning: string;
  /** Regular expression that the value has to match, and the same in words. */
  readonly pattern: string;
  readonly demand: string;
  readonly ephemeral: boolean;
}

/**
 * A variable for a secret. It has an empty default and refuses it: without a default Terraform would ask for the value, and wait
 * for ever where nobody is there to answer.
 */
export function secretVariable(stack: TerraformStack, name: string, config: SecretVariableConfig): string {
  const { meaning, pattern, demand, ephemeral } = config;
  const variable = new TerraformVariable(stack, name, {
    type: 'string',
    description: meaning,
    sensitive: true,
    nullable: false,
    default: '',
    validation: [
      {
        condition: `\${length(var.${name}) > 0}`,
        errorMessage: `${name}: ${meaning} is missing; set the environment variable TF_VAR_${name}.`,
      },
      {
        condition: `\${length(var.${name}) == 0 || can(regex("${pattern}", var.${name}))}`,
        errorMessage: `${name}: ${meaning} must be ${demand}; change TF_VAR_${name}.`,
      },
    ],
  });
  if (ephemeral) {
    variable.addOverride('ephemeral', true);
  }
  return variable.stringValue;
}
