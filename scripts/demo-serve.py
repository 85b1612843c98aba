"""The end of scripts/demo: starts the server on a free port, ranks, clicks, and ranks again.

usage: demo-serve.py LIMBER MODEL FOLDER
"""

import http.client
import json
import pathlib
import re
import signal
import subprocess
import sys
import time

import pyarrow.parquet

MEMBER, FILMS = "newcomer", 12


def main():
    limber, model, folder = sys.argv[1:]
    store = f"rocksdb:{pathlib.Path(folder) / 'store'}"
    subprocess.run([limber, "adapt", model, "--quiet", "--store", store, "--load"], check=True,
                   stdout=subprocess.DEVNULL)
    films = pyarrow.parquet.read_table("build/data/movielens-100k/movies.parquet",
                                       columns=["movie_id", "movie_title"]).to_pylist()
    title = {film["movie_id"]: film["movie_title"] for film in films}
    server = subprocess.Popen([limber, "serve", model, "--store", store, "--port", "0"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        ready = server.stdout.readline()
        port = re.search(r"127\.0\.0\.1:(\d+)", ready)
        if not port:
            sys.exit("demo: the server did not start; try it by hand: limber serve " + model)
        connection = http.client.HTTPConnection("127.0.0.1", int(port[1]))

        def call(path, body):
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = json.loads(answer.read())
            if answer.status != 200:
                sys.exit(f"demo: {path}: {data['error']}")
            return data

        # Twelve films that many know, spread over the catalogue.
        candidates = sorted(title)[: 50 * FILMS : 50]
        rank = lambda: [(candidates[row["index"]], row["score"])
                        for row in call("/rank", {"member": MEMBER, "candidates": candidates})["ranking"]]
        before = rank()
        clicked = before[-1][0]
        begin = time.perf_counter()
        call("/feedback", {"member": MEMBER, "interaction": {"movie_id": clicked, "rating": 5}})
        after = rank()
        took = 1e3 * (time.perf_counter() - begin)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    places = {film: place for place, (film, _) in enumerate(before)}
    print(f"\nAnd in the server: a newcomer gives five stars to the film ranked last, '{title[clicked]}'.\n")
    print(f"  {'before':42}      {'after':42}")
    for place in range(FILMS):
        old, new = before[place], after[place]
        moved = places[new[0]] - place
        arrow = f"{'+' if moved > 0 else ''}{moved}" if moved else ""
        print(f"  {title[old[0]][:36]:36} {old[1]:.3f}   {title[new[0]][:36]:36} {new[1]:.3f} {arrow:>3}"
              + ("  <- clicked" if new[0] == clicked else ""))
    print(f"\nThe click was durable, the member adapted and the films ranked again {took:.1f} ms later.")


if __name__ == "__main__":
    main()
