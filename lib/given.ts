import { Token } from 'cdktf';

// Whatever the types say, an environment variable that is not set is undefined. Constructors go on with nothing in its place, and validation
// says where it is missing, together with all else.

/** A text as it was given, an empty one where none was. */
export function text(value: string): string {
  return value ?? '';
}

/** A list as it was given, an empty one where none was. */
export function list(values: string[]): string[] {
  return Token.isUnresolved(values) ? values : (values ?? []).map(text);
}

/** Where an empty text is as good as none, and no other rule says so. */
const NEVER_EMPTY = ['privateKey', 'path', 'password', 'sudoPassword', 'observeWith'];

/** The paths of all that was to be there and is not, at any depth, with what is there instead. */
export function notGiven(value: unknown, path = ''): Array<{ path: string; got: string }> {
  if (Token.isUnresolved(value)) return [];
  if (Array.isArray(value)) return value.flatMap((element, index) => notGiven(element, `${path}[${index}]`));
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).flatMap(([key, inner]) => notGiven(inner, path === '' ? key : `${path}.${key}`));
  }
  if (value === undefined || value === null) return [{ path, got: String(value) }];
  return value === '' && NEVER_EMPTY.some((name) => path.endsWith(`.${name}`)) ? [{ path, got: 'an empty text' }] : [];
}
