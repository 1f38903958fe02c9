import { RuleInput } from '../../lib/rules/rule';
import { guidePair } from '../config/pairs';

/** What a test changes in a pair that is well; a list replaces the whole list. */
export type Change = RuleInput;

/** Both sides of one rule: changes that it lets pass, and changes with every message that they lead to. */
export interface Row {
  passes: Change[];
  fails: Array<[Change, ...string[]]>;
}

export type Rows = Record<string, Row>;

export const OTHER_KEY =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEgvXuwrNJZjKk8fjl8H2Rhm9Il0z5S5ulTNIYozi19MimhQI4f9o6XRz7pe5yNcSwiJ4niOa9W0+EssNTfOM9c=';

/** A pair in which nothing is wrong, with the change. */
export function changed(change: Change): RuleInput {
  return merge(
    { ...guidePair(), ssh: { hostKeyChecking: true, timeoutText: '5m' }, siblings: [] },
    change,
  ) as RuleInput;
}

function merge(base: unknown, change: unknown): unknown {
  if (!isObject(base) || !isObject(change)) return change;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) merged[key] = merge(base[key], value);
  return merged;
}

/** The change with every value in it a token: an element of a list, or the list. */
export function asTokens(value: unknown, listsToo: boolean): unknown {
  if (Array.isArray(value))
    return listsToo && !value.some(isObject) ? undefined : value.map((element) => asTokens(element, listsToo));
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asTokens(inner, listsToo)]));
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
