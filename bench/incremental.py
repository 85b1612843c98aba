"""make bench-incremental: what incremental training keeps of a full retraining, and at what cost.

Replays MovieLens-100K in the order of time: a first model on the first part of the log, then one window after
another. In each window four models are brought up to date and asked about the window after it:

cold         a new model, trained on all rows so far
incremental  `train --from` the last incremental model, on the window's rows alone, held by Fisher information
unheld       the same settings without the hold: train.incremental.strength=0, a naive warm start
warm         a warm start with settings of its own, tuned as those of the others are

A share of every window's rows is held out from all of them; those of the windows before the last say what is
forgotten. The model is the global block alone (films, genres, age, gender, occupation), as a member's rows come
in one or two windows. Seconds are those of training, the Fisher information included; reading the log and
starting the program, the same for all, are not.

Prints a table by window and ends with one line of JSON.

usage: python bench/incremental.py [--tune [cold] [warm] [incremental]]

--tune             tries settings on the early windows, which the table leaves out, and prints them; of all three,
                   or of those named
BENCH_SEEDS=3      seeds; differences are paired by seed and window
BENCH_WINDOWS=12   windows after the first part
BENCH_BUILD=...    folder that the programs were built in; build/release without it
"""

import argparse
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
from sklearn.metrics import roc_auc_score

from program_copies import ProgramCopies
from quality.protocols import GENRES_100K, ROOT

BUILD = Path(os.environ.get("BENCH_BUILD", ROOT / "build/release"))
MOVIELENS = ROOT / "build/data/movielens-100k"
WINDOWS = int(os.environ.get("BENCH_WINDOWS", "12"))
SEEDS = int(os.environ.get("BENCH_SEEDS", "3"))
FIRST_PART, HELD_OUT, EARLY = 0.4, 0.2, 4

# The best next-window AUC on the early windows, seed 1, of what was tried for each (--tune).
COLD = {"train.learning_rate": 2e-3, "train.sparse_learning_rate": 0.02, "train.epochs": 20, "train.patience": 3}
WARM = {"train.learning_rate": 1e-3, "train.sparse_learning_rate": 0.005, "train.epochs": 4}
INCREMENTAL = {"train.learning_rate": 5e-4, "train.sparse_learning_rate": 0.05, "train.epochs": 4,
               "train.incremental.strength": 10, "train.incremental.cold_weight": 0}
FISHER_ROWS = 100000  # all there are
TUNED = ("cold", "warm", "incremental")
TRIED_COLD = {"train.learning_rate": (1e-3, 2e-3, 4e-3),
              "train.sparse_learning_rate": (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)}
TRIED_WARM = {"train.learning_rate": (1e-4, 2.5e-4, 5e-4, 1e-3, 2e-3),
              "train.sparse_learning_rate": (0.005, 0.01, 0.02, 0.05), "train.epochs": (1, 2, 3, 4)}
TRIED = {"train.learning_rate": (2.5e-4, 5e-4, 1e-3), "train.sparse_learning_rate": (0.005, 0.01, 0.02, 0.05, 0.1),
         "train.epochs": (3, 4), "train.incremental.strength": (3, 10, 30)}


def config_of(log):
    tables = {"users": {"path": str(MOVIELENS / "users.parquet"), "key": "user_id"},
              "movies": {"path": str(MOVIELENS / "movies.parquet"), "key": "movie_id"}}
    features = [{"name": "movie", "kind": "id", "column": "movie_id", "dim": 16, "min_count": 3},
                *({"name": genre, "kind": "number", "transform": "none"} for genre in GENRES_100K),
                {"name": "gender", "kind": "id", "dim": 4}, {"name": "age", "kind": "number"},
                {"name": "occupation", "kind": "id", "dim": 4}]
    return {
        "name": "incremental",
        "data": {"interactions": str(log), "tables": tables, "task": "user_id", "labels": {"like": "rating >= 4"},
                 "split": "random", "validation_share": 0.1, "test_share": 0.001},
        "features": features,
        "model": {"meta_block": {"enabled": False}, "global_block": {"hidden": [64, 32]}},
        "train": {"batch": 256, "early_stop": "log_loss", "threads": 1, "device": "cpu", "tensorboard": False,
                  "checkpoint_seconds": 3600},
    }


class Replay:
    """The windows as files, and the programs to run on them."""

    def __init__(self, copies):
        self.copies, self.work = copies, copies.scratch
        table = parquet.read_table(MOVIELENS / "ratings.parquet").sort_by("timestamp")
        held_out = numpy.random.default_rng(1).random(table.num_rows) < HELD_OUT
        rows = table.num_rows
        edges = [0, *(round(rows * (FIRST_PART + (1 - FIRST_PART) * w / WINDOWS)) for w in range(WINDOWS + 1))]
        self.whole, self.kept, self.held = [], [], []
        for begin, end in itertools.pairwise(edges):
            part, held = table.slice(begin, end - begin), pa.array(held_out[begin:end])
            self.whole.append(part)
            self.held.append(part.filter(held))
            self.kept.append(part.filter(pa.array(~held_out[begin:end])))

    def run(self, program, *arguments):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        done = subprocess.run([str(part) for part in (self.work / program, *arguments)], capture_output=True,
                              text=True, env=environment)
        if done.returncode != 0:
            sys.exit(f"{program} {arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
        return done

    def train(self, name, rows, settings, origin=None):
        """The new version's folder, and the seconds of its training."""
        log, metrics = self.work / f"{name}.parquet", self.work / f"{name}.json"
        parquet.write_table(rows, log)
        config = self.work / f"{name}.yaml"  # JSON is YAML
        config.write_text(json.dumps(config_of(log)))
        words = [word for key, value in {"name": name, **settings}.items() for word in ("--set", f"{key}={value}")]
        done = self.run("limber-train", "train", config, *words, "--quiet", "--restart", "--resamples", 0,
                        "--models", self.work / "models", "--metrics", metrics,
                        *(("--from", origin) if origin else ()))
        training = json.loads(metrics.read_text())["training"]
        version = re.search(r"published (\S+)", done.stdout).group(1)
        return Path(version), training["seconds"] + training.get("fisher_seconds", 0)

    def auc(self, model, rows):
        log, scores = self.work / "asked.parquet", self.work / "scores.parquet"
        parquet.write_table(rows, log)
        self.run("limber-serve", "predict", model, log, "--output", scores, "--quiet")
        scored = parquet.read_table(scores).sort_by("row")
        likes = numpy.asarray(rows["rating"]) >= 4
        return roc_auc_score(likes, scored["score_like"].to_numpy())

    def older(self, window):
        """Held-out rows of all windows before that one."""
        return pa.concat_tables(self.held[:window])

    def first_model(self, seed):
        settings = {**COLD, "train.seed": seed, "train.incremental.fisher_rows": FISHER_ROWS}
        return self.train(f"first-{seed}", self.kept[0], settings)[0]

    def follow(self, name, start, seed, settings, windows):
        """A line of models through windows 1, 2, ...; what each knows of the next and the older ones."""
        model, results = start, []
        for window in range(1, windows + 1):
            model, seconds = self.train(name, self.kept[window],
                                        {**settings, "train.early_stop": "none", "train.seed": seed}, model)
            results.append(self.ask(model, window, seconds))
        return results

    def retrain(self, name, seed, windows, changes=None):
        results = []
        for window in range(1, windows + 1):
            rows = pa.concat_tables(self.kept[:window + 1])
            model, seconds = self.train(name, rows, {**COLD, **(changes or {}), "train.seed": seed})
            results.append(self.ask(model, window, seconds))
        return results

    def ask(self, model, window, seconds):
        return {"next": self.auc(model, self.whole[window + 1]), "older": self.auc(model, self.older(window)),
                "seconds": seconds}


def incremental_settings(settings):
    return {**settings, "train.incremental.fisher_rows": FISHER_ROWS}


def warm_settings(settings):
    return {**settings, "train.incremental.strength": 0}


def combinations(tried):
    return [dict(zip(tried, values)) for values in itertools.product(*tried.values())]


def tune(replay, names):
    """Every combination for each of the three, on the early windows; the best by the next window's AUC last."""
    start = replay.first_model(1)

    def incremental(settings):
        return replay.follow("tune", start, 1, incremental_settings(settings), EARLY)

    def warm(settings):
        return replay.follow("tune", start, 1, warm_settings(settings), EARLY)

    def cold(settings):
        return replay.retrain("tune", 1, EARLY, settings)
    for bring_up_to_date, tried in ((cold, TRIED_COLD), (warm, TRIED_WARM), (incremental, TRIED)):
        if bring_up_to_date.__name__ not in names:
            continue
        lines = []
        for settings in combinations(tried):
            windows = bring_up_to_date(settings)
            next_auc, older, seconds = (statistics.mean(window[what] for window in windows)
                                        for what in ("next", "older", "seconds"))
            line = (f"{bring_up_to_date.__name__}: next {next_auc:.4f}  older {older:.4f}  {seconds:.2f} s  "
                    + " ".join(f"{key.split('.', 1)[1]}={value}" for key, value in settings.items()))
            print(line, flush=True)
            lines.append((next_auc, line))
        print(f"best {max(lines)[1]}", flush=True)


def compare(replay):
    """By column, seed and window."""
    last = WINDOWS - 1  # the last window is only asked about
    results = {"cold": [], "incremental": [], "unheld": [], "warm": []}
    for seed in range(1, SEEDS + 1):
        start = replay.first_model(seed)
        results["cold"].append(replay.retrain(f"cold-{seed}", seed, last))
        results["incremental"].append(
            replay.follow(f"incremental-{seed}", start, seed, incremental_settings(INCREMENTAL), last))
        results["unheld"].append(replay.follow(f"unheld-{seed}", start, seed, warm_settings(INCREMENTAL), last))
        results["warm"].append(replay.follow(f"warm-{seed}", start, seed, warm_settings(WARM), last))
        print(f"seed {seed} of {SEEDS} done", file=sys.stderr, flush=True)
    return results


def mean(results, column, what, windows):
    return statistics.mean(line[window][what] for line in results[column] for window in windows)


def difference(results, column, other, what, windows):
    """Mean over windows and seeds, and its standard error over windows (each the mean over seeds)."""
    by_window = [statistics.mean(ours[window][what] - theirs[window][what]
                                 for ours, theirs in zip(results[column], results[other])) for window in windows]
    return statistics.mean(by_window), statistics.stdev(by_window) / len(by_window) ** 0.5


def show(results):
    columns = list(results)
    judged = range(EARLY, WINDOWS - 1)
    print("| window | " + " | ".join(f"{column} next" for column in columns) + " | "
          + " | ".join(f"{column} older" for column in columns) + " | "
          + " | ".join(f"{column} s" for column in columns) + " |")
    print("|" + "---:|" * (1 + 3 * len(columns)))
    for window in range(WINDOWS - 1):
        cells = [f"{mean(results, column, what, [window]):.{digits}f}"
                 for what, digits in (("next", 4), ("older", 4), ("seconds", 2)) for column in columns]
        early = "" if window in judged else " (early)"
        print(f"| {window + 1}{early} | " + " | ".join(cells) + " |")
    for column, other, what in (("incremental", "cold", "next"), ("warm", "cold", "next"),
                                *((("incremental", other, what) for other in ("unheld", "warm")
                                   for what in ("next", "older")))):
        value, error = difference(results, column, other, what, judged)
        print(f"{column} minus {other}, {what}: {value:+.4f} +- {error:.4f} (standard error over windows)")
    time_share = mean(results, "incremental", "seconds", judged) / mean(results, "cold", "seconds", judged)
    print(json.dumps({
        "auc_cold": round(mean(results, "cold", "next", judged), 4),
        "auc_incremental": round(mean(results, "incremental", "next", judged), 4),
        "auc_unheld": round(mean(results, "unheld", "next", judged), 4),
        "auc_warm": round(mean(results, "warm", "next", judged), 4),
        "time_share": round(time_share, 4),
        "older_auc_cold": round(mean(results, "cold", "older", judged), 4),
        "older_auc_incremental": round(mean(results, "incremental", "older", judged), 4),
        "older_auc_unheld": round(mean(results, "unheld", "older", judged), 4),
        "older_auc_warm": round(mean(results, "warm", "older", judged), 4),
    }))


def main():
    parser = argparse.ArgumentParser(prog="bench/incremental.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tune", nargs="*", choices=TUNED, help="try settings on the early windows")
    arguments = parser.parse_args()
    programs = [BUILD / "apps" / name for name in ("limber-train", "limber-serve")]
    for program in programs:
        if not program.is_file():
            sys.exit(f"error: {program}: not found; run `make build` first")
    if not (MOVIELENS / "ratings.parquet").is_file():
        sys.exit(f"error: {MOVIELENS}: not found; run scripts/get-movielens-100k")
    if WINDOWS < EARLY + 3:
        sys.exit(f"error: BENCH_WINDOWS: expected {EARLY + 3} or more")
    with ProgramCopies(ROOT / "build/bench/incremental", programs) as copies:
        replay = Replay(copies)
        if arguments.tune is not None:
            tune(replay, arguments.tune or TUNED)
        else:
            show(compare(replay))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
