"""What the finished runs of one protocol say: metrics with intervals, paired differences, curves."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow.parquet as pq

from .metrics import METRICS, all_metrics, resamples_of, summarise
from .protocols import LABEL

RESAMPLES = 300
QUINTILES = 5


@dataclass
class Cell:
    """One column of one protocol. `values[metric]`: [seeds, resamples + 1]."""
    column: object
    failure: str = ""
    values: dict = field(default_factory=dict)
    activity: list = field(default_factory=list)     # [{"label", "from", "to", metric: (mean, half)}]
    support: list = field(default_factory=list)      # [{"size", metric: mean}]
    reliability: list = field(default_factory=list)
    validation: float = float("nan")                 # log loss, mean over seeds
    seeds: int = 0

    def metric(self, name):
        return summarise(self.values[name])


@dataclass
class Table:
    """All columns of one protocol. A column that does not exist in it is missing here."""
    protocol: object
    cells: dict
    rows: int = 0
    members: int = 0
    best: str = ""  # the LiMAML column with the best validation log loss

    @staticmethod
    def paired(cell, other, metric):
        """`cell` minus `other`, paired by seed and resample."""
        return summarise(cell.values[metric] - other.values[metric])

    def difference(self, column, metric):
        """Best LiMAML minus the column."""
        return self.paired(self.cells[self.best], self.cells[column], metric)


class TestRows:
    """The rows that all columns must have scored, with their members numbered."""

    def __init__(self, scores):
        self.keys = scores["member"].combine_chunks()
        encoded = self.keys.dictionary_encode()
        self.group = encoded.indices.to_numpy()
        self.members = len(encoded.dictionary)
        self.labels = scores[LABEL].to_numpy()
        self.multiplicities = resamples_of(self.members, RESAMPLES)
        activity = np.zeros(self.members, np.int64)
        activity[self.group] = scores["activity"].to_numpy()
        self.quintiles = list(quintiles_of(activity))

    def check(self, scores):
        if not (scores["member"].combine_chunks().equals(self.keys)
                and np.array_equal(scores[LABEL].to_numpy(), self.labels)):
            raise ValueError("its test rows are not those of the other columns")


def quintiles_of(activity):
    """(label, from, to, [members] mask): members by activity in five groups, equal but for ties."""
    ordered = np.sort(activity)
    starts = np.unique([ordered[i * len(ordered) // QUINTILES] for i in range(QUINTILES)])
    for i, start in enumerate(starts):
        end = starts[i + 1] - 1 if i + 1 < len(starts) else int(ordered[-1])
        yield (f"{start}–{end}", int(start), int(end), (activity >= start) & (activity <= end))


def check_against_program(metrics, values):
    """Our numbers and those that the program printed are two programs' word on the same rows."""
    for name in METRICS:
        theirs = metrics["labels"][LABEL]["metrics"][name]["value"]
        if theirs is not None and abs(theirs - values[name][0]) > 2e-5:
            raise ValueError(f"{name} is {theirs} by the program and {values[name][0]} by its scores")


def analyse_cell(bench, column, runs, rows):
    """One column from its runs, one a seed. Raises ValueError where they cannot be compared."""
    cell = Cell(column, seeds=len(runs))
    results = [bench.result(run) for run in runs]
    by_seed, by_quintile = [], [[] for _ in rows.quintiles]
    for run, result in zip(runs, results):
        scores = pq.read_table(bench.scores_path(run))
        rows.check(scores)
        logits = scores[f"{LABEL}_logit"].to_numpy()
        values = all_metrics(logits, rows.labels, rows.group, rows.multiplicities)
        check_against_program(result, values)
        by_seed.append(values)
        for at, (_, _, _, mask) in enumerate(rows.quintiles):
            picked = mask[rows.group]
            number = np.cumsum(mask) - 1
            by_quintile[at].append(all_metrics(logits[picked], rows.labels[picked],
                                               number[rows.group[picked]],
                                               rows.multiplicities[:, mask]))
    cell.values = {name: np.array([values[name] for values in by_seed]) for name in METRICS}
    for (label, start, end, _), seeds in zip(rows.quintiles, by_quintile):
        cell.activity.append({"label": label, "from": start, "to": end,
                              **{name: summarise(np.array([values[name] for values in seeds]))
                                 for name in METRICS}})
    curves = [result["labels"][LABEL].get("support", []) for result in results]
    for points in zip(*curves):
        cell.support.append({"size": points[0]["from"], **{
            name: float(np.mean([point["metrics"][name]["value"] for point in points]))
            for name in METRICS}})
    cell.reliability = results[0]["labels"][LABEL].get("reliability", [])
    cell.validation = float(np.mean([result["validation"]["log_loss"] for result in results]))
    return cell


def analyse(bench, protocol, runs_by_column, failures):
    """runs_by_column: {column: [run by seed]}. Cells whose runs failed say so and hold no numbers."""
    cells, rows = {}, None
    for column, runs in runs_by_column.items():
        missing = [run for run in runs if bench.result(run) is None]
        if missing:
            cells[column.name] = Cell(column, failures.get(bench.key(missing[0]), "not run"))
            continue
        if rows is None:
            rows = TestRows(pq.read_table(bench.scores_path(runs[0])))
        try:
            cells[column.name] = analyse_cell(bench, column, runs, rows)
        except (ValueError, KeyError) as error:
            cells[column.name] = Cell(column, f"{error}")
    table = Table(protocol, cells)
    if rows is not None:
        table.rows, table.members = len(rows.labels), rows.members
    candidates = [cell for cell in cells.values() if cell.column.adapts and not cell.failure]
    if candidates:
        table.best = min(candidates, key=lambda cell: cell.validation).column.name
    return table
