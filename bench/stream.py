"""make bench-stream: events a second that limber serve takes from a Redis stream, beside what it takes over HTTP.

A small model of MovieLens-100K; its ratings are the events, shuffled: in the order of time (--in-order) those of one member
come in a row, a batch then has few members to adapt, and takes a tenth as long. They are on the stream before the
server starts, which so has batches to read; over HTTP 16 senders post one each at a time, made by wrk. Each event is
durable in the store and its member adapted, either way. Stores are RocksDB on the disk and the stream's own Redis
(appendfsync always). wrk, Redis and the server share the machine. Kafka is left out: what its broker in the tests takes
says nothing about a real one.

Prints a table and ends with one line of JSON.
"""

import argparse
import http.client
import json
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet as parquet

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIMBER = ROOT / "build" / "release" / "apps" / "limber"
SENDERS = 16


def quiet(command):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-500:]}")


class Redis:
    def __init__(self, folder):
        if not shutil.which("redis-server"):
            sys.exit("error: redis-server: not found; run scripts/setup")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--dir", str(folder), "--appendonly", "yes", "--appendfsync",
             "always", "--save", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.connection = socket.create_connection(("127.0.0.1", self.port), 30)
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("error: redis-server did not start")

    def put(self, texts):
        """One pipeline of entries."""
        words = [[b"XADD", b"clicks", b"*", b"event", text.encode()] for text in texts]
        data = b"".join(b"*%d\r\n" % len(line) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in line)
                        for line in words)
        self.connection.sendall(data)
        with self.connection.makefile("rb") as answers:
            for _ in words:
                if not answers.readline().startswith(b"$"):
                    sys.exit("error: redis-server refused an event")
                answers.readline()

    def stop(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait(30)


class Server:
    def __init__(self, model, store, *arguments):
        self.process = subprocess.Popen(
            [str(LIMBER), "serve", str(model), "--store", store, "--port", "0", *arguments],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if not found:
            sys.exit(f"error: the server did not start: {line}")
        self.port = int(found[1])

    def metric(self, sample):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/metrics")
        for line in connection.getresponse().read().decode().splitlines():
            if line.startswith(sample):
                return float(line.split()[-1])
        return 0.0

    def processor_seconds(self):
        return self.metric("process_cpu_seconds_total")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def events(count, in_order):
    ratings = parquet.read_table(ROOT / "build/data/movielens-100k/ratings.parquet").sort_by("timestamp")
    texts = [json.dumps({"member": row["user_id"], "interaction": {"movie_id": row["movie_id"],
                                                                   "rating": row["rating"]}})
             for row in ratings.slice(0, count).to_pylist()]
    if not in_order:
        random.Random(1).shuffle(texts)
    return texts


def from_stream(model, store, redis, count):
    """Events a second, and the server's processor time for one in microseconds."""
    stored = 'limber_stream_events_total{outcome="stored"}'
    server = Server(model, store, "--stream", f"redis://127.0.0.1:{redis.port}/0?stream=clicks&group={time.time_ns()}")
    # What was read while the server was starting is left out of the account.
    first, processor, begin = server.metric(stored), server.processor_seconds(), time.perf_counter()
    deadline = begin + 600
    while server.metric(stored) < count:
        if time.perf_counter() > deadline:
            sys.exit("error: events are not stored after 10 minutes")
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    processor = server.processor_seconds() - processor
    dead = server.metric('limber_stream_events_total{outcome="dead"}')
    server.stop()
    if dead:
        sys.exit(f"error: {dead:.0f} events were refused")
    return (count - first) / seconds, 1e6 * processor / (count - first)


def over_http(model, store, folder, seconds):
    script = folder / "feedback.lua"
    script.write_text("""
local lines = {}
function init()
  for line in io.lines("%s") do table.insert(lines, line) end
  at = math.random(#lines)
end
function request()
  at = at %% #lines + 1
  return wrk.format("POST", "/feedback", {["Content-Type"] = "application/json"}, lines[at])
end
""" % (folder / "events.jsonl"))
    server = Server(model, store)
    processor = server.processor_seconds()
    done = subprocess.run(["wrk", "-t1", f"-c{SENDERS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script),
                           f"http://127.0.0.1:{server.port}"], capture_output=True, text=True)
    processor = server.processor_seconds() - processor
    count = int(re.search(r"(\d+) requests in", done.stdout)[1])
    server.stop()
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(f"error: feedback was refused: {done.stdout}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]), 1e6 * processor / count


def main():
    parser = argparse.ArgumentParser(prog="bench/stream.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50000, help="on the stream, at most 100000")
    parser.add_argument("--in-order", action="store_true", help="the ratings in the order of time")
    parser.add_argument("--seconds", type=int, default=10, help="of senders over HTTP")
    options = parser.parse_args()
    quiet([ROOT / "scripts" / "get-movielens-100k"])
    result = {}
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as name:
        folder = pathlib.Path(name)
        quiet([LIMBER, "train", "examples/movielens-100k/config.yaml", "--models", folder / "models", "--quiet",
               "--resamples", "0", "--set", "train.epochs=3", "--set", "train.tensorboard=false"])
        model, texts = folder / "models" / "limaml", events(options.events, options.in_order)
        (folder / "events.jsonl").write_text("\n".join(texts))
        print("| store | events a second, stream | us of a processor | over HTTP | us of a processor | ratio |")
        print("|---|---:|---:|---:|---:|---:|")
        for kind in ("rocksdb", "redis"):
            numbers = []
            for way in ("stream", "http"):
                place = folder / f"{kind}-{way}"
                place.mkdir()
                redis = Redis(place)
                store = f"rocksdb:{place / 'store'}" if kind == "rocksdb" else f"redis://127.0.0.1:{redis.port}"
                if way == "stream":
                    for first in range(0, len(texts), 1000):
                        redis.put(texts[first:first + 1000])
                    numbers += from_stream(model, store, redis, len(texts))
                else:
                    numbers += over_http(model, store, folder, options.seconds)
                redis.stop()
            rate, processor, http_rate, http_processor = numbers
            print(f"| {kind} | {rate:,.0f} | {processor:.0f} | {http_rate:,.0f} | {http_processor:.0f} | "
                  f"{rate / http_rate:.2f} |")
            result |= {f"events_{kind}": round(rate, 1), f"events_{kind}_http": round(http_rate, 1),
                       f"ratio_stream_http_{kind}": round(rate / http_rate, 3)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
