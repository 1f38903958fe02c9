import { Resource as NullResource } from '@cdktf/provider-null/lib/resource';
import { FileProvisioner, ITerraformDependable, Precondition, RemoteExecProvisioner, TerraformAsset } from 'cdktf';
import { Construct } from 'constructs';
import { BOOTSTRAP_SCRIPT, STEP_SCRIPT, connection } from './connection';
import { Target } from './login';
import { ScriptBundle } from './script-bundle';
import { encode } from './text';
import { PRIVATE_DIRECTORY, uploadCommands } from './upload';

type Provisioner = FileProvisioner | RemoteExecProvisioner;

// `exec`, so that nothing reads the uploaded script any more once the step runs: the next block overwrites it. The end of
// stdin, for the terminal that Terraform gives a script never ends.
const runStep = (step: string): string => `exec bash .nim-ha/scripts/run-step.sh ${step} </dev/null`;

/** One block is one TCP connection to the node. Terraform's own wrapper has neither bash nor `set -e`. */
export function block(target: Target, scriptPath: string, commands: string[]): RemoteExecProvisioner {
  return {
    type: 'remote-exec',
    connection: connection(target, scriptPath),
    inline: [['#!/bin/bash', 'set -eu', 'cd', ...commands].join('\n')],
  };
}

/**
 * A file with a secret. It has a block of its own: a sensitive value anywhere in a block hides all that the block prints.
 *
 * @param destination in a private directory that is there, or this fails; a file that is there, too, keeps its mode
 */
function secretFile(target: Target, destination: string, content: string): FileProvisioner {
  return { type: 'file', connection: connection(target, STEP_SCRIPT), content, destination };
}

/** Brings what sudo asks for, if it does, to a step that is about to run. Each step brings it again, for each forgets it at once. */
export function sudoPassword(target: Target, destination = '.nim-ha/secret/sudo'): FileProvisioner[] {
  const { sudoPassword: password } = target.login;
  return password === undefined ? [] : [secretFile(target, destination, `${encode(password)}\n`)];
}

export interface PreflightConfig {
  readonly target: Target;
  readonly asset: TerraformAsset;
  readonly nodeData: string;
  /** What makes all steps run again when it changes; stored in state in clear. */
  readonly triggers: { [name: string]: string };
  readonly dependsOn: ITerraformDependable[];
  /** Without it nothing is planned, here or elsewhere. */
  readonly precondition?: Precondition;
}

/** Brings scripts and data into `~/.nim-ha` and looks at the node. Changes nothing outside of that directory. */
export function preflight(scope: Construct, config: PreflightConfig): NullResource {
  const upload = uploadCommands(config.asset, config.nodeData);
  const look = runStep('preflight');
  const sudo = sudoPassword(config.target);
  return new NullResource(scope, 'preflight', {
    dependsOn: config.dependsOn,
    lifecycle: config.precondition && { precondition: [config.precondition] },
    triggers: { ...config.triggers, scripts: ScriptBundle.NODE.hash },
    // One connection where one will do.
    provisioners: sudo.length
      ? [block(config.target, BOOTSTRAP_SCRIPT, upload), ...sudo, block(config.target, STEP_SCRIPT, [look])]
      : [block(config.target, BOOTSTRAP_SCRIPT, [...upload, 'cd', look])],
  });
}

/** Brings the password and prepares everything on the node that may be prepared while it serves. */
export function stage(scope: Construct, target: Target, authPass: string, preflights: NullResource[]): NullResource {
  return new NullResource(scope, 'stage', {
    triggers: after('preflight', preflights),
    provisioners: [
      // Two levels deep: where the directory is gone this fails, instead of making a file that others can read.
      secretFile(target, '.nim-ha/secret/auth_pass', `AUTH_PASS=${encode(authPass)}\n`),
      ...sudoPassword(target),
      block(target, STEP_SCRIPT, ['rm -f -- ./.nim-ha-*.sh', runStep('stage')]),
    ],
  });
}

/** The four steps of the activation, in an order that never makes two masters. Each decides on its node whether it is meant. */
export function rollout(scope: Construct, primary: Target, secondary: Target, stages: NullResource[], dependsOn?: ITerraformDependable[]): NullResource {
  const step = (target: Target, number: number): Provisioner[] => [...sudoPassword(target), block(target, STEP_SCRIPT, [runStep(`rollout ${number}`)])];
  return new NullResource(scope, 'rollout', {
    dependsOn,
    triggers: after('stage', stages),
    provisioners: [...step(secondary, 1), ...step(primary, 2), ...step(secondary, 3), ...step(primary, 4)],
  });
}

/**
 * Removes the pair from a node as a step of a deploy, with the program that the last deploy left there. Both nodes at the same time, as a destroy does:
 * one that gets back what ran on it before waits until the other one has let go of the share.
 */
export function decommission(scope: Construct, target: Target, mode: string, dependsOn: ITerraformDependable[]): NullResource {
  const sudo = sudoPassword(target);
  return new NullResource(scope, 'decommission', {
    dependsOn,
    triggers: { host: target.host },
    provisioners: [
      ...(sudo.length ? [block(target, BOOTSTRAP_SCRIPT, PRIVATE_DIRECTORY), ...sudo] : []),
      block(target, BOOTSTRAP_SCRIPT, [
        'program=/usr/local/lib/nim-ha/run-step.sh',
        // Where a deploy was interrupted early, there is only what it has uploaded.
        '[ -e "$program" ] || program=.nim-ha/scripts/run-step.sh',
        `if [ -e "$program" ]; then bash "$program" remove ${mode} </dev/null; else echo "nothing to remove"; fi`,
        'rm -rf -- .nim-ha',
      ]),
    ],
  });
}

/** The ids of earlier resources: they change when those ran again, and are a dependency at the same time. */
export function after(name: string, resources: NullResource[]): { [name: string]: string } {
  return Object.fromEntries(resources.map((resource, index) => [`${name}${index + 1}`, resource.id]));
}
