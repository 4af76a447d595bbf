#!/bin/sh
# Runs a cluster's process and starts it again when it dies: `up` leaves it behind. POSIX shell alone, as it is to cost
# nothing while it waits.
#
#   supervise.sh DIRECTORY [--adopt PID] PROGRAM ARGUMENT...
#
# Guarantees: the process is started again when it was killed or gave up, with the arguments of the first time and
# `--again`, which says so; after 1 s, then twice as long each time, 60 s at most, from the beginning after a minute of
# health. It is not started again when it ended as it was asked to (exit 0, SIGINT, SIGTERM), when this script was told
# to stop, when the first start did not come so far as to write state.json, or when the directory is gone or has another
# supervisor. Asked to stop, it kills a process that does not follow. DIRECTORY/supervisor.json says what it does
# (src/cluster/instance/supervision.ts); its log lines are the cluster's.
# With --adopt it begins with a process that runs already, whose own supervisor died. Nobody tells it how that one ends:
# it looks each second whether it is there, and takes its end for wanted when state.json went with it.
# Leaves out: which process has the store; that is the store's own matter.
{ # read as a whole before anything runs: the file may be replaced meanwhile
directory=$1
shift
adopted=
if [ "$1" = --adopt ]; then
  adopted=$2
  shift 2
fi
file=$directory/supervisor.json
delay_first=1
delay_max=60
healthy_after=60
line_format='%-255s\n' # always as long, so that it can be written over
kill_after=75 # longer than the process gives itself (stopMsMax in src/cluster/machine/end-process.ts)

# When process $1 started, in the kernel's ticks; nothing when it is gone, or where there is no /proc.
ticks() {
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" = Z ] || echo "${20}"
}

# The directory is there, and no other living supervisor is named in it.
is_mine() {
  [ -d "$directory" ] || return 1
  line=
  { read -r line <"$file"; } 2>/dev/null
  [ -n "$line" ] || return 0
  pid=${line#*'"pid":'}
  pid=${pid%%,*}
  [ "$pid" = $$ ] && return 0
  started=${line#*'"startTicks":"'}
  ! { kill -0 "$pid" && [ "$(ticks "$pid")" = "${started%%\"*}" ]; } 2>/dev/null
}

# $1: what is true now beside the rest, as members of a JSON object
tell() {
  is_mine || return 0
  (
    umask 077 # here alone: the cluster's process would inherit it, and give it to containers
    said=$(printf '{"pid":%d,"startTicks":"%s","restarts":%d%s%s}' $$ "$own_ticks" "$restarts" "$last_exit" "$1")
    { printf "$line_format" "$said" 1<>"$file.new" && mv -f "$file.new" "$file"; } ||
      { rm -f "$file.new" && [ -e "$file" ] && printf "$line_format" "$said" 1<>"$file"; } # a full disk: in its place
  ) 2>/dev/null
}

log() {
  printf '{"level":"%s","time":"%s","component":"supervisor","msg":"%s"}\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2"
}

# In a process of its own, which ends with the child at the latest. It asks again: the child may still have been this
# shell when it was asked first, and have lost the signal.
kill_later() {
  waited=0
  while kill -0 "$child"; do
    if [ "$waited" -lt "$kill_after" ]; then kill -TERM "$child"; else kill -KILL "$child"; fi
    sleep 1
    waited=$((waited + 1))
  done
} 2>/dev/null

# Runs the words given until they end; `status` is how. Asked to stop meanwhile, it asks the process, then kills.
run() {
  "$@" &
  child=$!
  exec 3>&- # the channel to `up` is the first process's alone
  unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE
  tell ",\"process\":$child"
  killer=
  while :; do
    if [ "$stopping" = 1 ] && [ -z "$killer" ]; then
      kill_later &
      killer=$!
    fi
    wait "$child" 2>/dev/null # it would say how the child ended
    status=$?
    kill -0 "$child" 2>/dev/null || break # else a signal ended the wait
  done
  wait "$child" 2>/dev/null # a signal may have ended that wait at the same time as the child
  late=$?
  [ "$late" = 127 ] || status=$late
  [ -z "$killer" ] || kill "$killer" 2>/dev/null
  child=
}

# The same for a process that is no child of this shell.
adopt() {
  child=$1
  its_ticks=$(ticks "$child")
  tell ",\"process\":$child"
  killer=
  while [ -n "$its_ticks" ] && [ "$(ticks "$child")" = "$its_ticks" ]; do
    if [ "$stopping" = 1 ] && [ -z "$killer" ]; then
      kill_later &
      killer=$!
    fi
    sleep 1 &
    sleeper=$!
    wait "$sleeper" 2>/dev/null
    sleeper=
  done
  [ -z "$killer" ] || kill "$killer" 2>/dev/null
  child=
  status=1
  [ -e "$directory/state.json" ] || status=0
}

finish() {
  [ -d "$directory" ] && is_mine && mv -f "$file" "$file.new" 2>/dev/null # its room is kept for the next start
  exit "$1"
}

give_up() {
  log warn "the cluster's process ended, and its directory is gone or another's: not started again"
  exit "$status"
}

own_ticks=$(ticks $$)
restarts=0
last_exit=
stopping=0
delay=$delay_first
child=
sleeper=
# A sleeper that is still this shell would lose another signal than KILL.
trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null; [ -z "$sleeper" ] || kill -KILL "$sleeper" 2>/dev/null' TERM INT
while :; do
  begun=$(date +%s)
  if [ -n "$adopted" ]; then adopt "$adopted"; else run "$@"; fi
  ended=$(date +%s)
  [ "$stopping" = 0 ] || finish "$status"
  case $status in 0 | 130 | 143) finish "$status" ;; esac
  is_mine || give_up
  if [ "$restarts" = 0 ]; then
    [ -e "$directory/state.json" ] || finish "$status"
    set -- "$@" --again
  fi
  [ $((ended - begun)) -lt "$healthy_after" ] || delay=$delay_first
  if [ -n "$adopted" ]; then how=unseen; elif [ "$status" -gt 128 ]; then how="signal $((status - 128))"; else how="exit $status"; fi
  adopted=
  last_exit=",\"lastExit\":\"$how\",\"lastExitAt\":$ended"
  tell ",\"nextTryAt\":$((ended + delay))"
  log warn "the cluster's process ended ($how); it is started again in $delay s"
  sleep "$delay" &
  sleeper=$!
  [ "$stopping" = 0 ] || kill -KILL "$sleeper" 2>/dev/null
  wait "$sleeper" 2>/dev/null # it would say that it was killed
  sleeper=
  [ "$stopping" = 0 ] || finish 0
  is_mine || give_up
  delay=$((delay * 2))
  [ "$delay" -le "$delay_max" ] || delay=$delay_max
  restarts=$((restarts + 1))
done
}
