import { Machine, OPERATOR, SSH_PORT } from './machines';
import { RunResult, run } from './run';
import { knownHosts, loginSocket, privateKey } from './workdir';

export interface SshOptions {
  /** Milliseconds; default one minute. */
  readonly timeout?: number;
  readonly input?: string | Buffer;
  /** Exit codes that are no error; default only 0. */
  readonly accept?: readonly number[] | 'any';
}

/** Its own login for each program that goes on and on: what happens to one of them happens to no other. */
const OWN_LOGIN = ['ControlMaster=no', 'ControlPath=none'];

/** Arguments for OpenSSH's client which take nothing from the person who runs the lab: no config, no agent, no known hosts. */
export function sshArgs(workdir: string, machine: Machine, login: readonly string[] = OWN_LOGIN): string[] {
  const options = [
    ...login,
    'BatchMode=yes',
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

/**
 * Runs a shell command on a machine as the operator (who has sudo without a password). The commands share a login: under software
 * emulation one takes a node up to five seconds of its processor, which what is being watched then lacks, and a command over a login
 * that is there a tenth of one. A login that the machine has lost is made again by the next command.
 */
export function ssh(workdir: string, machine: Machine, command: string, options: SshOptions = {}): Promise<RunResult> {
  const shared = ['ControlMaster=auto', `ControlPath=${loginSocket(workdir, machine.name)}`, 'ControlPersist=600'];
  return run('ssh', [...sshArgs(workdir, machine, shared), command], { timeout: 60_000, ...options });
}
