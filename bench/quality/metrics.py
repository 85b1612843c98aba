"""Metrics of scored rows and their bootstrap over members, in numpy.

A metric is computed for many resamples of the members at once: a resample says how often each
member counts. All columns of a protocol see the same resamples, so that differences are paired.
"""

import numpy as np

METRICS = ("auc", "gauc", "log_loss", "normalized_entropy", "calibration_ratio")


def resamples_of(members, count, seed=1):
    """[count + 1, members] multiplicities; row 0 is the sample itself."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(members, np.full(members, 1 / members), size=count)
    return np.concatenate([np.ones((1, members), dtype=np.int64), drawn])


def auc(logits, labels, group, multiplicities):
    """[resamples] areas under the ROC curve, a tie counting one half (as limber::SortedRows)."""
    order = np.argsort(logits, kind="stable")
    ordered, positive, group = logits[order], labels[order] == 1, group[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    result = np.full(len(multiplicities), np.nan)
    for i, times in enumerate(multiplicities):
        weight = times[group].astype(np.float64)
        positives = np.add.reduceat(np.where(positive, weight, 0), starts)
        negatives = np.add.reduceat(np.where(positive, 0, weight), starts)
        below = np.cumsum(negatives) - negatives
        pairs = positives.sum() * negatives.sum()
        if pairs > 0:
            result[i] = np.sum(positives * (below + 0.5 * negatives)) / pairs
    return result


def auc_by_member(logits, labels, group, members):
    """[members] AUC of each member's own rows; NaN where one class is missing."""
    order = np.lexsort((logits, group))
    ordered, positive, group = logits[order], labels[order] == 1, group[order]
    new_member = np.concatenate([[True], group[1:] != group[:-1]])
    starts = np.flatnonzero(new_member | np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    positives = np.add.reduceat(positive.astype(np.float64), starts)
    negatives = np.add.reduceat((~positive).astype(np.float64), starts)
    owner = group[starts]
    cumulative = np.cumsum(negatives) - negatives
    first = np.zeros(members)
    firsts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    first[owner[firsts]] = cumulative[firsts]
    won = np.bincount(owner, positives * (cumulative - first[owner] + 0.5 * negatives), members)
    pairs = np.bincount(owner, positives, members) * np.bincount(owner, negatives, members)
    return np.divide(won, pairs, out=np.full(members, np.nan), where=pairs > 0)


def all_metrics(logits, labels, group, multiplicities):
    """{metric: [resamples]} of one set of scored rows; group: [rows] numbers of their members."""
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels, np.float64)
    members = multiplicities.shape[1]
    times = multiplicities.astype(np.float64)

    def total(values):
        return times @ np.bincount(group, values, members)

    rows = total(np.ones(len(labels)))
    ones = total(labels)
    loss = total(np.logaddexp(0, logits) - labels * logits) / rows
    rate = ones / rows
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -rate * np.log(rate) - (1 - rate) * np.log1p(-rate)
        probabilities = 1 / (1 + np.exp(-logits))
        by_member = auc_by_member(logits, labels, group, members)
        weight = np.where(np.isnan(by_member), 0, np.bincount(group, minlength=members))
        gauc = (times @ (weight * np.nan_to_num(by_member))) / (times @ weight)
        return {
            "auc": auc(logits, labels, group, multiplicities),
            "gauc": gauc,
            "log_loss": loss,
            "normalized_entropy": loss / entropy,
            "calibration_ratio": total(probabilities) / ones,
        }


def summarise(by_seed):
    """Mean over seeds and the half-width of its 95% interval.

    by_seed: [seeds, resamples + 1], row 0 of a resample axis being the sample itself. Two sources
    of doubt add up: which members were drawn (variance over resamples of the mean over seeds) and
    which seeds (variance between seeds, over their number).
    """
    by_seed = np.atleast_2d(by_seed)
    seeds = len(by_seed)
    variance = np.nanvar(by_seed[:, 1:].mean(axis=0), ddof=1) if by_seed.shape[1] > 2 else 0.0
    if seeds > 1:
        variance += np.var(by_seed[:, 0], ddof=1) / seeds
    return float(by_seed[:, 0].mean()), float(1.96 * np.sqrt(variance))
