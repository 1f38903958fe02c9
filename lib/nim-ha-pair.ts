import { Annotations, ITerraformDependable, Token } from 'cdktf';
import { Construct } from 'constructs';
import { renderFencingSettings } from './config/fencing-settings';
import { renderFiles } from './config/files';
import { renderFstab } from './config/fstab';
import { NodeModel, PairModel } from './config/model';
import { nodeDataEntries, renderNodeData } from './config/node-data';
import { DeclaredState } from './declared-state';
import { HaNode } from './ha-node';
import { NfsFencing } from './nfs-fencing';
import { NimHaPairProps, NodeProps } from './nim-ha-pair-props';
import { ObservedState } from './observed-state';
import { problemsOf, register, warningsOf } from './pair-check';
import { pairKinds } from './pair-kinds';
import { complete, declaredMounts, pairModel } from './pair-model';
import { RemoteNode, deploy } from './remote/deploy';
import { FencingServer } from './remote/fencing';
import { encode, sha256 } from './remote/text';
import { resolved } from './remote/variables';
import { written } from './remote/written';
import { RemovalPolicy } from './removal-policy';

/**
 * Two servers as an active-passive pair of NGINX Instance Manager: keepalived, a virtual IP, shared NFS storage, and a lock on
 * the share that lets one of them serve at a time.
 *
 * Guide: "Configure high availability (HA) for NGINX Instance Manager". It works in any stack that has the providers `null` and `local`
 * (2.6.0 or later), and adds no provider, no output and nothing to the stack's `terraform` block.
 *
 * The constructor does not throw for wrong values: validation reports all of them together, at synth. What comes from other
 * resources is checked on the nodes, before anything is changed there.
 */
export class NimHaPair extends Construct implements ITerraformDependable {
  /** The server that begins as master. */
  public readonly primary: HaNode;
  /** The server that begins as backup. */
  public readonly secondary: HaNode;
  /** Done when both nodes are set up and one of them serves. For `dependsOn`; the pair itself works there, too. */
  public readonly ready: ITerraformDependable;

  constructor(scope: Construct, id: string, props: NimHaPairProps) {
    super(scope, id);
    const kinds = pairKinds(this, props);
    // From here on nothing is as it was given: a text where a yes or no belongs would be a yes.
    props = kinds.props;
    const given = pairModel(this, props);
    const model = complete(given);
    this.primary = HaNode._create(this, 'primary');
    this.secondary = HaNode._create(this, 'secondary');

    const deployment = deploy(this, {
      primary: this.prepare(this.primary, model, model.primary, props.primary, props),
      secondary: this.prepare(this.secondary, model, model.secondary, props.secondary, props),
      authPass: model.virtualIp.authPass,
      authPassVersion: props.virtualIp.authPassVersion,
      observe: props.observe ?? true,
      repairDrift: props.repairDrift ?? false,
      removal: props.removalPolicy ?? RemovalPolicy.RESTORE,
      decommission: props.decommission ?? false,
      dependsOn: (props.dependsOn ?? []).filter((each) => each != null),
      fencing: this.fencing(model, props.nfsShare.fencing),
      unobserved: ObservedState._unknown,
    });
    this.ready = deployment.ready;
    this.primary._deployed(this.ready, ObservedState._of(deployment.primary));
    this.secondary._deployed(this.ready, ObservedState._of(deployment.secondary));

    register(this, given, props);
    this.node.addValidation({ validate: () => problemsOf(this, kinds) });
    warningsOf(this, props, model).forEach((warning) => Annotations.of(this).addWarning(warning));
  }

  /** For `dependsOn`. */
  public get fqn(): string {
    return this.ready.fqn;
  }

  /**
   * Name of the node that holds the virtual IP; `both`; `none` where both say that they do not, or `unknown` where one that does not say it
   * may hold it: it was not reached, not asked, or has nothing of the pair that would know. A token.
   */
  public get activeNode(): string {
    const { primary, secondary } = this;
    const name = written((write) => {
      const says = (answer: boolean) => (node: HaNode) => `(${write(node.observed.value)}.holds_virtual_ip == ${answer})`;
      const [holds, holdsNot] = [says(true), says(false)];
      const both = (test: (node: HaNode) => string): string => `(${test(primary)} && ${test(secondary)})`;
      // In brackets, for it may become part of another expression.
      return (
        `(${both(holds)} ? "both" : ${holds(primary)} ? ${write(primary.declared.name)} : ` +
        `${holds(secondary)} ? ${write(secondary.declared.name)} : ${both(holdsNot)} ? "none" : "unknown")`
      );
    });
    return Token.asString(name);
  }

  private fencing({ nfs, ...pair }: PairModel, fencing: NfsFencing | undefined): FencingServer | undefined {
    if (!fencing || !nfs.fencing) return undefined;
    return { name: nfs.fencing.name, target: fencing._target(this, nfs.server), settings: renderFencingSettings({ ...pair, nfs }) };
  }

  private prepare(node: HaNode, pair: PairModel, model: NodeModel, props: NodeProps, { ssh }: NimHaPairProps): RemoteNode {
    const nodeData = renderNodeData(nodeDataEntries(pair, model, undefined, encode), encode);
    const fstab = renderFstab(pair);
    const files = Object.fromEntries(renderFiles(pair, model).map(({ path, text }) => [path, text]));
    node._describe({
      declared: DeclaredState._of({
        name: model.name,
        host: model.host,
        role: model.role,
        initial_vrrp_state: /^ *state (\w+)/m.exec(files['/etc/keepalived/keepalived.conf'])?.[1] ?? '',
        network_interface: model.networkInterface,
        virtual_ip: pair.virtualIp.address,
        virtual_router_id: pair.virtualIp.virtualRouterId,
        monitored_services: pair.services,
        mounts: declaredMounts(fstab),
        config_fingerprint: sha256(nodeData),
      }),
      files: () => resolved(this, { ...files, '/etc/fstab': fstab.map((line) => `${line}\n`).join('') }),
    });
    const login = (props.ssh ?? ssh)._completeLogin(this);
    const { host, port, hostKeys } = model;
    return { scope: node, nodeData, target: { host, port, hostKeys, login } };
  }
}
