# shellcheck shell=bash
# pause SECONDS: a sleep without a process, for whoever must go on where none can be started any more.

exec {nothing}<> <(:) # nobody ever writes there
pause() {
  read -rt "$1" -u "$nothing"
}
