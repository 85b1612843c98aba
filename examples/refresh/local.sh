#!/usr/bin/env bash
# Refreshes all members of a log in shards, some of them at once, on this machine.
#
#   examples/refresh/local.sh MODEL FOLDER [SHARDS] [AT_ONCE] [limber adapt's options ...]
#
# A shard that fails is named and ends the run with 1; the same command again makes what is missing.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
model=$1 folder=$2 shards=${3:-8} at_once=${4:-$(nproc)}
shift $(($# < 4 ? $# : 4))

command -v "${LIMBER:-limber}" >/dev/null ||
  { echo "error: limber is not on the PATH; put it there, or set LIMBER to the program" >&2; exit 2; }
seq "$shards" | xargs -P "$at_once" -I{} \
  "${LIMBER:-limber}" adapt "$model" --output "$folder/" --shard "{}/$shards" --threads 1 --quiet "$@"
