import { Machine, OPERATOR, SSH_PORT } from './machines';
import { RunResult, run } from './run';
import { knownHosts, privateKey } from './workdir';

export interface SshOptions {
  /** Milliseconds; default one minute. */
  readonly timeout?: number;
  readonly input?: string | Buffer;
  /** Exit codes that are no error; default only 0. */
  readonly accept?: readonly number[] | 'any';
}

/** Arguments for OpenSSH's client which take nothing from the person who runs the lab: no config, no agent, no known hosts. */
export function sshArgs(workdir: string, machine: Machine): string[] {
  const options = [
    'BatchMode=yes',
    'ControlMaster=no',
    'IdentityAgent=none',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts(workdir)}`,
    'GlobalKnownHostsFile=/dev/null',
    'ConnectTimeout=30',
    'ServerAliveInterval=5',
    'ServerAliveCountMax=6',
    'LogLevel=ERROR',
  ];
  return [
    ...['-F', '/dev/null', '-i', privateKey(workdir), '-p', String(SSH_PORT)],
    ...options.flatMap((option) => ['-o', option]),
    `${OPERATOR}@${machine.sshAddress}`,
  ];
}

/** Runs a shell command on a machine as the operator (who has sudo without a password). */
export function ssh(workdir: string, machine: Machine, command: string, options: SshOptions = {}): Promise<RunResult> {
  return run('ssh', [...sshArgs(workdir, machine), command], { timeout: 60_000, ...options });
}
