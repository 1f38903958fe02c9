# shellcheck shell=bash disable=SC2154
# The lines that setup.sh prints, in the form of the nodes' (../report.sh), and the list of what it has changed.
#
#   nim-ha <server>: fencing: FAILED [<check id>]: <what>, got <x>, expected <y>; <what to do>

problems=() changes=() advice=()

say() {
  printf 'nim-ha %s: fencing: %s\n' "$(uname -n)" "$*"
}

changed() {
  changes+=("$*")
  say "changed: $*"
}

# problem ID WHAT GOT EXPECTED TODO: one line of the report that ends this.
problem() {
  local line
  printf -v line 'FAILED [%s]: %s, got %s, expected %s; %s' "$@"
  problems+=("${line//[$'\n\r']/ }")
}

# Prints the report and ends with $1, if there is any problem.
end_on_problems() {
  local line
  ((${#problems[@]})) || return 0
  for line in "${problems[@]}"; do say "$line"; done
  ((${#advice[@]} == 0)) || printf '%s\n' "${advice[@]}"
  line="$(printf '%s; ' "${changes[@]}")"
  line="${line%; }"
  say "changed so far: ${line:-nothing}"
  exit "$1"
}

# Both end the shell that they are called in: never in a pipe, nor in $(...).
fail() {
  problem "$@"
  end_on_problems 1
}

refuse() {
  problem "$@"
  end_on_problems 3
}

end_well() {
  if ((${#changes[@]})); then say "$1"; else say "$1: nothing was to be done"; fi
}
