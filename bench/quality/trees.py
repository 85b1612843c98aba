"""LightGBM on the rows that `limber export` wrote: gradient-boosted trees on the same features.

Ids are categories (the most frequent ones; the rest are one category), lists are one 0/1 column a
value, numbers are as they are; the statistics of the support are added. Early stopping watches the
validation log loss.

usage: python -m quality.trees FOLDER --parameters FILE.json --metrics FILE.json --scores FILE.parquet
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .metrics import all_metrics
from .protocols import LABEL

MOST_CATEGORIES = 4000
MOST_LIST_VALUES = 64
ROUNDS = 2000
PATIENCE = 50


class Encoding:
    """Turns exported columns into one matrix; fitted on the training rows."""

    def __init__(self, table):
        self.parts = []
        for field in table.schema:
            name = field.name
            if name in ("member", "activity", LABEL):
                continue
            if pa.types.is_list(field.type):
                values, counts = np.unique(table[name].combine_chunks().flatten().to_numpy(),
                                           return_counts=True)
                kept = np.sort(values[np.argsort(-counts, kind="stable")[:MOST_LIST_VALUES]])
                self.parts.append((name, "list", kept))
            elif pa.types.is_int32(field.type):
                values, counts = np.unique(table[name].to_numpy(), return_counts=True)
                kept = np.sort(values[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]])
                self.parts.append((name, "id", kept))
            else:
                self.parts.append((name, "number", None))

    def names(self):
        names = []
        for name, kind, kept in self.parts:
            plain = re.sub(r"\W", "_", name)
            names += [f"{plain}_{value}" for value in kept] if kind == "list" else [plain]
        return names

    def categories(self):
        return [re.sub(r"\W", "_", name) for name, kind, _ in self.parts if kind == "id"]

    def matrix(self, table):
        columns = []
        for name, kind, kept in self.parts:
            if kind == "number":
                columns.append(table[name].to_numpy().astype(np.float32)[:, None])
                continue
            if kind == "id":
                values = table[name].to_numpy()
                place = np.minimum(np.searchsorted(kept, values), len(kept) - 1)
                known = kept[place] == values
                columns.append(np.where(known, place + 1, 0).astype(np.float32)[:, None])
                continue
            lists = table[name].combine_chunks()
            rows = np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))
            values = lists.flatten().to_numpy()
            place = np.minimum(np.searchsorted(kept, values), len(kept) - 1)
            known = kept[place] == values
            columns.append(np.zeros((len(lists), len(kept)), np.float32))
            columns[-1][rows[known], place[known]] = 1
        return np.concatenate(columns, axis=1)


def quick(table, logits):
    member = table["member"].combine_chunks().dictionary_encode()
    group = member.indices.to_numpy()
    values = all_metrics(logits, table[LABEL].to_numpy(), group,
                         np.ones((1, len(member.dictionary)), np.int64))
    return {key: float(value[0]) for key, value in values.items()}


def main():
    parser = argparse.ArgumentParser(prog="trees")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parameters", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        import lightgbm
    except ModuleNotFoundError:
        sys.exit("lightgbm is not installed: pip install -r scripts/requirements.txt")

    settings = json.loads(arguments.parameters.read_text())
    rounds = settings.pop("rounds", ROUNDS)
    train = pq.read_table(arguments.folder / "train.parquet")
    validation = pq.read_table(arguments.folder / "validation.parquet")
    encoding = Encoding(train)
    names, categories = encoding.names(), encoding.categories()
    parameters = {"objective": "binary", "metric": "binary_logloss", "num_threads": 1,
                  "deterministic": True, "force_row_wise": True, "verbosity": -1, **settings}
    started = time.monotonic()
    data = lightgbm.Dataset(encoding.matrix(train), train[LABEL].to_numpy(), feature_name=names,
                            categorical_feature=categories)
    held_out = lightgbm.Dataset(encoding.matrix(validation), validation[LABEL].to_numpy(),
                                reference=data)
    booster = lightgbm.train(parameters, data, rounds, valid_sets=[held_out], callbacks=[
        lightgbm.early_stopping(PATIENCE, verbose=False)])
    seconds = time.monotonic() - started

    def score(table):
        return booster.predict(encoding.matrix(table), raw_score=True,
                               num_iteration=booster.best_iteration).astype(np.float32)

    test = pq.read_table(arguments.folder / "test.parquet")
    logits = score(test)
    pq.write_table(pa.table({"member": test["member"], "support_rows": test["support_rows"],
                             "activity": test["activity"], f"{LABEL}_logit": logits,
                             LABEL: test[LABEL]}), arguments.scores)
    support = []
    for path in sorted(arguments.folder.glob("test_support_*.parquet"),
                       key=lambda path: int(path.stem.rpartition("_")[2])):
        size, cut = int(path.stem.rpartition("_")[2]), pq.read_table(path)
        metrics = {key: {"value": value} for key, value in quick(cut, score(cut)).items()}
        support.append({"label": str(size), "from": size, "to": size, "metrics": metrics})
    whole = {key: {"value": value} for key, value in quick(test, logits).items()}
    arguments.metrics.write_text(json.dumps({
        "labels": {LABEL: {"metrics": whole, "support": support}},
        "training": {"best_epoch": booster.best_iteration, "epochs": booster.current_iteration(),
                     "seconds": seconds},
        "validation": {key: value for key, value in quick(validation, score(validation)).items()
                       if key in ("log_loss", "auc", "gauc")},
        "program": f"lightgbm {lightgbm.__version__}",
    }, indent=1) + "\n")


if __name__ == "__main__":
    main()
