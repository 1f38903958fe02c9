import { readFileSync } from 'fs';
import { scan } from './json-scan';
import { visible } from './visible';

/** The text of the file that an environment variable names. */
export function textOf(variable: string, file: string): string {
  const named = JSON.stringify(file);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const advice: { [code: string]: string } = {
      ENOENT: `there is no file ${named}; a relative path starts at ${process.cwd()}`,
      EISDIR: `${named} is a directory; name the JSON file in it`,
      EACCES: `the file ${named} cannot be read (permission denied); let the user who runs this read it`,
    };
    throw new Error(visible(`${variable}: ${advice[code === 'ENOTDIR' ? 'ENOENT' : code] ?? `the file ${named} cannot be read: ${message}; name another one, or mend this`}`));
  }
}

/**
 * What the text says, and a problem for each key that an object has twice. Of two pairs with one name JSON.parse takes the last, without
 * a word: the stack of the first would get the machines of the second.
 */
export function parsed(file: string, text: string): { value: unknown; repeated: string[] } {
  // Editors of some systems begin a file with a mark that is not shown.
  const json = text.replace(/^\uFEFF/, '');
  const { wrong, repeated } = scan(json);
  if (wrong) {
    const column = wrong.at - json.lastIndexOf('\n', wrong.at - 1);
    throw new Error(`${file}: line ${lineOf(json, wrong.at)}, column ${column}: not valid JSON: expected ${wrong.expected}, got ${visible(found(json, wrong))}`);
  }
  return {
    value: JSON.parse(json),
    repeated: repeated.map(({ at, first, path }) => `${path.join('.')}: the same key twice, on line ${lineOf(json, first)} and on line ${lineOf(json, at)}; rename one of them, or take it out`),
  };
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

/** No more of the text than a character: what is not where it belongs may be a secret. */
function found(text: string, { at, token }: { at: number; token: string }): string {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (at >= text.length) return 'the end of the file';
  if (character === '"' && token === '') return 'a text that does not end on its line, or has a tab or an unknown backslash in it';
  if (character === '/') return 'a "/"; there are no comments in JSON';
  if (character === '\uFFFD') return 'a byte that is not UTF-8; save the file as UTF-8';
  return token === '' ? `${JSON.stringify(character)}; text stands in double quotes` : JSON.stringify(character);
}
