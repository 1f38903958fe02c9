import { IResolvable, Token, Tokenization } from 'cdktf';
import { quoted } from './rules/rule';

// The compiler sees to the kinds of values where it is asked. Plain JavaScript, `any` and JSON ask nobody, and there a text "false" is a yes.

/** A value of another kind than the one that belongs there. What was got is in words: it may be a secret. */
export interface WrongKind {
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** What was given, as far as it can be worked with, and what cannot. */
interface Taken {
  /** Undefined where the kind is wrong: the constructor goes on as if nothing was given. */
  readonly value?: unknown;
  readonly wrong: WrongKind[];
}

/** Neither undefined nor null gets here. */
export type Kind = (value: unknown, path: string) => Taken;

/** A kind for each property: the compiler misses none. */
export type Kinds<T> = { [K in keyof Required<T>]: Kind };

const taken = (value: unknown): Taken => ({ value, wrong: [] });
const refused = (path: string, expected: string, got: string): Taken => ({ wrong: [{ path, expected, got }] });
const isResolvable = (value: unknown): value is IResolvable => typeof value === 'object' && !Array.isArray(value) && Tokenization.isResolvable(value);

/** What kind of value it is, and nothing of what is in it. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'a text';
  if (isResolvable(value)) return 'a token';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Of what has no secrets: `"false"`, with its quotes. */
const shown = (value: unknown): string => (typeof value === 'string' && !Token.isUnresolved(value) && value.length <= 40 ? quoted(value) : kindOf(value));

export const text: Kind = (value, path) => {
  if (typeof value === 'string') return taken(value);
  return isResolvable(value) ? taken(Token.asString(value)) : refused(path, 'a text', kindOf(value));
};

export const number: Kind = (value, path) => {
  if (typeof value === 'number') return taken(value);
  return isResolvable(value) ? taken(Token.asNumber(value)) : refused(path, 'a number', kindOf(value));
};

/** A token is neither: what is deployed at all depends on it, and that is decided before Terraform knows it. */
export const yesOrNo: Kind = (value, path) => (typeof value === 'boolean' ? taken(value) : refused(path, 'true or false, without quotes', shown(value)));

export const oneOf =
  (values: object): Kind =>
  (value, path) =>
    Object.values(values).includes(value) ? taken(value) : refused(path, Object.values(values).map((each) => JSON.stringify(each)).join(' or '), shown(value));

/** A kind that only the nodes look at, so that Terraform may be the one who knows. */
export const orToken =
  (kind: Kind): Kind =>
  (value, path) =>
    Token.isUnresolved(value) && !Array.isArray(value) ? text(value, path) : kind(value, path);

/** @param called with its article: `an SshAccess` */
export const instance =
  (of: unknown, called: string): Kind =>
  (value, path) =>
    value instanceof (of as new () => object) ? taken(value) : refused(path, called, kindOf(value));

/** The list is a copy: whose it was may go on with it. */
const list =
  (expected: string, element: Kind): Kind =>
  (value, path) => {
    if (!Array.isArray(value)) return refused(path, expected, kindOf(value));
    const elements = value.map((each, index) => (each == null ? taken(each) : element(each, `${path}[${index}]`)));
    const wrong = elements.flatMap((each) => each.wrong);
    return wrong.length > 0 ? { wrong } : taken(elements.map((each) => each.value));
  };

export const texts: Kind = (value, path) => {
  if (isResolvable(value)) return taken(Token.asList(value));
  // A list that is one token is told by its only element.
  return Token.isUnresolved(value) && Array.isArray(value) ? taken(value) : list('a list of texts', text)(value, path);
};

export const instances = (of: unknown, called: string): Kind => list(`a list, each ${called}`, instance(of, called));

/** What Terraform can wait for. It is not asked for its address: after that nobody could give it another one. */
export const dependables: Kind = list('a list of resources', (value, path) =>
  typeof value === 'object' && 'fqn' in (value as object) ? taken(value) : refused(path, 'a resource, a module, a pair or what else has an fqn', kindOf(value)),
);

/** Settings inside of settings. */
export const group =
  <T>(kinds: Kinds<T>): Kind =>
  (value, path) => {
    if (typeof value !== 'object' || Array.isArray(value) || isResolvable(value)) return refused(path, 'an object with settings', kindOf(value));
    const { props, wrong } = ofKinds(value as T, kinds, path);
    return { value: props, wrong };
  };

/** Settings with what is of its kind; undefined and null stay what they are, for a rule of its own. */
export function ofKinds<T>(given: T, kinds: Kinds<T>, path = ''): { props: T; wrong: WrongKind[] } {
  const entries = Object.entries<Kind>(kinds).map(([key, kind]) => {
    const value: unknown = (given as any)?.[key];
    return { key, ...(value == null ? taken(value) : kind(value, inside(path, key))) };
  });
  const props = Object.fromEntries(entries.map(({ key, value }) => [key, value]));
  return { props: props as T, wrong: entries.flatMap(({ wrong }) => wrong) };
}

/** The same, seen from outside. */
export const within = (path: string, wrong: WrongKind[]): WrongKind[] => wrong.map((each) => ({ ...each, path: inside(path, each.path) }));

function inside(path: string, key: string): string {
  return path === '' || key === '' ? path + key : `${path}.${key}`;
}

/** Whether one of the two paths is that of the other, or of something in it. */
export function overlap(a: string, b: string): boolean {
  const [outer, inner] = a.length < b.length ? [a, b] : [b, a];
  return inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}
