"""The rivals. Each is a grid of settings, the most regularised first, and a function that fits all
of them at once: decisions(training X, y, other X) -> [settings, others], above zero for class 1.

`tuned` chooses the setting with the fewest errors in inner folds of the training samples (the middle
one of equals), then fits it to all of them.
"""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

INNER_FOLDS = 5


def pooled(x, y):
    means = np.stack([x[y == k].mean(axis=0) for k in (0, 1)])
    residuals = x - means[y]
    return means, np.sqrt((residuals ** 2).sum(axis=0) / (len(y) - 2))


def log_prior(y):
    return np.log(np.mean(y == 1) / np.mean(y == 0))


class NearestShrunkenCentroids:
    """Tibshirani et al. 2002: scales with the median added, centroids shrunken by soft thresholds."""
    name = "Nearest shrunken centroids"
    grid = np.linspace(1, 0, 40)  # share of the largest threshold

    def decisions(self, x, y, other):
        means, scale = pooled(x, y)
        scale = scale + np.median(scale)
        overall = x.mean(axis=0)
        counts = np.bincount(y, minlength=2)
        errors = np.sqrt(1 / counts - 1 / len(y))[:, None]
        d = (means - overall) / (errors * scale)
        prior = np.log(counts / len(y))
        result = []
        for share in self.grid:
            shrunken = np.sign(d) * np.maximum(np.abs(d) - share * np.abs(d).max(), 0)
            used = np.any(shrunken != 0, axis=0)
            centroids = (overall + errors * scale * shrunken)[:, used]
            distances = [(((other[:, used] - c) / scale[used]) ** 2).sum(axis=1) for c in centroids]
            result.append((distances[0] - distances[1]) / 2 + prior[1] - prior[0])
        return np.array(result)


class FeatureAnnealed:
    """Fan and Fan 2008 in manner: the m features with the largest |t|, independence rule; m tuned."""
    name = "t-ranking + independence rule (FAIR)"
    grid = np.unique(np.geomspace(1, 3000, 40).astype(int))

    def decisions(self, x, y, other):
        means, scale = pooled(x, y)
        scale = np.where(scale > 0, scale, np.inf)
        d = (means[1] - means[0]) / scale
        u = (other - means.mean(axis=0)) / scale
        order = np.argsort(-np.abs(d), kind="stable")
        sums = np.cumsum((u * d)[:, order], axis=1)
        return np.stack([sums[:, min(m, len(d)) - 1] for m in self.grid]) + log_prior(y)


class DiagonalLda:
    """All features, pooled variances, no correlation; nothing to tune."""
    name = "Diagonal LDA"
    grid = np.array([0])

    def decisions(self, x, y, other):
        means, scale = pooled(x, y)
        scale = np.where(scale > 0, scale, np.inf)
        d = (means[1] - means[0]) / scale
        return (((other - means.mean(axis=0)) / scale) @ d + log_prior(y))[None]


def standardised(x, other):
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    return (x - mean) / scale, (other - mean) / scale


class L1Logistic:
    name = "L1 logistic regression"
    grid = np.geomspace(0.02, 20, 30)
    passes = (200, 2000, 20000)  # tried in turn until liblinear converges
    unconverged = 0  # fits that did not, over all instances

    def decisions(self, x, y, other):
        x, other = standardised(x, other)
        result = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for c in self.grid:
                # liblinear penalises the intercept, too; a large scale all but frees it.
                for passes in self.passes:
                    model = LogisticRegression(C=c, l1_ratio=1, solver="liblinear", tol=1e-3, max_iter=passes,
                                               intercept_scaling=1e3).fit(x, y)
                    if np.max(model.n_iter_) < passes:
                        break
                else:
                    L1Logistic.unconverged += 1
                result.append(model.decision_function(other))
        return np.array(result)


class LinearSvm:
    name = "Linear SVM"
    grid = np.geomspace(1e-6, 1, 40)

    def decisions(self, x, y, other):
        x, other = standardised(x, other)
        gram, cross = x @ x.T, other @ x.T
        return np.array([SVC(C=c, kernel="precomputed").fit(gram, y).decision_function(cross)
                         for c in self.grid])


ALL = (NearestShrunkenCentroids(), FeatureAnnealed(), DiagonalLda(), L1Logistic(), LinearSvm())


def tuned(peer, x, y, other, seed):
    """Decisions [others] of the setting that the inner folds choose."""
    best = 0
    if len(peer.grid) > 1:
        wrong = np.zeros(len(peer.grid), dtype=int)
        folds = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed)
        for inside, outside in folds.split(x, y):
            decisions = peer.decisions(x[inside], y[inside], x[outside])
            wrong += ((decisions > 0) != y[outside]).sum(axis=1)
        equals = np.flatnonzero(wrong == wrong.min())
        best = int(equals[(len(equals) - 1) // 2])
        peer = type(peer)()
        peer.grid = peer.grid[best:best + 1]
    return peer.decisions(x, y, other)[0]
