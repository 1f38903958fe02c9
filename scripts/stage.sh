#!/bin/bash
# stage: installs keepalived, and lays everything that this node is to have into /var/lib/nim-ha/staged, proven, without
# touching what is in force: a serving pair does not notice.
#   staged/root/<path>  the files as they will be;  staged/manifest  "<mode> <sha256> <path>" for each

set -u
export LC_ALL=C
umask 022
lib="${BASH_SOURCE[0]%/*}"
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$lib/paths.sh"
installed_node_data="$node_data"
node_data="$NIM_HA_JOB/node.data"
# shellcheck source-path=SCRIPTDIR source=node-data.sh
. "$lib/node-data.sh"
# shellcheck source-path=SCRIPTDIR source=data.sh
. "$lib/data.sh"
load_data "$node_data"
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$lib/report.sh"
# shellcheck source-path=SCRIPTDIR source=files.sh
. "$lib/files.sh"
# shellcheck source-path=SCRIPTDIR source=pause.sh
. "$lib/pause.sh"
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$lib/packages.sh"
# shellcheck source-path=SCRIPTDIR source=keepalived-proof.sh
. "$lib/keepalived-proof.sh"
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$lib/prove.sh"

new="$staged_dir.new"

# stage_file MODE PATH COMMAND...: what the command prints.
stage_file() {
  if ! mkdir -p "$new/root${2%/*}" || ! "${@:3}" >"$new/root$2" || ! chmod "$1" "$new/root$2"; then
    fail node/write "$2" "an error while staging" "success" "is /var full?"
  fi
}

decode() {
  base64 -d <<<"$1"
}

# stage_copy MODE PATH SOURCE
stage_copy() {
  install -D -m "$1" -- "$3" "$new/root$2" || fail node/write "$2" "an error while staging" "success" "is /var full?"
}

may_be_rendered() {
  local service
  case "$1" in
    /etc/keepalived/keepalived.conf | /etc/nms/scripts/nms-notify-keepalived.sh | /etc/systemd/system/nim-ha.target) return 0 ;;
  esac
  for service in $services; do
    [[ $1 != "/etc/systemd/system/$service.service.d/50-nim-ha.conf" ]] || return 0
  done
  return 1
}

check_data() {
  local mode path encoded key
  for key in "${!bad[@]}"; do
    problem data/value "$key" "${bad[$key]}" "a value that fits" "correct it in the program"
  done
  end_on_problems "$exit_refused"
  services="${data[SERVICES]}"
  while read -r mode path encoded; do
    [[ -n $mode ]] || continue
    [[ $mode =~ ^0?(600|640|644|755)$ ]] || refuse data/file-mode "mode of $path" "$mode" "600, 640, 644 or 755" "report this"
    may_be_rendered "$path" || refuse data/file-path "a file of this deploy" "$path" \
      "keepalived.conf, the notify script, nim-ha.target, or the drop-in of a monitored service" "report this"
    base64 -d <<<"$encoded" >/dev/null 2>&1 || refuse data/file-text "text of $path" "not base64" "base64" "report this"
  done <<<"${data[FILES]}"
}

# Only builtins and a pipe see the secret: it is never in the arguments or the environment of a process.
read_secret() {
  [[ -s $NIM_HA_JOB/secret ]] || refuse data/secret "the VRRP password" "none" "the file secret/auth_pass, uploaded just before this" \
    "run the deploy again: it uploads it"
  auth_pass="$(sed -n 's/^AUTH_PASS=//p' "$NIM_HA_JOB/secret" | base64 -d 2>/dev/null)"
  rm -f "$NIM_HA_JOB/secret"
  [[ $auth_pass =~ ^[A-Za-z0-9._-]{1,8}$ ]] || refuse vip/auth-pass "authPass (its value is not shown)" \
    "${#auth_pass} characters, or one that keepalived would misread" "1 to 8 of A-Z a-z 0-9 . _ -" "choose another"
}

# The one placeholder becomes the password. Not by sed: that would put it into an argument.
fill_in_password() {
  local line lines=0
  while IFS= read -r line; do
    if [[ $line == *"<AUTH_PASSWORD>"* ]]; then
      line="${line%%"<AUTH_PASSWORD>"*}$auth_pass${line#*"<AUTH_PASSWORD>"}"
      lines=$((lines + 1))
    fi
    printf '%s\n' "$line"
  done
  ((lines == 1))
}

stage_rendered() {
  local mode path encoded
  while read -r mode path encoded; do
    [[ -n $mode ]] || continue
    if [[ $path == "${keepalived_conf#"$root"}" ]]; then
      (umask 077 && mkdir -p "$new/root${path%/*}" && base64 -d <<<"$encoded" | fill_in_password >"$new/root$path") ||
        fail data/placeholder "keepalived.conf" "not one line with <AUTH_PASSWORD>" "exactly one" "report this"
    else
      stage_file "$mode" "$path" decode "$encoded"
    fi
  done <<<"${data[FILES]}"
}

# What has a first line that says how to run it is run; the rest is sourced. Scripts that only a deploy needs come with it.
stage_constants() {
  local file first mode path
  for file in "$lib"/*.sh; do
    case "${file##*/}" in
      preflight*.sh | stage*.sh | prove.sh | rollout.sh | apply.sh | processes.sh | storage.sh | peers.sh) continue ;;
      nms-check-keepalived.sh) path="${scripts_dir#"$root"}/${file##*/}" ;;
      *) path="${lib_dir#"$root"}/${file##*/}" ;;
    esac
    IFS= read -r first <"$file"
    if [[ $first == '#!'* ]]; then mode=755; else mode=644; fi
    stage_copy "$mode" "$path" "$file"
  done
  for file in "$lib"/units/*; do
    path="${units_dir#"$root"}/${file##*/}"
    [[ ${file##*/} != keepalived.conf ]] || path="${units_dir#"$root"}/keepalived.service.d/50-nim-ha.conf"
    stage_copy 644 "$path" "$file"
  done
  stage_copy 644 "${installed_node_data#"$root"}" "$node_data"
}

# With fencing: a key of this node's own, whose private part never leaves it.
make_fence_key() {
  [[ -n "${data[FENCE_SERVER]}" ]] || return 0
  if [[ ! -s $fence_key || ! -s $fence_key.pub ]]; then
    rm -f "$fence_key" "$fence_key.pub" "$fence_key.new" "$fence_key.new.pub"
    # The private one last: with it the key is whole.
    { ssh-keygen -q -t ed25519 -N '' -C "nim-ha ${data[NAME]}" -f "$fence_key.new" </dev/null && sync "$fence_key.new" "$fence_key.new.pub" &&
      mv -f "$fence_key.new.pub" "$fence_key.pub" && mv -f "$fence_key.new" "$fence_key" && sync "$var_dir"; } ||
      fail node/write "$fence_key" "an error of ssh-keygen" "a key" "is /var full or read-only?"
  fi
  NIM_HA_NODE_DATA="$node_data" timeout -s KILL 150 unshare --mount -- bash "$lib/stage-fencing.sh" ||
    fail storage/probe "the public key on the share" "no end within 150 s or an error" "an end" "see the lines above, and the log of the NFS server"
  end_on_problems
}

write_manifest() {
  local mode sum path
  local -A modes=()
  while read -r mode path; do modes["$path"]="$mode"; done < <(find "$new/root" -type f -printf '%m /%P\n')
  if ! (
    set -o pipefail
    umask 077 # the sum of keepalived.conf would let someone try passwords
    cd "$new/root" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum -- | while read -r sum path; do
      printf '%s %s /%s\n' "${modes["/$path"]}" "$sum" "$path" || exit
    done >"$new/manifest"
  ) || [[ "$(wc -l <"$new/manifest")" != "${#modes[@]}" ]]; then
    fail node/write "the list of what is staged" "an error" "a line for each of ${#modes[@]} files" "is /var full?"
  fi
}

check_data
read_secret
install_keepalived

mkdir -p "$var_dir"
(umask 077 && rm -rf "$new" "$staged_dir.proof" && mkdir -p "$new/root") || fail node/write "$new" "an error" "success" "is /var full?"
stage_rendered
stage_constants
unset auth_pass
prove_keepalived_conf
prove_check
make_fence_key
write_manifest
if cmp -s "$new/manifest" "$var_dir/manifest" && [[ -e $applied_file ]]; then
  say "nothing differs from what is in force"
else
  say "staged $(wc -l <"$new/manifest") files; keepalived accepts its configuration, and the check fails when it should"
fi
# The files before their name, and the name before the step ends: a power cut must not bring back what an earlier deploy has staged.
if ! sync -f "$new" || ! rm -rf "$staged_dir" || ! mv -T "$new" "$staged_dir" || ! sync -f "$staged_dir"; then
  fail node/write "$staged_dir" "an error" "success" "is /var full, or read-only?"
fi
