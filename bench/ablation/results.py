"""What finished runs say: gains over the MLP alone, paired by seed, with t-intervals over seeds."""

import math
from dataclasses import dataclass, field

import numpy as np
import pyarrow.parquet as pq
from scipy import stats

from .truth import TestRows, auc, log_loss

LEVEL = 0.95


def mean_and_half(values):
    """The mean over seeds and half its 95% t-interval; nan for one seed."""
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return float(values.mean()), math.nan
    half = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean()), float(half)


@dataclass
class Outcome:
    """A component in one data set. With a `reason` it has no numbers."""
    component: object
    reason: str = ""
    auc: np.ndarray = None       # [seeds, labels]
    log_loss: np.ndarray = None
    parameters: int = 0
    seconds: float = 0
    settings: tuple = ()
    ratios: list = field(default_factory=list)  # by seed: {device: predicted over expected}


@dataclass
class Table:
    data: object
    outcomes: dict  # by the component's name
    truth: dict = field(default_factory=dict)

    @property
    def base(self):
        return self.outcomes["base"]

    def gain(self, name, label=None, metric="auc", over="base"):
        """(mean, half) of the gain, of a label or of the mean over labels; None without numbers."""
        outcome, other = self.outcomes.get(name), self.outcomes.get(over)
        if outcome is None or other is None or outcome.reason or other.reason:
            return None
        difference = getattr(outcome, metric) - getattr(other, metric)
        return mean_and_half(difference.mean(axis=1) if label is None else difference[:, label])


def outcome_of(component, runs, failures):
    results = [run.result() for run in runs]
    for run, result in zip(runs, results):
        if result is None:
            return Outcome(component, f"failed: {failures.get(run.key, 'not run')}")
    labels = runs[0].data.labels

    def values(metric):
        return np.array([[result["metrics"]["labels"][label]["metrics"][metric]["value"] for label in labels]
                         for result in results], np.float64)

    return Outcome(component, "", values("auc"), values("log_loss"),
                   sum(math.prod(shape) for shape in results[0]["shapes"].values()),
                   float(np.mean([result["seconds"] for result in results])), runs[0].settings)


def add_truth(table, runs):
    """The best that is possible on the synthetic test rows, and each model's calibration by device."""
    rows = None
    for name, outcome in table.outcomes.items():
        if outcome.reason:
            continue
        for run in runs[name]:
            scores = pq.read_table(run.scores)
            if rows is None:
                rows = TestRows(table.data.log, scores)
            outcome.ratios.append(rows.ratios_of(scores))
    if rows is not None:
        table.truth = {"auc": auc(rows.probabilities, rows.labels),
                       "log_loss": log_loss(rows.probabilities, rows.labels),
                       "observed": rows.observed(), "rows": len(rows.labels),
                       "rate": float(rows.labels.mean())}
