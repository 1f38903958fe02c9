#!/bin/bash
# Part of stage, run in a private mount namespace: leaves this node's public key on the share. By it the NFS server lets this node in, for
# who can put a file there has the share already.

set -u
export LC_ALL=C
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
node_data="$NIM_HA_NODE_DATA"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=data.sh
. "$lib/data.sh"
load_data "$node_data"
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$lib/services.sh"
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$lib/report.sh"
# shellcheck source-path=SCRIPTDIR source=mounts.sh
. "$lib/mounts.sh"

share="$job_dir/share"
mkdir -p "$share"
out="$(mount_export nms "$share" ",retry=0")" || {
  problem storage/mount "mount of ${source_of[nms]}" "${out:-no answer within 60 s}" "success" "export it to this node, read-write"
  exit 0
}
trap 'timeout -k 5 20 umount "$share" 2>/dev/null' EXIT
file="$share/.nim-ha/fence-keys/${data[NAME]}.pub"
if ! cmp -s "$fence_key.pub" "$file"; then
  { mkdir -p "${file%/*}" && cat "$fence_key.pub" >"$file.new" && sync "$file.new" && mv -f "$file.new" "$file"; } ||
    problem storage/write "${file#"$share"/} on ${source_of[nms]}" "an error" "success" "export it read-write"
fi
exit 0
