"""Refreshes all members of a log under Ray: a task a shard, on whatever machines the cluster has.

    pip install ray
    python examples/refresh/ray_refresh.py MODEL FOLDER --shards 64 [--address auto]

A shard that fails, or whose machine is lost, is tried again, unless the next try would fail as well: then all
ends with 2. What is there stays. MODEL, the log and FOLDER lie where every machine finds them; --set and --table
say where on these, if not where the model was trained. Ends with 1, and names the shards, where some did not succeed.
"""

import argparse
import os
import subprocess
import sys
import time

import ray


def adapt(limber, model, folder, shard, threads, options):
    """One shard; its last line. Raises the program's own words: ValueError where another try is in vain."""
    command = [limber, "adapt", model, "--output", os.path.join(folder, ""), "--shard", shard,
               "--threads", str(threads), "--quiet", *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise ValueError(f"{limber}: no such program on {os.uname().nodename}; name it with --limber") from None
    if done.returncode != 0:
        kind = ValueError if done.returncode == 2 else RuntimeError
        raise kind(done.stderr.strip() or f"limber ended with {done.returncode}")
    return done.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1, help="processors of a task (1)")
    parser.add_argument("--retries", type=int, default=3, help="further tries of a shard (3)")
    parser.add_argument("--address", help="of the cluster; without it one is started here")
    parser.add_argument("--limber", default="limber", help="the program, on every machine")
    parser.add_argument("--set", action="append", default=[], metavar="data.KEY=VALUE", dest="settings")
    parser.add_argument("--table", action="append", default=[], metavar="NAME=PATH", dest="tables")
    arguments = parser.parse_args()
    if arguments.shards < 1 or arguments.threads < 1 or arguments.retries < 0:
        parser.error("--shards and --threads: expected 1 or more; --retries: 0 or more")
    options = [word for setting in arguments.settings for word in ("--set", setting)]
    options += [word for table in arguments.tables for word in ("--table", table)]
    folder, model = os.path.abspath(arguments.folder), os.path.abspath(arguments.model)

    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of shards that nobody waits for any more
    ray.init(address=arguments.address, log_to_driver=False)
    most = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
    if arguments.threads > most:
        parser.error(f"--threads {arguments.threads}: no machine of the cluster has more than {most:.0f} processors")
    task = ray.remote(num_cpus=arguments.threads, max_retries=arguments.retries,
                      retry_exceptions=[RuntimeError])(adapt)
    started, failed = time.monotonic(), 0
    waiting = {}
    for index in range(1, arguments.shards + 1):
        shard = f"{index}/{arguments.shards}"
        waiting[task.remote(arguments.limber, model, folder, shard, arguments.threads, options)] = shard
    while waiting:
        (ready,), _ = ray.wait(list(waiting), num_returns=1)
        shard = waiting.pop(ready)
        try:
            words = ray.get(ready)
        except ray.exceptions.RayError as error:
            words = f"shard {shard} FAILED: {str(error).strip().splitlines()[-1]}"
            if isinstance(getattr(error, "cause", None), ValueError):
                print(f"error: {words}; every shard would fail so", file=sys.stderr)
                return 2
            failed += 1
        done = arguments.shards - len(waiting)
        left = (time.monotonic() - started) / done * len(waiting)
        print(f"[{done}/{arguments.shards}] {words}; about {left:.0f} s left", flush=True)
    if failed:
        print(f"error: {failed} of {arguments.shards} shards failed; the same command again makes them",
              file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
