/** A message of a step, taken apart: scripts/report.sh has the form. */
export interface Message {
  readonly node: string;
  readonly step: string;
  readonly id: string;
  /** What, got, expected, and what to do. */
  readonly text: string;
}

const FAILED = /^nim-ha (\S+): ([^:]+): FAILED \[([a-z0-9]+\/[a-z0-9-]+)\]: (.+, got .+, expected .+; .+)$/;
const CHANGED = /^nim-ha \S+: [^:]+: changed so far: (.*)$/;

export interface Report {
  readonly messages: Message[];
  /** What the step says it has changed; undefined where it does not say. */
  readonly changed?: string[];
}

/** Throws for a line that is meant to be a message and has another form. */
export function readReport(out: string): Report {
  const lines = out.split('\n');
  const messages = lines
    .filter((line) => /FAILED|SKIPPED/.test(line))
    .map((line) => {
      const parts = FAILED.exec(line.replace('SKIPPED', 'FAILED'));
      if (!parts) throw new Error(`not the form of a message: ${line}`);
      const [, node, step, id, text] = parts;
      return { node, step, id, text };
    });
  const [said, ...more] = lines.flatMap((line) => CHANGED.exec(line)?.slice(1) ?? []);
  if (more.length > 0) throw new Error(`said twice what is changed: ${said} and ${more}`);
  return { messages, changed: said === 'nothing' ? [] : said?.split('; ') };
}

/** The longest line that a person is to read; a list of what was changed is one of many, and may be longer. */
const LONGEST = 500;
const LONGEST_LIST = 1500;

/** What no output may hold, however the step ended. */
const NEVER: Array<[what: string, form: RegExp]> = [
  ['a stack trace', /^\s+at .+:\d+/m],
  ['an error of the shell', /\.sh: line \d+: |unbound variable|command not found|syntax error/],
  ['undefined', /undefined|\[object|\bNaN\b/],
  ['a variable that was not expanded', /\$[A-Za-z_{(]/],
  ['a word that was not filled in', /%[sqd]\b/],
  ['an empty got or expected', /, got *,| expected *;|, got (?:''|"")?;/],
  ['the password', /s3cret/],
  ['a line that is too long', new RegExp(`^(?!.* changed so far: ).{${LONGEST + 1},}|^.{${LONGEST_LIST + 1},}`, 'm')],
];

export const flawsOf = (out: string): string[] => NEVER.filter(([, form]) => form.test(out)).map(([what]) => what);
