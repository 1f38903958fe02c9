import { existsSync, readFileSync } from 'fs';
import { join } from 'path';
import Ajv, { ErrorObject } from 'ajv';
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
  timeout?: string;
  ignoreHostKeys?: boolean;
  bastion?: Omit<BastionOptions, 'hostKeys'> & { hostKeys?: string[] };
}

/**
 * Reads and checks the file.
 *
 * @throws an error whose message is meant for the person who wrote the file: all that is wrong, each with its path
 */
export function loadConfig(file: string | undefined): Config {
  if (!file) {
    throw new Error('NIM_HA_CONFIG is not set; set it to the JSON file that describes your pairs (config.schema.json says what goes in)');
  }
  if (!existsSync(file)) {
    throw new Error(`NIM_HA_CONFIG: there is no file ${JSON.stringify(file)}; a relative path starts at ${process.cwd()}`);
  }
  const config = parse(file, readFileSync(file, 'utf8'));
  const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
  if (!validate(config)) {
    const problems = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(problem);
    throw new Error([`${file} is not a valid configuration:`, ...problems.map((line) => `  ${line}`)].join('\n'));
  }
  return config as Config;
}

const SCHEMA = join(__dirname, '..', 'config.schema.json');

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = (error as Error).message;
    const position = /position (\d+)/.exec(message);
    const before = text.slice(0, position ? Number(position[1]) : undefined).split('\n');
    const where = `line ${before.length}, column ${before[before.length - 1].length + 1}`;
    throw new Error(`${file}: ${where}: not valid JSON: ${message.replace(/,? *(in JSON )?at position.*/s, '')}`);
  }
}

/** ajv's error, with the path first and the offending key in it. */
function problem({ instancePath, keyword, params, message, propertyName }: ErrorObject): string {
  const path = instancePath.slice(1).replace(/\//g, '.') || '(top level)';
  switch (keyword) {
    case 'additionalProperties':
      return `${path}: unknown key "${params.additionalProperty}"`;
    case 'required':
      return `${path}: missing key "${params.missingProperty}"`;
    case 'enum':
      return `${path}: must be one of ${params.allowedValues.join(', ')}`;
    default:
      return `${path}: ${propertyName ? `name "${propertyName}" ` : ''}${message}`;
  }
}
