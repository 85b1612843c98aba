"""The three protocols: data, split and what all columns of the table have in common.

Every value that shapes a run is spelt out here rather than left to a default, so that a finished
run can be told apart from another by its config alone.
"""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench" / "quality"
LABEL = "like"


class BenchError(Exception):
    """What the user can mend; shown as one line."""


def movielens_1m():
    folder = Path(os.environ.get("MOVIELENS_1M", ROOT.parent / "shared" / "data" / "ml-1m"))
    for name in ("ratings.csv.gz", "users.csv", "movies.csv"):
        if not (folder / name).is_file():
            raise BenchError(f"{folder / name}: not found; set MOVIELENS_1M to the folder of MovieLens-1M "
                             "(ratings.csv.gz, users.csv, movies.csv)")
    return {
        "interactions": str(folder / "ratings.csv.gz"),
        "tables": {"users": {"path": str(folder / "users.csv"), "key": "user_id"},
                   "movies": {"path": str(folder / "movies.csv"), "key": "movie_id"}},
        "task": "user_id",
    }, [
        {"name": "movie", "kind": "id", "column": "movie_id", "dim": 16},
        {"name": "genres", "kind": "ids", "dim": 8},
        {"name": "year", "kind": "number"},
        {"name": "gender", "kind": "id", "dim": 4},
        {"name": "age", "kind": "id", "dim": 4},
        {"name": "occupation", "kind": "id", "dim": 4},
    ]


GENRES_100K = ("Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir "
               "Horror Musical Mystery Romance Sci-Fi Thriller War Western").split()


def movielens_100k():
    folder = ROOT / "build" / "data" / "movielens-100k"
    for name in ("ratings.parquet", "users.parquet", "movies.parquet"):
        if not (folder / name).is_file():
            raise BenchError(f"{folder / name}: not found; run scripts/get-movielens-100k")
    return {
        "interactions": str(folder / "ratings.parquet"),
        "tables": {"users": {"path": str(folder / "users.parquet"), "key": "user_id"},
                   "movies": {"path": str(folder / "movies.parquet"), "key": "movie_id"}},
        "task": "user_id",
        "time": "timestamp",
    }, [
        {"name": "movie", "kind": "id", "column": "movie_id", "dim": 16},
        {"name": "release", "kind": "id", "column": "release_date", "dim": 8},
        *({"name": genre, "kind": "number", "transform": "none"} for genre in GENRES_100K),
        {"name": "gender", "kind": "id", "dim": 4},
        {"name": "age", "kind": "number"},
        {"name": "occupation", "kind": "id", "dim": 4},
    ]


@dataclass(frozen=True)
class Protocol:
    name: str
    title: str
    description: str
    split: str
    source: object  # () -> (data section, features)
    epochs: int
    patience: int
    support: int        # most rows that a member is described by, to every column that reads them
    support_sizes: str  # how training draws fewer
    query: int          # most rows of a member in one step of training

    def config(self):
        """The config that the columns start from."""
        data, features = self.source()
        return {
            "name": "quality",
            "data": {**data, "labels": {LABEL: "rating >= 4"}, "split": self.split,
                     "validation_share": 0.1, "test_share": 0.1, "split_seed": 1},
            "features": features,
            "model": {
                "meta_block": {"enabled": False, "level": "interaction", "hidden": [64, 64], "dim": 16,
                               "activation": "relu", "adapt": "weights", "start": "zero"},
                "history": {"enabled": False, "hidden": [64], "dim": 32, "pooling": "mean",
                            "signal": "label"},
                "statistics": {"enabled": False},
                "global_block": {"cross": {"kind": "full", "layers": 2}, "hidden": [128, 64],
                                 "activation": "relu", "dropout": 0},
            },
            "meta": {"order": "second", "inner_steps": 1, "adaptation_steps": 3,
                     "inner_learning_rate": "per_tensor", "inner_learning_rate_start": 4.0,
                     "shrinkage": "learned", "shrinkage_start": 5.0, "tasks_per_batch": 16,
                     "support": self.support, "support_sizes": self.support_sizes,
                     "query": self.query},
            "train": {"optimizer": "adam", "sparse_optimizer": "rowwise_adagrad", "learning_rate": 2e-3,
                      "sparse_learning_rate": 0.1, "weight_decay": 0, "warm_up": 0.1,
                      "schedule": "cosine", "clip_norm": 10, "batch": 1024, "epochs": self.epochs,
                      "early_stop": "log_loss", "patience": self.patience, "seed": 1, "threads": 1,
                      "device": "cpu", "tensorboard": False, "checkpoint_seconds": 3600},
        }


PROTOCOLS = {protocol.name: protocol for protocol in (
    Protocol("cold", "Cold members (MovieLens-1M)",
             "Test members unseen in training; the first half of a member's rows, at most 100, is the "
             "support, the rest is ranked. The data have no times, so the order is a seeded shuffle.",
             "members", movielens_1m, 12, 3, 100, "mixed", 400),
    Protocol("warm", "Warm members, random rows (MovieLens-1M)",
             "A random tenth of each member's rows is ranked; the support is their other rows, at most "
             "400. The data have no times, so no chronological split exists.",
             "random", movielens_1m, 12, 3, 400, "uniform", 400),
    Protocol("chronological", "Warm members, chronological (MovieLens-100K)",
             "The last tenth of each member's rows by time is ranked; the support is the rows before "
             "it, at most 400.",
             "chronological", movielens_100k, 30, 4, 400, "mixed", 400),
)}
