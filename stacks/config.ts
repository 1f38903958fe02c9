import { readFileSync } from 'fs';
import { join } from 'path';
import Ajv, { ErrorObject, ValidateFunction } from 'ajv';
import type { BastionOptions, KeepalivedProfile, LinuxServerOptions, OperationMode, RemovalPolicy } from '../lib';
import { parsed, textOf } from './json-file';
import { visible } from './visible';

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

/**
 * Reads and checks the file.
 *
 * @throws an error whose message is meant for the person who wrote the file: all that is wrong, each with its path
 */
export function loadConfig(file: string | undefined): Config {
  if (!file) {
    throw new Error('NIM_HA_CONFIG is not set; set it to the JSON file that describes your pairs (config.schema.json says what goes in)');
  }
  return configOf(file, textOf('NIM_HA_CONFIG', file));
}

/** The same for the text of a file. */
export function configOf(file: string, text: string): Config {
  const { value: config, repeated } = parsed(file, text);
  compiled ??= new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
  const wrong = compiled(config) ? [] : (compiled.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(problem);
  const problems = [...repeated, ...wrong, ...tokens('', config), ...takenNames(config), ...sharedState(config)].map((line) => `  ${visible(line)}`);
  if (problems.length > 0) {
    throw new Error([`${file} is not a valid configuration:`, ...problems].join('\n'));
  }
  return config as Config;
}

const SCHEMA = join(__dirname, '..', 'config.schema.json');
let compiled: ValidateFunction | undefined;

/** What cdktf would take for a token of this program, such as that of a secret, and put its value in. */
function tokens(path: string, value: unknown): string[] {
  const refused = `${path || '(top level)'}: must not look like a token of cdktf, got ${JSON.stringify(value)}`;
  if (typeof value === 'string') return value.includes('TfToken[') ? [refused] : [];
  // The token of a number is a number, too, far beyond all that mean something.
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? [refused] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const inside = path === '' ? key : `${path}.${key}`;
    return [...(Array.isArray(value) ? [] : tokens(`${path || '(top level)'}, a key`, key)), ...tokens(inside, inner)];
  });
}

/** Of the stack's own constructs and outputs, and what Terraform refuses as the name of a variable. */
const TAKEN = [
  ...['backend', 'null', 'local', 'nim_ha', 'virtual_ip_address', 'nfs_share', 'virtual_ip', 'primary', 'secondary', 'active_node'],
  ...['source', 'version', 'providers', 'count', 'for_each', 'lifecycle', 'depends_on', 'locals'],
];

/** Names for which the schema has a pattern, and that are no names all the same: to cdktf also "constructor" and the like are in use. */
function takenNames(config: unknown): string[] {
  const entries = (value: unknown): Array<[string, any]> => Object.entries(value ?? {});
  return entries((config as Config | null)?.pairs).flatMap(([name, pair]) => {
    const logins = entries({ ssh: pair?.ssh, 'nfsShare.fencing.ssh': pair?.nfsShare?.fencing?.ssh });
    const ofLogins = logins.flatMap(([at, ssh]) => ['variable', 'sudoPasswordVariable'].map((key) => [`${at}.${key}`, ssh?.[key]]));
    const variables = { 'virtualIp.authPassVariable': pair?.virtualIp?.authPassVariable, ...Object.fromEntries(ofLogins) };
    return [
      ...(name in {} ? [`pairs: the name ${JSON.stringify(name)} is in use, choose another one`] : []),
      ...entries(variables)
        .filter(([, variable]) => typeof variable === 'string' && (variable in {} || TAKEN.includes(variable)))
        .map(([at, variable]) => `pairs.${name}.${at}: the name ${JSON.stringify(variable)} is in use, choose another one`),
    ];
  });
}

/** In one state the pairs would have the same names: each deploy of one would remove the others from their nodes. */
function sharedState(config: unknown): string[] {
  const { backend, pairs } = (config ?? {}) as Partial<Config>;
  const [type, settings] = Object.entries(backend ?? {})[0] ?? [];
  // A local one without a path has a file per pair; no other setting of it makes one.
  const place = type === 'local' ? Object(settings).path || '{pair}' : settings;
  if (type === undefined || Object.keys(pairs ?? {}).length < 2 || JSON.stringify(place).includes('{pair}')) return [];
  return [`backend.${type}: must have {pair} in one of its settings, such as the state's key or path, for each pair needs a state of its own`];
}

/** ajv's error, with the path first and the offending key in it. */
function problem({ instancePath, keyword, params, message, propertyName }: ErrorObject): string {
  const path = instancePath.slice(1).replace(/\//g, '.') || '(top level)';
  switch (keyword) {
    case 'additionalProperties':
      return `${path}: unknown key "${params.additionalProperty}"`;
    case 'required':
      return `${path}: missing key "${params.missingProperty}"`;
    case 'const':
      return `${path}: must be ${params.allowedValue}`;
    case 'enum':
      return `${path}: must be one of ${params.allowedValues.join(', ')}`;
    default:
      return `${path}: ${propertyName ? `name "${propertyName}" ` : ''}${message}`;
  }
}
