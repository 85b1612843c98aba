"""Runs our programs and their peers in turn, and reads the JSON that each ends with."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile

# What our programs ask of the allocator for themselves (core/base/memory.h), for the peers too.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "2146435072",
             "MALLOC_TOP_PAD_": "67108864"}
HERE = os.path.dirname(os.path.abspath(__file__))


def arguments(parser, seconds):
    parser.add_argument("--threads", type=int, default=2, help="compute threads")
    parser.add_argument("--seconds", type=float, default=seconds, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements; the median counts")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="count the time in which a program runs, not the time that passes: for a busy "
        "machine, with --threads 1",
    )
    options = parser.parse_args()
    if options.processor_time and options.threads != 1:
        parser.error("--processor-time counts all threads together; use it with --threads 1")
    return options


def program(name):
    build = os.environ.get("BENCH_BUILD", os.path.join(HERE, "..", "build", "release"))
    path = os.path.join(build, "bench", name)
    if not os.path.exists(path):
        sys.exit(f"error: {os.path.normpath(path)} is missing; run make build, or set BENCH_BUILD")
    return path


def run(command, options):
    environment = dict(os.environ, **ALLOCATOR, OMP_NUM_THREADS=str(options.threads))
    environment.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {done.returncode}")
    return done.stdout


def measure(command, options, threads=None):
    more = ["--threads", str(threads or options.threads), "--seconds", str(options.seconds)]
    if options.processor_time:
        more.append("--processor-time")
    return json.loads(run([*command, *more], options).strip().splitlines()[-1])


def measure_peer(command, options, threads=None):
    script, *rest = command
    return measure([sys.executable, os.path.join(HERE, script), *rest], options, threads)


@contextlib.contextmanager
def temporary_files(*names):
    """A path by name, all gone at the end."""
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as folder:
        yield {name: os.path.join(folder, f"{name}.safetensors") for name in names}


def median(values):
    return statistics.median(values)


def conditions(options):
    clock = "processor time" if options.processor_time else "wall time"
    rounds = f"{options.rounds} x {options.seconds:g} s, median"
    return f"{options.threads} thread{'s' * (options.threads > 1)}, {clock}, {rounds}"


def largest(errors):
    return max(max(group.values()) for group in errors.values())


def print_errors(errors):
    worst = {}
    for group in errors.values():
        for name, error in group.items():
            worst[name] = max(worst.get(name, 0), error)
    words = ", ".join(f"{name} {error:.1e}" for name, error in worst.items())
    print(f"\nLargest relative difference between ours and the peers', loss and gradients: {words}")


def finish(result, options):
    result["threads"] = options.threads
    print(json.dumps(result))
