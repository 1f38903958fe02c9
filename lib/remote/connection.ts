import { Fn, SSHProvisionerConnection } from 'cdktf';
import { hostKeyText } from './host-keys';
import { Target } from './login';
import { pathexpand } from './key-file';
import { attribute } from './text';

/** Where the first block of a node puts its script: before it there is no private directory. The `./` is required. */
export const BOOTSTRAP_SCRIPT = './.nim-ha-%RAND%.sh';

/** All later blocks: in the private directory, under one name, so that nothing piles up. */
export const STEP_SCRIPT = './.nim-ha/step.sh';

/** The `connection` of a provisioner block. */
export function connection(target: Target, scriptPath: string): SSHProvisionerConnection {
  const { login } = target;
  const { bastion } = login;
  const hostKey = hostKeyText(target);
  return {
    type: 'ssh',
    host: target.host,
    port: target.port,
    user: login.user,
    privateKey: (login.privateKey && attribute(login.privateKey)) ?? (login.privateKeyFile && Fn.file(pathexpand(login.privateKeyFile))),
    password: login.password && attribute(login.password),
    // Unset means yes where SSH_AUTH_SOCK is set, and the agent would be forwarded to the node.
    agent: login.agent ? 'true' : 'false',
    hostKey,
    timeout: login.timeout,
    scriptPath,
    ...(bastion && {
      bastionHost: bastion.host,
      bastionPort: bastion.port,
      bastionUser: bastion.user,
      bastionHostKey: hostKey,
    }),
  };
}
