#!/bin/sh
# Runs operators, as their authors built them, against a cluster of their own in namespaces of its own, one after the
# other: `sh test/operators/run.sh --bin DIR NAME…`. Each is a file NAME.sh beside this one, which says what it wants in
# DIR, does what its users do and ends at the first thing that is not so. Exit code 1: one of them failed.
#
# Nothing outside is touched: network, mounts, processes and the host's name are the namespace's, the files lie in a new
# directory that goes at the end (--keep leaves it). kubectl is DIR/kubectl, else that of the PATH.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
usage='usage: sh test/operators/run.sh --bin DIR [--keep] [NAME…]   (default: all)'
bin='' keep=no
while [ $# -gt 0 ]; do
  case $1 in
    --bin) bin=$(cd "$2" && pwd -P) && shift 2 ;;
    --keep) keep=yes && shift ;;
    -*) echo "$usage" >&2 && exit 2 ;;
    *) break ;;
  esac
done
[ -n "$bin" ] || { echo "$usage" >&2 && exit 2; }
[ $# -gt 0 ] || set -- helm prometheus-operator cert-manager kwok controller-runtime kube-rs

failed=''
for name; do
  work=$(mktemp -d)
  echo "== $name"
  if unshare --net --mount --uts --pid --fork --kill-child --mount-proc sh "$here/in-namespace.sh" "$bin" "$work" "$here/$name.sh"; then
    echo "== $name works"
  else
    failed="$failed $name"
    echo "== $name FAILED"
  fi
  [ $keep = yes ] && echo "files: $work" || rm -rf "$work"
done
[ -z "$failed" ] || { echo "failed:$failed" && exit 1; }
