"""Calibration after training: what is fitted to the scores of a finished model on validation rows.

A method is a function fit(logits, labels) whose result turns logits into probabilities. Platt scaling
is a logistic regression on the logit, without penalty. Isotonic regression predicts 0 or 1 where its
outermost block has one class, and one row of the other class would then cost an infinite log loss;
it is taken a little inwards there, which favours it.
"""

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def platt(logits, labels):
    model = LogisticRegression(C=np.inf).fit(logits[:, None], labels)
    return lambda others: sigmoid(model.coef_[0, 0] * others + model.intercept_[0])


def isotonic(logits, labels):
    model = IsotonicRegression(out_of_bounds="clip").fit(logits, labels)
    lowest, highest = limits_of(model.predict(logits))
    return lambda others: np.clip(model.predict(others), lowest, highest)


def limits_of(fitted):
    """The smallest and the largest probability: half a row counts as what a block has none of."""
    lowest = inward(np.sum(fitted <= 0), fitted[fitted > 0]) if np.any(fitted <= 0) else 0.0
    highest = 1 - inward(np.sum(fitted >= 1), 1 - fitted[fitted < 1]) if np.any(fitted >= 1) else 1.0
    return lowest, highest


def inward(rows, others):
    share = 0.5 / (rows + 1)
    return min(share, others.min()) if len(others) else share


def by_group(fit):
    """The method for each group's rows by themselves; a group of one class follows all rows together."""

    def fit_groups(logits, labels, groups):
        of_all, of_group = fit(logits, labels), {}
        for group in np.unique(groups):
            rows = groups == group
            if 0 < labels[rows].mean() < 1:
                of_group[group] = fit(logits[rows], labels[rows])

        def apply(others, groups):
            result = of_all(others)
            for group, calibrate in of_group.items():
                rows = groups == group
                if rows.any():
                    result[rows] = calibrate(others[rows])
            return result

        return apply

    return fit_groups


def whole(fit):
    """The method for all rows together, whatever their group."""

    def fit_all(logits, labels, _):
        calibrate = fit(logits, labels)
        return lambda others, _: calibrate(others)

    return fit_all


METHODS = {
    "": whole(lambda logits, labels: sigmoid),
    "platt": whole(platt),
    "platt_device": by_group(platt),
    "isotonic": whole(isotonic),
    "isotonic_device": by_group(isotonic),
}
