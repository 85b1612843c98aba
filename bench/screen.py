#!/usr/bin/env python3
"""Screening beside its rivals: errors on expression data, risk on sparse normal means, speed.

usage: python bench/screen.py [--only PART ...]

PARTs are accuracy, risk and speed, which run without the option, and memory: the most memory that a
fit of 10 million features takes, which writes some 2.5 GB first.

MICROARRAY is the folder of the expression data. Finished parts stay in build/bench/screen/parts, and
an interrupted run goes on from there; those of Limber itself are measured anew when it was rebuilt.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

# One core each, the peers' linear algebra included.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from screen import accuracy, memory, risk, speed  # noqa: E402
from screen.microarrays import NAMES, BenchError, load  # noqa: E402


def progress(line):
    print(line, file=sys.stderr, flush=True)


def programs():
    folder = Path(os.environ.get("LIMBER_BUILD", HERE.parent / "build" / "release"))
    tools = folder / "apps" / "limber-tools"
    found = folder / "apps" / "limber", folder / "bench" / "screen-risk"
    for path in (*found, tools):
        if not path.is_file():
            raise BenchError(f"{path} is missing: run make build (or set LIMBER_BUILD to a build folder)")
    stamp = hashlib.sha256(tools.read_bytes() + found[1].read_bytes()).hexdigest()[:16]
    return *found, stamp


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=("accuracy", "risk", "speed", "memory"),
                        default=("accuracy", "risk", "speed"))
    parts = parser.parse_args().only
    limber, risk_program, stamp = programs()
    start = time.monotonic()
    result = {}
    for name in NAMES if "accuracy" in parts else ():
        data = load(name)
        for protocol in ("folds", "loo"):
            errors = accuracy.measure(limber, stamp, data, protocol, progress)
            result |= accuracy.summary(name, protocol, *accuracy.show(data, protocol, errors))
    if "risk" in parts:
        result |= risk.run(risk_program, stamp, progress)
    if "speed" in parts:
        result |= speed.run(limber)
    if "memory" in parts:
        result |= memory.run(limber)
    progress(f"{time.monotonic() - start:.0f} s in all")
    print(json.dumps(result))


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"error: {error}")
