"""How well probabilities are calibrated, and how well they rank."""

import numpy as np

from ablation.truth import auc, log_loss

BINS = 15
METRICS = ("log_loss", "above_truth", "normalized_entropy", "auc", "ratio", "error")


def calibration_error(probabilities, labels, bins=BINS):
    """Expected calibration error over bins of as many rows as ties allow (as limber::calibration_error)."""
    ordered = np.sort(probabilities)
    cuts = ordered[np.arange(1, bins) * len(ordered) // bins]
    edges = np.unique(cuts[cuts > ordered[0]])
    gaps = np.bincount(np.searchsorted(edges, probabilities, side="right"), probabilities - labels)
    return float(np.abs(gaps).sum() / len(labels))


def calibration_ratio(probabilities, labels):
    """Sum of predicted over sum of observed clicks."""
    return float(probabilities.sum() / labels.sum())


def entropy(rate):
    return -rate * np.log(rate) - (1 - rate) * np.log1p(-rate)


def above_truth(probabilities, truth):
    """The log loss to expect above that of the true probabilities: free of the chance in the clicks."""
    return float(np.mean(truth * np.log(truth / probabilities)
                         + (1 - truth) * (np.log1p(-truth) - np.log1p(-probabilities))))


def measures(probabilities, rows):
    """{metric: value}, {device: (ratio, error)} of the test rows."""
    loss = log_loss(probabilities, rows.labels)
    values = {"log_loss": loss, "above_truth": above_truth(probabilities, rows.truth),
              "normalized_entropy": loss / float(entropy(rows.labels.mean())),
              "auc": auc(probabilities, rows.labels),
              "ratio": calibration_ratio(probabilities, rows.labels),
              "error": calibration_error(probabilities, rows.labels)}
    by_device = {}
    for number, device in enumerate(rows.devices):
        own = rows.device == number
        by_device[device] = (calibration_ratio(probabilities[own], rows.labels[own]),
                             calibration_error(probabilities[own], rows.labels[own]))
    return values, by_device
