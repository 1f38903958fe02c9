# shellcheck shell=bash disable=SC2034
# Mount options that are refused, as lib/rules/refused-options.ts has them: there for what the program says, here for what only Terraform knows.
# A test holds the two lists equal.

# refused_option WHERE OPTION: whether; says in `demand` why, and in `todo` what to do. WHERE is nfsShare.mountOptions or nfsShare.fstabOptions.
refused_option() {
  todo="remove it"
  case "$2" in
    local_lock=none | vers=4 | vers=4.[0-2] | nfsvers=4 | nfsvers=4.[0-2] | v4 | v4.[0-2]) return 1 ;;
    nolock | local_lock=*) demand="locks must be held by the server, or both nodes write" ;;
    vers=* | nfsvers=* | v[0-9]*)
      demand="must be NFS 4, where the lock of a dead node ends with its lease"
      todo='write "vers=4.2"'
      ;;
    soft | softerr)
      demand="a write must wait for the server, one that is given up can corrupt data"
      todo='write "hard"'
      ;;
    ro)
      demand="the active node must write to the share"
      todo='write "rw"'
      ;;
    nocto) demand="a node that takes over must see what the other one wrote" ;;
    bg)
      demand="mount must not report success before the share is there"
      [[ $1 == nfsShare.mountOptions ]]
      ;;
    noauto | x-systemd.automount)
      demand="the share must be mounted at boot, or the standby cannot take over"
      todo='remove it; "nofail" lets a boot go on without the server'
      [[ $1 == nfsShare.fstabOptions ]]
      ;;
    *) return 1 ;;
  esac
}
