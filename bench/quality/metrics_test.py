"""Checks bench/quality/metrics.py against scikit-learn and against resampling rows by hand.

usage: python bench/quality/metrics_test.py
"""

import sys
import unittest
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from quality.metrics import all_metrics, resamples_of, summarise  # noqa: E402


def rows(seed, count=400, members=13):
    """Heavy ties, one member of one class, one of one row."""
    generator = np.random.default_rng(seed)
    group = np.concatenate([np.arange(members), generator.integers(2, members, count - members)])
    labels = generator.integers(0, 2, count).astype(float)
    labels[group == 2] = 1
    return np.round(generator.normal(size=count) + labels, 1), labels, group


def by_hand(logits, labels, group, times):
    """The rows of each member as often as the member was drawn, each draw a member of its own."""
    aucs, weights, picked = [], [], []
    for member, count in enumerate(times):
        own = np.flatnonzero(group == member)
        picked += [own] * count
        if len(set(labels[own])) == 2:
            aucs += [roc_auc_score(labels[own], logits[own])] * count
            weights += [len(own)] * count
    picked = np.concatenate(picked)
    probabilities = 1 / (1 + np.exp(-logits[picked]))
    loss, rate = log_loss(labels[picked], probabilities), labels[picked].mean()
    return {"auc": roc_auc_score(labels[picked], logits[picked]),
            "gauc": np.average(aucs, weights=weights),
            "log_loss": loss,
            "normalized_entropy": loss / -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)),
            "calibration_ratio": probabilities.sum() / labels[picked].sum()}


class Metrics(unittest.TestCase):
    def test_every_resample_is_what_its_rows_give(self):
        for seed in range(3):
            logits, labels, group = rows(seed)
            multiplicities = resamples_of(13, 5, seed)
            ours = all_metrics(logits, labels, group, multiplicities)
            for at, times in enumerate(multiplicities):
                for name, value in by_hand(logits, labels, group, times).items():
                    self.assertAlmostEqual(ours[name][at], value, 9, f"{name}, resample {at}")

    def test_order_of_rows_does_not_matter(self):
        logits, labels, group = rows(4)
        order = np.random.default_rng(5).permutation(len(labels))
        once = np.ones((1, 13), np.int64)
        first = all_metrics(logits, labels, group, once)
        second = all_metrics(logits[order], labels[order], group[order], once)
        for name in first:
            self.assertAlmostEqual(first[name][0], second[name][0], 12, name)

    def test_one_class_has_no_auc(self):
        values = all_metrics(np.array([0.1, 0.2]), np.ones(2), np.array([0, 1]), np.ones((1, 2), int))
        self.assertTrue(np.isnan(values["auc"][0]) and np.isnan(values["gauc"][0]))

    def test_resamples_draw_as_many_members_as_there_are(self):
        multiplicities = resamples_of(50, 20)
        self.assertTrue((multiplicities.sum(axis=1) == 50).all() and (multiplicities[0] == 1).all())
        self.assertTrue((multiplicities[1:] != 1).any(axis=1).all())

    def test_half_width_adds_members_and_seeds(self):
        by_seed = np.array([[1.0, 0.9, 1.1], [3.0, 2.9, 3.1]])
        mean, half = summarise(by_seed)
        self.assertAlmostEqual(mean, 2)
        self.assertAlmostEqual(half, 1.96 * np.sqrt(0.02 + 2 / 2))


if __name__ == "__main__":
    unittest.main()
