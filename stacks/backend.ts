import { resolve } from 'path';
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
    const pair = this.cdktfStack.node.id;
    const settings = JSON.parse(JSON.stringify(this.settings).replace(/\{pair\}/g, pair));
    const placed = this.name === 'local' ? outside(settings, pair) : settings;
    // All else that Terraform would take for a template is text.
    return JSON.parse(JSON.stringify(placed).replace(/([$%])\{/g, '$1$1{'));
  }

  protected synthesizeHclAttributes(): { [name: string]: unknown } {
    return this.synthesizeAttributes();
  }

  /** Part of cdktf's interface, for references between stacks; there are none here. */
  public getRemoteStateDataSource(): TerraformRemoteState {
    throw new Error('pairs do not refer to each other');
  }
}

/**
 * The files of a local state, from the directory that the program runs in, and the state by default where cdktf's own backend has it.
 * Terraform runs in the stack's directory, which cdktf deletes when the stack is not in the program: a state in there goes with it.
 */
function outside(settings: { [setting: string]: unknown }, pair: string): { [setting: string]: unknown } {
  const { path, workspace_dir: workspaces } = settings;
  const absolute = (file: unknown): unknown => (typeof file === 'string' ? resolve(file) : file);
  return { ...settings, path: absolute(path || `terraform.${pair}.tfstate`), ...(workspaces ? { workspace_dir: absolute(workspaces) } : {}) };
}
