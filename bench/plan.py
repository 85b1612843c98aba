"""make bench-plan: what `limber plan` predicts for many members, beside a real run of as many on the same machine.

Writes a synthetic log of 5 interactions a member, trains a small model on a part of it, asks `limber plan` for all of
its members (which samples 20,000 of them), then really loads the log into a RocksDB store, adapts every member once more
on one thread, and asks a server with that store for rankings and tells it of events, one at a time, of members drawn at random.

Prints a table and ends with one line of JSON: real over predicted.
"""

import argparse
import http.client
import json
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet as parquet

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIMBER = ROOT / "build" / "release" / "apps" / "limber"
CANDIDATES, WARM_UP = 200, 25000

CONFIG = """
name: plan
data:
  interactions: {log}
  tables:
    items: {{path: {folder}/items.parquet, key: item_id}}
  task: member_id
  time: timestamp
  labels: {{clicked: clicked}}
features:
  - {{name: item_id, kind: id, dim: 8}}
  - {{name: price, kind: number}}
  - {{name: category, kind: id, dim: 4}}
  - {{name: tags, kind: ids, dim: 4}}
model:
  meta_block: {{hidden: [16], dim: 8}}
  statistics: {{enabled: true}}
train: {{epochs: 2, tensorboard: false}}
"""


def processor_seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


class Server:
    def __init__(self, model, store):
        self.process = subprocess.Popen([str(LIMBER), "serve", str(model), "--store", store, "--port", "0",
                                         "--cached-members", "0"], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if not found:
            sys.exit(f"error: the server did not start: {line}")
        self.connection = http.client.HTTPConnection("127.0.0.1", int(found[1]))

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"error: {path} answered {answer.status}: {text}")
        return text

    def processor_seconds(self):
        return float(re.search(r"^process_cpu_seconds_total (\S+)", self.ask("GET", "/metrics"), re.MULTILINE)[1])

    def settle(self):
        """Until it does nothing: what was written in bulk is tidied up behind the scenes."""
        before = self.processor_seconds()
        while True:
            time.sleep(2)
            now = self.processor_seconds()
            if now - before < 0.1:
                return
            before = now

    def cost(self, path, bodies):
        """Processor seconds of one request, and the median wait."""
        waits, before = [], self.processor_seconds()
        for body in bodies:
            begin = time.perf_counter()
            self.ask("POST", path, body)
            waits.append(time.perf_counter() - begin)
        return (self.processor_seconds() - before) / len(bodies), sorted(waits)[len(waits) // 2]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def main():
    parser = argparse.ArgumentParser(prog="bench/plan.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1000000)
    parser.add_argument("--folder", help="for the log and the stores; the system's temporary folder without it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="limber-bench-", dir=options.folder) as name:
        folder = pathlib.Path(name)
        # Members are drawn, so that some are drawn never: a tenth more are asked for.
        run(LIMBER, "generate", folder / "log", "--rows", 5 * options.members, "--members", 11 * options.members // 10,
            "--items", 5000, "--quiet")
        log = folder / "log" / "interactions.parquet"
        members = parquet.read_table(log, columns=["member_id"])["member_id"].unique().to_pylist()
        parquet.write_table(parquet.read_table(log).slice(0, 200000), folder / "part.parquet")
        config = folder / "config.yaml"
        config.write_text(CONFIG.format(log=folder / "part.parquet", folder=folder / "log"))
        run(LIMBER, "train", config, "--models", folder / "models", "--resamples", 0, "--quiet")
        model = folder / "models" / "plan"
        asked = json.loads(run(LIMBER, "plan", model, "--members", len(members), "--set",
                               f"data.interactions={log}", "--candidates", CANDIDATES, "--json"))
        costs, plan = asked["unit_costs"], asked["plan"]

        store = f"rocksdb:{folder / 'store'}"
        said = run(LIMBER, "adapt", model, "--store", store, "--load", "--set", f"data.interactions={log}",
                   "--threads", 1, "--quiet")
        loaded = float(re.search(r"loaded .* in ([\d.]+) s", said)[1])
        before = processor_seconds_of_children()
        run(LIMBER, "adapt", model, "--store", store, "--all", "--threads", 1, "--quiet")
        adapted = processor_seconds_of_children() - before
        on_disk = sum(file.stat().st_size for file in (folder / "store").iterdir())
        chance, server = random.Random(1), Server(model, store)
        items = parquet.read_table(folder / "log" / "items.parquet")["item_id"].to_pylist()
        ranks = [json.dumps({"member": chance.choice(members), "candidates": chance.choices(items, k=CANDIDATES)})
                 for _ in range(WARM_UP + 2500)]
        events = [json.dumps({"member": chance.choice(members),
                              "interaction": {"item_id": chance.choice(items), "clicked": 1}}) for _ in range(2000)]
        server.settle()
        # As in service: its cache holds what it can of the store.
        server.cost("/rank", ranks[:WARM_UP])
        rank, _ = server.cost("/rank", ranks[WARM_UP:])
        event, event_wait = server.cost("/feedback", events)
        server.stop()

    rows = [("loading, s", plan["load_seconds"], loaded),
            ("adapting all, s of a processor", plan["refresh_processor_seconds"], adapted),
            ("store, MB", plan["store_bytes"] / 1e6, on_disk / 1e6),
            (f"a ranking of {CANDIDATES}, processor, us",
             1e6 * (costs["rank_request_seconds"] + CANDIDATES * costs["rank_candidate_seconds"]), 1e6 * rank),
            ("an event, processor, us", 1e6 * costs["event_seconds"], 1e6 * event),
            ("an event, its sender's wait, us", 1e6 * costs["event_wait_seconds"], 1e6 * event_wait)]
    print(f"| {len(members):,} members, {asked['demand']['interactions_a_member']:.2f} interactions each | predicted | "
          "real | real over predicted |\n|---|---:|---:|---:|")
    for what, predicted, real in rows:
        print(f"| {what} | {predicted:,.1f} | {real:,.1f} | {real / predicted:.2f} |")
    print(json.dumps({key: round(real / predicted, 3) for key, (_, predicted, real) in zip(
        ("load", "adapt", "store", "rank", "event", "event_wait"), rows)}))


if __name__ == "__main__":
    main()
