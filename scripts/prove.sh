# shellcheck shell=bash disable=SC2154
# Proof, before anything replaces a file that works: keepalived takes its configuration, and the check says no when it
# should. Both are easily wrong without a word. Needs paths.sh, report.sh, keepalived-proof.sh; `new` is the directory of the staged files.

proof="$staged_dir.proof"

# A tree of its own with the staged scripts in their places: not below /run, from where nothing may be run on some systems.
build_proof_tree() {
  (
    umask 077
    rm -rf "$proof" && mkdir -p "$proof/run/nim-ha" &&
      for part in usr etc/nms; do
        mkdir -p "$proof/$part" && cp -a "$new/root/$part/." "$proof/$part/"
      done
  ) || fail node/write "$proof" "an error" "success" "is /var full?"
}

prove_keepalived_conf() {
  local complaint
  build_proof_tree
  # With the scripts of the proof, for those in force may be older, or not there yet.
  (umask 077 && sed "s|/etc/nms/scripts/|$proof/etc/nms/scripts/|" "$new/root/etc/keepalived/keepalived.conf" >"$proof/keepalived.conf")
  prove_conf "$proof/keepalived.conf" "${data[PROFILE]}" 60
  rm -f "$proof/keepalived.conf"
  [[ -z $complaint ]] || fail keepalived/config "keepalived -t" "$complaint" "no complaint" "correct the program, or the interface of this node"
}

# check_answers EXPECTED [STATE_LINES...]: without a shell in between, like keepalived: a shell would run what keepalived
# takes for a success unseen.
check_answers() {
  local expected="$1" got=no
  shift
  rm -f "$proof/run/nim-ha/state"
  (($# == 0)) || printf '%s\n' "$@" >"$proof/run/nim-ha/state"
  env -i PATH="$PATH" NIM_HA_ROOT="$proof" NIM_HA_UPTIME="$proof/uptime" timeout -s KILL 10 "$check" </dev/null >/dev/null 2>&1 &&
    got=yes
  [[ $got == "$expected" ]] || fail keepalived/check "the check with the state '$*'" "$got" "$expected" "report this"
}

prove_check() {
  local check first
  check="$proof/etc/nms/scripts/nms-check-keepalived.sh"
  IFS= read -r first <"$check"
  [[ $first =~ ^#!(/[^[:space:]]+)$ && -x ${BASH_REMATCH[1]} && -x $check ]] || fail keepalived/check "first line of the check" \
    "$(printf '%q' "$first")" "an interpreter of this node" "keepalived would take the check for a success; report this"
  printf '1000.00 1000.00\n' >"$proof/uptime"
  check_answers yes phase=STANDBY able=yes updated=999
  check_answers no phase=FAILED able=no updated=999
  check_answers no phase=ACTIVE able=yes updated=500
  check_answers no
  rm -rf "$proof"
}
