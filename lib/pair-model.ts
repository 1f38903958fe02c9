import { Fn, Token } from 'cdktf';
import { IConstruct } from 'constructs';
import { FencingModel, MOUNTS, NodeModel, PairModel } from './config/model';
import { list, text } from './given';
import { MonitoredService } from './monitored-service';
import { NimHaPairProps, NodeProps } from './nim-ha-pair-props';
import { KeepalivedProfile } from './keepalived-profile';
import { numberText } from './remote/number-text';
import { lines } from './remote/text';

/** What the program wrote, as the plain values that rules work on. Tokens stay in it, and what was not given is undefined, whatever its type says. */
export function pairModel(scope: IConstruct, props: NimHaPairProps): PairModel {
  const { virtualIp, nfsShare } = props;
  const [primary, secondary] = [nodeModel('primary', props.primary), nodeModel('secondary', props.secondary)];
  return {
    primary,
    secondary,
    virtualIp: {
      address: virtualIp.address,
      virtualRouterId: printable(virtualIp.virtualRouterId),
      authPass: virtualIp.authPass,
      segment: virtualIp.segment,
    },
    nfs: {
      server: nfsShare.server,
      exportPath: nfsShare.exportPath,
      mountOptions: joinable(nfsShare.mountOptions, ','),
      fstabOptions: nfsShare.fstabOptions,
      fencing: nfsShare.fencing && fencingModel(nfsShare.fencing._model(scope, nfsShare.server, primary, secondary)),
    },
    services: (props.monitoredServices ?? MonitoredService.guide()).map((service) => service?.name),
    profile: props.profile ?? KeepalivedProfile.GUIDE,
    operationMode: props.operationMode ?? undefined,
    installKeepalived: props.installKeepalived ?? true,
    takeOver: props.takeOver ?? false,
    oidc: props.oidc ?? false,
    forwardProxy: props.forwardProxy ?? false,
  };
}

/** What can be rendered: an empty text, or an empty list, in place of each that was not given. */
export function complete(model: PairModel): PairModel {
  const node = (given: NodeModel): NodeModel => ({ ...given, host: text(given.host), networkInterface: text(given.networkInterface), hostKeys: list(given.hostKeys) });
  const { primary, secondary, virtualIp, nfs } = model;
  return {
    ...model,
    primary: node(primary),
    secondary: node(secondary),
    virtualIp: { ...virtualIp, address: text(virtualIp.address), authPass: text(virtualIp.authPass) },
    nfs: { ...nfs, server: text(nfs.server), fencing: nfs.fencing && completeFencing(nfs.fencing) },
    services: list(model.services),
  };
}

function completeFencing(model: FencingModel): FencingModel {
  const { host, hostKeys, primaryAddresses, secondaryAddresses, primaryHostKeys, secondaryHostKeys } = model;
  return {
    ...model,
    host: text(host),
    hostKeys: list(hostKeys),
    primaryAddresses: list(primaryAddresses),
    secondaryAddresses: list(secondaryAddresses),
    primaryHostKeys: list(primaryHostKeys),
    secondaryHostKeys: list(secondaryHostKeys),
  };
}

function nodeModel(role: NodeModel['role'], props: NodeProps): NodeModel {
  const { name, host, port, networkInterface, hostKeys } = props;
  return { name: name ?? role, role, host, port: port ?? 22, networkInterface, hostKeys };
}

function fencingModel(model: FencingModel): FencingModel {
  return {
    ...model,
    port: printable(model.port),
    nodePort: printable(model.nodePort),
    hostKeys: joinable(model.hostKeys, '\n'),
    exportOptions: joinable(model.exportOptions, ','),
    primaryAddresses: joinable(model.primaryAddresses, ' '),
    secondaryAddresses: joinable(model.secondaryAddresses, ' '),
    primaryHostKeys: joinable(model.primaryHostKeys, ','),
    secondaryHostKeys: joinable(model.secondaryHostKeys, ','),
  };
}

/** A list that is one token can only be joined by Terraform; as one element it then is what joining makes of it. */
function joinable(values: string[], separator: string): string[] {
  return Token.isUnresolved(values) ? [separator === '\n' ? lines(values) : Fn.join(separator, values)] : values;
}

/** Mount point -> source, as declared. */
export function declaredMounts(fstab: string[]): { [path: string]: string } {
  return Object.fromEntries(Object.values(MOUNTS).map((path, index) => [path, fstab[index].split(' ')[0]]));
}

/** Every token in a value, at any depth, becomes undefined: what only Terraform knows is judged on the node. So does what was not given. */
export function known(value: unknown): unknown {
  if (value === null || Token.isUnresolved(value)) {
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.map(known);
  }
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, known(inner)]));
  }
  return value;
}

/** A number that is a token would be rendered as the odd number that cdktf hides it in; its text is rendered rightly. */
function printable(value: number): number {
  return Token.isUnresolved(value) ? (numberText(value) as unknown as number) : value;
}
