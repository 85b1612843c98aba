#!/usr/bin/env python3
"""Does `limber assign` find the best assignments, and does it scale?

optimum  the search with default settings against every assignment of random instances up to 7
         positions x 9 candidates, for all four measures and trade-offs from 0 to 1. All are scored by
         the measures' definitions, not by what the search counts with. optimum_share: of instances,
         those where every trade-off is at the optimum; trade_off_share: of single trade-offs
fronts   the Pareto front on Lazega's law firm, a block model and a preferential-attachment network
         against random, fitness-only, diversity-only and weighted-sum matching without iteration.
         front_share: of fronts, those that cover all of these; front_share_off_grid: of weighted-sum
         matchings at trade-offs between those swept, those that the front covers
large    the program itself on a network of 100,000 nodes with 1,000 positions and 5,000 candidates,
         40 eligible for each position, on two cores

An assignment's ratio is (reward - worst) / (best - worst) over all assignments of the instance, as
rewards may be zero or negative; also printed are the ratio over the mean of all assignments, and
the raw reward / best where best > 0. Ends with one line of JSON.

LAZEGA names the folder with ELattr.dat and ELwork.dat; BENCH_BUILD another build than build/release;
BENCH_INSTANCES and BENCH_SEEDS change the counts.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BENCH_BUILD", ROOT / "build/release"))
PROGRAM = BUILD / "bench/bench_assign"
LIMBER = BUILD / "apps/limber"
LAZEGA = pathlib.Path(os.environ.get("LAZEGA", ROOT.parent / "shared" / "data" / "lazega"))
INSTANCES = int(os.environ.get("BENCH_INSTANCES", "100"))
SEEDS = int(os.environ.get("BENCH_SEEDS", "20"))
MEASURES = ("assortativity", "cross-ties", "exposure", "information-unfairness")
NETWORKS = ("lazega", "block-model", "preferential-attachment")
RIVALS = ("random", "fitness_only", "diversity_only", "weighted_sum", "off_grid_weighted_sum")


def run(*arguments):
    """The JSON that bench_assign prints."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench_assign {arguments[0]} failed with code {done.returncode}")
    return json.loads(done.stdout)


def two_cores():
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def large():
    """(seconds, MiB at most, summary) of the program on the large instance, with default settings."""
    with tempfile.TemporaryDirectory(prefix="limber-bench-assign-") as folder:
        folder = pathlib.Path(folder)
        subprocess.run([PROGRAM, "large", folder], check=True)
        tables = [word for table in ("edges", "nodes", "positions", "candidates", "fitness")
                  for word in (f"--{table}", folder / f"{table}.csv")]
        start = time.monotonic()
        process = subprocess.Popen([LIMBER, "assign", *tables, "--attributes", "group", "-o", folder / "out"],
                                   stdout=subprocess.DEVNULL, preexec_fn=two_cores)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        if process.returncode != 0:
            sys.exit(f"limber assign failed with code {process.returncode} on the large instance")
        return seconds, usage.ru_maxrss / 1024, json.loads((folder / "out/summary.json").read_text())


def main():
    if not LIMBER.exists():
        sys.exit(f"{LIMBER} is missing: run `make build` first")
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is missing: install igraph (scripts/setup, or Debian's libigraph-dev), without "
                 "which it is left out, and run `make build`")
    for name in ("ELattr.dat", "ELwork.dat"):
        if not (LAZEGA / name).is_file():
            sys.exit(f"{LAZEGA / name}: not found; set LAZEGA to the folder of Lazega's law firm "
                     "(ELattr.dat, ELwork.dat)")

    optima = [run("optimum", "--measure", measure, "--instances", INSTANCES) for measure in MEASURES]
    print(f"{'measure':<24} {'at the optimum':>15} {'of trade-offs':>15} {'worst ratio':>12} "
          f"{'over random':>12} {'raw':>8}")
    for row in optima:
        print(f"{row['measure']:<24} {row['optimum_share']:>15.4f} {row['trade_off_share']:>15.4f} "
              f"{row['worst_ratio']:>12.6f} {row['worst_ratio_over_random']:>12.6f} "
              f"{row['worst_raw_ratio']:>8.5f}")

    fronts = [run("fronts", "--measure", measure, "--network", network, "--lazega", LAZEGA,
                  "--seeds", SEEDS) for measure in MEASURES for network in NETWORKS]
    print(f"\nshare of the rivals' assignments that the front covers (of those, strictly)\n"
          f"{'measure':<24} {'network':<24} " + " ".join(f"{rival[:14]:>14}" for rival in RIVALS) +
          f" {'hypervolume':>12}")
    for row in fronts:
        shares = " ".join(f"{row[rival]['covered']:>7.4f}({row[rival]['dominated']:.2f})" + " "
                          for rival in RIVALS)
        print(f"{row['measure']:<24} {row['network']:<24} {shares} x {row['hypervolume_gain']:.3f}")

    seconds, mib, summary = large()
    print(f"\nlarge: {summary['nodes']} nodes, {summary['ties']} ties, {summary['positions']} positions, "
          f"{summary['candidates']} candidates, {summary['eligible_pairs']} pairs: {seconds:.1f} s, "
          f"{mib:.0f} MiB, front of {summary['front_points']} assignments"
          + (", cut short by --seconds" if summary["cut_short"] else ""))

    print(json.dumps({
        "optimum_share": round(min(row["optimum_share"] for row in optima), 4),
        "trade_off_share": round(min(row["trade_off_share"] for row in optima), 4),
        "worst_ratio": round(min(row["worst_ratio"] for row in optima), 6),
        "worst_ratio_over_random": round(min(row["worst_ratio_over_random"] for row in optima), 6),
        "worst_raw_ratio": round(min(row["worst_raw_ratio"] for row in optima), 6),
        "front_share": round(min(row["front_share"] for row in fronts), 4),
        "front_share_off_grid": round(min(row["off_grid_weighted_sum"]["covered"] for row in fronts), 4),
        "hypervolume_gain": round(min(row["hypervolume_gain"] for row in fronts), 3),
        "large_seconds": round(seconds, 1),
        "large_mib": round(mib),
        "large_cut_short": summary["cut_short"],
    }))


if __name__ == "__main__":
    main()
