import * as path from 'node:path';
import type { MachineName } from './machines';

/** Names of the files in a lab's private directory: the one place that knows them. */

export const stateFile = (workdir: string): string => path.join(workdir, 'lab.json');
export const controlSocket = (workdir: string): string => path.join(workdir, 'switch.sock');
export const switchLog = (workdir: string): string => path.join(workdir, 'switch.err');
export const switchPid = (workdir: string): string => path.join(workdir, 'switch.pid');
export const portSocket = (workdir: string, name: MachineName): string => path.join(workdir, `${name}.port`);
export const overlay = (workdir: string, name: MachineName): string => path.join(workdir, `${name}.qcow2`);
export const seedFile = (workdir: string, name: MachineName): string => path.join(workdir, `${name}.seed`);
export const consoleLog = (workdir: string, name: MachineName): string => path.join(workdir, `${name}.console`);
export const loginSocket = (workdir: string, name: MachineName): string => path.join(workdir, `${name}.ssh`);
export const qmpSocket = (workdir: string, name: MachineName): string => path.join(workdir, `${name}.qmp`);
export const machinePid = (workdir: string, name: MachineName): string => path.join(workdir, `${name}.pid`);
export const knownHosts = (workdir: string): string => path.join(workdir, 'known_hosts');
export const privateKey = (workdir: string): string => path.join(workdir, 'id_ed25519');
export const hostKey = (workdir: string, name: MachineName, type: string): string => path.join(workdir, `${name}.ssh_host_${type}_key`);
export const previousVersion = (workdir: string): string => path.join(workdir, 'previous');
