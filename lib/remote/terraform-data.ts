import { TerraformMetaArguments, TerraformResource } from 'cdktf';
import { Construct } from 'constructs';

export interface TerraformDataConfig extends TerraformMetaArguments {
  /** Stored in state in clear; updated in place. */
  readonly input: unknown;
  readonly triggersReplace?: unknown;
}

/** Terraform's built-in `terraform_data`. cdktf's `DataResource` looks for a terraform binary at synth; this one does not. */
export class TerraformData extends TerraformResource {
  private readonly values: Record<string, unknown>;

  constructor(scope: Construct, id: string, config: TerraformDataConfig) {
    super(scope, id, { terraformResourceType: 'terraform_data', ...config });
    this.values = { input: config.input, triggers_replace: config.triggersReplace };
  }

  protected synthesizeAttributes(): { [name: string]: unknown } {
    return { ...this.values };
  }
}
