"""The validation and the test rows of the ads log, in a file of their own to score, and their scores.

`limber train --scores` gives the test rows alone, so that the published model scores both parts by
`limber predict`; on the test rows the two are compared.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ablation.truth import LABEL, labels_of, order_of

TRUTH = "true_probability"
TOLERANCE = 1e-5  # of probabilities, between two programs in single precision


def parts_of(members, validation_share, test_share):
    """(validation rows, test rows): of each member the last in the log, which is in the order of time;
    by member, then by time. As limber/core/data/split.cc parts them."""
    order = np.argsort(members, kind="stable")
    _, counts = np.unique(members, return_counts=True)
    test = np.floor(test_share * counts + 0.5).astype(np.int64)
    validation = np.minimum(np.floor(validation_share * counts + 0.5).astype(np.int64), counts - test)
    to_end = np.repeat(np.cumsum(counts), counts) - np.arange(len(members))  # 1 for a member's last
    in_test = to_end <= np.repeat(test, counts)
    in_validation = ~in_test & (to_end <= np.repeat(test + validation, counts))
    return order[in_validation], order[in_test]


@dataclass
class Part:
    labels: np.ndarray
    truth: np.ndarray
    device: np.ndarray  # number in `devices`
    devices: list


class HeldOut:
    def __init__(self, config, file):
        """Writes the rows into `file`, the validation rows first."""
        data, self.file = config["data"], file
        table = pq.read_table(data["interactions"])
        validation, test = parts_of(table[data["task"]].to_numpy(), data["validation_share"], data["test_share"])
        rows = table.take(pa.array(np.concatenate([validation, test])))
        self.count = len(validation)
        devices = rows["device"].combine_chunks().dictionary_encode()
        columns = (rows[data["labels"][LABEL]].to_numpy().astype(np.float64), rows[TRUTH].to_numpy(),
                   devices.indices.to_numpy())
        names = devices.dictionary.to_pylist()
        self.validation = Part(*(column[:self.count] for column in columns), names)
        self.test = Part(*(column[self.count:] for column in columns), names)
        pq.write_table(rows.drop_columns([TRUTH]), file)

    def logits_of(self, predicted, scores):
        """(validation, test) logits from a file of `limber predict`; `scores` is that of `limber train`."""
        table = pq.read_table(predicted, columns=["row", f"score_{LABEL}"])
        if len(table) != self.count + len(self.test.labels):
            raise ValueError(f"{len(table)} rows were scored, not the held-out ones")
        probabilities = table[f"score_{LABEL}"].to_numpy().astype(np.float64)[np.argsort(table["row"].to_numpy())]
        self.check(probabilities[self.count:], pq.read_table(scores))
        logits = np.log(probabilities) - np.log1p(-probabilities)
        return logits[:self.count], logits[self.count:]

    def check(self, probabilities, scores):
        _, order = order_of(scores)
        if not np.array_equal(labels_of(scores)[order], self.test.labels):
            raise ValueError("the test rows are not those that training scored")
        logits = scores[f"{LABEL}_logit"].to_numpy().astype(np.float64)[order]
        if np.abs(probabilities - 1 / (1 + np.exp(-logits))).max() > TOLERANCE:
            raise ValueError("training and prediction score the test rows differently")
