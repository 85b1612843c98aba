"""Compares Limber's metrics with scikit-learn's on random rows with heavy ties, members of one
class, members of one row, and row weights.

usage: metrics_sklearn_test.py METRICS_MAIN
"""

import json
import math
import subprocess
import sys

try:
    import numpy as np
    from sklearn.metrics import log_loss, ndcg_score, roc_auc_score
except ModuleNotFoundError as missing:
    sys.exit(f"metrics_sklearn_test: {missing.name} is not installed: run scripts/setup "
             "(or pip install -r scripts/requirements.txt)")

CUTOFF = 5
BINS = 8


def ours(groups, labels, logits, weights):
    lines = "".join(f"{g} {y:g} {z:.9g} {w:g}\n" for g, y, z, w in zip(groups, labels, logits, weights))
    done = subprocess.run([sys.argv[1], str(CUTOFF), str(BINS)], input=lines, text=True,
                          capture_output=True, check=True)
    return json.loads(done.stdout)


def expected_calibration_error(labels, probabilities, weights):
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gaps = [abs(np.sum(weights[bins == b] * (probabilities - labels)[bins == b])) for b in range(BINS)]
    return sum(gaps) / weights.sum()


def theirs(groups, labels, logits, weights):
    probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
    loss = log_loss(labels, probabilities, sample_weight=weights, labels=[0, 1])
    rate = np.average(labels, weights=weights)
    entropy = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
    aucs, ndcgs, skipped = [], [], 0
    for group in np.unique(groups):
        rows = groups == group
        if len(set(labels[rows])) < 2:
            skipped += 1
            continue
        ndcgs.append(ndcg_score(labels[rows][None], logits[rows][None], k=CUTOFF))
        aucs.append((roc_auc_score(labels[rows], logits[rows], sample_weight=weights[rows]),
                     weights[rows].sum()))
    return {
        "auc": roc_auc_score(labels, logits, sample_weight=weights),
        "gauc": np.average([auc for auc, _ in aucs], weights=[weight for _, weight in aucs]),
        "log_loss": loss,
        "normalized_entropy": loss / entropy,
        "calibration_ratio": np.sum(weights * probabilities) / np.sum(weights * labels),
        "calibration_error": expected_calibration_error(labels, probabilities, weights),
        "ndcg": np.mean(ndcgs),
        "skipped_groups": skipped,
        "groups": len(np.unique(groups)),
        "base_rate": rate,
    }


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    compared = 0
    skipped = 0
    for seed in range(12):
        random = np.random.default_rng(seed)
        rows = int(random.integers(200, 3000))
        # Squared, so that some members have many rows and many have one or two.
        groups = (random.random(rows) ** 2 * random.integers(20, 200)).astype(int) - 10
        taste = random.normal(size=groups.max() + 11)[groups + 10]
        labels = (random.random(rows) < 1 / (1 + np.exp(-taste - random.normal(size=rows)))).astype(float)
        steps = [1, 4, 1000][seed % 3]  # 1: whole numbers only, nearly everything is tied
        logits = (np.round((taste + random.normal(size=rows)) * steps) / steps).astype(np.float32)
        weights = random.integers(1, 4, rows).astype(float) if seed % 2 else np.ones(rows)
        mine, reference = ours(groups, labels, logits, weights), theirs(groups, labels, logits, weights)
        skipped += reference["skipped_groups"]
        for key, value in reference.items():
            got = mine[key]["value"] if isinstance(mine[key], dict) else mine[key]
            if not math.isclose(got, value, rel_tol=1e-9, abs_tol=1e-12):
                sys.exit(f"seed {seed}: {key}: Limber {got!r}, scikit-learn {value!r}")
            compared += 1
    if skipped == 0:
        sys.exit("no member of one class was drawn: the test lost its point")

    one_class = ours(np.array([1, 1]), np.array([1.0, 1.0]), np.array([0.5, 1.0]), np.ones(2))
    for key in ("auc", "gauc", "normalized_entropy", "ndcg"):
        if one_class[key]["value"] is not None:
            sys.exit(f"one class: {key} is {one_class[key]['value']}, expected null")
    print(f"metrics: {compared} values equal scikit-learn's, {skipped} members of one class skipped")


if __name__ == "__main__":
    main()
