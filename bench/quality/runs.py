"""One training run a process, its results kept by what made them."""

import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from program_copies import ProgramCopies

from .protocols import BUILD, ROOT, BenchError

# Raise it when finished runs must not be used any more although the program is the same.
FORMAT = 1
PROGRAM = Path(os.environ.get("BENCH_BUILD", ROOT / "build" / "release")) / "apps" / "limber-train"
TREE_SOURCES = ("bench/quality/trees.py", "apps/export_verb.cc", "apps/support_statistics.cc")


def objects_of(archive):
    """(name, bytes) of the object files in a static library (the ar format)."""
    data, at, names = archive.read_bytes(), 8, b""
    while at < len(data):
        name, size = data[at:at + 16].rstrip(b" "), int(data[at + 48:at + 58])
        body, at = data[at + 60:at + 60 + size], at + 60 + size + size % 2
        if name == b"//":
            names = body
        elif name.startswith(b"/") and name[1:].isdigit():
            start = int(name[1:])
            yield names[start:names.index(b"\n", start)].rstrip(b"/"), body
        elif name != b"/":
            yield name.rstrip(b"/"), body


def program_hash():
    """Hash of the machine code that trains and reads data, as it was compiled: comments, the HTML
    report and the programs' other verbs may change without throwing results away, and sources that
    have not been built yet do not count."""
    build = PROGRAM.parents[1]
    remedy = f"build it first: cmake --build {build} --target {PROGRAM.name}"
    if not PROGRAM.is_file():
        raise BenchError(f"{PROGRAM}: not found; {remedy}")
    archives = sorted([*build.glob("liblimber_training_*.a"), build / "liblimber_core_data.a"])
    digest = hashlib.sha256(str(FORMAT).encode())
    for archive in archives:
        if archive.stat().st_mtime > PROGRAM.stat().st_mtime:
            raise BenchError(f"{PROGRAM}: older than {archive.name}; {remedy}")
        for name, code in objects_of(archive):
            if b"report" not in name and b"uplot" not in name:
                digest.update(name + b" " + hashlib.sha256(code).digest())
    return digest.hexdigest()


def text_hash(files):
    digest = hashlib.sha256()
    for file in files:
        digest.update(re.sub(rb"\s+", b"", (ROOT / file).read_bytes()))
    return digest.hexdigest()


def fast():
    """One epoch a run, to see the machinery work; its numbers mean nothing."""
    return os.environ.get("BENCH_FAST") == "1"


@dataclass
class Run:
    protocol: object
    column: object
    settings: dict
    seed: int

    def __post_init__(self):
        settings = dict(self.settings)
        if fast():
            settings["rounds" if self.column.trees else "train.epochs"] = 1
        self.tree_settings, settings = (settings, {}) if self.column.trees else ({}, settings)
        self.config = self.column.config(self.protocol, settings, self.seed)

    @property
    def title(self):
        return f"{self.protocol.name} {self.column.name} seed {self.seed}"


class Bench(ProgramCopies):
    """Runs what is not finished yet, `jobs` side by side."""

    def __init__(self, jobs=None):
        super().__init__(BUILD, [PROGRAM])
        self.jobs = jobs or int(os.environ.get("BENCH_JOBS", "2"))
        self.program_hash = program_hash()
        self.tree_hash = text_hash(TREE_SOURCES)
        self.program = self.scratch / PROGRAM.name

    # What a run is, and where its results lie.

    def key(self, run):
        config = json.loads(json.dumps(run.config))
        data = config["data"]
        files = [data.pop("interactions")] + [table.pop("path") for table in data["tables"].values()]
        stats = [(Path(file).name, Path(file).stat().st_size, int(Path(file).stat().st_mtime))
                 for file in files]
        parts = [config, stats, self.program_hash]
        if run.column.trees:
            parts += [run.tree_settings, self.tree_hash]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]

    def folder(self, run):
        return BUILD / "runs" / self.key(run)

    def result(self, run):
        """Metrics of a finished run, or None. Its scored rows are `scores_path(run)`."""
        path = self.folder(run) / "metrics.json"
        return json.loads(path.read_text()) if path.is_file() else None

    def scores_path(self, run):
        return self.folder(run) / "scores.parquet"

    # Running.

    def command(self, arguments, log):
        """Runs a command; raises RuntimeError with the last line that it wrote to stderr."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
                       "PYTHONPATH": str(ROOT / "bench")}
        with open(log, "w") as errors:
            process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.DEVNULL,
                                       stderr=errors, env=environment, cwd=ROOT)
            self.processes.add(process)
            try:
                code = process.wait()
            finally:
                self.processes.discard(process)
        if code != 0:
            lines = [line for line in Path(log).read_text(errors="replace").splitlines() if line.strip()]
            raise RuntimeError(lines[-1] if lines else f"ended with code {code}")

    def execute(self, run):
        """Runs it and keeps its results; they appear at once and whole."""
        work = Path(tempfile.mkdtemp(dir=self.scratch))
        config = work / "config.yaml"  # JSON is YAML
        config.write_text(json.dumps(run.config, indent=1) + "\n")
        started = time.monotonic()
        if run.column.trees:
            rows = work / "rows"
            self.command([self.program, "--quiet", "export", config, "--output", rows], work / "log")
            parameters = work / "parameters.json"
            parameters.write_text(json.dumps({**run.tree_settings, "seed": run.seed}))
            self.command([sys.executable, "-m", "quality.trees", rows, "--parameters", parameters,
                          "--metrics", work / "metrics.json", "--scores", work / "scores.parquet"],
                         work / "log")
            shutil.rmtree(rows)
        else:
            self.command([self.program, "--quiet", "train", config, "--models", work / "models",
                          "--restart", "--resamples", "0", "--metrics", work / "metrics.json",
                          "--scores", work / "scores.parquet"], work / "log")
            shutil.rmtree(work / "models", ignore_errors=True)
        metrics = json.loads((work / "metrics.json").read_text())
        metrics["wall_seconds"] = time.monotonic() - started
        (work / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
        folder = self.folder(run)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        work.rename(folder)

    def run_all(self, runs):
        """Runs those that are not finished. Returns what went wrong, by the run's key."""
        waiting = [run for run in runs if self.result(run) is None]
        if len(waiting) < len(runs):
            print(f"{len(runs) - len(waiting)} of {len(runs)} runs are there already", file=sys.stderr)
        failures, done, started = {}, 0, time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = {pool.submit(self.execute, run): run for run in waiting}
            try:
                for future in concurrent.futures.as_completed(futures):
                    run, done = futures[future], done + 1
                    elapsed = time.monotonic() - started
                    left = elapsed / done * (len(waiting) - done) / 60
                    try:
                        future.result()
                        metrics = self.result(run)
                        what = (f"{metrics['wall_seconds']:.0f} s, validation log loss "
                                f"{metrics['validation']['log_loss']:.4f}")
                    except (RuntimeError, OSError, ValueError, KeyError) as error:
                        failures[self.key(run)] = str(error)
                        what = f"FAILED: {error}"
                    print(f"[{done}/{len(waiting)}] {run.title}: {what}; about {left:.0f} min left",
                          file=sys.stderr, flush=True)
            except BaseException:
                for future in futures:
                    future.cancel()
                for process in list(self.processes):
                    process.terminate()
                raise
        return failures
