import * as fs from 'node:fs';
import * as path from 'node:path';
import { asRoot } from './faults/fault';
import type { Lab } from './lab';
import { NODES, OPERATOR } from './machines';

const SCRIPTS = path.join(__dirname, '../scripts');
/** Of these no script reaches a node. */
const ELSEWHERE = /^(operator|server)\//;

/** What looks like ours on a node and is not on the list of what the last deploy has put there; links by where they lead. And units that systemd has without a file. The lab's own settings are none of it. */
export const FILES_OF_NOBODY = `cd "\${ROOT:-/}" || exit
{
  find usr/local/lib/nim-ha etc/nim-ha ! -type d -printf "/%p\\n"
  find etc/systemd/system -type f \\( -path "*nim-ha*" -o -name "nimha*" \\) ! -name lab.conf -printf "/%p\\n"
  find etc/systemd/system -type l \\( -name "*nim-ha*" -o -name "nimha*" \\) -printf "%l\\n"
  find etc usr/local -xdev -name ".nim-ha*" -printf "/%p\\n"
} | sort -u | grep -vxF -f <(cut -d " " -f 3- var/lib/nim-ha/manifest)
systemctl list-units --all --plain --no-legend --no-pager "nim-ha*" "nimha*" | while read -r unit load _; do [[ $load == loaded ]] || echo "$unit ($load)"; done`;

/** The names of what is remembered on the node and on the share, and the scripts that deploys have uploaded. */
export const NAMES = `cd "\${ROOT:-/}" && find var/lib/nim-ha run/nim-ha var/lib/nms/.nim-ha -mindepth 1 -maxdepth 1 -printf "%f\\n" | sort -u`;
const UPLOADED = `cd /home/${OPERATOR}/.nim-ha/scripts && find . -type f -printf "%P\\n"`;

/** What another version has left on the nodes that this one knows nothing of. */
export async function strangersOn(lab: Lab): Promise<string[]> {
  const all = NODES.map(async (node) => {
    const ask = async (command: string): Promise<string[]> => (await asRoot(lab, node, command)).split('\n').filter(Boolean);
    const found = [...(await ask(FILES_OF_NOBODY)), ...unknownNames(await ask(NAMES)), ...unknownScripts(await ask(UPLOADED))];
    return found.map((what) => `${node}: ${what}`);
  });
  return (await Promise.all(all)).flat();
}

/** Those that no script of this version has a word for; where there is not one, nobody has looked. */
export function unknownNames(names: readonly string[]): string[] {
  if (names.length === 0) return ['nothing is remembered, not even the list of what was deployed'];
  const text = scripts().map((file) => fs.readFileSync(path.join(SCRIPTS, file), 'utf8')).join('\n');
  // What is on its way to its name may be seen.
  const isKnown = (name: string): boolean => new RegExp(`(?<![\\w.-])${name.replace(/\.new$/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`).test(text);
  return names.filter((name) => !isKnown(name)).map((name) => `${name}, which no script of this version knows`);
}

function unknownScripts(uploaded: readonly string[]): string[] {
  const known = new Set(scripts().filter((file) => !ELSEWHERE.test(file)));
  return uploaded.filter((file) => !known.has(file)).map((file) => `~/.nim-ha/scripts/${file}`);
}

function scripts(): string[] {
  return fs.readdirSync(SCRIPTS, { recursive: true, encoding: 'utf8' }).filter((file) => fs.statSync(path.join(SCRIPTS, file)).isFile());
}
