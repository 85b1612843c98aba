"""The most memory that one fit takes: p = 1 million and 10 million features of n = 50 samples.

Resident memory at its peak as the kernel counts it, and what of it no file backs. The rest are pages
of the temporary file of statistics, which the kernel may take back at any time.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from .microarrays import BUILD, BenchError
from .wide_noise import fit_command, write_noise

SAMPLES, SIZES = 50, (1_000_000, 10_000_000)


def own_kib(pid):
    """Resident memory of a running process that no file backs; None once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), None)


def measure(program, features):
    """(seconds, peak of resident KiB, peak of those that no file backs, size of the data file)"""
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        folder = Path(name)
        write_noise(folder, features, SAMPLES)
        start, own = time.monotonic(), 0
        with open(folder / "log", "w+") as log:
            process = subprocess.Popen(fit_command(program, folder), stdout=log, stderr=log)
            while True:
                own = max(own, own_kib(process.pid) or 0)
                # wait4 alone tells the peak of this process and of no other.
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                time.sleep(0.05)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - start
            if process.returncode != 0:
                log.seek(0)
                raise BenchError(f"{' '.join(fit_command(program, folder))}: {log.read().strip()}")
        return seconds, usage.ru_maxrss, own, (folder / "x.parquet").stat().st_size


def run(program):
    print(f"\nMemory of Limber screen fit --tune 0, {SAMPLES} samples, one thread, from Parquet")
    print(f"  {'features':>11} {'file MiB':>9} {'peak RSS MiB':>13} {'of its own MiB':>15} {'seconds':>8}")
    result = {}
    for features in SIZES:
        seconds, peak, own, size = measure(program, features)
        print(f"  {features:>11,} {size / 2**20:>9.0f} {peak / 2**10:>13.0f} {own / 2**10:>15.0f} {seconds:>8.1f}", flush=True)
        result[f"peak_rss_mib_{features}"] = round(peak / 2**10)
        result[f"own_mib_{features}"] = round(own / 2**10)
    return result
