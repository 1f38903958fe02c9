import fc from 'fast-check';

/** How many cases, where nothing else is said. */
const CASES = 10_000;

/** Where cases need processes: one in so many of them. `npm run test:properties` makes them all, and takes its time. */
export const oneIn = (part: number): number => (process.env.NIM_HA_ALL_CASES ? CASES : Math.ceil(CASES / part));

/** Printed, and set by NIM_HA_SEED to run a failure again: all cases follow from it. */
const seed = Number(process.env.NIM_HA_SEED ?? Math.floor(Math.random() * 2 ** 31));

jest.setTimeout(900_000);

function announce(name: string, cases: number): void {
  // Not by console.log: jest puts a stack trace beside each of its lines.
  process.stdout.write(`property ${name}: ${cases} cases, NIM_HA_SEED=${seed}\n`);
}

/** `check` throws for no value. A failure is made as small as it goes, and shown with the seed. */
export function holds<T>(name: string, values: fc.Arbitrary<T>, check: (value: T) => void, cases = CASES): void {
  announce(name, cases);
  fc.assert(fc.property(values, check), { seed, numRuns: cases });
}

/** Values for what takes many at once: a process for each case would take minutes. */
export function sample<T>(name: string, values: fc.Arbitrary<T>, cases = CASES): T[] {
  announce(name, cases);
  return fc.sample(values, { seed, numRuns: cases });
}

/** For within a property: `expect` costs more than all of the rest, ten thousand times over. */
export function must(ok: boolean, what: string, value: unknown): void {
  if (!ok) throw new Error(`${what}: ${JSON.stringify(value)}`);
}

/** The few that are wrong, not an assertion for each of thousands. */
export function wrong<T>(values: T[], isWrong: (value: T, index: number) => boolean): T[] {
  return values.filter(isWrong).slice(0, 3);
}

/** What means something to one of those that a string passes through. */
const FRAGMENTS = [
  // a shell
  '$(touch pwned)', '`touch pwned`', '; touch pwned;', "'; touch pwned; '", '"; touch pwned; "', '$HOME', '${HOME}', '&', '|', '>pwned', '*', '~/', '!', "'", '"', '\\',
  'a[$(touch pwned)]', '-e', '-oProxyCommand=reboot',
  // Terraform's templates, and the tokens of cdktf
  '${file("/etc/passwd")}', '%{ if true }', '%{', '${', '$${', '%%{', '${TfToken[TOKEN.0]}', '#{TfToken[TOKEN.0]}',
  // keepalived, fstab, systemd, YAML, JSON, known_hosts
  '}\nglobal_defs {\n', '#', '!', '{', '}', '<AUTH_PASSWORD>', 'include /etc/passwd', '$var', '@node', '0 0\n/dev/sda / ext4 defaults', '\\040', '\\012', ',', '=', ':', ': ', '- ',
  '%i', '[Service]\nExecStart=/bin/false', '"}', '@cert-authority *', '/../', '..', '/', '//', '@', '://',
  // line ends, and what a terminal acts on or does not show
  '\n', '\r', '\r\n', '\t', ' ', '\0', '\u001b[2J', '\u007f', '\u009b31m', '\u0085', '\u2028', '\u202e', '\u200b', '\ufeff', '\ud800', 'é', '😀',
  // JavaScript
  '__proto__', 'constructor', 'a'.repeat(300),
];

const fragment = fc.constantFrom(...FRAGMENTS);

/** One of the values that are meant to pass, the same with something put into it, or anything. */
export function hostile(...valid: string[]): fc.Arbitrary<string> {
  const base = fc.constantFrom(...valid);
  const spoilt = fc.tuple(base, fragment, fc.double({ min: 0, max: 1, noNaN: true })).map(([text, other, where]) => {
    const at = Math.round(where * text.length);
    return text.slice(0, at) + other + text.slice(at);
  });
  return fc.oneof(
    { arbitrary: base, weight: 4 },
    { arbitrary: spoilt, weight: 4 },
    { arbitrary: fc.array(fragment, { maxLength: 4 }).map((parts) => parts.join('')), weight: 1 },
    { arbitrary: fc.string({ unit: 'binary', maxLength: 20 }), weight: 1 },
    { arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 20 }), weight: 2 },
  );
}

/** Nothing in it that a terminal or a log acts on or hides: each of these characters is to be seen as an escape. */
export const UNREADABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
