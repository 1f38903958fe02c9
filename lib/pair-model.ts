import { Fn, Token } from 'cdktf';
import { MOUNTS, NodeModel, PairModel } from './config/model';
import { MonitoredService } from './monitored-service';
import { NimHaPairProps, NodeProps } from './nim-ha-pair-props';
import { KeepalivedProfile } from './keepalived-profile';
import { numberText } from './remote/number-text';

/** What the program wrote, as the plain values that renderers and rules work on. Tokens stay in it. */
export function pairModel(props: NimHaPairProps): PairModel {
  const { virtualIp, nfsShare } = props;
  return {
    primary: nodeModel('primary', props.primary),
    secondary: nodeModel('secondary', props.secondary),
    virtualIp: {
      address: virtualIp.address,
      virtualRouterId: printable(virtualIp.virtualRouterId),
      authPass: virtualIp.authPass,
      segment: virtualIp.segment,
    },
    nfs: {
      server: nfsShare.server,
      exportPath: nfsShare.exportPath,
      // A list that is one token can only be joined by Terraform; as one element it then is what joining makes of it.
      mountOptions: Token.isUnresolved(nfsShare.mountOptions) ? [Fn.join(',', nfsShare.mountOptions)] : nfsShare.mountOptions,
      fstabOptions: nfsShare.fstabOptions,
    },
    services: (props.monitoredServices ?? MonitoredService.guide()).map(({ name }) => name),
    profile: props.profile ?? KeepalivedProfile.GUIDE,
    operationMode: props.operationMode,
    installKeepalived: props.installKeepalived ?? true,
    oidc: props.oidc ?? false,
    forwardProxy: props.forwardProxy ?? false,
  };
}

function nodeModel(role: NodeModel['role'], props: NodeProps): NodeModel {
  const { name = role, host, port = 22, networkInterface, hostKeys } = props;
  return { name, role, host, port, networkInterface, hostKeys };
}

/** Mount point -> source, as declared. */
export function declaredMounts(fstab: string[]): { [path: string]: string } {
  return Object.fromEntries(Object.values(MOUNTS).map((path, index) => [path, fstab[index].split(' ')[0]]));
}

/** Every token in a value, at any depth, becomes undefined: what only Terraform knows is judged on the node. */
export function known(value: unknown): unknown {
  if (Token.isUnresolved(value)) {
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.map(known);
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, known(inner)]));
  }
  return value;
}

/** A number that is a token would be rendered as the odd number that cdktf hides it in; its text is rendered rightly. */
function printable(value: number): number {
  return Token.isUnresolved(value) ? (numberText(value) as unknown as number) : value;
}
