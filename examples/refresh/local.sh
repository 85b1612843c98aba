#!/usr/bin/env bash
# Refreshes all members of a log in shards, some of them at once, on this machine.
#
#   examples/refresh/local.sh MODEL FOLDER [SHARDS] [AT_ONCE] [limber adapt's options ...]
#
# Shards that fail are named and end the run with 1, after the others; the same command again makes
# what is missing.
set -euo pipefail
fail() { echo "error: $*" >&2; exit 2; }
[ $# -ge 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
model=$1 folder=$2 shards=${3:-8} at_once=${4:-$(nproc)}
shift $(($# < 4 ? $# : 4))
for number in "$shards" "$at_once"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "'$number': expected a number of 1 or more"
done
limber=${LIMBER:-limber}
command -v "$limber" >/dev/null || fail "$limber is not on the PATH; put it there, or set LIMBER to the program"

refresh() {
  local limber=$1 model=$2 folder=$3 shard=$4
  shift 4
  "$limber" adapt "$model" --output "$folder/" --shard "$shard" --threads 1 --quiet "$@" ||
    { echo "error: shard $shard failed" >&2; return 1; }
}
export -f refresh
seq "$shards" | xargs -P "$at_once" -I{} bash -c 'refresh "$@"' - "$limber" "$model" "$folder" "{}/$shards" "$@" ||
  exit 1
