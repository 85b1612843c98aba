"""The rows of the comparison, as text and as the last line of JSON."""

from dataclasses import dataclass, field

import numpy as np

from ablation.results import mean_and_half
from ablation.tables import shown
from quality.tables import text_table

from .measures import METRICS, measures
from .methods import METHODS

TITLES = {"log_loss": "log loss", "above_truth": "above truth", "normalized_entropy": "NE", "auc": "AUC",
          "ratio": "ratio", "error": "ECE"}

# name: (title, model, method fitted to its validation scores)
ROWS = {
    "base": ("Without the device", "base", ""),
    "platt": ("  + Platt", "base", "platt"),
    "platt_device": ("  + Platt by device", "base", "platt_device"),
    "isotonic": ("  + isotonic", "base", "isotonic"),
    "isotonic_device": ("  + isotonic by device", "base", "isotonic_device"),
    "tower": ("Device as an input of the tower", "tower", ""),
    "tower_platt_device": ("  + Platt by device", "tower", "platt_device"),
    "tower_isotonic_device": ("  + isotonic by device", "tower", "isotonic_device"),
    "joint": ("Calibration layer by device, joint", "joint", ""),
    "joint_platt_device": ("  + Platt by device", "joint", "platt_device"),
    "joint_isotonic_device": ("  + isotonic by device", "joint", "isotonic_device"),
}


@dataclass
class Row:
    """Values by seed."""
    metrics: dict = field(default_factory=lambda: {name: [] for name in METRICS})
    ratios: dict = field(default_factory=dict)
    errors: dict = field(default_factory=dict)

    def add(self, values, by_device):
        for name, value in values.items():
            self.metrics[name].append(value)
        for device, (ratio, error) in by_device.items():
            self.ratios.setdefault(device, []).append(ratio)
            self.errors.setdefault(device, []).append(error)


def compare(held_out, runs):
    """{name: Row} of ROWS and of the truth."""
    validation, test = held_out.validation, held_out.test
    found = {name: Row() for name in (*ROWS, "truth")}
    found["truth"].add(*measures(test.truth, test))
    seeds = len(next(iter(runs.values())))
    for seed in range(seeds):
        logits = {name: held_out.logits_of(by_seed[seed].predicted, by_seed[seed].scores)
                  for name, by_seed in runs.items()}
        for name, (_, model, method) in ROWS.items():
            fitted, others = logits[model]
            calibrate = METHODS[method](fitted, validation.labels, validation.device)
            found[name].add(*measures(calibrate(others, test.device), test))
    return found


def titled(found):
    return [*((title, found[name]) for name, (title, _, _) in ROWS.items()), ("The truth", found["truth"])]


def metric_table(found):
    return [["", *TITLES.values()], *([title, *(shown(mean_and_half(row.metrics[name]), False) if name != "above_truth"
                                                else f"{np.mean(row.metrics[name]):.5f}" for name in METRICS)]
                                      for title, row in titled(found))]


def device_table(found, what, head):
    devices = sorted(getattr(found["truth"], what))
    return [[head, *devices], *([title, *(shown(mean_and_half(getattr(row, what)[device]), False)
                                          for device in devices)] for title, row in titled(found))]


def difference_table(found):
    """The joint layer less each other row, paired by seed."""
    names = ("log_loss", "above_truth", "error", "auc")
    joint = found["joint"].metrics
    return [["The joint layer less", *(TITLES[name] for name in names)],
            *([title, *(shown(mean_and_half(np.subtract(joint[metric], found[name].metrics[metric])))
                        for metric in names)] for name, (title, _, _) in ROWS.items() if name != "joint")]


def as_text(found, held_out, seeds):
    count = "1 seed, no intervals" if seeds == 1 else f"{seeds} seeds, paired; ± is half a 95% t-interval over them"
    tables = (metric_table(found), difference_table(found),
              device_table(found, "ratios", "predicted clicks over observed"),
              device_table(found, "errors", "expected calibration error"))
    test = held_out.test.labels
    lines = [f"  {count}; {len(held_out.validation.labels):,} validation rows, {len(test):,} test rows, of which "
             f"{test.mean():.1%} were clicked"]
    for table in tables:
        lines += ["", text_table(table)]
    return "\n".join(lines)


def as_json(found, seeds):
    """{row}_{metric}, {row}_ratio_{device}, {row}_error_{device}: means over the seeds."""
    line = {}
    for name, row in found.items():
        line |= {f"{name}_{metric}": values for metric, values in row.metrics.items()}
        for device in sorted(row.ratios):
            line |= {f"{name}_ratio_{device}": row.ratios[device], f"{name}_error_{device}": row.errors[device]}
    return {key: round(float(np.mean(values)), 6) for key, values in line.items()} | {"seeds": seeds}
