"""make bench-quality: what personalisation is worth, on three protocols, beside its rivals.

Trains every column of every protocol with three seeds (finished runs are kept under
build/bench/quality and used again), prints the tables and ends with one line of JSON.

usage: python bench/quality.py [--write-docs]

BENCH_SEEDS=3        seeds of each cell; 1 for a quick look
BENCH_JOBS=2         runs side by side, one core each
BENCH_PROTOCOLS=...  of cold, warm, chronological; all without it
BENCH_COLUMNS=...    of the columns in bench/quality/columns.py; all without it
BENCH_FAST=1         one epoch a run: only to see that everything runs
BENCH_BUILD=...      folder that limber-train was built in; build/release without it
MOVIELENS_1M=...     folder of MovieLens-1M
"""

import argparse
import json
import os
import sys
import time

import numpy
import pyarrow

from quality.analysis import analyse
from quality.columns import cells
from quality.protocols import BUILD, ROOT, BenchError
from quality.report import report_of
from quality.runs import Bench, Run, fast
from quality.search import read_tuned, tuned_settings
from quality.selection import chosen_names
from quality.tables import as_json, as_markdown, as_text, overview_markdown

PAGE, README = ROOT / "docs" / "quality.md", ROOT / "README.md"
BEGIN, END = "<!-- quality table begin -->", "<!-- quality table end -->"


def write_docs(tables, seeds):
    if fast() or any(chosen_names()):
        raise BenchError("--write-docs: only a whole table goes into the docs")
    failed = [f"{table.protocol.name} {name}" for table in tables
              for name, cell in table.cells.items() if cell.failure]
    if failed:
        raise BenchError(f"--write-docs: {', '.join(failed)} failed, so the table is not whole")
    put_between(PAGE, as_markdown(tables, seeds))
    put_between(README, overview_markdown(tables, seeds))


def put_between(path, text):
    page = path.read_text()
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise BenchError(f"{path}: expected one line '{BEGIN}' and one '{END}'")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
    print(f"wrote the table into {path}", file=sys.stderr)


def write_report(tables, seeds):
    path = BUILD / "report.json"
    path.write_text(json.dumps(report_of(tables, seeds), indent=1) + "\n")
    print(f"wrote {path}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(prog="bench/quality.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write-docs", action="store_true",
                        help="also put the tables into docs/quality.md and README.md, between their markers")
    arguments = parser.parse_args()
    seeds = int(os.environ.get("BENCH_SEEDS", "3"))
    if seeds < 1:
        raise BenchError("BENCH_SEEDS: expected 1 or more")
    started, tuned = time.monotonic(), read_tuned()
    by_protocol = {}
    for protocol, column in cells(*chosen_names()):
        settings = tuned_settings(tuned, protocol, column)
        if column.name not in tuned.get(protocol.name, {}):
            print(f"{protocol.name} {column.name}: not tuned yet (make tune-quality)", file=sys.stderr)
        by_protocol.setdefault(protocol, {})[column] = [
            Run(protocol, column, settings, seed) for seed in range(1, seeds + 1)]
    with Bench() as bench:
        # Seed by seed, so that a bench that is cut off has whole tables of the first seeds.
        runs = [columns[column][seed] for seed in range(seeds)
                for columns in by_protocol.values() for column in columns]
        failures = bench.run_all(runs)
        tables = [analyse(bench, protocol, columns, failures)
                  for protocol, columns in by_protocol.items()]
    if fast():
        print("BENCH_FAST=1: one epoch a run; these numbers mean nothing")
    for table in tables:
        print(as_text(table, seeds))
    write_report(tables, seeds)
    print(f"\n{(time.monotonic() - started) / 60:.1f} min; numpy {numpy.__version__}, "
          f"pyarrow {pyarrow.__version__}", file=sys.stderr)
    if arguments.write_docs:
        write_docs(tables, seeds)
    print(json.dumps(as_json(tables)))
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
