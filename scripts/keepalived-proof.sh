# shellcheck shell=bash
# Whether keepalived takes a configuration, for the stage and for `nim-ha verify`.

# Codes that say "fine" are 0, and with the guide's block 5 (until keepalived 2.1) or 6, which hides every other complaint behind the one about
# script security, which that block always earns. So the log decides: any line but these is an error. A keepalived that would run the scripts as
# another user, or that crashes, may say nothing, and ends with another code.
# prove_conf FILE PROFILE SECONDS: sets `complaint`, empty where there is none.
prove_conf() {
  local log code
  log="$(timeout -s KILL "$3" keepalived -t -f "$1" 2>&1 </dev/null)"
  code=$?
  complaint="$(grep -v -e '^[[:space:]]*$' -e 'Opening file' -e "default user 'keepalived_script'.*does not exist" <<<"$log")"
  if [[ $2 == guide && ($code == 5 || $code == 6) ]]; then
    complaint="$(grep -v -e 'SECURITY VIOLATION - scripts are being executed but script_security not enabled' <<<"$complaint")"
    code=0
  fi
  [[ $code != 137 ]] || complaint="no end within $3 s"
  [[ $code == 0 && -z $complaint ]] || complaint="code $code, $(head -n 5 <<<"${complaint:-no message}")"
}
