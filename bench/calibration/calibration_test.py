"""Fitted calibration, its measures and the parts of the log, each against what they must give.

usage: python bench/calibration/calibration_test.py
"""

import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ablation.truth import log_loss  # noqa: E402
from calibration.held_out import parts_of  # noqa: E402
from calibration.measures import above_truth, calibration_error, calibration_ratio  # noqa: E402
from calibration.methods import METHODS, isotonic, limits_of, platt, sigmoid  # noqa: E402


def bent(seed, count=40_000):
    """Logits that are wrong in each of two groups in its own way, and the true probabilities."""
    generator = np.random.default_rng(seed)
    logits, groups = generator.normal(-1, 1.5, count), generator.integers(0, 2, count)
    truth = sigmoid(np.where(groups == 0, 0.5 * logits + 1, 2 * logits - 1))
    return logits, groups, truth, (generator.random(count) < truth).astype(float)


class Methods(unittest.TestCase):
    def test_platt_finds_scale_and_shift(self):
        logits, groups, truth, labels = bent(1)
        own = groups == 0
        calibrate = platt(logits[own], labels[own])
        self.assertLess(np.abs(calibrate(logits[own]) - truth[own]).max(), 0.03)

    def test_by_device_comes_nearer_to_the_truth(self):
        logits, groups, _, labels = bent(2)
        others, other_groups, truth, _ = bent(3)
        above = {name: above_truth(fit(logits, labels, groups)(others, other_groups), truth)
                 for name, fit in METHODS.items()}
        for name in ("platt", "isotonic"):
            self.assertLess(above[name], above[""])
            self.assertLess(above[f"{name}_device"], above[name] / 10)

    def test_isotonic_rises_and_has_the_rate_of_its_rows(self):
        logits, _, _, labels = bent(4)
        fitted = isotonic(logits, labels)(np.sort(logits))
        self.assertTrue((np.diff(fitted) >= 0).all())
        self.assertAlmostEqual(calibration_ratio(fitted, labels), 1, 3)

    def test_isotonic_never_says_never(self):
        logits, labels = np.arange(10.0), np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 1.0])
        fitted = isotonic(logits, labels)(np.array([-5.0, 20.0]))
        self.assertEqual(fitted.tolist(), [0.5 / 5, 1 - 0.5 / 5])
        self.assertTrue(np.isfinite(log_loss(fitted, np.array([1.0, 0.0]))))

    def test_limits_do_not_pass_the_next_block(self):
        self.assertEqual(limits_of(np.array([0.0, 0.1, 0.5])), (0.1, 1))

    def test_a_group_of_one_class_follows_all(self):
        logits, groups, _, labels = bent(5, 1000)
        groups[:5], labels[:5] = 2, 0
        calibrate = METHODS["platt_device"](logits, labels, groups)
        alone = METHODS["platt"](logits, labels, groups)
        for group in (2, 3):
            self.assertEqual(calibrate(logits[:5], np.full(5, group)).tolist(), alone(logits[:5], None).tolist())


class Measures(unittest.TestCase):
    def test_error_of_two_bins(self):
        probabilities, labels = np.array([.1, .2, .7, .8]), np.array([0, 1, 1, 1.0])
        self.assertAlmostEqual(calibration_error(probabilities, labels, 2), (abs(.3 - 1) + abs(1.5 - 2)) / 4)

    def test_equal_predictions_never_part(self):
        self.assertAlmostEqual(calibration_error(np.full(40, .25), np.tile([1, 0, 0, 0], 10)), 0)

    def test_above_truth_is_the_expected_difference_of_log_losses(self):
        truth, probabilities = np.array([.2, .7]), np.array([.4, .6])

        def expected(values):
            return np.mean(-truth * np.log(values) - (1 - truth) * np.log(1 - values))

        self.assertAlmostEqual(above_truth(probabilities, truth), expected(probabilities) - expected(truth), 12)
        self.assertEqual(above_truth(truth, truth), 0)


class Parts(unittest.TestCase):
    def test_the_last_rows_of_each_member(self):
        members = np.array([7] * 10 + [3] * 4 + [7] * 5 + [9])
        validation, test = parts_of(members, 0.1, 0.2)
        self.assertEqual(test.tolist(), [13, 16, 17, 18])  # 0.2 x 4 and 0.2 x 15; 9 has one row
        self.assertEqual(validation.tolist(), [14, 15])    # 0.1 x 15 rounds half up to 2, 0.1 x 4 to 0


if __name__ == "__main__":
    unittest.main()
