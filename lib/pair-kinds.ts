import { Construct } from 'constructs';
import { dependables, group, instance, instances, Kinds, ofKinds, oneOf, orToken, number, text, texts, within, WrongKind, yesOrNo } from './kinds';
import { KeepalivedProfile } from './keepalived-profile';
import { MonitoredService } from './monitored-service';
import { NfsShare, NfsShareProps } from './nfs-share';
import { NimHaPairProps, NodeProps } from './nim-ha-pair-props';
import { OperationMode } from './operation-mode';
import { RemovalPolicy } from './removal-policy';
import { SshAccess } from './ssh-access';
import { VirtualIp, VirtualIpProps } from './virtual-ip';

const SSH = instance(SshAccess, 'an SshAccess');
const NODE = group<NodeProps>({ host: text, networkInterface: text, hostKeys: texts, name: text, port: number, ssh: SSH });

const KINDS: Kinds<NimHaPairProps> = {
  primary: NODE,
  secondary: NODE,
  ssh: SSH,
  virtualIp: instance(VirtualIp, 'a VirtualIp'),
  nfsShare: instance(NfsShare, 'an NfsShare'),
  monitoredServices: instances(MonitoredService, 'a MonitoredService'),
  operationMode: orToken(oneOf(OperationMode)),
  profile: oneOf(KeepalivedProfile),
  installKeepalived: yesOrNo,
  takeOver: yesOrNo,
  observe: yesOrNo,
  repairDrift: yesOrNo,
  removalPolicy: oneOf(RemovalPolicy),
  decommission: yesOrNo,
  dependsOn: dependables,
  oidc: yesOrNo,
  forwardProxy: yesOrNo,
};

/** What a pair is made of when each value is of its kind, or is taken for not given. */
export interface PairKinds {
  readonly props: NimHaPairProps;
  readonly wrong: WrongKind[];
  /** Parts that a pair cannot be without, and is; there is something in their place in `props`. */
  readonly missing: Array<{ path: string; got: string }>;
}

export function pairKinds(scope: Construct, given: NimHaPairProps): PairKinds {
  const { props, wrong } = ofKinds(given, KINDS);
  const { primary, secondary, ssh, virtualIp, nfsShare, monitoredServices } = props;
  const inParts = Object.entries({ ssh, 'primary.ssh': primary?.ssh, 'secondary.ssh': secondary?.ssh, virtualIp, nfsShare }).flatMap(([path, part]) => within(path, part?._wrong ?? []));
  const inServices = (monitoredServices ?? []).flatMap((service, index) => within(`monitoredServices[${index}]`, service?._wrong ?? []));
  return {
    props: {
      ...props,
      primary: primary ?? ({} as NodeProps),
      secondary: secondary ?? ({} as NodeProps),
      ssh: ssh ?? SshAccess._none,
      virtualIp: virtualIp ?? new VirtualIp(scope, 'no-virtual-ip', {} as VirtualIpProps),
      nfsShare: nfsShare ?? new NfsShare(scope, 'no-nfs-share', {} as NfsShareProps),
    },
    wrong: [...wrong, ...inParts, ...inServices],
    missing: (['primary', 'secondary', 'ssh', 'virtualIp', 'nfsShare'] as const)
      .filter((path) => given?.[path] == null)
      .map((path) => ({ path, got: String(given?.[path]) })),
  };
}
