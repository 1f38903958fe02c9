import type { BastionOptions, KeepalivedProfile, LinuxServerOptions, OperationMode, RemovalPolicy } from '../lib';

/** The file that `NIM_HA_CONFIG` names; `config.schema.json` says what each value means. */
export interface Config {
  backend?: { [type: string]: { [setting: string]: unknown } };
  ephemeralSecrets?: boolean;
  pairs: { [name: string]: PairConfig };
}

export interface PairConfig {
  primary: NodeConfig;
  secondary: NodeConfig;
  ssh: SshConfig;
  virtualIp: { address: string; virtualRouterId?: number; segment?: string; authPassVariable?: string; authPassVersion?: string };
  nfsShare: { server: string; exportPath?: string; mountOptions?: string[]; fstabOptions?: string; fencing?: FencingConfig };
  monitoredServices?: string[];
  operationMode?: OperationMode;
  profile?: KeepalivedProfile;
  installKeepalived?: boolean;
  takeOver?: boolean;
  observe?: boolean;
  repairDrift?: boolean;
  removalPolicy?: RemovalPolicy;
  decommission?: boolean;
  oidc?: boolean;
  forwardProxy?: boolean;
}

export interface FencingConfig extends Omit<LinuxServerOptions, 'ssh'> {
  ssh?: SshConfig;
}

export interface NodeConfig {
  host: string;
  networkInterface: string;
  hostKeys?: string[];
  name?: string;
  port?: number;
}

export interface SshConfig {
  user: string;
  login?: 'private-key' | 'private-key-file' | 'password' | 'agent';
  privateKeyFile?: string;
  variable?: string;
  sudoPasswordVariable?: string;
  timeout?: string;
  ignoreHostKeys?: boolean;
  bastion?: Omit<BastionOptions, 'hostKeys'> & { hostKeys?: string[] };
}
