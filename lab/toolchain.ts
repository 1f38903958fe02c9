import { needPackages } from './packages';
import { providersEnv } from './providers';
import { terraformEnv } from './terraform';

/** Programs of this machine that the virtual machines need. */
export function needVmTools(): Promise<void> {
  return needPackages(['qemu-system-x86', 'qemu-utils', 'openssh-client']);
}

/** The environment in which `cdktf deploy` finds Terraform and its providers. */
export async function deployEnv(): Promise<NodeJS.ProcessEnv> {
  return { ...(await terraformEnv()), ...(await providersEnv()) };
}
