# shellcheck shell=bash disable=SC2154
# Installs keepalived, and takes away exactly what that brought. Needs paths.sh, pause.sh, report.sh, files.sh.
# /var/lib/nim-ha/before/packages: one name a line, there only if we installed something; packages.unfinished: an installation has begun.

package_log="$job_dir/packages.log"

list_packages() {
  if command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2016 # the braces are dpkg's
    dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort -u
  else
    rpm -qa --queryformat '%{NAME}\n' | sort
  fi
}

# apt_get ARGUMENTS: without questions, and waiting for another apt or dpkg that is at work.
apt_get() {
  DEBIAN_FRONTEND=noninteractive timeout -k 30 600 apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o Dpkg::Options::=--force-confold "$@" </dev/null
}

dnf_or_yum() {
  timeout -k 30 600 "$(command -v dnf || command -v yum)" -y "$@" </dev/null
}

# What it would bring, before it brings it: somebody else may install something in between. dnf takes what only keepalived needed away by
# itself.
list_new_packages() {
  if command -v apt-get >/dev/null; then
    apt_get --simulate --no-install-recommends install keepalived | sed -n 's/^Inst \([^ ]*\) (.*/\1/p'
  elif ! rpm --quiet -q keepalived; then
    echo keepalived
  fi
}

note_new_packages() {
  local names
  names="$(list_new_packages)" || return
  # Also what an earlier try, interrupted, may have brought already.
  {
    cat "$before_dir/packages" 2>/dev/null
    printf '%s\n' "$names"
  } | sed '/^$/d' | sort -u >"$before_dir/packages.new" &&
    mv -f "$before_dir/packages.new" "$before_dir/packages" && sync -f "$before_dir"
}

# The lock of the lists is none of those that DPkg::Lock::Timeout is about, and apt-daily has it now and then. Where an update fails otherwise, as with
# one repository of somebody else's that is gone, the lists that are there may do: what the installation says decides.
update_lists() {
  local begin=$SECONDS
  until apt_get update >"$package_log" 2>&1; do
    if ! grep -q "Could not get lock" "$package_log" || ((SECONDS - begin >= ${NIM_HA_APT_LIMIT:-300})); then
      say "apt-get update: $(first_complaint); going on with the lists that are there"
      return
    fi
    pause "${NIM_HA_POLL:-5}"
  done
}

run_installer() {
  if command -v apt-get >/dev/null; then
    note_new_packages && apt_get --no-install-recommends install keepalived
  else
    note_new_packages && dnf_or_yum install keepalived
  fi
}

# Of apt or dnf, for the message; the rest stands above it.
first_complaint() {
  local line
  line="$(grep -m 1 -E '^(E|Error): ' "$package_log")"
  printf '%s' "${line:-no word of an error}"
}

# What an interrupted installation has left half-done keeps apt from everything.
finish_interrupted() {
  ! command -v dpkg >/dev/null ||
    DEBIAN_FRONTEND=noninteractive timeout -k 30 600 dpkg --force-confold --configure -a >"$package_log" 2>&1 </dev/null
}

# A package may start its daemon at once. Masked it cannot, whatever configuration lies there.
install_keepalived() {
  local rc again='' unfinished="$before_dir/packages.unfinished"
  [[ ! -e $unfinished ]] || again=yes
  if unit_exists keepalived.service && [[ -z $again || "${data[INSTALL_KEEPALIVED]}" == no ]]; then return; fi
  if [[ "${data[INSTALL_KEEPALIVED]}" == no ]]; then
    refuse keepalived/missing keepalived "not installed" "installed, for installKeepalived is off" "install keepalived"
  fi
  say "installing keepalived"
  [[ -n $again ]] || record_units keepalived.service
  # Some packages bring a configuration of their own: it is not a stranger's.
  if ! record_file "${keepalived_conf#"$root"}" || ! : >"$unfinished" || ! sync -f "$before_dir"; then
    fail node/write "$before_dir" "an error" "success" "is /var full?"
  fi
  timeout 30 systemctl --quiet --runtime mask keepalived.service
  [[ -z $again ]] || finish_interrupted
  ! command -v apt-get >/dev/null || update_lists
  run_installer >"$package_log" 2>&1
  rc=$?
  timeout 30 systemctl --quiet --runtime unmask keepalived.service
  if ((rc != 0)); then
    # What it has not brought is not ours, if somebody else brings it.
    comm -12 <(sort "$before_dir/packages" 2>/dev/null) <(list_packages) >"$before_dir/packages.new" &&
      mv -f "$before_dir/packages.new" "$before_dir/packages"
    tail -n 15 "$package_log"
    fail keepalived/install "installation of keepalived" "code $rc, $(first_complaint)" "success" \
      "see the lines above; can this node reach its package repository, and does another installation run?"
  fi
  rm -f "$unfinished"
  changed "installed $(paste -sd ' ' "$before_dir/packages")"
}

# keepalived, and of what came with it what nobody has asked for by name, nor needs by now.
list_to_remove() {
  local name
  # Without the architecture, which the list of an earlier version has.
  comm -12 <(sed 's/:.*//' "$before_dir/packages" | sort -u) <(list_packages) | while IFS= read -r name; do
    if [[ $name == keepalived ]] || ! command -v apt-mark >/dev/null || [[ -n "$(apt-mark showauto "$name" 2>/dev/null)" ]]; then
      printf '%s\n' "$name"
    fi
  done
}

# takes_more PACKAGE...: whether something else would go with them, because it needs them.
takes_more() {
  if command -v apt-get >/dev/null; then
    apt_get --simulate purge "$@" | sed -n 's/^\(Purg\|Remv\) \([^ ]*\).*/\2/p' | grep -qvxF -f <(printf '%s\n' "$@")
  else
    ! rpm -e --test "$@" >/dev/null 2>&1
  fi
}

remove_packages() {
  local -a names
  # Masked until then, for what is finished here would start it. Not all of what has come is on the list of what is installed before.
  if [[ -e $before_dir/packages.unfinished ]]; then
    finish_interrupted
    timeout 30 systemctl --quiet --runtime unmask keepalived.service
  fi
  [[ -s $before_dir/packages ]] || return 0
  mapfile -t names < <(list_to_remove)
  ((${#names[@]})) || return 0
  if takes_more "${names[@]}"; then
    names=(keepalived)
    if takes_more keepalived; then
      say "keepalived stays installed: another package needs it by now"
      return 0
    fi
  fi
  # The package does not know that we have put it into the boot, and would leave the link behind.
  switch_boot disable keepalived.service 2>/dev/null
  if command -v apt-get >/dev/null; then
    apt_get purge "${names[@]}" >"$package_log" 2>&1
  else
    dnf_or_yum remove "${names[@]}" >"$package_log" 2>&1
  fi || {
    tail -n 15 "$package_log"
    problem keepalived/remove "removal of ${names[*]}" "an error" "success" "see the lines above, and remove them by hand"
    return 1
  }
  changed "removed ${names[*]}"
}
