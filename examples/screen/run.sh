#!/usr/bin/env bash
# usage: run.sh [FOLDER_OF_PROGRAMS]
#
# Breast cancer (569 samples, 30 measurements; it ships with scikit-learn), with 2,000 features of
# noise beside them: which features matter, and how well do they classify? docs/screen.md explains the
# output.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly limber="${1:-build/release/apps}/limber"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build/venv/bin/python examples/screen/data.py "$work"
"$limber" screen fit "$work/training.csv" --label tumour -o "$work/model" --ranked "$work/ranked.csv" 2>/dev/null |
  sed "s|$work/||"
head -6 "$work/ranked.csv" | cut -d, -f1-5 |
  awk -F, 'NR == 1 {print; next} {printf "%s,%s,%.3f,%.4f,%.3f\n", $1, $2, $3, $4, $5}'
"$limber" screen predict "$work/fresh.csv" --label tumour -m "$work/model" -o "$work/predictions.csv" 2>/dev/null |
  sed "s|$work/||"
