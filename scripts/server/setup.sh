#!/bin/bash
# setup.sh VERB PAIR: puts the server's side of fencing on the NFS server, and takes it away. Run as root, or by one who may use sudo, from
# the directory that it has been uploaded to; `remove` also from where it is installed.
#   check    looks, changes nothing, and reports all that is in the way. Reads the settings of the pair, in the form of fence.sh, from stdin.
#   install  the same, then puts everything in place. What a crash has left half-done is made whole by the next install or remove.
#   admit    takes the public keys that the two nodes have left on the share, and lets the nodes in
#   remove   takes away everything of this pair; with the last pair everything of ours
# Only check and install read stdin. Each of them may be run again at any time, and then does nothing that is done already.
#
# Exit codes
#   0  done, or nothing was to be done
#   1  failed, after something may have been changed: run it again when what it reports is mended. Without a report: the upload is not whole.
#   2  usage: not one of the calls above. Nothing was changed.
#   3  refused. Nothing was changed.
#   5  another setup or a request of a node is at work, for more than a minute. Nothing was changed: try again later.
#
# Output: on stdout, in lines that begin with "nim-ha SERVER: fencing: " and go on with
#   changed: WHAT                                                     each thing that it has changed, when it has
#   FAILED [ID]: WHAT, got X, expected Y; WHAT TO DO                  codes 1 and 3: all problems, one a line
#   changed so far: WHAT; WHAT | changed so far: nothing              codes 1 and 3: last
#   the server fits                                                   check, code 0: last
#   in place[: nothing was to be done]                                install, code 0: last
#   the nodes are let in[: nothing was to be done]                    admit, code 0: last
#   removed | nothing to remove                                       remove, code 0: last
#   another setup is at work, or requests of the nodes are: ...       code 5: the only one
# Between FAILED and "changed so far" there may be lines to copy: "# FILE", and what has to be in it. On stderr is what the commands of the
# system say, and the usage. See docs/decisions/0009-fencing.md.

set -u
umask 077
export LC_ALL=C
lib="${BASH_SOURCE[0]%/*}"
[[ $lib != "${BASH_SOURCE[0]}" ]] || lib=.
# The tree of a test, which brings its own commands. What is set to nothing was meant to be a tree: never this system instead.
if [[ -v NIM_HA_ROOT ]]; then
  root="$NIM_HA_ROOT"
  [[ $root == /?* && -d $root/bin ]] || {
    echo "setup.sh: NIM_HA_ROOT is '$root', and no tree with commands of its own; unset it to set up this system" >&2
    exit 2
  }
  export PATH="$root/bin"
else
  root=''
  export PATH=/usr/sbin:/usr/bin:/sbin:/bin
fi
verb="${1-}" pair="${2-}"

user=nim-ha-fence
lib_dir="$root/usr/local/lib/nim-ha-fence"
settings_dir="$root/etc/nim-ha-fence"
home="$root/var/lib/nim-ha-fence"
sudoers="$root/etc/sudoers.d/nim-ha-fence"
keys_file="$home/.ssh/authorized_keys"
exports_dir="$root/etc/exports.d"
made_exports_dir="$home/.made-exports.d" # there was no such directory before
setup_lock="$root/run/nim-ha-fence.lock"

# shellcheck source-path=SCRIPTDIR source=exports.sh
. "$lib/exports.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=setup-report.sh
. "$lib/setup-report.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=setup-root.sh
. "$lib/setup-root.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=setup-settings.sh
. "$lib/setup-settings.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=setup-sshd.sh
. "$lib/setup-sshd.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=setup-check.sh
. "$lib/setup-check.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=setup-install.sh
. "$lib/setup-install.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=setup-keys.sh
. "$lib/setup-keys.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=setup-remove.sh
. "$lib/setup-remove.sh" || exit 1

busy() {
  say "another setup is at work, or requests of the nodes are: try again later"
  exit 5
}

# One setup at a time. A removal takes the file away, so the one that this has waited for may not be the one that is there.
lock_setup() {
  while :; do
    { exec 8>"$setup_lock" && flock -w 60 8; } || busy
    [[ ! $setup_lock -ef /dev/fd/8 ]] || return 0
  done
}

# From here on no request of a node is at work. Where the pair has no memory yet, there is no key that could make one.
lock_pair() {
  [[ ! -d $memory ]] || { exec 9>"$memory/lock" && flock -w 60 9; } || busy
}

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

shopt -s nullglob
(($# == 2)) || usage
[[ $pair =~ $name_pattern ]] ||
  refuse fencing/pair "name of the pair" "$(printf '%.100q' "$pair")" "letters, digits, . _ -, 63 at most" "correct it in the program"
become_root "$@"
name_paths "$pair"
case "$verb" in
  check)
    read_wanted
    check_all
    say "the server fits"
    ;;
  install)
    read_wanted
    check_all # once before the first lock, which is a change
    lock_setup
    lock_pair
    check_all
    install_pair
    end_well "in place"
    ;;
  admit)
    check_installed
    lock_setup
    check_installed
    admit_nodes
    end_well "the nodes are let in"
    ;;
  remove)
    if ! is_anything_there; then
      say "nothing to remove"
      exit 0
    fi
    lock_setup
    lock_pair
    check_unused
    remove_pair
    [[ -n $(list_pairs) ]] || remove_all
    end_well "removed"
    ;;
  *) usage ;;
esac
