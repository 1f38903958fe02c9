import { TerraformStack, Token } from 'cdktf';
import { IConstruct } from 'constructs';
import { NodeModel, PairModel } from './config/model';
import { notGiven } from './given';
import { overlap, WrongKind } from './kinds';
import { NimHaPairProps, NodeProps } from './nim-ha-pair-props';
import { PairKinds } from './pair-kinds';
import { known } from './pair-model';
import { isNoticed } from './remote/digest';
import { resolved } from './remote/variables';
import { present, RuleInput, Sibling, SshInput } from './rules/rule';
import { checkAll } from './rules';
import { inOneSegmentOrNot } from './rules/siblings';
import { SshAccess } from './ssh-access';

/** A pair as the rules see it, without its tokens. */
interface KnownPair {
  readonly plain: RuleInput;
  readonly sibling: Sibling;
  /** Of a segment that is a token: in another one the same text may stand for something else. */
  readonly segmentIsOf?: TerraformStack;
}

/** All pairs of a program, by its root: two pairs can harm each other. */
const programs = new WeakMap<IConstruct, Map<IConstruct, KnownPair>>();

/** Makes a pair known to the others of its program. */
export function register(scope: IConstruct, model: PairModel, props: NimHaPairProps): void {
  const { root } = scope.node;
  const pairs = programs.get(root) ?? new Map<IConstruct, KnownPair>();
  programs.set(root, pairs.set(scope, knownPair(scope, model, props)));
}

function knownPair(scope: IConstruct, model: PairModel, props: NimHaPairProps): KnownPair {
  const plain = known(model) as RuleInput;
  // A segment is only compared, so a token serves as well as a name, as far as its stack goes.
  const segment = model.virtualIp.segment && resolved(scope, model.virtualIp.segment);
  const segmentIsOf = Token.isUnresolved(model.virtualIp.segment) ? TerraformStack.of(scope) : undefined;
  const { primary, secondary, virtualIp, nfs } = plain;
  return {
    plain: { ...plain, virtualIp: { ...virtualIp, segment } },
    segmentIsOf,
    sibling: {
      path: scope.node.path,
      segment,
      namesSegment: model.virtualIp.segment != null,
      virtualRouterId: virtualIp?.virtualRouterId,
      virtualIp: virtualIp?.address,
      nodes: Object.entries({ primary, secondary }).map(([role, node]) => {
        const login = props[role as NodeModel['role']].ssh ?? props.ssh;
        return { host: node?.host, port: node?.port, via: login && sshInput(scope, login).via };
      }),
      nfs: { server: nfs?.server, exportPath: nfs?.exportPath, fencingName: nfs?.fencing?.name },
    },
  };
}

function seenFrom(scope: IConstruct, { sibling, segmentIsOf }: KnownPair): Sibling {
  return segmentIsOf && segmentIsOf !== TerraformStack.of(scope) ? { ...sibling, segment: undefined } : sibling;
}

/** Everything that is wrong with a pair, one message each. */
export function problemsOf(scope: IConstruct, { props, wrong, missing }: PairKinds): string[] {
  const input: RuleInput = {
    ...inputOf(scope, props),
    notGiven: missingOf(props, missing, wrong),
    wrongKind: wrong,
    addedDependencies: addedDependencies(scope, props),
    // As cdktf asks for it.
    hclOutput: ['true', '1'].includes(process.env.SYNTH_HCL_OUTPUT ?? ''),
  };
  return checkAll(input).map(({ message }) => message);
}

/** Paths of what somebody has had a part of the pair wait for in the way of other frameworks, at which cdktf does not look. */
function addedDependencies(scope: IConstruct, { virtualIp, nfsShare }: NimHaPairProps): string[] {
  const parts = [...scope.node.findAll(), virtualIp, nfsShare];
  return [...new Set(parts.flatMap(({ node }) => node.dependencies).map(({ node }) => node.path))];
}

function inputOf(scope: IConstruct, { primary, secondary, ssh, nfsShare }: NimHaPairProps): RuleInput {
  const pairs = programs.get(scope.node.root)!;
  const { plain } = pairs.get(scope)!;
  return {
    ...plain,
    primary: { ...plain.primary, ssh: primary.ssh && sshInput(scope, primary.ssh) },
    secondary: { ...plain.secondary, ssh: secondary.ssh && sshInput(scope, secondary.ssh) },
    ssh: sshInput(scope, ssh),
    fencingSsh: nfsShare.fencing && sshInput(scope, nfsShare.fencing._ssh),
    siblings: [...pairs].filter(([other]) => other !== scope).map(([, other]) => seenFrom(scope, other)),
  };
}

/** Said once: what is in a part that is not there is not there either, and what is of another kind was given. */
function missingOf(props: NimHaPairProps, parts: PairKinds['missing'], wrong: WrongKind[]): PairKinds['missing'] {
  const said = [...parts, ...wrong].map(({ path }) => path);
  return [...parts, ...notGiven(requiredOf(props)).filter(({ path }) => !said.some((other) => overlap(path, other)))];
}

/** The texts that a program has to give, in the places where it gives them. */
function requiredOf({ primary, secondary, ssh, virtualIp, nfsShare, monitoredServices, dependsOn }: NimHaPairProps): object {
  const ofNode = ({ host, networkInterface, hostKeys, ssh: own }: NodeProps): object => ({ host, networkInterface, hostKeys, ...(own && { ssh: own._required }) });
  const { server, mountOptions, fencing } = nfsShare;
  return {
    primary: ofNode(primary),
    secondary: ofNode(secondary),
    ssh: ssh._required,
    virtualIp: { address: virtualIp.address, authPass: virtualIp.authPass },
    nfsShare: { server, mountOptions, ...(fencing && { fencing: fencing._required }) },
    monitoredServices: (monitoredServices ?? []).map((service) => service?.name),
    dependsOn: (dependsOn ?? []).map((each) => each && ''),
  };
}

/** What is allowed and probably not meant. */
export function warningsOf(scope: IConstruct, props: NimHaPairProps, model: PairModel): string[] {
  const { primary, secondary, ssh, virtualIp, nfsShare } = props;
  // Of two pairs the second one says it: the first does not know of it yet.
  const warnings = inOneSegmentOrNot(inputOf(scope, props)).map(
    ({ path, both }) =>
      `${scope.node.path} and ${path} both have ${both}, and not both say which segment they are on; give each its virtualIp.segment, and on one segment a virtualRouterId and a virtual IP of its own [segment/not-said]`,
  );
  if (!Token.isUnresolved(virtualIp.authPass)) {
    // One that was not given is an error.
    if (model.virtualIp.authPass !== '') warnings.push('virtualIp.authPass is a literal and ends up in cdktf.out; give a sensitive Terraform variable [vip/auth-pass-literal]');
  } else if (!virtualIp.authPassVersion && !isNoticed(scope, virtualIp.authPass, (primary.ssh ?? ssh)._login(scope))) {
    warnings.push('a change of virtualIp.authPass cannot be noticed here; give virtualIp.authPassVersion as well [vip/auth-pass-version]');
  }
  const noEcdsa = (path: string, login: SshAccess, keys: string[]): void => {
    if (!login._login(scope).verifyHostKeys || keys.length === 0 || keys.some((key) => Token.isUnresolved(key) || key.includes('ecdsa-'))) return;
    // It would be taken for an impostor, and tried again until the timeout.
    warnings.push(`${path}.hostKeys has no ECDSA key; if the machine has one, Terraform asks for it and refuses what it then gets [ssh/host-key-ecdsa]`);
  };
  noEcdsa('primary', primary.ssh ?? ssh, model.primary.hostKeys);
  noEcdsa('secondary', secondary.ssh ?? ssh, model.secondary.hostKeys);
  const fencing = nfsShare.fencing;
  if (fencing) noEcdsa('nfsShare.fencing', fencing._ssh, fencing._target(scope, nfsShare.server).hostKeys);
  const logins = Object.entries({ ssh, 'primary.ssh': primary.ssh, 'secondary.ssh': secondary.ssh, 'nfsShare.fencing.ssh': fencing?._ssh });
  for (const [path, login] of logins) {
    if (!login) continue;
    noEcdsa(`${path}.bastion`, login, login._completeLogin(scope).bastion?.hostKeys ?? []);
    const relative = login._relativeKeyFile;
    if (relative) {
      warnings.push(`${path}.path ${JSON.stringify(relative)} is absolute in the state, and found by a destroy from this directory only; give one that is absolute or begins with "~/" [ssh/key-file-directory]`);
    }
    for (const secret of login._literalSecrets) {
      warnings.push(`${path}.${secret} is a literal and ends up in cdktf.out; give a sensitive Terraform variable [ssh/secret-literal]`);
    }
    const { sudoPassword, sudoPasswordEnv, privateKey, password, openSsh } = login._login(scope);
    if (sudoPassword && !sudoPasswordEnv) {
      warnings.push(`${path}.sudoPassword is no Terraform variable, so where sudo asks for it no state can be read, no drift found by repairDrift and no pair removed; give a variable that is set as TF_VAR_... [ssh/sudo-password-not-variable]`);
    }
    // What was not given, or is of another kind, is an error.
    if (login._wrong.length > 0 || !(privateKey || password) || Object.values(openSsh ?? {}).some(Boolean)) continue;
    warnings.push(`${path}: its key or password is no Terraform variable, so no state can be read with it, no drift found by repairDrift and no pair removed; give observeWith as well [ssh/observe-with-missing]`);
  }
  return warnings;
}

/** Two tokens are of one bastion where they say the same in the same stack. No host has a space in it, so a literal is never taken for a token. */
function viaText(scope: IConstruct, host: string): string {
  return Token.isUnresolved(host) ? `${TerraformStack.of(scope).node.path} ${resolved(scope, host)}` : host;
}

function sshInput(scope: IConstruct, ssh: SshAccess): SshInput {
  const { verifyHostKeys, timeout, user, privateKeyFile, openSsh, sudoPasswordEnv, bastion } = ssh._login(scope);
  const { keyEnv, passwordEnv, keyFile } = openSsh ?? {};
  const plain = known({ timeoutText: timeout, user, bastion }) as SshInput;
  const via = bastion && viaText(scope, bastion.host);
  const texts = (values: Array<string | undefined>): string[] => present(known([...new Set(values)]) as Array<string | undefined>);
  return { ...plain, via, hostKeyChecking: verifyHostKeys, keyFiles: texts([privateKeyFile, keyFile]), environment: texts([keyEnv, passwordEnv, sudoPasswordEnv]) };
}
