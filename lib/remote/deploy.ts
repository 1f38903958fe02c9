import { Resource as NullResource } from '@cdktf/provider-null/lib/resource';
import { IResolvable, ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { secretDigest } from './digest';
import { FencingServer, fencingIdentity, fencingKeys, fencingSetup } from './fencing';
import { identity } from './identity';
import { Target } from './login';
import { generation, noObservation, observation } from './observation';
import { operatorScriptAsset } from './operator-script';
import { ScriptBundle } from './script-bundle';
import { after, decommission, preflight, rollout, stage } from './steps';
import { attribute, encode, lines, sha256 } from './text';

/** One node as the steps see it: where it is, and the data that it gets. */
export interface RemoteNode {
  readonly scope: Construct;
  readonly target: Target;
  /** `node.data` without `GENERATION`. */
  readonly nodeData: string;
}

export interface RemotePair {
  readonly primary: RemoteNode;
  readonly secondary: RemoteNode;
  readonly authPass: string;
  readonly authPassVersion?: string;
  readonly observe: boolean;
  readonly repairDrift: boolean;
  /** Argument of the removal program: `restore` or `retain`. */
  readonly removal: string;
  readonly decommission: boolean;
  /** What has to be there first. */
  readonly dependsOn: ITerraformDependable[];
  /** Unset: no fencing. */
  readonly fencing?: FencingServer;
  /** The state of a node that cannot be read, for this reason. */
  readonly unobserved: (reason: string) => object;
}

export interface Deployment {
  /** Done when everything is. */
  readonly ready: NullResource;
  readonly primary: IResolvable;
  readonly secondary: IResolvable;
}

/** The resources of one pair, in the order of ARCHITECTURE.md. */
export function deploy(scope: Construct, pair: RemotePair): Deployment {
  const { primary, secondary } = pair;
  const nothing = (node: RemoteNode, reason: string): IResolvable => noObservation(node.scope, pair.unobserved(reason));

  const targets = { primary: primary.target, secondary: secondary.target };
  // Also where the pair is to go: a node that the decommission does not reach is not forgotten by that.
  const server = fencingIdentity(scope, pair.fencing, pair.removal, pair.decommission);
  // All that is done to a machine comes after its identity, and a removal before that goes. Not after the server's, which would spread its create-first.
  const machines = identity(scope, targets, pair.removal, [server, ...pair.dependsOn]);

  if (pair.decommission) {
    const removals = [primary, secondary].map((node) => decommission(node.scope, node.target, pair.removal, [machines, server]));
    const ready = new NullResource(scope, 'decommission', { triggers: after('decommission', removals) });
    return { ready, primary: nothing(primary, 'decommissioned'), secondary: nothing(secondary, 'decommissioned') };
  }

  const asset = ScriptBundle.NODE.asset(scope);
  const script = operatorScriptAsset(scope);
  const digest = (pair.authPassVersion && attribute(pair.authPassVersion)) || secretDigest(scope, pair.authPass, primary.target.login) || '';
  const drift = pair.repairDrift ? generation([primary, secondary], script) : undefined;
  const number = drift?.number ?? '1';

  // Before the nodes look: their exports may be made by this.
  const setUp = pair.fencing && fencingSetup(scope, pair.fencing, [machines]);
  const preflights = [primary, secondary].map(({ scope: at, target, nodeData }, index) =>
    preflight(at, {
      target,
      asset,
      nodeData: `${nodeData}GENERATION=${encode(number)}\n`,
      dependsOn: setUp ? [setUp] : [machines],
      triggers: {
        host: target.host,
        // A new machine at the old address has others.
        hostKeys: sha256(lines(target.hostKeys)),
        // Another user has a home of its own, where nothing is uploaded yet.
        login: `${target.login.user}:${target.port}`,
        text: sha256(nodeData),
        digest,
        ...(drift && { generation: number }),
      },
      precondition: drift?.canBeAsked[index],
    }),
  );
  const stages = [primary, secondary].map((node) => stage(node.scope, node.target, pair.authPass, preflights));
  const keys = pair.fencing && setUp && fencingKeys(scope, pair.fencing, stages, setUp);
  const ready = rollout(scope, primary.target, secondary.target, stages, keys && [keys]);

  const observed = (node: RemoteNode): IResolvable =>
    pair.observe
      ? observation(node.scope, node.target, script, ready, pair.unobserved('no answer from the reader'))
      : nothing(node, 'not observed');
  return { ready, primary: observed(primary), secondary: observed(secondary) };
}
