#!/bin/bash
# stdin: the root tree as a tar file; stdout: an ext4 file system with it. Runs as root or as a namespace's root, which may
# write nothing but its own temporary directory.
set -euo pipefail

size=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/root"
# File capabilities, such as ping's, are extended attributes.
tar --extract --numeric-owner --xattrs --xattrs-include='*' --exclude=./lab-out --directory="$work/root"
# Without lazy initialisation the machine has nothing to do in the background on its first boot.
mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 -d "$work/root" "$work/disk" "$size" >&2
cat "$work/disk"
