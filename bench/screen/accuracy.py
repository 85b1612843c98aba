"""Leave-one-out and repeated ten-fold error of everybody on the same folds."""

import csv
import subprocess

import numpy as np
from sklearn.model_selection import StratifiedKFold

from . import peers
from .microarrays import BUILD, BenchError, transformed
from .parts import part

REPEATS = 3
SEED = 1
OURS = {
    "Limber screen": (),
    "Limber screen, not tuned (all at FDR 5%, independence)": ("--tune", "0"),
}
MAIN = next(iter(OURS))


def folds_of(data, protocol):
    """[repeats, samples]: the fold in which a sample is held out."""
    n = len(data.truth)
    if protocol == "loo":
        return np.arange(n)[None]
    result = np.zeros((REPEATS, n), dtype=int)
    for repeat in range(REPEATS):
        splitter = StratifiedKFold(10, shuffle=True, random_state=SEED + repeat)
        for fold, (_, held_out) in enumerate(splitter.split(data.values, data.truth)):
            result[repeat, held_out] = fold
    return result


def peer_errors(data, folds, peer):
    """[repeats, samples]: 1 where the peer is wrong."""
    wrong = np.zeros(folds.shape, dtype=int)
    for repeat, fold_of in enumerate(folds):
        for fold in range(fold_of.max() + 1):
            held_out = fold_of == fold
            x = transformed(data.values, ~held_out)
            decisions = peers.tuned(peer, x[~held_out], data.truth[~held_out], x[held_out], SEED)
            wrong[repeat, held_out] = (decisions > 0) != data.truth[held_out]
    return wrong


def our_errors(program, data, folds, arguments):
    BUILD.mkdir(parents=True, exist_ok=True)
    table, predictions = BUILD / "folds.csv", BUILD / "predictions.csv"
    with open(table, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", *(f"repeat{r}" for r in range(len(folds)))])
        for i in range(folds.shape[1]):
            writer.writerow([i + 1, *folds[:, i]])
    command = [program, "screen", "cross-validate", data.path, "--transform", "asinh", "--normalize", "samples",
               "--fold-table", table, "--predictions", predictions, "--threads", "1", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    wrong = np.full(folds.shape, -1)
    with open(predictions, newline="") as file:
        for row in csv.DictReader(file):
            wrong[int(row["repeat"]), int(row["sample"]) - 1] = row["label"] != row["predicted"]
    if (wrong < 0).any():
        raise BenchError(f"{predictions}: a sample was not predicted")
    return wrong


def interval(per_sample):
    """Half-widths are not symmetric near zero: the 2.5th and 97.5th percentile of resampled means."""
    random = np.random.default_rng(SEED)
    means = per_sample[random.integers(0, len(per_sample), (4000, len(per_sample)))].mean(axis=1)
    return np.percentile(means, [2.5, 97.5])


def measure(program, stamp, data, protocol, progress):
    """Method -> [samples] share of repeats in which it was wrong."""
    folds = folds_of(data, protocol)
    result = {}
    for name, arguments in OURS.items():
        key = f"{data.name} {protocol} {name} {' '.join(arguments)} {stamp} {REPEATS} {SEED}"
        result[name] = part(key, lambda: our_errors(program, data, folds, arguments).mean(axis=0).tolist(), progress)
    for peer in peers.ALL:
        key = f"{data.name} {protocol} {peer.name} {peer.grid.tolist()} {REPEATS} {SEED}"
        result[peer.name] = part(key, lambda: peer_errors(data, folds, peer).mean(axis=0).tolist(), progress)
    return {name: np.array(errors) for name, errors in result.items()}


def show(data, protocol, errors):
    """Prints one table; returns (our error, the best peer's)."""
    title = "leave one out" if protocol == "loo" else f"{REPEATS} x 10 folds"
    print(f"\n{data.name}: {data.values.shape[0]} samples, {data.values.shape[1]} genes, {title}")
    print(f"  {'':<56} {'error %':>8}  {'95% interval':>15}  {'ours minus it':>22}")
    ours = errors[MAIN]
    for name, wrong in errors.items():
        low, high = 100 * interval(wrong)
        line = f"  {name:<56} {100 * wrong.mean():>8.2f}  [{low:>5.2f}, {high:>5.2f}]"
        if name != MAIN:
            low, high = 100 * interval(ours - wrong)
            line += f"  {100 * (ours - wrong).mean():>+6.2f} [{low:>+6.2f}, {high:>+6.2f}]"
        print(line)
    best = min(errors[peer.name].mean() for peer in peers.ALL)
    return ours.mean(), best


def summary(name, protocol, ours, best):
    prefix = "loo_" if protocol == "loo" else ""
    return {f"{prefix}error_{name}": round(float(ours), 4), f"{prefix}best_peer_error_{name}": round(float(best), 4)}


