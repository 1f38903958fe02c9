import { NodeModel, PairModel } from '../config/model';

/** What a rule sees of T: a value that is a token is undefined, at any depth, and what is undefined is not judged. */
export type Known<T> =
  T extends Array<infer E> ? Array<Known<E> | undefined> : T extends object ? { [K in keyof T]?: Known<T[K]> } : T;

export interface SshInput {
  /** False where host keys are switched off by name. */
  hostKeyChecking?: boolean;
  /** The time limit of a connection as Terraform gets it: `5m`. */
  timeoutText?: string;
  user?: string;
  /** Paths of private keys: for Terraform, and for the OpenSSH client. */
  keyFiles?: string[];
  /** Names of the environment variables from which the OpenSSH client takes a key or a password. */
  environment?: string[];
  /** What tells the bastion from others: its host, and of a token where it comes from. */
  via?: string;
  bastion?: { host?: string; port?: number; user?: string; hostKeys?: Array<string | undefined> };
}

/** A node; `ssh` where it overrides the pair's. */
export type NodeInput = Known<NodeModel> & { ssh?: SshInput };

/** Another pair of the same program, as far as two pairs can harm each other. */
export interface Sibling {
  /** Construct path. */
  path: string;
  segment?: string;
  /** Whether the program names one, known here or not. */
  namesSegment?: boolean;
  virtualRouterId?: number;
  /** With or without its prefix. */
  virtualIp?: string;
  /** `via`: the bastion, whose network gives an address its meaning. */
  nodes?: Array<{ host?: string; port?: number; via?: string }>;
  nfs?: { server?: string; exportPath?: string; fencingName?: string };
}

/** A pair as the rules judge it. */
export interface RuleInput extends Omit<Known<PairModel>, 'primary' | 'secondary'> {
  primary?: NodeInput;
  secondary?: NodeInput;
  ssh?: SshInput;
  /** How the deploy logs in to the NFS server. */
  fencingSsh?: SshInput;
  siblings?: Sibling[];
  /** What the program had to give and has not: the path, and what is there instead, in words. */
  notGiven?: Array<{ path: string; got: string }>;
  /** What is of another kind than it has to be; `got` is its kind, in words. */
  wrongKind?: Array<{ path: string; expected: string; got: string }>;
  /** Construct paths that `node.addDependency` of the pair, or of a part of it, was given. */
  addedDependencies?: Array<string | undefined>;
  /** Whether cdktf writes HCL in place of JSON. */
  hclOutput?: boolean;
}

export interface Rule {
  /** `topic/name`; contract, like a linter's: people search for it. */
  id: string;
  /** What is demanded, in one sentence, for the documentation. */
  summary: string;
  /** The guide's heading, where the guide demands it. */
  guide?: string;
  /** One message per thing that is wrong, none where all is well or not known. Never throws. */
  check(input: RuleInput): string[];
}

/** The form of every message. `path` is what the user typed; a secret must not be in `got`. */
export function problem(path: string, demand: string, got: string | number, todo: string): string {
  return `${path}: ${demand}, got ${got}; ${todo}`;
}

/** What a node, and a pair on its NFS server, may be called: it becomes part of a file's name. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** @param sshd in words: `the sshd there` */
export function portProblem(path: string, port: number | undefined, sshd: string): string | undefined {
  if (port === undefined || (Number.isInteger(port) && port >= 1 && port <= 65535)) return undefined;
  return problem(path, 'must be a whole number from 1 to 65535', port, `give the port of ${sshd}, usually 22`);
}

/** A value in a message; what a terminal would act on, or not show, becomes visible. JSON itself lets most of it through. */
export const quoted = (text: string): string => JSON.stringify(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);

function escaped(character: string): string {
  return [...Array(character.length).keys()].map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`).join('');
}

export interface NamedNode {
  path: 'primary' | 'secondary';
  node: NodeInput;
}

export function nodesOf(input: RuleInput): NamedNode[] {
  return [
    { path: 'primary', node: input.primary ?? {} },
    { path: 'secondary', node: input.secondary ?? {} },
  ];
}

/** A rule about one value that both nodes have. */
export function perNode(
  rule: Omit<Rule, 'check'>,
  check: (node: NodeInput, path: string, input: RuleInput) => string | undefined,
): Rule {
  return { ...rule, check: (input) => present(nodesOf(input).map(({ node, path }) => check(node, path, input))) };
}

export function present<T>(values: Array<T | undefined>): T[] {
  return values.filter((value): value is T => value !== undefined);
}
