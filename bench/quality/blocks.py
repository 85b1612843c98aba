"""make bench-blocks: whether personalisation still adds to the best global block.

Trains the un-personalised model of the cold and the warm protocol with each of the global blocks below
(seed 1) and takes the one with the best validation log loss. Then trains that block with and without
LiMAML, and LiMAML on the block of bench-quality, over all seeds; prints the differences, paired by member
and seed, and ends with one line of JSON. Finished runs are used again, also those of bench-quality.

usage: python bench/quality/blocks.py   (BENCH_SEEDS=3, BENCH_JOBS=2, MOVIELENS_1M=...)
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from quality.analysis import analyse  # noqa: E402
from quality.columns import COLUMNS  # noqa: E402
from quality.protocols import LABEL, PROTOCOLS, BenchError  # noqa: E402
from quality.runs import Bench, Run  # noqa: E402
from quality.search import read_tuned, tuned_settings  # noqa: E402
from quality.tables import text_table  # noqa: E402

BLOCK = "model.global_block"
RESIDUAL = {f"{BLOCK}.cross": {"kind": "residual", "layers": 2, "rank": 32}}
GATE = {f"{BLOCK}.gate": "low_rank"}
USUAL = "full crosses"
BLOCKS = {
    USUAL: {},
    "no crosses": {f"{BLOCK}.cross": {"kind": "none"}},
    "low-rank crosses": {f"{BLOCK}.cross": {"kind": "low_rank", "layers": 2, "rank": 32}},
    "residual crosses": RESIDUAL,
    "full crosses, gate": GATE,
    "residual crosses, gate": {**RESIDUAL, **GATE},
    "residual crosses, gate, MLP 256-128": {**RESIDUAL, **GATE, f"{BLOCK}.hidden": [256, 128]},
    "residual crosses, gate, experts": {**RESIDUAL, **GATE, f"{BLOCK}.experts": {"kind": "mmoe"}},
}
PERSONALISED = "limaml_history"


def run_of(protocol, name, block, seed):
    """Other settings are those that were tuned for the usual block."""
    column = COLUMNS[name]
    return Run(protocol, column, {**tuned_settings(read_tuned(), protocol, column), **BLOCKS[block]}, seed)


def choose(bench, protocol):
    """(best block by validation log loss, lines of a table)."""
    runs = {block: run_of(protocol, "none", block, 1) for block in BLOCKS}
    failures = bench.run_all(list(runs.values()))
    losses = {}
    for block, run in runs.items():
        result = bench.result(run)
        if result is None:
            raise BenchError(f"{run.title}, {block}: {failures.get(bench.key(run), 'not run')}")
        losses[block] = result["validation"]["log_loss"]
    return min(losses, key=losses.get), [[block, f"{loss:.5f}"] for block, loss in losses.items()]


def compared(bench, protocol, best, seeds):
    """Table of the three models, as bench-quality makes them."""
    models = {"block": ("none", best, f"{best}, no personalisation"),
              "usual_limaml": (PERSONALISED, USUAL, f"{USUAL}, {COLUMNS[PERSONALISED].title}"),
              "block_limaml": (PERSONALISED, best, f"{best}, {COLUMNS[PERSONALISED].title}")}
    runs = {replace(COLUMNS[column], name=name, title=title):
            [run_of(protocol, column, block, seed) for seed in range(1, seeds + 1)]
            for name, (column, block, title) in models.items()}
    failures = bench.run_all([run for by_seed in runs.values() for run in by_seed])
    table = analyse(bench, protocol, runs, failures)
    for cell in table.cells.values():
        if cell.failure:
            raise BenchError(f"{protocol.name}, {cell.column.title}: {cell.failure}")
    return table


def shown(pair, form):
    return f"{pair[0]:{form}} ± {pair[1]:.4f}"


def main():
    seeds = int(os.environ.get("BENCH_SEEDS", "3"))
    line = {}
    with Bench() as bench:
        for name in ("cold", "warm"):
            protocol = PROTOCOLS[name]
            best, losses = choose(bench, protocol)
            table = compared(bench, protocol, best, seeds)
            print(f"\n{protocol.title}; {seeds} seeds\n")
            print(text_table([["un-personalised, seed 1", "validation log loss"], *losses]), "\n")
            rows = [["", f"AUC {LABEL}", "GAUC", "log loss"]]
            rows += [[cell.column.title, *(shown(cell.metric(metric), ".4f") for metric in ("auc", "gauc", "log_loss"))]
                     for cell in table.cells.values()]
            for key, title, other in (("personalisation", "what personalisation adds to that block", "block"),
                                      ("block", "what that block adds to personalisation", "usual_limaml")):
                gains = {metric: table.paired(table.cells["block_limaml"], table.cells[other], metric)
                         for metric in ("auc", "gauc", "log_loss")}
                rows.append([title, *(shown(gain, "+.4f") for gain in gains.values())])
                line[f"{name}_{key}_gain"] = {metric: [round(number, 5) for number in gain]
                                              for metric, gain in gains.items()}
            line[f"{name}_best_block"] = best
            print(text_table(rows), flush=True)
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
