import { readFileSync } from 'fs';
import { join } from 'path';
import { AssetType, TerraformAsset } from 'cdktf';
import { Construct } from 'constructs';
import { hostKeyLines } from './host-keys';
import { numberText } from './number-text';
import { OpenSshCredentials, Target } from './login';
import { SCRIPTS } from './script-bundle';

/** Runs on the operator's machine: the OpenSSH client's side of reading state and of removal. */
const OPERATOR_SCRIPT = join(SCRIPTS, 'operator', 'ssh-node.sh');

/** The script beside the synthesised JSON, for what runs while that is there. */
export function operatorScriptAsset(scope: Construct): TerraformAsset {
  return new TerraformAsset(scope, 'operator', { path: OPERATOR_SCRIPT, type: AssetType.FILE });
}

/** The text of the script, for the one place that may not refer to an asset: what runs at destroy time. */
export function operatorScriptText(): string {
  return readFileSync(OPERATOR_SCRIPT, 'utf8');
}

/** Names of what `operatorSettings` gives. */
export const SETTINGS = [
  'NIM_HA_HOST',
  'NIM_HA_PORT',
  'NIM_HA_USER',
  'NIM_HA_HOST_KEYS',
  'NIM_HA_KEY_ENV',
  'NIM_HA_KEY_FILE',
  'NIM_HA_PASSWORD_ENV',
  'NIM_HA_AGENT',
  'NIM_HA_SUDO_ENV',
  'NIM_HA_BASTION_HOST',
  'NIM_HA_BASTION_PORT',
  'NIM_HA_BASTION_USER',
  'NIM_HA_BASTION_HOST_KEYS',
] as const;

/** What the script has to know about a node. Nothing here is secret: of secrets only where to find them. */
export function operatorSettings(target: Target): Record<(typeof SETTINGS)[number], string> {
  const { login } = target;
  const { bastion } = login;
  const credentials: OpenSshCredentials = login.openSsh ?? {};
  return {
    NIM_HA_HOST: target.host,
    NIM_HA_PORT: numberText(target.port),
    NIM_HA_USER: login.user,
    NIM_HA_HOST_KEYS: login.verifyHostKeys ? hostKeyLines(target.hostKeys) : '',
    NIM_HA_KEY_ENV: credentials.keyEnv ?? '',
    // As it is written: the state is the same for everybody who runs Terraform.
    NIM_HA_KEY_FILE: credentials.keyFile ?? '',
    NIM_HA_PASSWORD_ENV: credentials.passwordEnv ?? '',
    NIM_HA_AGENT: credentials.agent ? 'yes' : '',
    NIM_HA_SUDO_ENV: login.sudoPasswordEnv ?? '',
    NIM_HA_BASTION_HOST: bastion?.host ?? '',
    NIM_HA_BASTION_PORT: bastion ? numberText(bastion.port) : '',
    NIM_HA_BASTION_USER: bastion?.user ?? '',
    NIM_HA_BASTION_HOST_KEYS: bastion && login.verifyHostKeys ? hostKeyLines(bastion.hostKeys) : '',
  };
}

/** `KEY=VALUE` arguments: `data.local_command` cannot set environment variables. */
export function operatorArguments(target: Target): string[] {
  return Object.entries(operatorSettings(target))
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value}`);
}
