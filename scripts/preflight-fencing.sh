# shellcheck shell=bash disable=SC2154
# Part of preflight: with fencing, what this node needs to ask the NFS server for it. Needs what preflight.sh has sourced.

check_fencing() {
  local server="${data[FENCE_SERVER]}" port="${data[FENCE_PORT]:-22}" address own line
  [[ -n $server ]] || return 0
  { command -v ssh && command -v ssh-keygen; } >/dev/null || problem fencing/ssh-client "ssh and ssh-keygen" "no such command" "an OpenSSH client" \
    "install openssh-client (Debian) or openssh-clients (RHEL)"
  while IFS= read -r line; do
    [[ $line =~ ^(ssh|ecdsa|sk)-[a-z0-9@.-]+\ [A-Za-z0-9+/]+={0,2}$ ]] || problem data/value FENCE_HOST_KEYS "$(printf '%.60q' "$line")" \
      "'<type> <base64>'" "correct nfsShare.fencing.hostKeys in the program"
  done <<<"${data[FENCE_HOST_KEYS]}"
  read -r address _ < <(getent ahostsv4 "$server")
  if [[ -z $address ]]; then
    problem fencing/server-name "IPv4 address of $server" none one "correct nfsShare.server, or the name service of this node"
    return
  fi
  own="$(ip -4 route get "$address" 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')"
  [[ $own == "${data[FENCE_ADDRESSES]%% *}" ]] || problem fencing/own-address "address of this node towards $server" "${own:-none}" \
    "${data[FENCE_ADDRESSES]%% *}, to which the server exports" "correct nfsShare.fencing.clientAddresses"
  # shellcheck disable=SC2016 # for the inner shell
  timeout -s KILL 10 bash -c 'exec 3<>"/dev/tcp/$1/$2"' _ "$address" "$port" 2>/dev/null ||
    problem fencing/ssh-port "TCP port $port of $server" "no answer" "its sshd" "open the firewall between this node and the NFS server"
}
