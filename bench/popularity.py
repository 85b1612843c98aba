"""make bench-popularity: what popularity, fitted on recent rows, adds to a model that was trained on older ones.

Splits MovieLens-100K by the calendar: trains on the first 60,000 ratings, fits on the 20,000 after them, and
evaluates on half of each member's ratings among the rest. Ends with one line of JSON.

BENCH_BUILD=...   folder that limber was built in; build/release without it
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pyarrow.parquet as parquet

ROOT = Path(__file__).resolve().parent.parent
LIMBER = Path(os.environ.get("BENCH_BUILD", ROOT / "build" / "release")) / "apps" / "limber"
CONFIG = ROOT / "examples" / "movielens-100k" / "config.yaml"
RATINGS = ROOT / "build" / "data" / "movielens-100k" / "ratings.parquet"
PARTS = {"early": (0, 60_000), "middle": (60_000, 80_000), "late": (80_000, None)}
MEASURES = ("auc", "gauc", "log_loss")


def run(*words):
    done = subprocess.run([str(word) for word in (LIMBER, *words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"error: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    rows = parquet.read_table(RATINGS).sort_by("timestamp")
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, (first, last) in PARTS.items():
            parquet.write_table(rows.slice(first, None if last is None else last - first), folder / f"{name}.parquet")
        models = folder / "models"
        run("train", CONFIG, "--models", models, "--resamples", 0, "--quiet", "--set",
            f"data.interactions={folder / 'early.parquet'}")
        model = models / "limaml"
        for options in ([], ["--prior-deviation", 1]):
            run("popularity", model / "000001", folder / "middle.parquet", "--by", "movie_id", *options)
        names = ("main model", "with popularity", "with popularity, --prior-deviation 1")
        for version, name in enumerate(names, start=1):
            metrics = folder / f"{version}.json"
            run("evaluate", model / f"{version:06}", "--metrics", metrics, "--resamples", 0, "--set",
                f"data.interactions={folder / 'late.parquet'}", "--set", "data.test_share=0.5")
            (label,) = json.loads(metrics.read_text())["labels"].values()
            result[name] = {measure: round(label["metrics"][measure]["value"], 4) for measure in MEASURES}
            print(f"{name:40}" + "".join(f"{result[name][measure]:10.4f}" for measure in MEASURES))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
