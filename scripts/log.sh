# shellcheck shell=bash
# note TEXT: a line in the journal that nobody waits for: a journal that hangs must hold up neither a step down nor a reboot.
# What the callers hold open (a lock, a pipe) is not this line's to keep.

note() {
  timeout 5 logger -t nim-ha "$1" 7>&- 8>&- 9>&- &
}
