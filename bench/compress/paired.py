"""Differences of two models on the same rows, where the command that made one did not measure the other."""

import numpy as np
import pyarrow.parquet as pq

from quality.metrics import all_metrics, resamples_of
from quality.protocols import BenchError

RESAMPLES = 300
METRICS = ("auc", "log_loss")


def paired(before, after, label):
    """{metric: {"value", "low", "high"}} of `after` minus `before`: 95% bootstrap intervals over members.

    Both are files of scores that `limber evaluate` wrote of the same rows, in one order.
    """
    tables = [pq.read_table(path, columns=["member", label, f"{label}_logit"]) for path in (before, after)]
    if any(not tables[0][name].equals(tables[1][name]) for name in ("member", label)):
        raise BenchError(f"{after}: has other rows than {before}")
    members = tables[0]["member"].combine_chunks().dictionary_encode()
    group, labels = members.indices.to_numpy(), tables[0][label].to_numpy()
    multiplicities = resamples_of(len(members.dictionary), RESAMPLES)
    metrics = [all_metrics(table[f"{label}_logit"].to_numpy(), labels, group, multiplicities) for table in tables]
    differences = {}
    for name in METRICS:
        values = metrics[1][name] - metrics[0][name]
        low, high = np.quantile(values[1:], (0.025, 0.975))
        differences[name] = {"value": float(values[0]), "low": float(low), "high": float(high)}
    return differences
