"""Scoring a member's candidates on one core: ours beside ONNX Runtime and LibTorch, same weights.

26 ids of 16, 13 numbers, two low-rank crosses, hidden layers 400-400-400. 13 of the ids and 6 of the
numbers belong to the member and the context: ours computes them once a request, the peers get them
repeated in each row, as their users must give them. Prints a table and ends with one line of JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import side_by_side

SIZES = (1, 64, 512)
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def integer_auc(options):
    """AUC of MovieLens-100K's test rows with such layers, in floats and in integers."""
    def run(command):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"error: {' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stdout

    run(["scripts/get-movielens-100k"])
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as models:
        settings = ["model.global_block.hidden=[400,400,400]", "model.global_block.cross.kind=low_rank",
                    "train.epochs=6", "train.tensorboard=false", "train.threads=2"]
        run(["build/release/apps/limber", "train", "examples/movielens-100k/config.yaml", "--models", models,
             "--quiet", "--resamples", "0", *[word for one in settings for word in ("--set", one)]])
        return json.loads(run([side_by_side.program("bench_int8_auc"), os.path.join(models, "limaml")]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    options = side_by_side.arguments(parser, seconds=3)
    options.threads = 1
    program = side_by_side.program("bench_score")
    found, peak = {}, []
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as folder:
        side_by_side.run([program, folder, "--write"], options)
        requests = os.path.join(folder, "requests.safetensors")
        for _ in range(options.rounds):
            peak.append(side_by_side.measure([program, folder, "--engine", "peak"], options)["gflops"])
            for size in SIZES:
                case = ["--candidates", str(size)]
                engines = {
                    "ours": [program, folder, *case],
                    "ours, int8": [program, folder, *case, "--int8"],
                    "ours, nothing shared": [program, folder, *case, "--nothing-shared"],
                    "LibTorch": [program, folder, *case, "--engine", "libtorch"],
                }
                for name, command in engines.items():
                    found.setdefault((size, name), []).append(side_by_side.measure(command, options))
                peer = side_by_side.measure_peer(
                    ["peers/score_onnxruntime.py", requests, *case], options)
                found.setdefault((size, "ONNX Runtime"), []).append(peer)

    best = max(peak)
    middle = lambda size, name, key: side_by_side.median([one[key] for one in found[size, name]])
    names = ("ours", "ours, int8", "ours, nothing shared", "ONNX Runtime", "LibTorch")
    print(f"Scoring ({side_by_side.conditions(options)}; {found[1, 'ours'][0]['instruction_set']}).\n")
    print(f"{'candidates':>10}  {'engine':22}{'candidates/s':>13}{'p50 us':>10}{'p99 us':>10}{'ours is':>9}")
    result = {}
    for size in SIZES:
        ours = middle(size, "ours", "p50_us")
        for name in names:
            p50 = middle(size, name, "p50_us")
            print(f"{size:10}  {name:22}{middle(size, name, 'candidates_per_second'):13.0f}{p50:10.1f}"
                  f"{middle(size, name, 'p99_us'):10.1f}{p50 / ours:8.2f}x")
        result[f"ratio_onnxruntime_{size}"] = round(middle(size, "ONNX Runtime", "p50_us") / ours, 3)
        result[f"ratio_libtorch_{size}"] = round(middle(size, "LibTorch", "p50_us") / ours, 3)
        call = middle(size, "ONNX Runtime", "call_us")
        result[f"ratio_onnxruntime_{size}_less_call"] = round(
            (middle(size, "ONNX Runtime", "p50_us") - call) / ours, 3)
    fast = middle(512, "ours, int8", "p50_us")
    result["ratio_onnxruntime_512_int8"] = round(middle(512, "ONNX Runtime", "p50_us") / fast, 3)
    result["speed_up_int8_512"] = round(middle(512, "ours", "p50_us") / fast, 3)
    quality = integer_auc(options)
    result["auc_loss_int8"] = round(quality["auc_loss_int8"], 6)
    result["fraction_of_peak"] = round(middle(512, "ours", "gflops") / best, 3)
    result["difference"] = max(one["difference"] for (_, name), many in found.items()
                               if name == "ONNX Runtime" for one in many)
    print(f"\nA call of ONNX Runtime from Python that computes nothing takes {middle(1, 'ONNX Runtime', 'call_us'):.1f} us;")
    print("ratios in the JSON are given with and (less_call) without it.")
    print(f"Integers are {result['speed_up_int8_512']:.2f} times as fast as floats at 512 candidates. MovieLens-100K with such layers:")
    print(f"AUC {quality['auc']:.5f} in floats, {quality['auc_int8']:.5f} in integers ({quality['rows']} test rows).")
    print(f"Largest difference of a logit: {result['difference']:.1e}. The peak of a matrix product is "
          f"{best:.1f} GFLOP/s;\nat 512 candidates ours does {middle(512, 'ours', 'gflops'):.1f} GFLOP/s, counted as "
          "if each candidate went through\nthe plain layers (what is shared is then computed less often than it is counted).")
    side_by_side.finish(result, options)


if __name__ == "__main__":
    main()
