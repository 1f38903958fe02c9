import { GUIDE_SERVICES } from '../lib/config/model';
import type { Lab } from './lab';
import { NODES, type NodeName } from './machines';
import type { Vm } from './vm';

/** Everything of a node that a deploy may touch, as text to compare: files of /etc, units, packages, mounts, addresses. */
const PICTURE = `
cd /
{ find etc usr/local home -xdev \\( -type f -o -type l -o -type d \\) -printf '%M %U %G %p %l\\n'
  find etc usr/local home -xdev -type f -print0 | sort -z | xargs -0 sha256sum; } 2>/dev/null | sort
dpkg-query -W -f '\${db:Status-Abbrev} \${Package} \${Version}\\n' | sed 's/^/package /'
# A busy systemd may not answer in time; half a picture would show differences that are none.
ask_systemd() {
  for try in {1..10}; do
    # 3: of the units that it was asked for, one is not active.
    answer="$(systemctl "$@")" || (($? == 3)) && return
    sleep 5
  done
  echo "systemctl $*: no answer" >&2
  exit 1
}
ask_systemd list-unit-files --no-legend --no-pager --state=enabled,masked,static
awk '{ print "unit", $1, $2 }' <<<"$answer"
awk '$3 ~ /^nfs/ { print "mount", $1, $2 }' /proc/mounts
services=(${GUIDE_SERVICES.join(' ')})
ask_systemd is-active "\${services[@]}"
paste -d ' ' <(printf 'service %s\\n' "\${services[@]}") - <<<"$answer"
ls -d /var/lib/nim-ha /run/nim-ha /var/lib/clickhouse /var/lib/nms 2>/dev/null || true
`;

/** Paths that differ after a removal for a reason that is not ours. */
const EXPLAINED: readonly [RegExp, string][] = [
  [/ etc\/ld\.so\.cache/, 'rebuilt by ldconfig whenever a package comes or goes'],
  [/ etc\/mtab/, 'the kernel’s list of mounts'],
];

async function takePicture(vm: Vm): Promise<string[]> {
  const result = await vm.ssh('sudo bash -s', { input: PICTURE, timeout: 600_000 });
  return result.stdout.trim().split('\n').filter((line) => !EXPLAINED.some(([pattern]) => pattern.test(` ${line}`)));
}

/** Of both nodes. */
export async function takePictures(lab: Lab): Promise<Map<NodeName, string[]>> {
  return new Map(await Promise.all(NODES.map(async (name) => [name, await takePicture(lab.node(name))] as [NodeName, string[]])));
}

/** Lines that were there before only (`-`) or are there now only (`+`). */
export function differences(before: readonly string[], after: readonly string[]): string[] {
  const was = new Set(before);
  const is = new Set(after);
  return [...before.filter((line) => !is.has(line)).map((line) => `- ${line}`), ...after.filter((line) => !was.has(line)).map((line) => `+ ${line}`)];
}
