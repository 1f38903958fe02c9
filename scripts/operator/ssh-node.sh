#!/bin/bash
# ssh-node.sh observe | generation | (remove | remove-fencing) (restore | retain) [KEY=VALUE...]: what the operator's machine asks of a
# node, or of an NFS server that fences, with the OpenSSH client. Also run as a text (bash -c), so it does not know where it lies. Settings, as arguments or environment:
#   NIM_HA_HOST NIM_HA_PORT NIM_HA_USER    NIM_HA_HOST_KEYS (one a line; empty: not checked)
#   NIM_HA_KEY_ENV, NIM_HA_PASSWORD_ENV    names of the environment variables that hold a private key, a password
#   NIM_HA_KEY_FILE                        NIM_HA_AGENT=yes: the agent of SSH_AUTH_SOCK
#   NIM_HA_SUDO_ENV                        name of the one that holds what sudo asks the user for
#   NIM_HA_BASTION_HOST _PORT _USER _HOST_KEYS
#   NIM_HA_MACHINE _PROGRAM _RESOURCE      remove: the instance that goes, the machines and host keys of the program, the address in the state
#   NIM_HA_FENCING_NAME                    remove-fencing: of the pair on the server
# observe prints one line of JSON and generation a number, or in words why it can ask for none, and both end with 0 whatever the node does. remove ends with 0
# (and remove-fencing, of the server) when the node is as it was before or never had nim-ha, and when it is dead, for that must not keep a living pair from being
# changed: it is named then. It tries for NIM_HA_CONNECT_LIMIT seconds first, for a node that is skipped keeps its half of a
# pair. 5: the node is there, or something answers for it, and cannot be asked, or does not come to an answer; else the node's code. Both stop
# Terraform, and the next run goes on from there.

set -u
umask 077
LC_ALL=C
total_limit=120 # seconds: a node whose processors are busy takes its time; removal drains services first
rc=             # ssh's, or what it ran
may_come=       # yes: by this deploy, what there is to log in with
verb="${1-}"
shift
mode=
case "$verb" in remove*)
  mode="${1-}"
  shift
  total_limit=2400
  [[ $verb == remove ]] || total_limit=300
  ;;
esac
for setting in "$@"; do
  [[ $setting =~ ^NIM_HA_[A-Z_]+= ]] || { printf 'ssh-node: not a setting: %s\n' "$setting" >&2 && exit 2; }
  printf -v "${setting%%=*}" '%s' "${setting#*=}"
done

# by_hand MODE: what a person runs on the machine where this does not get to, or leaves all as it is.
by_hand() {
  if [[ $verb == remove-fencing ]]; then
    printf 'sudo /usr/local/lib/nim-ha-fence/setup.sh remove %s' "${NIM_HA_FENCING_NAME-}"
  else
    printf 'sudo /usr/local/lib/nim-ha/remove.sh %s' "$1"
  fi
}

# Settings and ssh's words are somebody else's: no terminal acts on them.
say() {
  local text="${NIM_HA_HOST:-?}: $verb: $*"
  printf 'nim-ha %s\n' "${text//[^[:print:]]/?}"
}

# never REASON: no later try will do better, so drift would never be found. Terraform refuses it with these words.
never() {
  local text="$1"
  [[ $1 != no-credentials && $1 != missing-tool ]] || text+=" ($missing)"
  printf '%s\n' "${text//[^[:print:]]/?}"
}

# no_answer REACHABLE REASON: the answer that a node did not give. Words that do not move, or every plan would differ.
no_answer() {
  case "$verb" in
    observe)
      printf '{"reachable":%s,"reason":"%s","vrrp_state":"UNKNOWN","holds_virtual_ip":null,"holds_lock":null,"phase":"UNKNOWN","able":null,"fenced":null,' "$1" "$2"
      printf '"keepalived":"unknown","services":{},"mounts":{},"config_in_sync":null,"drifted":[],"since":""}\n'
      exit 0
      ;;
    generation)
      if [[ $2 == not-installed ]]; then
        echo -1
      elif [[ $may_come != yes && ($1 == null || $2 == sudo-needs-password) ]]; then
        never "$2"
      else
        echo 0
      fi
      exit 0
      ;;
  esac
  if [[ $2 == not-installed ]]; then
    say "nim-ha is not there: nothing to remove"
    exit 0
  fi
  refuse_removal "$@"
}

# Whether the program has the instance that goes, and so goes itself.
is_in_program() {
  [[ -z ${NIM_HA_MACHINE-} || $'\n'$NIM_HA_PROGRAM == *$'\n'"$NIM_HA_MACHINE "* ]]
}

# Where it has not, but has its machine, by a host key or where it answers: what the machine is called there. Two behind one address
# have their ports in their names, and lose them when one of the two moves.
other_name() {
  local machine key
  ! is_in_program || return 0
  while read -r machine key; do
    # On a server there may be several: another name is another pair.
    [[ $verb != remove-fencing || ${machine%@*} == "${NIM_HA_MACHINE%@*}" ]] || continue
    [[ $key == "at=$NIM_HA_HOST:${NIM_HA_PORT:-22}" || (-n $key && $'\n'${NIM_HA_HOST_KEYS-}$'\n' == *$'\n'"$key"$'\n'*) ]] || continue
    printf '%s' "$machine"
    return
  done <<<"$NIM_HA_PROGRAM"
}

# A removal would take a machine out of the pair that is meant to stay.
refuse_other_name() {
  local other
  [[ $mode == restore ]] || return 0
  other="$(other_name)"
  [[ -n $other ]] || return 0
  say "FAILED [ssh/same-machine]: $NIM_HA_MACHINE is not in the program any more, got its address or one of its host keys at $other, expected another machine there; nothing was removed." \
    "If it is one machine under another address: deploy, which enters it under the new one, take the old entry out of the state, and run this again:" \
    "terraform state rm '${NIM_HA_RESOURCE}[\"$NIM_HA_MACHINE\"]'." \
    "If it is not, give the new one host keys of its own"
  exit 5
}

# A pair that is retained stays on the machines of the program. One that is there no more is no part of it, and would go on as a third node, or as
# a fence that nobody asks; but where there are others, and host keys do not tell, it may be one of them under another address.
retain_or_restore() {
  local nobody=$' (\n|$)'
  [[ $mode == retain ]] || return 0
  if ! is_in_program && [[ -z $NIM_HA_PROGRAM || (-n ${NIM_HA_HOST_KEYS-} && ! $NIM_HA_PROGRAM =~ $nobody) ]]; then
    say "$NIM_HA_MACHINE is not in the program any more: the pair is removed from it, for removalPolicy retain is for what is"
    mode=restore
  elif ! is_in_program; then
    say "$NIM_HA_MACHINE is not in the program any more, and without host keys nothing tells whether that is only its address: left as it is; to take the pair" \
      "off it, run on it: $(by_hand restore)"
    exit 0
  elif [[ $verb == remove-fencing ]]; then
    say "left in place, as removalPolicy retain says; to take it away later, run on it: $(by_hand restore)"
    exit 0
  fi
}

# A session that was there and broke.
broke='^(client_loop: |Timeout, server |Read from remote host |Connection to .* closed by remote host)'
# What ssh tells of a login that went well.
noise='^Warning: Permanently added |^\*\* '

# A host key that is another one, or none; a login that is refused.
other_key='^Host key verification failed|^@ +WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!'
denied='^([^ ]+@[^ ]+: )?Permission denied \(|^(Received disconnect from |Disconnecting).*: Too many authentication failures'

# What ssh said of why, the cause before what follows of it. The banner of a machine stands there, too: where sudo refuses, ssh has
# no complaint, and one that was ended mostly says nothing.
complaint() {
  local pattern line found=
  local -a patterns=("$other_key" "$denied" "$broke"
    '^ssh: (connect to|Could not) |^channel [0-9]+: open failed: |^Unable to negotiate ' '^(kex_|ssh_|banner exchange: )|during banner exchange$'
    '^(Bad (owner or|configuration option|packet length|remote protocol)|Received disconnect |Disconnected from |Disconnecting|Connection (closed|reset|timed out|to .* timed out))')
  case "$rc" in
    94) patterns=('^sudo: ' .) ;;
    124 | 137) ;;
    *) patterns+=(.) ;;
  esac
  for pattern in "${patterns[@]}"; do
    [[ -z $found && -e $dir/error ]] || continue
    while IFS= read -r line || [[ -n $line ]]; do
      line="${line%$'\r'}"
      [[ ! $line =~ $pattern || $line =~ $noise ]] || found="$line"
    done <"$dir/error"
  done
  printf '%s' "${found:-no word of an error}"
}

# refuse_removal REACHABLE REASON: what is to be done about a node that could not be asked to remove the pair.
refuse_removal() {
  local what bastion='' later undone='nothing was removed there: mend it'
  later="run on it: $(by_hand "$mode")"
  what="ssh to ${NIM_HA_USER-}@${NIM_HA_HOST-}, got $(complaint)"
  if [[ -e $dir/began ]]; then
    say "FAILED [ssh/lost]: $what, expected the end of the removal that began above; run this again, it goes on from there"
    exit 5
  fi
  [[ -z ${NIM_HA_BASTION_HOST-} ]] || bastion=" or the bastion ${NIM_HA_BASTION_USER-}@$NIM_HA_BASTION_HOST"
  if [[ $1 == false && $2 == unreachable ]]; then
    say "SKIPPED [ssh/$2]: $what, expected a login; nothing was removed there: when the node is back, $later"
    exit 0
  fi
  case "$2" in
    host-key) what+=", expected the node$bastion to have one of its hostKeys" ;;
    permission-denied) what+=", expected the node$bastion to take the user and the key or password" ;;
    refused) what+=", expected the node$bastion, which answers, to take a connection and keep it" ;;
    no-answer)
      what+=", expected the node$bastion, which has taken the connection, to answer within $total_limit s"
      undone='nothing is known to have been removed there, and it may be serving: mend it'
      # A server has others to serve.
      [[ $verb == remove-fencing ]] || undone+=' (or end the machine, or its power: then it is skipped)'
      ;;
    no-credentials) what="$missing not set, or not readable, expected it to be there" ;;
    missing-tool) what="programs of the machine that runs Terraform, got $missing, expected GNU timeout and an OpenSSH client" ;;
    unusable-key) what="the key in ${NIM_HA_KEY_ENV-}, got $(complaint), expected a private key without a passphrase" ;;
    bad-settings) what="settings of the $bad" ;;
    no-program) what="the removal's program on ${NIM_HA_HOST-}, got none, though /var/lib/nim-ha is there, expected it in /usr/local/lib/nim-ha; a deploy brings it back" ;;
    sudo-needs-password)
      what="sudo of ${NIM_HA_USER-} on ${NIM_HA_HOST-}, got $(complaint), expected it to ask for no password and no terminal, or ssh.sudoPassword from a variable"
      [[ -z ${NIM_HA_SUDO_ENV-} ]] || what="sudo of ${NIM_HA_USER-} on ${NIM_HA_HOST-}, got $(complaint), expected it to take the password in $NIM_HA_SUDO_ENV, without a terminal"
      ;;
  esac
  say "FAILED [ssh/$2]: $what; $undone and run this again, or take the node out of the state (terraform state rm) and $later"
  exit 5
}

connect_limit="${NIM_HA_CONNECT_LIMIT:-120}"
check_settings() {
  local pattern='^[A-Za-z0-9]([A-Za-z0-9.:_-]{0,253})$' expected='expected a user name, a host, a port'
  bad="pair on the server, got name '${NIM_HA_FENCING_NAME-}', expected letters, digits, . _ -"
  case "$verb $mode" in
    "observe " | "generation " | "remove restore" | "remove retain") ;;
    "remove-fencing restore" | "remove-fencing retain") [[ ${NIM_HA_FENCING_NAME-} =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$ ]] || no_answer null bad-settings ;;
    *)
      printf 'usage: ssh-node.sh observe | generation | (remove | remove-fencing) (restore | retain) [KEY=VALUE...]\n' >&2
      exit 2
      ;;
  esac
  bad="credentials, got NIM_HA_KEY_ENV='${NIM_HA_KEY_ENV-}', NIM_HA_PASSWORD_ENV='${NIM_HA_PASSWORD_ENV-}', NIM_HA_SUDO_ENV='${NIM_HA_SUDO_ENV-}', expected names of environment variables"
  # Whatever else stands there bash would evaluate.
  local name tool
  for name in "${NIM_HA_KEY_ENV-}" "${NIM_HA_PASSWORD_ENV-}" "${NIM_HA_SUDO_ENV-}"; do
    [[ $name =~ ^([A-Za-z_][A-Za-z0-9_]*)?$ ]] || no_answer null bad-settings
  done
  for tool in timeout ssh; do
    missing="no $tool in PATH"
    command -v "$tool" >/dev/null || no_answer null missing-tool
  done
  bad="node, got user '${NIM_HA_USER-}', host '${NIM_HA_HOST-}', port '${NIM_HA_PORT-}', $expected"
  [[ ${NIM_HA_HOST-} =~ $pattern && ${NIM_HA_USER-} =~ ^[A-Za-z0-9_][A-Za-z0-9._@-]*$ && ${NIM_HA_PORT:=22} =~ ^[0-9]+$ ]] ||
    no_answer null bad-settings
  bad="bastion, got user '${NIM_HA_BASTION_USER:-$NIM_HA_USER}', host '${NIM_HA_BASTION_HOST-}', port '${NIM_HA_BASTION_PORT:-22}', $expected"
  [[ -z ${NIM_HA_BASTION_HOST-} ]] || [[ $NIM_HA_BASTION_HOST =~ $pattern &&
    ${NIM_HA_BASTION_USER:=$NIM_HA_USER} =~ ^[A-Za-z0-9_][A-Za-z0-9._@-]*$ && ${NIM_HA_BASTION_PORT:=22} =~ ^[0-9]+$ ]] ||
    no_answer null bad-settings
  # Host keys are checked on both machines or, where that is switched off, on none.
  bad="bastion ${NIM_HA_BASTION_HOST-}, got no host key of it, expected one, for those of the node are to be checked"
  [[ -z ${NIM_HA_BASTION_HOST-} || -z ${NIM_HA_HOST_KEYS-} || -n ${NIM_HA_BASTION_HOST_KEYS-} ]] || no_answer null bad-settings
}

own_agent=
clean_up() {
  [[ -z $own_agent ]] || kill "$own_agent" 2>/dev/null
  rm -rf "$dir"
  [[ -z $own_agent ]] || echo >&9
}

# The private key goes from the environment through a pipe into an agent of its own: never to a disk or a command line.
start_own_agent() {
  local key="${!NIM_HA_KEY_ENV-}"
  [[ -n $key ]] || no_answer null no-credentials
  unset "$NIM_HA_KEY_ENV"
  # Where none starts, the user's own would be there in its place: to get the key, and to be ended with this.
  local said
  unset SSH_AUTH_SOCK
  # Terraform may kill this where no trap runs: the key does not outlive the longest run.
  said="$(ssh-agent -s -t "$((total_limit + connect_limit + 60))" -a "$dir/agent" 2>"$dir/error")"
  # Its path has no quotes there, so the text is no code.
  [[ ! $said =~ SSH_AGENT_PID=([0-9]+)\; ]] || own_agent="${BASH_REMATCH[1]}"
  export SSH_AUTH_SOCK="$dir/agent"
  missing="no ssh-agent ($(complaint))"
  [[ -n $own_agent ]] || no_answer null missing-tool
  # Nor the agent: the pipe closes with this and the ssh that it has started, and without a word on it only when nothing was cleaned up.
  exec 9> >(
    trap '' HUP INT TERM
    exec >/dev/null 2>&1
    read -r && exit
    kill "$own_agent"
    rm -rf "$dir"
  )
  # It may ask nobody for a passphrase: not the terminal either, where it would wait for ever.
  printf '%s\n' "${key%$'\n'}" | SSH_ASKPASS=/bin/false SSH_ASKPASS_REQUIRE=force timeout -k 5 30 ssh-add -q - 2>"$dir/error" ||
    no_answer null unusable-key
}

# of_config PATH: as a word of the ssh configuration, where a % begins one of ssh's own.
of_config() {
  printf '"%s"' "${1//%/%%}"
}

# Credentials become lines of the ssh configuration.
credentials() {
  missing="no key to log in with, got ${NIM_HA_KEY_ENV:-${NIM_HA_PASSWORD_ENV:-${NIM_HA_KEY_FILE:-SSH_AUTH_SOCK}}}"
  [[ ${NIM_HA_AGENT-}${NIM_HA_KEY_ENV-}${NIM_HA_PASSWORD_ENV-}${NIM_HA_KEY_FILE-} ]] ||
    missing="no key to log in with, for that of the program is no Terraform variable, got observeWith"
  if [[ -n ${NIM_HA_KEY_ENV-} ]]; then
    start_own_agent
    options+=("IdentityAgent $(of_config "$dir/agent")" "IdentityFile none" "BatchMode yes")
  elif [[ -n ${NIM_HA_KEY_FILE-} ]]; then
    # shellcheck disable=SC2088 # nothing has expanded it yet
    [[ $NIM_HA_KEY_FILE != '~/'* ]] || NIM_HA_KEY_FILE="${HOME-}/${NIM_HA_KEY_FILE#'~/'}"
    # shellcheck disable=SC2016 # ssh would put a variable in for what begins so
    [[ -r $NIM_HA_KEY_FILE && $NIM_HA_KEY_FILE != *[\"\\[:cntrl:]]* && $NIM_HA_KEY_FILE != *'${'* ]] || {
      may_come=yes
      no_answer null no-credentials
    }
    options+=("IdentityAgent none" "IdentityFile $(of_config "$NIM_HA_KEY_FILE")" "IdentitiesOnly yes" "BatchMode yes")
  elif [[ -n ${NIM_HA_PASSWORD_ENV-} ]]; then
    [[ -n ${!NIM_HA_PASSWORD_ENV-} ]] || no_answer null no-credentials
    export NIM_HA_PASSWORD="${!NIM_HA_PASSWORD_ENV}"
    # shellcheck disable=SC2016 # expanded when ssh asks
    printf '#!/bin/sh\nprintf "%%s\\n" "$NIM_HA_PASSWORD"\n' >"$dir/askpass"
    chmod 0700 "$dir/askpass"
    export SSH_ASKPASS="$dir/askpass" SSH_ASKPASS_REQUIRE=force DISPLAY="${DISPLAY:-none}"
    options+=("IdentityAgent none" "PreferredAuthentications password,keyboard-interactive" "PubkeyAuthentication no"
      "NumberOfPasswordPrompts 1")
  elif [[ ${NIM_HA_AGENT-} == yes && -S ${SSH_AUTH_SOCK-} ]]; then
    options+=("IdentityAgent SSH_AUTH_SOCK" "IdentityFile none" "BatchMode yes")
  else
    no_answer null no-credentials
  fi
}

take_sudo_password() {
  missing="no password for sudo, got ${NIM_HA_SUDO_ENV-}"
  [[ -n ${NIM_HA_SUDO_ENV-} ]] || return 0
  sudo_password="${!NIM_HA_SUDO_ENV-}"
  [[ -n $sudo_password ]] || no_answer null no-credentials
  # Several may get theirs from one variable.
  [[ $NIM_HA_SUDO_ENV == "${NIM_HA_KEY_ENV-}" || $NIM_HA_SUDO_ENV == "${NIM_HA_PASSWORD_ENV-}" ]] || unset "$NIM_HA_SUDO_ENV"
}

# known_hosts HOST PORT KEYS: "<type> <key>", or "@cert-authority [<host>] <type> <key>", to lines for this host alone.
known_hosts() {
  local line name="$1" marker word words
  [[ $2 == 22 ]] || name="[$1]:$2"
  while IFS= read -r line; do
    read -r -a words <<<"$line"
    ((${#words[@]} > 1)) || continue
    marker=
    [[ ${words[0]} != @* ]] || marker="${words[0]} "
    for word in "${!words[@]}"; do
      [[ ${words[word]} =~ ^(ssh-|ecdsa-|sk-) ]] || continue
      printf '%s%s %s %s\n' "$marker" "$name" "${words[word]}" "${words[word + 1]-}"
      break
    done
  done <<<"$3"
}

# host_block ALIAS HOST PORT USER KEYS
host_block() {
  printf 'Host %s\n  HostName %s\n  Port %s\n  User %s\n' "$1" "$2" "$3" "$4"
  if [[ -n ${5//[[:space:]]/} ]]; then
    known_hosts "$2" "$3" "$5" >"$dir/known_hosts.$1"
    printf '  StrictHostKeyChecking yes\n  UserKnownHostsFile %s\n' "$(of_config "$dir/known_hosts.$1")"
  else
    printf '  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n'
  fi
}

write_config() {
  local config
  local -a options=("ForwardAgent no" "ForwardX11 no" "ClearAllForwardings yes" "GlobalKnownHostsFile /dev/null"
    "UpdateHostKeys no" "CheckHostIP no" "LogLevel INFO" "ConnectTimeout 20" "ConnectionAttempts 1" "ServerAliveInterval 10"
    "ServerAliveCountMax 3" "ControlMaster no" "ControlPath none" "RequestTTY no" "EscapeChar none")
  credentials
  {
    host_block node "$NIM_HA_HOST" "$NIM_HA_PORT" "$NIM_HA_USER" "${NIM_HA_HOST_KEYS-}"
    if [[ -n ${NIM_HA_BASTION_HOST-} ]]; then
      # What ProxyJump becomes, which puts no quotes round the file.
      printf -v config %q "$dir/config"
      printf "  ProxyCommand ssh -F %s -W '[%%h]:%%p' bastion\n" "${config//%/%%}"
      # Its kernel gives a dead node up after two minutes and says so; before that it looks like one that takes the connection and hangs.
      [[ $verb != remove* ]] || printf '  ConnectTimeout 150\n'
      host_block bastion "$NIM_HA_BASTION_HOST" "$NIM_HA_BASTION_PORT" "$NIM_HA_BASTION_USER" "${NIM_HA_BASTION_HOST_KEYS-}"
    fi
    printf 'Host *\n'
    printf '  %s\n' "${options[@]}"
  } >"$dir/config"
}

# Why ssh gave up, in a word that is the same tomorrow. Only a node that takes no connection is unreachable, for a removal skips it: one that takes
# it and closes it, or hangs, may be alive and serve. A reading does not tell a connection that broke from that, nor what hangs behind a bastion.
reason_of() {
  local said connect='^(ssh: connect to host .* port [0-9]+: .*(timed out|refused|No route|unreachable|is down)|ssh: Could not resolve |channel [0-9]+: open failed: connect failed)'
  local unclear="$broke"
  [[ -z ${NIM_HA_BASTION_HOST-} ]] || unclear+='|during banner exchange$'
  said="$(complaint)"
  if [[ $said =~ $other_key ]]; then
    echo host-key
  elif [[ $said =~ $denied ]]; then
    echo permission-denied
  elif [[ $said =~ $connect || ($verb != remove* && $said =~ $unclear) ]]; then
    echo unreachable
  else
    echo refused
  fi
}

# What sudo asks for goes to the node through ssh itself. Twice, for each of the two may ask; neither program reads on behind it.
sudo_answers() {
  [[ -z ${NIM_HA_SUDO_ENV-} ]] || printf '%s\n%s\n' "$sudo_password" "$sudo_password"
}

# For sh, whatever the user's own shell is: no quote ' in it. A removal that finds nothing installed looks for what an interrupted deploy has
# uploaded.
remote_command() {
  # shellcheck disable=SC2016 # all of it runs on the node
  local prefix='s=; [ "$(id -u)" = 0 ] || s="sudo -n"; p=/usr/local/lib/nim-ha; '
  [[ -z ${NIM_HA_SUDO_ENV-} ]] || prefix="${prefix/sudo -n/sudo -S --prompt=}"
  # shellcheck disable=SC2016
  local found='[ -e $p/remove.sh ] || exit 93; [ -z "$s" ] || $s true || exit 94; '
  # shellcheck disable=SC2016
  case "$verb $mode" in
    "observe ") printf '%s' "$prefix$found" 'timeout 90 $s bash $p/nim-ha.sh status --json' ;;
    "generation ") printf '%s' "$prefix$found" 'timeout 90 $s bash $p/nim-ha.sh generation' ;;
    "remove-fencing restore") printf '%s' "${prefix}n=$NIM_HA_FENCING_NAME; p=/usr/local/lib/nim-ha-fence/setup.sh; " \
      'h="$(printf %s "$n" | sha256sum)"; u=".nim-ha-fence/$n .nim-ha-fence/secret/${h%% *} ./.nim-ha-fence-${h%% *}-*.sh"; ' \
      '[ -e $p ] || { rm -rf -- $u; exit 93; }; [ -z "$s" ] || $s true || exit 94; ' \
      '$s bash $p remove "$n" || exit; rm -rf -- $u; rmdir .nim-ha-fence/secret .nim-ha-fence 2>/dev/null; exit 0' ;;
    "remove retain") printf '%s' "$prefix$found" 'exec $s bash $p/remove.sh retain' ;;
    "remove restore") printf '%s' "$prefix" '[ -e $p/remove.sh ] || p=.nim-ha/scripts; ' \
      '[ -e $p/remove.sh ] || [ ! -e /var/lib/nim-ha ] || exit 95; ' "$found" \
      '$s bash $p/remove.sh restore && rm -rf .nim-ha .nim-ha-*.sh' ;;
  esac
}

# The step on the node outlives its connection, so a second try waits for it and takes over its result.
remove() {
  local told='' limit="$connect_limit" deadline
  deadline=$((SECONDS + limit))
  while :; do
    timeout -k 5 "$total_limit" ssh -F "$dir/config" node "exec sh -c '$(remote_command)'" < <(sudo_answers) 2>"$dir/error" | tee "$dir/heard"
    rc="${PIPESTATUS[0]}"
    if grep -q '^nim-ha ' "$dir/heard"; then
      : >"$dir/began"
      deadline=$((SECONDS + limit))
    fi
    [[ $rc == 255 && "$(reason_of)" =~ ^(unreachable|refused)$ ]] && ((SECONDS < deadline)) || return
    [[ -n $told ]] || say "no connection ($(complaint)); trying for $limit s"
    told=yes
    sleep 3
  done
}

dir="$(mktemp -d)" || exit 1
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
check_settings
retain_or_restore
refuse_other_name
take_sudo_password
write_config
if [[ $verb == remove* ]]; then
  remove
else
  answer="$(timeout -k 5 "$total_limit" ssh -F "$dir/config" node "exec sh -c '$(remote_command)'" < <(sudo_answers) 2>"$dir/error")"
  rc=$?
fi
case "$rc" in
  93) no_answer true not-installed ;;
  94) no_answer true sudo-needs-password ;;
  95) no_answer true no-program ;;
  124 | 137) no_answer false no-answer ;;
  255) no_answer false "$(reason_of)" ;;
esac
[[ $verb != remove* ]] || {
  grep -vE "$noise" "$dir/error" >&2
  exit "$rc"
}
answer="${answer##*$'\n'}"
pattern='^\{.*"phase".*\}$'
[[ $verb == observe ]] || pattern='^[0-9]+$'
[[ $rc == 0 && $answer =~ $pattern ]] || no_answer true no-status
printf '%s\n' "$answer"
