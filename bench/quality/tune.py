"""make tune-quality: the same number of settings for every column of every protocol, the best by
validation log loss of seed 1 written to tuned.json beside what was tried.

usage: python bench/quality/tune.py   (BENCH_TUNE=6 settings, BENCH_JOBS=2, BENCH_PROTOCOLS, BENCH_COLUMNS)
"""

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from quality.columns import cells  # noqa: E402
from quality.protocols import BenchError  # noqa: E402
from quality.runs import Bench, Run, fast  # noqa: E402
from quality.search import TUNED, draws, read_tuned  # noqa: E402
from quality.selection import chosen_names  # noqa: E402


def choose(bench, runs, failures):
    """The trials of one cell and the best of them by validation log loss."""
    trials = []
    for run in runs:
        result = bench.result(run)
        if result is None:
            trials.append({"settings": run.settings, "failed": failures.get(bench.key(run), "")})
            continue
        trials.append({"settings": run.settings, "validation": result["validation"],
                       "best_epoch": result["training"]["best_epoch"],
                       "seconds": round(result["wall_seconds"])})
    finished = [trial for trial in trials if "validation" in trial]
    if not finished:
        return None
    best = min(finished, key=lambda trial: trial["validation"]["log_loss"])
    return {"chosen": best["settings"], "trials": trials}


def main():
    if fast() and "BENCH_TUNED" not in os.environ:
        raise BenchError("BENCH_FAST=1 trains one epoch, which must not choose settings; "
                         "set BENCH_TUNED to another file to try the tuning out")
    target = Path(os.environ.get("BENCH_TUNED", TUNED))
    count = int(os.environ.get("BENCH_TUNE", "6"))
    wanted = cells(*chosen_names())
    with Bench() as bench:
        by_cell = {(protocol.name, column.name): [Run(protocol, column, settings, 1)
                                                  for settings in draws(column, count)]
                   for protocol, column in wanted}
        # Trial by trial over all cells, so that an early look shows all of them.
        runs = [runs[i] for i in range(count) for runs in by_cell.values()]
        failures = bench.run_all(runs)
        tuned = read_tuned()
        for (protocol, column), cell_runs in by_cell.items():
            cell = choose(bench, cell_runs, failures)
            if cell is None:
                print(f"{protocol} {column}: no run finished, its settings stay as they were",
                      file=sys.stderr)
                continue
            tuned.setdefault(protocol, {})[column] = cell
            best = min(t["validation"]["log_loss"] for t in cell["trials"] if "validation" in t)
            print(f"{protocol:14} {column:20} {best:.5f}  {json.dumps(cell['chosen'])}")
        temporary = target.with_suffix(".part")
        temporary.write_text(json.dumps(tuned, indent=1) + "\n")
        temporary.replace(target)
    print(f"wrote {target}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
