"""make bench-distributed: training on two processes beside one, and where the time goes.

Trains the network of bench-train (13 numbers, 26 ids of 16 dimensions, two cross layers, an MLP of
400-400-400, batches of 4096) on a synthetic ads log: on one process of one thread, then on two such
processes that share every batch, by turns. Prints examples a second, how much faster two are, and
the share of each phase of a step. Ends with one line of JSON: speed_up_2, all_to_all_share.

--large N   instead: an embedding table of N rows of 16 dimensions over two processes, and how much
            memory each took

BENCH_BUILD=...   folder that limber was built in; build/release without it
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMBER = Path(os.environ.get("BENCH_BUILD", ROOT / "build" / "release")) / "apps" / "limber-train"
PHASES = {"forward_backward": "network, and what it hides of the all-reduce",
          "rows": "all-to-all: rows of tables and their gradients", "gradients": "rest of the all-reduce",
          "agreement": "waiting for each other before a step", "batches": "waiting for batches",
          "update": "optimizers"}


def config_of(log, large):
    ids = ["category", *(f"id_{number:02}" for number in range(2, 27))]
    features = [{"name": name, "kind": "id", "dim": 16, "min_count": 5} for name in ids]
    if large:
        features[1] = {"name": ids[1], "kind": "id", "dim": 16, "vocabulary": "hash", "hash_size": large}
    features += [{"name": f"number_{number:02}", "kind": "number", "transform": "log1p"} for number in range(1, 14)]
    return {"name": "distributed",
            "data": {"interactions": str(log), "task": "member_id", "time": "timestamp",
                     "labels": {"click": "clicked"}, "split": "chronological", "validation_share": 0.02,
                     "test_share": 0.02},
            "features": features,
            "model": {"meta_block": {"enabled": False},
                      "global_block": {"cross": {"kind": "full", "layers": 2}, "hidden": [400, 400, 400]}},
            "train": {"batch": 4096, "epochs": 1, "early_stop": "none", "threads": 1, "device": "cpu", "seed": 1,
                      "optimizer": "adagrad", "tensorboard": False, "checkpoint_seconds": 3600}}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def train(size, config, folder):
    """(what the first process says of its training, by process the most memory it held in bytes)."""
    port, metrics = str(free_port()), folder / "metrics.json"
    command = [LIMBER, "train", config, "--models", folder / f"models{size}", "--restart", "--resamples", "0",
               "--no-support-sizes", "--metrics", metrics]
    processes = []
    for rank in range(size):
        environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1",
                       "MASTER_PORT": port}
        with open(folder / f"errors{rank}", "w") as errors:
            processes.append(subprocess.Popen([str(word) for word in command], env=environment,
                                              stdout=subprocess.DEVNULL, stderr=errors))
    memory = []
    for rank, process in enumerate(processes):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        memory.append(usage.ru_maxrss * 1024)
        if process.returncode != 0:
            for other in processes:
                if other.returncode is None:
                    other.kill()
            raise SystemExit("error: " + (folder / f"errors{rank}").read_text().strip().splitlines()[-1])
    return json.loads(metrics.read_text()), memory


def compare(config, folder, rounds):
    speeds = {1: [], 2: []}
    shares = []
    for turn in range(rounds):
        for size in (1, 2):
            report, _ = train(size, config, folder)
            training = report["training"]
            speeds[size].append(training["examples_per_second"])
            if size == 2:
                phases = training["seconds_by_phase"]
                shares.append({name: phases[name] / sum(phases.values()) for name in PHASES})
            print(f"round {turn + 1}  {size} process{'es' if size > 1 else ''}  {speeds[size][-1]:10,.0f} examples/s  "
                  f"AUC {report['labels']['click']['metrics']['auc']['value']:.5f}", flush=True)
    print("\ntime of a step on two processes:")
    share = {name: statistics.median(one[name] for one in shares) for name in PHASES}
    for name, words in PHASES.items():
        print(f"  {words:50} {100 * share[name]:5.1f} %")
    # Each round beside itself, so that a slower machine in between does not count.
    ratios = [two / one for one, two in zip(speeds[1], speeds[2], strict=True)]
    print(f"\ntwo processes beside one: {statistics.median(ratios):.2f} times as fast "
          f"({', '.join(f'{ratio:.2f}' for ratio in ratios)})")
    return {"speed_up_2": round(statistics.median(ratios), 3), "all_to_all_share": round(share["rows"], 4)}


def large(config, folder, rows):
    report, memory = train(2, config, folder)
    table = rows * 16 * 4
    print(f"a table of {rows:,} rows of 16: {table / 1e9:.2f} GB, and {rows * 4 / 1e9:.2f} GB of accumulators")
    for rank, most in enumerate(memory):
        print(f"process {rank}: at most {most / 1e9:.2f} GB of memory")
    print(f"AUC {report['labels']['click']['metrics']['auc']['value']:.4f}, "
          f"{report['training']['examples_per_second']:,.0f} examples/s")
    return {"table_bytes": table, "memory_bytes": memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000, help="rows of the log (500000)")
    parser.add_argument("--rounds", type=int, default=3, help="times that both are trained (3)")
    parser.add_argument("--large", type=int, default=0, help="rows of one embedding table, over two processes")
    arguments = parser.parse_args()
    if arguments.rows < 10_000 or arguments.rounds < 1 or arguments.large < 0:
        parser.error("--rows: expected 10000 or more; --rounds: 1 or more; --large: 0 or more")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        folder = Path(folder)
        tools = LIMBER.parent / "limber"
        made = subprocess.run([tools, "generate", folder / "log", "--kind", "ads", "--rows", str(arguments.rows)],
                              capture_output=True, text=True)
        if made.returncode != 0:
            raise SystemExit(made.stderr.strip())
        config = folder / "config.yaml"
        config.write_text(json.dumps(config_of(folder / "log" / "interactions.parquet", arguments.large)))
        result = large(config, folder, arguments.large) if arguments.large else compare(config, folder, arguments.rounds)
    print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
