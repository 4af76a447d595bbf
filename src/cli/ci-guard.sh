#!/bin/sh
# Cleans up after `timonier ci` when that was killed and could not do so itself. POSIX shell alone, as it is to cost
# nothing while it waits.
#
#   ci-guard.sh DIRECTORY [PROGRAM ARGUMENT...]
#
# It reads until `done`, which means that nothing is left to do. When its input ends without, whoever had the other end is
# gone: what was started with the directory is asked to end, killed when it does not, then the program given is run and
# the directory is removed. Started with it is who has TIMONIER_CI=DIRECTORY in its environment, as the command and all
# that comes of it, and who was given DIRECTORY/settings.json, as `timonier up`.
# Leaves out: those two where there is no /proc; what has put TIMONIER_CI out of its environment.
{ # read as a whole before anything runs: the file may be replaced meanwhile
directory=$1
shift
patience=5 # seconds from being asked to being killed
trap '' HUP INT QUIT TERM # of the terminal: whoever started this gets them too

# Sends signal $1 to all of them; fails when there is none.
signal_all() {
  found=
  for entry in $(
    grep -lsF -e "TIMONIER_CI=$directory" /proc/[0-9]*/environ
    grep -lsF -e "$directory/settings.json" /proc/[0-9]*/cmdline
  ); do
    entry=${entry#/proc/}
    kill "-$1" "${entry%/*}" 2>/dev/null && found=1
  done
  [ -n "$found" ]
}

while read -r word; do
  [ "$word" != done ] || exit 0
done

waited=0
signal=TERM
while signal_all "$signal" && [ "$waited" -lt "$patience" ]; do
  signal=0 # once is enough; now only whether they are there
  sleep 1
  waited=$((waited + 1))
done
signal_all KILL
[ $# = 0 ] || "$@" >/dev/null
rm -rf "$directory"
exit 0
}
