"""Scoring a member's candidates on one core: ours beside ONNX Runtime and LibTorch, same weights.

26 ids of 16, 13 numbers, two low-rank crosses, hidden layers 400-400-400. 13 of the ids and 6 of the
numbers belong to the member and the context: ours computes them once a request, the peers get them
repeated in each row, as their users must give them. Prints a table and ends with one line of JSON.
"""

import argparse
import os
import tempfile

import side_by_side

SIZES = (1, 64, 512)


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
    names = ("ours", "ours, nothing shared", "ONNX Runtime", "LibTorch")
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
    result["fraction_of_peak"] = round(middle(512, "ours", "gflops") / best, 3)
    result["difference"] = max(one["difference"] for (_, name), many in found.items()
                               if name == "ONNX Runtime" for one in many)
    print(f"\nA call of ONNX Runtime from Python that computes nothing takes {middle(1, 'ONNX Runtime', 'call_us'):.1f} us;")
    print("ratios in the JSON are given with and (less_call) without it.")
    print(f"Largest difference of a logit: {result['difference']:.1e}. The peak of a matrix product is "
          f"{best:.1f} GFLOP/s;\nat 512 candidates ours does {middle(512, 'ours', 'gflops'):.1f} GFLOP/s, counted as "
          "if each candidate went through\nthe plain layers (what is shared is then computed less often than it is counted).")
    side_by_side.finish(result, options)


if __name__ == "__main__":
    main()
