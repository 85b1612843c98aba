"""What the synthetic log knows of the test rows: their device and the true probability of a click."""

import numpy as np
import pyarrow.parquet as pq

LABEL = "click"


class TestRows:
    """The scored rows in the order of member and time, beside what the log says about them."""

    def __init__(self, log, scores):
        members, self.order = order_of(scores)
        table = pq.read_table(log, columns=["member_id", "device", "clicked", "true_probability"])
        of_row = table["member_id"].to_numpy()
        # The log is in the order of time; the last rows of each member are the test.
        by_member = np.argsort(of_row, kind="stable")
        ends = np.searchsorted(of_row[by_member], np.arange(of_row.max() + 2))[1:]
        counts = np.bincount(members, minlength=len(ends))
        rows_left = np.repeat(ends, counts[:len(ends)])
        firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        within = np.arange(len(members)) - np.repeat(firsts, counts)
        rows = by_member[rows_left - np.repeat(counts, counts) + within]
        self.labels = table["clicked"].to_numpy()[rows].astype(np.float64)
        self.probabilities = table["true_probability"].to_numpy()[rows]
        devices = table["device"].combine_chunks().take(rows).dictionary_encode()
        self.devices, self.device = devices.dictionary.to_pylist(), devices.indices.to_numpy()
        if not np.array_equal(self.labels, labels_of(scores)[self.order]):
            raise ValueError("the scored rows are not the last rows of the log's members")

    def ratios(self, probabilities):
        """{device: sum of predicted clicks over those expected by the true probabilities}.

        Observed clicks are one draw: of a device with 1,500 of them their number is uncertain by 2.6%.
        """
        return self.over(probabilities, self.probabilities)

    def observed(self):
        """{device: (observed clicks over expected ones, how far that is uncertain by the draw)}."""
        variance = np.bincount(self.device, self.probabilities * (1 - self.probabilities))
        uncertain = np.sqrt(variance) / np.bincount(self.device, self.probabilities)
        ratios = self.over(self.labels, self.probabilities)
        return {device: (ratios[device], spread) for device, spread in zip(self.devices, uncertain.tolist())}

    def over(self, values, others):
        return dict(zip(self.devices, (np.bincount(self.device, values) / np.bincount(self.device, others)).tolist()))

    def ratios_of(self, scores):
        logits = scores[f"{LABEL}_logit"].to_numpy().astype(np.float64)[self.order]
        _, order = order_of(scores)
        if not np.array_equal(order, self.order):
            raise ValueError("its test rows are not those of the other models")
        return self.ratios(1 / (1 + np.exp(-logits)))


def order_of(scores):
    """(members in order, the stable order by member) of scored rows."""
    members = scores["member"].combine_chunks().cast("int64").to_numpy()
    order = np.argsort(members, kind="stable")
    return members[order], order


def labels_of(scores):
    return scores[LABEL].to_numpy().astype(np.float64)


def auc(values, labels):
    """Area under the ROC curve, a tie counting one half."""
    order = np.argsort(values, kind="stable")
    ordered, positive = values[order], labels[order] == 1
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    positives = np.add.reduceat(positive.astype(np.float64), starts)
    negatives = np.add.reduceat((~positive).astype(np.float64), starts)
    below = np.cumsum(negatives) - negatives
    return float(np.sum(positives * (below + 0.5 * negatives)) / (positives.sum() * negatives.sum()))


def log_loss(probabilities, labels):
    return float(-np.mean(labels * np.log(probabilities) + (1 - labels) * np.log1p(-probabilities)))
