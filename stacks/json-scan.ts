/** What JSON.parse keeps to itself, or tells of some mistakes only: where a text stops being JSON, and which keys one object has twice. */
export interface JsonScan {
  /** The first place that is no JSON; without a token where nothing there is one. */
  readonly wrong?: { readonly at: number; readonly token: string; readonly expected: string };
  /** A key that its object has already, the keys that lead to it, and where the first one is. */
  readonly repeated: Array<{ readonly at: number; readonly first: number; readonly path: string[] }>;
}

const SPACE = /[ \t\r\n]*/y;
const TOKEN = /[{}[\],:]|"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Goes over the text once, token by token. */
export function scan(text: string): JsonScan {
  const repeated: Array<JsonScan['repeated'][number]> = [];
  let at = 0;

  /** The next token, which stays where it is until it is taken. */
  const next = (): string => {
    SPACE.lastIndex = at;
    TOKEN.lastIndex = at += SPACE.exec(text)![0].length;
    return TOKEN.exec(text)?.[0] ?? '';
  };
  const take = (fits: (token: string) => boolean, expected: string): string => {
    const token = next();
    if (!fits(token)) throw new NoJson({ at, token, expected });
    at += token.length;
    return token;
  };
  const items = (end: string, item: () => void): void => {
    if (next() === end) {
      at += 1;
      return;
    }
    do item();
    while (take((token) => token === ',' || token === end, `"," or "${end}"`) === ',');
  };
  const member = (path: string[], places: Map<string, number>): void => {
    next();
    const place = at;
    const key: string = JSON.parse(take((token) => token.startsWith('"'), 'a key in double quotes'));
    const first = places.get(key);
    if (first === undefined) places.set(key, place);
    else repeated.push({ at: place, first, path: [...path, key] });
    take((token) => token === ':', '":"');
    value([...path, key]);
  };
  const value = (path: string[]): void => {
    const token = take((each) => !['', '}', ']', ',', ':'].includes(each), 'a value');
    const places = new Map<string, number>();
    let index = 0;
    if (token === '{') items('}', () => member(path, places));
    if (token === '[') items(']', () => value([...path, String(index++)]));
  };

  try {
    value([]);
    take((token) => token === '' && at === text.length, 'the end of the file');
    return { repeated };
  } catch (error) {
    if (!(error instanceof NoJson)) throw error;
    return { wrong: error.wrong, repeated };
  }
}

class NoJson extends Error {
  constructor(readonly wrong: NonNullable<JsonScan['wrong']>) {
    super(wrong.expected);
  }
}
