# shellcheck shell=bash disable=SC2154
# Installs keepalived, and takes away exactly what that brought. Needs paths.sh, report.sh, files.sh.
# /var/lib/nim-ha/before/packages: one name a line, there only if we installed something.

package_log="$job_dir/packages.log"

list_packages() {
  if command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2016 # the braces are dpkg's
    dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' | sed -n 's/^ii *//p' | sort
  else
    rpm -qa --queryformat '%{NAME}\n' | sort
  fi
}

# apt_get ARGUMENTS: without questions, and waiting for another apt or dpkg that is at work.
apt_get() {
  DEBIAN_FRONTEND=noninteractive timeout -k 30 600 apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o Dpkg::Options::=--force-confold "$@" </dev/null
}

run_installer() {
  if command -v apt-get >/dev/null; then
    apt_get update && apt_get --no-install-recommends install keepalived
  elif command -v dnf >/dev/null; then
    timeout -k 30 600 dnf -y install keepalived </dev/null
  else
    timeout -k 30 600 yum -y install keepalived </dev/null
  fi
}

# A package may start its daemon at once. Masked it cannot, whatever configuration lies there.
install_keepalived() {
  local rc before
  if unit_exists keepalived.service && [[ ! -e $step_dir/masked ]]; then return; fi
  if [[ "${data[INSTALL_KEEPALIVED]}" == no ]]; then
    refuse keepalived/missing keepalived "not installed" "installed, for installKeepalived is off" "install keepalived"
  fi
  say "installing keepalived"
  [[ -e $step_dir/masked ]] || record_units keepalived.service
  # Some packages bring a configuration of their own: it is not a stranger's.
  record_file "${keepalived_conf#"$root"}" || fail node/write "$before_dir" "an error" "success" "is /var full?"
  before="$before_dir/packages.before"
  # An installation that was interrupted is finished by this one: the list from before the first try counts.
  [[ -s $before ]] || list_packages >"$before"
  : >"$step_dir/masked"
  timeout 30 systemctl --quiet --runtime mask keepalived.service
  run_installer >"$package_log" 2>&1
  rc=$?
  comm -13 "$before" <(list_packages) >"$before_dir/packages"
  timeout 30 systemctl --quiet --runtime unmask keepalived.service
  rm -f "$step_dir/masked"
  if ((rc != 0)); then
    tail -n 15 "$package_log"
    fail keepalived/install "installation of keepalived" "code $rc" "success" \
      "see the lines above; can this node reach its package repository?"
  fi
  rm -f "$before"
  timeout 30 systemctl daemon-reload
  changed "installed $(tr '\n' ' ' <"$before_dir/packages")"
}

# Together with what came with it, unless something else needs that by now.
remove_packages() {
  local -a names
  [[ -s $before_dir/packages ]] || return 0
  mapfile -t names < <(comm -12 <(sort "$before_dir/packages") <(list_packages))
  ((${#names[@]})) || return 0
  # The package does not know that we have put it into the boot, and would leave the link behind.
  timeout 60 systemctl --quiet disable keepalived.service </dev/null 2>/dev/null
  if command -v apt-get >/dev/null; then
    if apt_get --simulate purge "${names[@]}" | sed -n 's/^\(Purg\|Remv\) \([^ ]*\).*/\2/p' |
      grep -qvxF -f <(printf '%s\n' "${names[@]%:*}"); then
      names=(keepalived)
    fi
    apt_get purge "${names[@]}" >"$package_log" 2>&1
  else
    # rpm itself refuses what something else needs.
    rpm -e "${names[@]}" >"$package_log" 2>&1 || rpm -e keepalived >"$package_log" 2>&1
  fi || {
    tail -n 15 "$package_log"
    problem keepalived/remove "removal of ${names[*]}" "an error" "success" "see the lines above, and remove them by hand"
    return 1
  }
  changed "removed ${names[*]}"
}
