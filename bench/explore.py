#!/usr/bin/env python3
"""What does exploring cost and gain, with one posterior for every policy?

regret  a simulated bandit: 20,000 requests of 20 candidates, learned from every 200. Clicks or numbers
        as rewards. cold: 5 topics are known, 55 open as time goes by, and what an item is worth is
        mostly its topic's. few cold: 10 open. rich: 15 topics, all known, and items and members
        differ in much else. Regret: the best expected reward among the candidates minus that of the
        one shown, summed
replay  MovieLens-100K by the rejection method of Li et al. (2011): the share of films rated 4 or 5
        among those that a policy chose and the log shows. The log was not made by showing films
        evenly; the candidates beside the film shown are films of other events drawn at random
draw    microseconds to draw one last layer in single precision

Each policy runs with the setting that was best on seeds (regret) or users (replay) kept apart for
that. +- is a standard error over seeds; in replay seeds are orders and candidates of the same events.
Ends with one line of JSON.

BENCH_BUILD names another build than build/release; BENCH_SEEDS and BENCH_TUNING change the counts.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BENCH_BUILD", ROOT / "build/release"))
PROGRAM = BUILD / "bench/bench_explore"
MOVIELENS = ROOT / "build/data/movielens-100k"
SEEDS = os.environ.get("BENCH_SEEDS", "20")
TUNING = os.environ.get("BENCH_TUNING", "10")
ONE_HOT_FILMS = 100
RICH = ("--topics", 15, "--known", 15, "--traits", 0.2)
WORLDS = {
    "": ("clicks, cold", ()),
    "_few": ("clicks, few cold", ("--topics", 15)),
    "_rich": ("clicks, rich", RICH),
    "_numbers": ("numbers, cold", ("--numbers",)),
    "_numbers_rich": ("numbers, rich", ("--numbers", *RICH)),
}


def run(*arguments):
    """The JSON that bench_explore prints."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench_explore {arguments[0]} failed with code {done.returncode}")
    return json.loads(done.stdout)


def show(title, rows, digits):
    print(f"\n{title}\n\n| policy | setting | mean | median | minus greedy |\n|---|---:|---:|---:|---:|")
    for row in rows:
        setting = "" if row["policy"] in ("greedy", "random") else f"{row['setting']:g}"
        difference = "" if row["policy"] == "greedy" else (
            f"{row['minus_greedy']:+.{digits}f} +- {row['minus_greedy_error']:.{digits}f}")
        print(f"| {row['policy'].replace('_', ' ')} | {setting} | {row['mean']:.{digits}f} "
              f"+- {row['error']:.{digits}f} | {row['median']:.{digits}f} | {difference} |")
    for row in rows:
        if row["tried"]:
            tried = ", ".join(f"{setting}: {mean:.{digits}f}" for setting, mean in row["tried"].items())
            print(f"  tuning of {row['policy']}: {tried}", file=sys.stderr)


def write_log(path):
    """MovieLens-100K as bench/explore_replay.h reads it."""
    import pyarrow.parquet as parquet

    ratings, movies, users = (parquet.read_table(MOVIELENS / f"{name}.parquet").to_pylist()
                              for name in ("ratings", "movies", "users"))
    genres = list(movies[0])[5:]
    times_rated = {movie["movie_id"]: 0 for movie in movies}
    for rating in ratings:
        times_rated[rating["movie_id"]] += 1
    popular = sorted(times_rated, key=lambda movie: (-times_rated[movie], movie))[:ONE_HOT_FILMS]
    films = []
    for movie in movies:
        popularity = math.log1p(times_rated[movie["movie_id"]]) / math.log1p(max(times_rated.values()))
        films.append([1.0, popularity, *(float(movie[genre]) for genre in genres),
                      *(float(movie["movie_id"] == one) for one in popular)])
    film_number = {movie["movie_id"]: number for number, movie in enumerate(movies)}
    user_number = {user["user_id"]: number for number, user in enumerate(users)}
    path.write_text(json.dumps({
        "films": films,
        "first_crossed": 2,
        "crossed": len(genres),
        "users": [1.0 if user["gender"] == "F" else -1.0 for user in users],
        "events": [[user_number[rating["user_id"]], film_number[rating["movie_id"]],
                    float(rating["rating"] >= 4)] for rating in ratings],
    }))


def main():
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is missing: run `make build` first")
    if not (MOVIELENS / "ratings.parquet").is_file():
        sys.exit(f"{MOVIELENS}: not found; run scripts/get-movielens-100k")
    seeds = ("--seeds", SEEDS, "--tuning", TUNING)
    result = {}
    for suffix, (title, options) in WORLDS.items():
        rows = run("regret", *options, *seeds)
        show(f"regret: {title}", rows, 1)
        result |= {f"explore_regret_{row['policy']}{suffix}": round(row["mean"], 2) for row in rows}
    with tempfile.TemporaryDirectory(prefix="limber-bench-explore-") as folder:
        log = pathlib.Path(folder) / "log.json"
        write_log(log)
        replayed = run("replay", log, *seeds)
    show("replay of MovieLens-100K: share of films rated 4 or 5", replayed["policies"], 4)
    print(f"\n{replayed['counted_in_last']} events counted in the last run")
    result |= {f"explore_replay_{row['policy']}": round(row["mean"], 4) for row in replayed["policies"]}
    times = run("draw")
    print("\na draw: " + ", ".join(f"{time:.1f} us at {dim} weights" for dim, time in times.items()))
    result |= {f"explore_draw_us_{dim}": round(time, 1) for dim, time in times.items()}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
