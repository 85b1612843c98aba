"""make bench-episodes: what LiMAML is worth under other episodes.

Trains the LiMAML column of the cold and the warm protocol (seed 1) with other numbers of support and
query rows, prints one table and ends with one line of JSON. Runs that bench-quality has finished are
used again.

usage: python bench/quality/episodes.py   (BENCH_JOBS=2, MOVIELENS_1M=...)
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from quality.columns import COLUMNS  # noqa: E402
from quality.protocols import LABEL, PROTOCOLS, BenchError  # noqa: E402
from quality.runs import Bench, Run  # noqa: E402
from quality.search import read_tuned, tuned_settings  # noqa: E402

# (most support rows, how sizes are drawn, most query rows)
EPISODES = {
    "cold": [(100, "log_uniform", 100), (100, "mixed", 100), (100, "mixed", 400), (100, "uniform", 400)],
    "warm": [(100, "log_uniform", 100), (100, "mixed", 100), (400, "log_uniform", 400),
             (400, "uniform", 400), (1000, "uniform", 1000)],
}


def run_of(protocol, support, sizes, query):
    column = COLUMNS["limaml"]
    settings = {**tuned_settings(read_tuned(), protocol, column), "meta.support": support,
                "meta.support_sizes": sizes, "meta.query": query}
    return Run(protocol, column, settings, 1)


def main():
    runs = {(name, *episode): run_of(PROTOCOLS[name], *episode)
            for name, episodes in EPISODES.items() for episode in episodes}
    figures = {}
    with Bench() as bench:
        failures = bench.run_all(list(runs.values()))
        print(f"{'protocol':10}{'support':>8}  {'sizes':12}{'query':>6}{'validation log loss':>21}"
              f"{'test AUC':>10}{'GAUC':>8}{'s':>6}")
        for (name, support, sizes, query), run in runs.items():
            result = bench.result(run)
            if result is None:
                print(f"{name:10}{support:8}  {sizes:12}{query:6}  failed: {failures[bench.key(run)]}")
                continue
            test = result["labels"][LABEL]["metrics"]
            auc, gauc = test["auc"]["value"], test["gauc"]["value"]
            print(f"{name:10}{support:8}  {sizes:12}{query:6}{result['validation']['log_loss']:21.4f}"
                  f"{auc:10.4f}{gauc:8.4f}{result['wall_seconds']:6.0f}")
            figures[f"{name}_{support}_{sizes}_{query}"] = {"auc": round(auc, 5), "gauc": round(gauc, 5)}
    print(json.dumps(figures))
    return 1 if failures else 0


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
