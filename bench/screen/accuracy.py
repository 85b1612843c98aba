"""Leave-one-out and repeated ten-fold error of everybody on the same folds."""

import csv
import hashlib
import subprocess
from pathlib import Path

import numpy as np
import sklearn
from sklearn.model_selection import StratifiedKFold

from . import peers
from .microarrays import BUILD, BenchError, transformed
from .parts import part

REPEATS = 3
SEED = 1
OURS = {
    "Limber screen": (),
    "Limber screen, the single best of its 45 rules": ("--combine", "single"),
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
    """{wrong: [samples] share of repeats in which the peer is wrong, unconverged: its fits that did not}."""
    before = peers.L1Logistic.unconverged
    wrong = np.zeros(folds.shape, dtype=int)
    for repeat, fold_of in enumerate(folds):
        for fold in range(fold_of.max() + 1):
            held_out = fold_of == fold
            x = transformed(data.values, ~held_out)
            decisions = peers.tuned(peer, x[~held_out], data.truth[~held_out], x[held_out], SEED)
            wrong[repeat, held_out] = (decisions > 0) != data.truth[held_out]
    return {"wrong": wrong.mean(axis=0).tolist(), "unconverged": peers.L1Logistic.unconverged - before}


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
    """Wilson's 95% interval of an error; repeats share their samples, so n is the number of samples."""
    n, share, z = len(per_sample), per_sample.mean(), 1.959963984540054
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.array([max(0.0, middle - half), min(1, middle + half)])


def difference_interval(per_sample):
    """The 2.5th and 97.5th percentile of means of resampled samples."""
    random = np.random.default_rng(SEED)
    means = per_sample[random.integers(0, len(per_sample), (4000, len(per_sample)))].mean(axis=1)
    return np.percentile(means, [2.5, 97.5])


def foundation(data):
    """A hash of all that figures rest on besides Limber: the data, the code here, scikit-learn's version."""
    here = Path(__file__).resolve().parent
    sources = [here / name for name in ("peers.py", "accuracy.py", "microarrays.py")]
    digest = hashlib.sha256(sklearn.__version__.encode())
    for path in (data.path, *sources):
        digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return digest.hexdigest()[:16]


def label(name):
    """With the number of settings that inner folds choose among."""
    settings = {peer.name: len(peer.grid) for peer in peers.ALL}.get(name, 1)
    if name == MAIN:
        return f"{name} (mean of the best of 45 settings)"
    return f"{name} ({settings} settings)" if settings > 1 else name


def measure(program, stamp, data, protocol, progress):
    """Method -> [samples] share of repeats in which it was wrong."""
    folds = folds_of(data, protocol)
    result = {}
    for name, arguments in OURS.items():
        key = f"{data.name} {protocol} {name} {' '.join(arguments)} {stamp} {foundation(data)} {REPEATS} {SEED}"
        result[name] = part(key, lambda: our_errors(program, data, folds, arguments).mean(axis=0).tolist(), progress)
    for peer in peers.ALL:
        key = f"{data.name} {protocol} {peer.name} {foundation(data)} {REPEATS} {SEED}"
        found = part(key, lambda: peer_errors(data, folds, peer), progress)
        result[peer.name] = found["wrong"]
        if found["unconverged"]:
            print(f"  {peer.name}: {found['unconverged']} fits did not converge in {peer.passes[-1]:,} passes")
    return {name: np.array(errors) for name, errors in result.items()}


def show(data, protocol, errors):
    """Prints one table; returns (our error, the best peer's)."""
    title = "leave one out" if protocol == "loo" else f"{REPEATS} x 10 folds"
    print(f"\n{data.name}: {data.values.shape[0]} samples, {data.values.shape[1]} genes, {title}")
    print(f"  {'':<56} {'error %':>8}  {'95% interval':>15}  {'ours minus it':>22}")
    ours = errors[MAIN]
    for name, wrong in errors.items():
        low, high = 100 * interval(wrong)
        line = f"  {label(name):<56} {100 * wrong.mean():>8.2f}  [{low:>5.2f}, {high:>5.2f}]"
        if name != MAIN:
            low, high = 100 * difference_interval(ours - wrong)
            line += f"  {100 * (ours - wrong).mean():>+6.2f} [{low:>+6.2f}, {high:>+6.2f}]"
        print(line)
    best = min((peer.name for peer in peers.ALL), key=lambda name: errors[name].mean())
    for name in (MAIN, best):
        often = [f"{i + 1} ({100 * errors[name][i]:.0f}%)" for i in np.flatnonzero(errors[name])]
        print(f"  samples that {name} gets wrong (how often): {', '.join(often) or 'none'}")
    return ours.mean(), errors[best].mean()


def summary(name, protocol, ours, best):
    prefix = "loo_" if protocol == "loo" else ""
    return {f"{prefix}error_{name}": round(float(ours), 4), f"{prefix}best_peer_error_{name}": round(float(best), 4)}
