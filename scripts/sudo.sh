# shellcheck shell=bash disable=SC2034 # sudo is for who reads this
# How a step becomes root where the user of the deploy is not.

# take_sudo_password FILE: what sudo asks for, if the deploy has brought it, as base64. From here on the file does not have it any more.
take_sudo_password() {
  sudo_password='' sudo=(sudo -n)
  [[ -s $1 ]] || return 0
  sudo_password="$(base64 -d <"$1")"
  : >"$1" # stays, empty and 0600: the next step's is written into it
  sudo=(sudo -S -p '')
}

# Before each sudo. Through a pipe, which the shell itself writes into: no list of processes shows it.
offer_password() {
  if [[ -n $sudo_password ]]; then
    exec < <(printf '%s\n' "$sudo_password")
  else
    exec </dev/null
  fi
}
