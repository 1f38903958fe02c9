# shellcheck shell=bash disable=SC2154
# How setup.sh becomes root where the user of the deploy is not.

# Where sudo asks the user of the deploy for a password, the deploy has brought it: for each pair in a file of its own.
take_sudo_password() {
  local file word
  word="$(printf %s "$pair" | sha256sum)"
  file="$lib/../../secret/${word%% *}" # beside the directory of the upload
  sudo_password=
  [[ -s $file ]] || return 0
  sudo_password="$(base64 -d <"$file")"
  : >"$file"
}

# The user of a deploy may not be root. What sudo says goes into the report.
become_root() {
  # shellcheck disable=SC2016 # root's shell expands it
  local said after_password='while read -r line && [[ $line ]]; do :; done; exec bash "$@"'
  [[ -z $root ]] || return 0
  take_sudo_password # also where it is root that was given one
  ((EUID)) || return 0
  if [[ -z $sudo_password ]]; then
    said="$(sudo -n true 2>&1 </dev/null)" || refuse fencing/root "sudo without a password for $(id -un)" "${said##*$'\n'}" \
      "rc 0 of: sudo -n true" "allow it in sudoers (NOPASSWD: ALL), give sudoPassword in nfsShare.fencing.ssh, or let it log in as root"
    exec sudo -n bash "$lib/setup.sh" "$@"
  fi
  # shellcheck disable=SC2024 # it is its stdin that is meant
  said="$(sudo -S -p '' true 2>&1 < <(printf '%s\n' "$sudo_password"))" || refuse fencing/root "sudo with sudoPassword for $(id -un)" "${said##*$'\n'}" \
    "that it takes it" "correct the password of nfsShare.fencing.ssh, or let it log in as root"
  # The settings follow behind it. sudo may not have asked for it, so all up to the empty line is passed over.
  exec 3<&0
  exec sudo -S -p '' bash -c "$after_password" _ "$lib/setup.sh" "$@" < <(printf '%s\n\n' "$sudo_password" && exec cat <&3)
}
