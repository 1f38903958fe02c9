import { TerraformBackend, TerraformRemoteState, TerraformStack } from 'cdktf';

/** Any backend, as the config file names it. `{pair}` in a string is the name of the stack, so that pairs do not share a state. */
export class ConfiguredBackend extends TerraformBackend {
  constructor(
    stack: TerraformStack,
    type: string,
    private readonly settings: { [setting: string]: unknown },
  ) {
    super(stack, 'backend', type);
  }

  protected synthesizeAttributes(): { [name: string]: unknown } {
    // All else that Terraform would take for a template is text.
    const text = JSON.stringify(this.settings).replace(/\{pair\}/g, this.cdktfStack.node.id).replace(/([$%])\{/g, '$1$1{');
    return JSON.parse(text);
  }

  protected synthesizeHclAttributes(): { [name: string]: unknown } {
    return this.synthesizeAttributes();
  }

  /** Part of cdktf's interface, for references between stacks; there are none here. */
  public getRemoteStateDataSource(): TerraformRemoteState {
    throw new Error('pairs do not refer to each other');
  }
}
