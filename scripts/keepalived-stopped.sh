#!/bin/bash
# ExecStopPost= of keepalived, however it ended. A keepalived that was killed leaves the virtual IP and the services
# behind, while the peer takes both; so take them away here.

lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"

mkdir -p "$run_dir"
rm -f "$want_master" "$failed_file"
printf 'STOP\n' >"$vrrp_file"

if address="$(node_value VIRTUAL_IP)" && interface="$(node_value INTERFACE)"; then
  [[ $address == */* ]] || address="$address/32"
  ip address del "$address" dev "$interface" 2>/dev/null
fi
systemctl --no-block stop nim-ha.target nim-ha-lock.service
