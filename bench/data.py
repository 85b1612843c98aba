#!/usr/bin/env python3
"""Does training's memory stay flat, and its speed hold, as the log grows?

Writes synthetic Parquet logs of 1 and 20 million rows with the same members and items, trains one
epoch on each and samples the process's memory. What counts is anonymous memory (the heap): encoded
columns lie in mapped files, which the kernel may drop at any time and which are printed apart.

BENCH_ROWS=1000000,20000000 changes the sizes, BENCH_THREADS the compute threads.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/apps/limber"

CONFIG = """
name: rows
data:
  interactions: interactions.parquet
  tables:
    items: {path: items.parquet, key: item_id}
    members: {path: members.parquet, key: member_id}
  task: member_id
  time: timestamp
  labels: {click: clicked}
  split: members
  validation_share: 0.005
  test_share: 0.005
features:
  - {name: item_id, kind: id, dim: 16}
  - {name: tags, kind: ids, dim: 8}
  - {name: category, kind: id, dim: 8}
  - {name: country, kind: id, dim: 4}
  - {name: device, kind: id, dim: 4}
  - {name: age, kind: number}
  - {name: price, kind: number}
model:
  meta_block: {enabled: false}
  global_block: {cross: {kind: full, layers: 2}, hidden: [64, 32]}
train: {epochs: 1, batch: 4096, tensorboard: false, checkpoint_seconds: 3600}
"""


def memory_of(pid):
    """(anonymous, file-backed) resident memory in MiB."""
    values = {}
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key in ("RssAnon", "RssFile"):
                values[key] = int(value.split()[0]) / 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return values.get("RssAnon", 0.0), values.get("RssFile", 0.0)


def measure(rows, folder, threads):
    data = folder / f"{rows}"
    subprocess.run(
        [PROGRAM, "generate", data, "--rows", str(rows), "--members", "50000", "--items", "20000"],
        check=True, stdout=subprocess.DEVNULL)
    size = (data / "interactions.parquet").stat().st_size
    (data / "config.yaml").write_text(CONFIG)
    metrics = data / "metrics.json"
    start = time.monotonic()
    process = subprocess.Popen(
        [PROGRAM, "train", data / "config.yaml", "--set", f"train.threads={threads}",
         "--models", data / "models", "--metrics", metrics, "--resamples", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    anonymous = mapped = 0.0
    while process.poll() is None:
        now = memory_of(process.pid)
        anonymous, mapped = max(anonymous, now[0]), max(mapped, now[1])
        time.sleep(0.05)
    if process.returncode != 0:
        sys.exit(f"training on {rows} rows failed: {process.stderr.read().strip().splitlines()[-1]}")
    training = json.loads(metrics.read_text())["training"]
    shutil.rmtree(data)
    return {"rows": rows, "file_mib": size / 2**20, "anonymous_mib": anonymous, "mapped_mib": mapped,
            "examples_per_second": training["examples_per_second"],
            "seconds": time.monotonic() - start}


def main():
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is missing: run `make build` first")
    sizes = [int(word) for word in os.environ.get("BENCH_ROWS", "1000000,20000000").split(",")]
    threads = int(os.environ.get("BENCH_THREADS", "0"))
    results = []
    with tempfile.TemporaryDirectory(prefix="limber-bench-data-", dir=ROOT / "build") as folder:
        for rows in sizes:
            print(f"{rows} rows ...", file=sys.stderr, flush=True)
            results.append(measure(rows, pathlib.Path(folder), threads))
    print(f"{'rows':>12} {'Parquet MiB':>12} {'heap MiB':>10} {'mapped MiB':>11} "
          f"{'examples/s':>12} {'all s':>8}")
    for result in results:
        print(f"{result['rows']:>12} {result['file_mib']:>12.0f} {result['anonymous_mib']:>10.0f} "
              f"{result['mapped_mib']:>11.0f} {result['examples_per_second']:>12.0f} "
              f"{result['seconds']:>8.1f}")
    first, last = results[0], results[-1]
    print(json.dumps({
        "heap_mib_small": round(first["anonymous_mib"], 1),
        "heap_mib_large": round(last["anonymous_mib"], 1),
        "heap_growth": round(last["anonymous_mib"] / first["anonymous_mib"], 3),
        "throughput_ratio": round(last["examples_per_second"] / first["examples_per_second"], 3),
        "examples_per_second": round(last["examples_per_second"]),
    }))


if __name__ == "__main__":
    main()
