/** A process may be in D state for a moment, and a busy node has many that are: only one that is so in every look is stuck. */
const LOOKS = 5;
/** More of keepalived's scripts than a check, a notification and what they call. */
const TOO_MANY_SCRIPTS = 4;
const SCRIPT = /nms-(check|notify)-keepalived/;

/** A shell command that looks at a node's processes several times, two seconds apart. */
export const LOOK_AT_PROCESSES = `for look in $(seq ${LOOKS}); do sleep 2; ps -eo pid=,stat=,args=; echo --; done`;
const END_OF_LOOK = /^--\n/m;

interface Process {
  readonly pid: string;
  readonly state: string;
  readonly command: string;
}

function parse(look: string): Process[] {
  return [...look.matchAll(/^ *(\d+) +(\S+) +(.*)$/gm)].map(([, pid, state, command]) => ({ pid, state, command }));
}

/** What those of the monitored services are: their own word for it is systemd's, and it may be wrong. */
const OF_A_SERVICE = /^(\S*\/)?(clickhouse-server|clickhouse server)\b|\/stand-in\.pl\b|^nginx: /;

/** Kernel threads wait in D state when they have nothing to do. */
function isStuck({ state, command }: Process): boolean {
  return state.startsWith('D') && !command.startsWith('[');
}

function looksIn(output: string): Process[][] {
  return output.split(END_OF_LOOK).slice(0, -1).map(parse);
}

/** The commands of services that ran in every look. */
export function servicesIn(output: string): string[] {
  const [first = [], ...others] = looksIn(output).map((look) => look.filter(({ command, state }) => OF_A_SERVICE.test(command) && !state.startsWith('Z')));
  return first.filter(({ pid }) => others.every((look) => look.some((other) => other.pid === pid))).map(({ command }) => command);
}

/** What those looks show: processes that nothing can kill, and scripts of keepalived that pile up. */
export function leftovers(output: string): string[] {
  const looks = looksIn(output);
  if (looks.length !== LOOKS) return [`${looks.length} looks at the processes, not ${LOOKS}`];
  const [first, ...others] = looks.map((look) => look.filter(isStuck));
  const stuck = first.filter(({ pid }) => others.every((look) => look.some((other) => other.pid === pid)));
  const scripts = Math.min(...looks.map((look) => look.filter(({ command }) => SCRIPT.test(command.split(' ').slice(0, 2).join(' '))).length));
  return [
    ...stuck.map(({ pid, command }) => `in D state: ${command} (process ${pid})`),
    ...(scripts > TOO_MANY_SCRIPTS ? [`${scripts} scripts of keepalived pile up`] : []),
  ];
}
