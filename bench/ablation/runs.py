"""Training runs through the command line, each a process; what is finished is kept and used again.

A run is known by its config, its settings and its data. Which program made it is written beside the
results; where that is another than today's, the bench says so.
"""

import concurrent.futures
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from program_copies import ProgramCopies
from quality.protocols import ROOT, BenchError

from .data_sets import BUILD, DataSet
from .parameters import shapes_of

# Raise it when finished runs must not be used any more.
FORMAT = 1
PROGRAMS = Path(os.environ.get("BENCH_BUILD", ROOT / "build" / "release")) / "apps"
PROGRAM = PROGRAMS / "limber"


def jobs_of_environment():
    text = os.environ.get("BENCH_JOBS", "2")
    if not text.isdigit() or int(text) < 1:
        raise BenchError(f"BENCH_JOBS: '{text}' is no number of 1 or more")
    return int(text)


def check_programs(*more):
    for name in ("limber", "limber-tools", "limber-train", *more):
        if not (PROGRAMS / name).is_file():
            raise BenchError(f"{PROGRAMS / name}: not found; run `make build`, or set BENCH_BUILD")


@dataclass(frozen=True)
class Run:
    data: DataSet
    component: str
    settings: tuple
    seed: int

    @property
    def title(self):
        return f"{self.data.name} {self.component} seed {self.seed}"

    @property
    def key(self):
        stats = [(Path(file).name, Path(file).stat().st_size, int(Path(file).stat().st_mtime))
                 for file in self.data.files]
        config = json.loads(json.dumps(self.data.config))
        config["data"].pop("interactions")
        for table in config["data"]["tables"].values():
            table.pop("path")
        parts = [FORMAT, config, sorted(self.settings), self.seed, stats]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]

    @property
    def folder(self):
        return BUILD / "runs" / self.key

    def result(self):
        """{"metrics", "shapes", "seconds", "program"} of a finished run, or None."""
        path = self.folder / "result.json"
        return json.loads(path.read_text()) if path.is_file() else None

    @property
    def scores(self):
        return self.folder / "scores.parquet"


class Runner(ProgramCopies):
    """Runs what is not finished yet, `jobs` side by side, each on one core."""

    build = BUILD
    programs = ("limber-train", "limber-tools")

    def __init__(self, jobs):
        super().__init__(self.build, [PROGRAMS / name for name in self.programs])
        self.jobs = jobs
        self.failures = {}  # by key
        self.program_hash = hashlib.sha256((self.scratch / "limber-train").read_bytes()).hexdigest()[:24]

    def command(self, program, *arguments):
        """Its standard output; RuntimeError with the last line of its standard error."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        process = subprocess.Popen([str(part) for part in (self.scratch / program, *arguments)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
                                   env=environment)
        self.processes.add(process)
        try:
            output, errors = process.communicate()
        finally:
            self.processes.discard(process)
        if process.returncode != 0:
            lines = [line for line in errors.splitlines() if line.strip()]
            raise RuntimeError(lines[-1] if lines else f"ended with code {process.returncode}")
        return output

    def use_model(self, model, work):
        """What else is kept of a published model, in the folder `work`, before it goes."""

    def execute(self, run):
        work = Path(tempfile.mkdtemp(dir=self.scratch))
        config = work / "config.yaml"  # JSON is YAML
        config.write_text(json.dumps(run.data.config, indent=1) + "\n")
        started = time.monotonic()
        settings = [part for setting in (*run.settings, f"train.seed={run.seed}") for part in ("--set", setting)]
        self.command("limber-train", "train", config, *settings, "--quiet", "--restart", "--resamples", "0",
                     "--no-support-sizes", "--models", work / "models", "--metrics", work / "metrics.json",
                     "--scores", work / "scores.parquet")
        manifest = json.loads(self.command("limber-tools", "inspect", "--json", work / "models" / "ablation"))
        self.use_model(work / "models" / "ablation", work)
        shutil.rmtree(work / "models")
        result = {"component": run.component, "settings": run.settings, "seed": run.seed,
                  "metrics": json.loads((work / "metrics.json").read_text()),
                  "shapes": shapes_of(manifest), "seconds": time.monotonic() - started,
                  "program": self.program_hash}
        (work / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        shutil.rmtree(run.folder, ignore_errors=True)
        run.folder.parent.mkdir(parents=True, exist_ok=True)
        work.rename(run.folder)  # at once and whole

    def run_all(self, runs):
        waiting = [run for run in runs if run.result() is None and run.key not in self.failures]
        self.tell_kept(runs)
        done, started = 0, time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = {pool.submit(self.execute, run): run for run in waiting}
            try:
                for future in concurrent.futures.as_completed(futures):
                    run, done = futures[future], done + 1
                    left = (time.monotonic() - started) / done * (len(waiting) - done) / 60
                    try:
                        future.result()
                        what = f"{run.result()['seconds']:.0f} s"
                    except (RuntimeError, OSError, ValueError, KeyError) as error:
                        self.failures[run.key] = str(error)
                        what = f"FAILED: {error}"
                    print(f"[{done}/{len(waiting)}] {run.title}: {what}; about {left:.0f} min left",
                          file=sys.stderr, flush=True)
            except BaseException:
                for future in futures:
                    future.cancel()
                for process in list(self.processes):
                    process.terminate()
                raise

    def tell_kept(self, runs):
        kept = [result for result in (run.result() for run in runs) if result]
        others = sum(result["program"] != self.program_hash for result in kept)
        if kept:
            print(f"{len(kept)} of {len(runs)} runs are there already"
                  + (f", {others} of them made by another build of limber-train (remove {self.build / 'runs'} to "
                     "make them again)" if others else ""), file=sys.stderr)
