"""Trains and compresses through the command line; what is finished is kept and used again."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ablation.runs import PROGRAMS
from program_copies import ProgramCopies
from quality.protocols import ROOT, BenchError

from .paired import paired

BUILD = ROOT / "build" / "bench" / "compress"
# Raise it when finished steps must not be used any more.
FORMAT = 1


class Workshop(ProgramCopies):
    """Published models under build/bench/compress/models, and a JSON file for each finished step."""

    def __init__(self):
        bench = PROGRAMS.parent / "bench" / "bench_scoring"
        if not bench.is_file():
            raise BenchError(f"{bench}: not found; run `make build`, or set BENCH_BUILD")
        super().__init__(BUILD, [PROGRAMS / "limber-train", PROGRAMS / "limber-tools", bench])

    def run(self, program, *arguments):
        """Its standard output; progress goes to ours."""
        process = subprocess.Popen([str(part) for part in (self.scratch / program, *arguments)],
                                   stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.processes.add(process)
        try:
            output, _ = process.communicate()
        finally:
            self.processes.discard(process)
        if process.returncode != 0:
            raise BenchError(f"{program} {arguments[0]}: ended with code {process.returncode}")
        return output

    def step(self, title, parts, make):
        """What `make` returns, a dict with the folder it made under "to"; or what it returned before."""
        key = hashlib.sha256(json.dumps([FORMAT, parts], sort_keys=True).encode()).hexdigest()[:24]
        path = BUILD / "steps" / f"{key}.json"
        if path.is_file():
            known = json.loads(path.read_text())
            if Path(known["to"]).exists():
                print(f"{title}: there already", file=sys.stderr, flush=True)
                return known
        started = time.monotonic()
        result = make(key)
        result["wall_seconds"] = time.monotonic() - started
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**result, "key": key}, indent=1) + "\n")
        print(f"{title}: {result['wall_seconds']:.0f} s", file=sys.stderr, flush=True)
        return {**result, "key": key}

    def train(self, model, settings=(), title=""):
        """The metrics of a trained model, with its folder under "to"."""
        stats = [(Path(file).name, Path(file).stat().st_size) for file in model.files]

        def make(key):
            config = self.scratch / f"{key}.yaml"  # JSON is YAML
            config.write_text(json.dumps({**model.config, "name": f"{model.name}-{key[:8]}"}, indent=1))
            metrics = self.scratch / f"{key}.json"
            output = self.run("limber-train", "train", config, *given((*model.settings, *settings)),
                              "--models", BUILD / "models", "--metrics", metrics, "--quiet")
            return {"to": published(output), "metrics": json.loads(metrics.read_text())}

        return self.step(f"training {title or model.name}", ["train", model.config, [*model.settings, *settings], stats],
                         make)

    def compress(self, trained, settings, title):
        """The metrics of the model compressed, with its folder under "to"."""

        def make(key):
            metrics = self.scratch / f"{key}.json"
            output = self.run("limber-train", "compress", trained["to"], *given(settings), "--metrics", metrics,
                              "--quiet")
            return {"to": published(output), "metrics": json.loads(metrics.read_text())}

        return self.step(f"compressing {title}", ["compress", trained["key"], list(settings)], make)

    def compress_network(self, config, settings, title):
        """The metrics of a network of convolutions, trained first."""

        def make(key):
            metrics, models = self.scratch / f"{key}.json", BUILD / "networks" / key
            shutil.rmtree(models, ignore_errors=True)
            self.run("limber-train", "compress", config, *given(settings), "--models", models, "--metrics", metrics,
                     "--quiet")
            return {"to": str(models), "metrics": json.loads(metrics.read_text())}

        return self.step(f"compressing {title}", ["network", Path(config).read_text(), list(settings)], make)

    def difference(self, trained, step, title):
        """What a step has gained over a model that it was not measured against when it was made, paired by member."""

        def make(key):
            files = []
            for name, model in (("before", trained), ("after", step)):
                files.append(self.scratch / f"{key}-{name}.parquet")
                self.run("limber-train", "evaluate", model["to"], "--resamples", 0, "--scores", files[-1], "--quiet")
            label = next(iter(trained["metrics"]["labels"]))
            return {"to": step["to"], "difference": paired(*files, label)}

        return self.step(f"comparing {title}", ["difference", trained["key"], step["key"]], make)["difference"]

    def manifest(self, trained):
        return json.loads(self.run("limber-tools", "inspect", "--json", trained["to"]))

    def speed(self, models, candidates):
        """Candidates a second of each, in one run; the first is the baseline."""
        return json.loads(self.run("bench_scoring", *(model["to"] for model in models), "--candidates", candidates))


def given(settings):
    return [part for setting in settings for part in ("--set", setting)]


def published(output):
    lines = [line for line in output.splitlines() if line.startswith("published ")]
    if not lines:
        raise BenchError("the program did not say what it published")
    return str((ROOT / lines[-1].removeprefix("published ")).resolve())
