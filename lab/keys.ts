import * as fs from 'node:fs';
import { MACHINES, Machine, SSH_PORT } from './machines';
import { run } from './run';
import { hostKey, knownHosts, privateKey } from './workdir';

// A stock sshd negotiates ECDSA first; a list with ed25519 alone would not match it.
export const HOST_KEY_TYPES = ['ed25519', 'ecdsa'] as const;

/** Makes this lab's keys: the operator's, and each machine's own, known before the machine has ever run. */
export async function makeKeys(workdir: string): Promise<void> {
  const generate = (type: string, file: string): Promise<unknown> =>
    run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'lab', '-f', file]);
  await generate('ed25519', privateKey(workdir));
  for (const { name } of MACHINES) for (const type of HOST_KEY_TYPES) await generate(type, hostKey(workdir, name, type));
  const lines = MACHINES.flatMap((machine) =>
    publicHostKeys(workdir, machine).map((key) => `[${machine.sshAddress}]:${SSH_PORT} ${key}\n`),
  );
  fs.writeFileSync(knownHosts(workdir), lines.join(''));
}

/** A machine's public host keys, `TYPE KEY`, as `hostKeys` of a node takes them. */
export function publicHostKeys(workdir: string, machine: Machine): string[] {
  return HOST_KEY_TYPES.map((type) => {
    const [kind, key] = fs.readFileSync(`${hostKey(workdir, machine.name, type)}.pub`, 'utf8').split(' ');
    return `${kind} ${key}`;
  });
}
