import { PairModel } from './model';

/** `/etc/nms/scripts/nms-notify-keepalived.sh`: the guide's array, and the constant script that acts on it. */
export function renderNotifyScript(pair: PairModel): string {
  const names = pair.services.map((service) => `  "${service}"\n`).join('');
  return `#!/bin/bash
# Called by keepalived with TYPE NAME STATE PRIORITY whenever the state of this node changes.
check_nms_services=(
${names})
. /usr/local/lib/nim-ha/notify.sh
`;
}
