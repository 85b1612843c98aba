"""The join of scored rows with the log, on a log small enough to see through.

usage: python bench/ablation/truth_test.py
"""

import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import log_loss as judge_log_loss
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ablation.truth import TestRows, auc, log_loss  # noqa: E402


class Truth(unittest.TestCase):
    def rows(self, clicks):
        """Members 1 and 3 with three rows each, of which the last one and two are scored."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log.parquet"
            pq.write_table(pa.table({"member_id": [3, 1, 1, 3, 3, 1], "device": list("abcdef"),
                                     "clicked": [0, 0, 1, 1, 0, 1],
                                     "true_probability": [.1, .2, .3, .4, .5, .6]}), log)
            scores = pa.table({"member": ["3", "3", "1"], "click": pa.array(clicks, pa.float32()),
                               "click_logit": pa.array([0, 0, 0], pa.float32())})
            return TestRows(log, scores), scores

    def test_the_last_rows_of_each_member(self):
        rows, scores = self.rows([1, 0, 1])
        self.assertEqual(rows.probabilities.tolist(), [.6, .4, .5])
        self.assertEqual([rows.devices[device] for device in rows.device], ["f", "d", "e"])
        ratios = rows.ratios_of(scores)
        self.assertEqual((ratios["f"], ratios["d"]), (.5 / .6, .5 / .4))
        ratio, spread = rows.observed()["d"]
        self.assertEqual(ratio, 1 / .4)
        self.assertAlmostEqual(spread, (.4 * .6) ** .5 / .4, 12)

    def test_other_labels_are_noticed(self):
        with self.assertRaises(ValueError):
            self.rows([0, 1, 1])

    def test_metrics(self):
        generator = np.random.default_rng(1)
        values = np.round(generator.random(500), 2) * 0.98 + 0.01
        labels = (generator.random(500) < values).astype(float)
        self.assertAlmostEqual(auc(values, labels), roc_auc_score(labels, values), 12)
        self.assertAlmostEqual(log_loss(values, labels), judge_log_loss(labels, values), 12)


if __name__ == "__main__":
    unittest.main()
