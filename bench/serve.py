"""limber serve under load: ranks of 200 films with feedback mixed in at 5 to 1, by wrk on loopback.

Trains a small model of MovieLens-100K, fills a RocksDB store with its ratings, and measures: one
client alone (how long from a click to a fresh embedding), as many as the server takes, and three
times as many and more. wrk and the server share the machine. Ends with one line of JSON.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIMBER = ROOT / "build" / "release" / "apps" / "limber"
MEMBERS, FILMS = 943, 1682


def quiet(command):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-500:]}")


class Server:
    def __init__(self, model, store):
        self.process = subprocess.Popen(
            [str(LIMBER), "serve", str(model), "--store", f"rocksdb:{store}", "--port", "0"],
            cwd=ROOT, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+).*ready in ([\d.]+) s", line)
        if not found:
            sys.exit(f"error: the server did not start: {line}")
        self.port, self.ready_seconds = int(found[1]), float(found[2])

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def alone(server, count):
    """Milliseconds of single requests on an idle server: feedback, rank."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    chance = random.Random(1)

    def call(path, body):
        begin = time.perf_counter()
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"error: {path} answered {answer.status}: {text}")
        return 1e3 * (time.perf_counter() - begin)

    fresh, rank = [], []
    for _ in range(count):
        member = chance.randint(1, MEMBERS)
        fresh.append(call("/feedback", {"member": member, "interaction": {
            "movie_id": chance.randint(1, FILMS), "rating": chance.randint(1, 5)}}))
        rank.append(call("/rank", {"member": member, "candidates": chance.sample(range(1, FILMS), 200)}))
    at = lambda values, share: sorted(values)[int(share * (len(values) - 1))]
    return {"fresh_p50_ms": at(fresh, 0.5), "fresh_p99_ms": at(fresh, 0.99),
            "idle_rank_p50_ms": at(rank, 0.5), "idle_rank_p99_ms": at(rank, 0.99)}


def sync_milliseconds(folder):
    """What the disk takes to make 200 bytes durable, in the median: the floor of a click."""
    times = []
    with open(os.path.join(folder, "sync"), "wb") as file:
        for _ in range(200):
            begin = time.perf_counter()
            file.write(b"x" * 200)
            file.flush()
            os.fdatasync(file.fileno())
            times.append(1e3 * (time.perf_counter() - begin))
    return sorted(times)[100]


def load(server, connections, seconds):
    command = ["wrk", f"-t{connections}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               "-s", str(ROOT / "bench" / "serve" / "load.lua"), f"http://127.0.0.1:{server.port}",
               "--", str(MEMBERS), str(FILMS), "200"]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"^JSON (.*)$", done.stdout, re.MULTILINE)
    if not found:
        sys.exit(f"error: wrk said: {done.stdout[-500:]}{done.stderr[-500:]}")
    result = json.loads(found[1])
    if result["failed"] or result["broken"]:
        sys.exit(f"error: requests failed under load: {result}")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of each load")
    parser.add_argument("--connections", type=int, default=8, help="that make the server busy")
    parser.add_argument("--overload", type=int, default=200, help="connections that are too many")
    options = parser.parse_args()
    quiet([ROOT / "scripts" / "get-movielens-100k"])
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as folder:
        models, store = pathlib.Path(folder) / "models", pathlib.Path(folder) / "store"
        quiet([LIMBER, "train", "examples/movielens-100k/config.yaml", "--models", models, "--quiet",
               "--resamples", "0", "--set", "train.epochs=3", "--set", "train.tensorboard=false"])
        quiet([LIMBER, "adapt", models / "limaml", "--store", f"rocksdb:{store}", "--load", "--quiet"])
        server = Server(models / "limaml", store)
        result = alone(server, 300)
        result["sync_p50_ms"] = sync_milliseconds(folder)
        busy = load(server, options.connections, options.seconds)
        before = server.memory_mib()
        over = load(server, options.overload, options.seconds)
        result["memory_mib"], result["memory_before_overload_mib"] = server.memory_mib(), before
        server.stop()
        again = Server(models / "limaml", store)
        result["ready_seconds"] = again.ready_seconds
        again.stop()
    done = lambda run: run["ranks"] + run["feedbacks"]
    capacity = done(busy) / busy["seconds"]
    offered = (done(over) + over["shed"]) / over["seconds"]
    result |= {"ranks_per_second": busy["ranks"] / busy["seconds"],
               "feedbacks_per_second": busy["feedbacks"] / busy["seconds"]}
    for kind in ("rank", "feedback"):
        for quantile in ("p50", "p99", "p999"):
            result[f"{kind}_{quantile}_ms"] = busy[f"{kind}_{quantile}"]
    result |= {"overload_offered": offered / capacity,
               "overload_accepted_per_second": done(over) / over["seconds"],
               "overload_p99_ms": max(over["rank_p99"], over["feedback_p99"])}
    print("limber serve, MovieLens-100K: 200 candidates a rank, feedback at 5 to 1, RocksDB, loopback.\n")
    print(f"alone            click to fresh embedding p50 {result['fresh_p50_ms']:.2f} ms, p99 {result['fresh_p99_ms']:.2f} ms; "
          f"rank p50 {result['idle_rank_p50_ms']:.2f} ms")
    print(f"                 (the disk takes {result['sync_p50_ms']:.2f} ms to make 200 bytes durable)")
    print(f"{options.connections:3} connections  {result['ranks_per_second']:.0f} ranks/s and {result['feedbacks_per_second']:.0f} clicks/s; "
          f"rank p50 {busy['rank_p50']:.1f}, p99 {busy['rank_p99']:.1f}, p99.9 {busy['rank_p999']:.1f} ms; "
          f"click p50 {busy['feedback_p50']:.1f}, p99 {busy['feedback_p99']:.1f}, p99.9 {busy['feedback_p999']:.1f} ms")
    print(f"{options.overload:3} connections  offered {offered / capacity:.1f} times that; accepted {result['overload_accepted_per_second']:.0f}/s "
          f"with p99 {result['overload_p99_ms']:.1f} ms, {over['shed']} shed")
    print(f"memory           {before:.0f} MiB before the overload, {result['memory_mib']:.0f} MiB after it; "
          f"ready again {result['ready_seconds']:.2f} s after a start")
    print(json.dumps({key: round(value, 4) for key, value in result.items()}))


if __name__ == "__main__":
    main()
