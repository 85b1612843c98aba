"""The two data sets and the network without components that each is measured against.

Every value that shapes a run is spelt out rather than left to a default, so that a finished run can
be told apart from another by its config and settings alone.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from quality.protocols import ROOT, BenchError, movielens_1m
from quality.runs import text_hash

BUILD = ROOT / "build" / "bench" / "ablation"
CONTEXT = "device"
LOG_SOURCES = [f"limber/core/data/{name}" for name in ("ads_truth.cc", "ads_block.cc", "ads_generator.cc",
                                                       "power_law.h")]
RAREST = 6e-5  # share of the rows that a value must be in to have a row of its own: 300 of 5 million
SUPPORT_INPUTS = ["category", *(f"id_{number:02}" for number in range(2, 9))]


@dataclass(frozen=True)
class DataSet:
    name: str
    title: str
    labels: tuple
    config: dict
    wide: str
    context: str
    log: Path = None  # the synthetic log, with its truth
    episode_settings: tuple = ()  # of what is trained on episodes
    all_settings: tuple = ()  # of all components together

    @property
    def files(self):
        data = self.config["data"]
        return [data["interactions"], *(table["path"] for table in data["tables"].values())]


def model_section(**changes):
    model = {
        "meta_block": {"enabled": False, "level": "interaction", "hidden": [64, 64], "dim": 16,
                       "activation": "relu", "adapt": "weights", "start": "zero"},
        "history": {"enabled": False, "hidden": [64], "dim": 32, "pooling": "mean", "signal": "label"},
        "statistics": {"enabled": False},
        "global_block": {"cross": {"kind": "none", "layers": 2, "rank": 32}, "hidden": [128, 64],
                         "activation": "relu", "dropout": 0},
    }
    for block, values in changes.items():
        model[block].update(values)
    return model


def meta_section(**changes):
    return {"order": "second", "inner_steps": 1, "adaptation_steps": 3,
            "inner_learning_rate": "per_tensor", "inner_learning_rate_start": 4.0,
            "shrinkage": "learned", "shrinkage_start": 5.0, **changes}


def train_section(**changes):
    return {"optimizer": "adam", "sparse_optimizer": "rowwise_adagrad", "weight_decay": 0, "warm_up": 0.1,
            "schedule": "cosine", "clip_norm": 10, "early_stop": "log_loss", "seed": 1, "threads": 1,
            "device": "cpu", "tensorboard": False, "checkpoint_seconds": 3600, **changes}


def movielens():
    data, features = movielens_1m()
    labels = {"like": "rating >= 4", "love": "rating == 5", "dislike": "rating <= 2"}
    config = {
        "name": "ablation",
        "data": {**data, "labels": labels, "split": "random", "validation_share": 0.1,
                 "test_share": 0.1, "split_seed": 1},
        "features": features,
        "model": model_section(),
        "meta": meta_section(tasks_per_batch=16, support=100, support_sizes="mixed", query=400),
        "train": train_section(learning_rate=2e-3, sparse_learning_rate=0.1, batch=1024, epochs=12,
                               patience=3),
    }
    title = ("MovieLens-1M: rating >= 4, rating = 5 and rating <= 2 at once; a random tenth of each "
             "member's rows is the test")
    return DataSet("movielens", title, tuple(labels), config, "[movie]", "age")


def synthetic(program, rows):
    log = ads_log(program, rows)
    ids = ["category", *(f"id_{number:02}" for number in range(2, 27))]
    numbers = [f"number_{number:02}" for number in range(1, 14)]
    # Rows of rarer values learn their few clicks by heart: what has many of them predicts too few
    # clicks on new rows, whatever it was calibrated on.
    min_count = max(5, round(rows * RAREST))
    features = [{"name": name, "kind": "id", "dim": 8, "min_count": min_count} for name in ids]
    features += [{"name": name, "kind": "number", "transform": "log1p"} for name in numbers]
    features.append({"name": CONTEXT, "kind": "id", "dim": 4})
    config = {
        "name": "ablation",
        "data": {"interactions": str(log), "tables": {}, "task": "member_id", "time": "timestamp",
                 "labels": {"click": "clicked"}, "split": "chronological", "validation_share": 0.1,
                 "test_share": 0.1},
        "features": features,
        # The device is left to the calibration layer.
        "model": model_section(global_block={"inputs": ids + numbers}, history={"inputs": ["category"]},
                               meta_block={"inputs": SUPPORT_INPUTS}),
        "meta": meta_section(tasks_per_batch=32, support=50, support_sizes="mixed", query=100),
        # Of the settings tried for the MLP alone with its calibration layer those with the best
        # validation log loss; a rate of 0.02 or 0.06 for the rows leaves them unlearnt, 0.3 is too fast.
        "train": train_section(learning_rate=4e-3, sparse_learning_rate=0.15, batch=1024, epochs=2,
                               patience=1),
    }
    title = f"Synthetic ads log, {rows:,} rows: the last tenth of each member's rows is the test"
    # Episodes learn from the query rows alone, two thirds of a member's: three epochs are as many
    # rows as two of all, and 40 members about a batch.
    episodes = ("meta.tasks_per_batch=40", "train.epochs=3", "train.patience=2")
    # At the MLP's rate all components together come apart in the second epoch.
    return DataSet("synthetic", title, ("click",), config, f"[{', '.join(ids[:14])}]", CONTEXT, log, episodes,
                   all_settings=("train.learning_rate=2e-3",))


def ads_log(program, rows):
    """The log of that many rows, generated where it is not there; another formula is another log."""
    folder = BUILD / f"ads-{rows}-{text_hash(LOG_SOURCES)[:8]}"
    log = folder / "interactions.parquet"
    if log.is_file():
        return log
    BUILD.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="ads.", dir=BUILD))
    try:
        done = subprocess.run([program, "generate", made, "--kind", "ads", "--rows", str(rows), "--seed", "1",
                               "--with-truth"], capture_output=True, text=True)
        if done.returncode != 0:
            raise BenchError(f"the ads log cannot be generated: {done.stderr.strip()}")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return log
