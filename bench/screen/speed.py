"""p = 1,000,000 features of n = 200 samples: one fit from a Parquet file, reading included, beside
scikit-learn's L1 logistic path on the same numbers already in memory.

The path is that of scikit-learn's own example: from the smallest C with a feature upwards, liblinear,
here ten values of C; liblinear starts each anew. Ours is the untuned rule, --tune 0. One thread each.
Measured anew every time: a figure of another day's machine would not be one of today's. The peer is
given PEER_SECONDS; if it is not through by then, what it took so far counts, and the speed-up is a
lower bound and is called so.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from .microarrays import BUILD, BenchError
from .wide_noise import fit_command, write_noise

FEATURES, SAMPLES = 1_000_000, 200
PEER_SECONDS = 300

PEER = """
import sys, time, warnings
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.svm import l1_min_c
warnings.simplefilter("ignore")
# In the order that liblinear copies rows from; the copy is made before the clock starts.
x = np.ascontiguousarray(np.load(sys.argv[1], mmap_mode="r").T, dtype=np.float64)
y = np.arange(x.shape[0]) % 2
print("ready", flush=True)
start = time.monotonic()
smallest = l1_min_c(x, y, loss="log")
model = LogisticRegression(l1_ratio=1, solver="liblinear", tol=1e-4, max_iter=1000, intercept_scaling=1e4)
for number, c in enumerate(smallest * np.logspace(0, 2, 10), 1):
    model.set_params(C=c).fit(x, y)
    print(number, time.monotonic() - start, flush=True)
"""


def peer_seconds(folder):
    """(seconds, finished steps of the path)"""
    process = subprocess.Popen([sys.executable, "-c", PEER, folder / "x.npy"], stdout=subprocess.PIPE, text=True)
    if process.stdout.readline().strip() != "ready":
        raise BenchError("scikit-learn's path could not start; is there memory for 6 GiB?")
    start = time.monotonic()
    try:
        output, _ = process.communicate(timeout=PEER_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    seconds = time.monotonic() - start
    steps = len(output.splitlines())
    if process.returncode not in (0, -9):
        raise BenchError(f"scikit-learn's path ended with {process.returncode}")
    return seconds, steps


def measure(program):
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        folder = Path(name)
        matrix = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (FEATURES, SAMPLES))
        write_noise(folder, FEATURES, SAMPLES, matrix)
        matrix.flush()
        command = fit_command(program, folder)
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        ours = time.monotonic() - start
        if done.returncode != 0:
            raise BenchError(f"{' '.join(command)}: {done.stderr.strip()}")
        seconds, steps = peer_seconds(folder)
    return {"ours": ours, "peer": seconds, "steps": steps}


def run(program):
    result = measure(program)
    speed_up = result["peer"] / result["ours"]
    whole = result["steps"] == 10
    print(f"\n{FEATURES:,} features, {SAMPLES} samples, one thread")
    print(f"  Limber screen fit --tune 0, reading the file included {result['ours']:>8.1f} s")
    print(f"  scikit-learn L1 logistic path, {result['steps']:>2} of 10 steps         {result['peer']:>8.1f} s"
          f"{'' if whole else ' (stopped: a lower bound)'}")
    print(f"  speed-up                                              {speed_up:>8.1f}")
    return {"speed_up": round(speed_up, 1), "fit_seconds": round(result["ours"], 2),
            "path_seconds": round(result["peer"], 1), "path_finished": whole}
