"""Adapting members on one core: the runtime beside LibTorch, batched and alone, and PyTorch's loop.

32 support rows, 3 steps, meta block 64-64-16 on 118 columns, hidden layers 256-128 on 134. The
batched LibTorch adaptation is training's own (training/meta), with its fused operations. Prints
tables and ends with one line of JSON.
"""

import argparse
import os
import tempfile

import side_by_side

CURVES = {"support": (1, 4, 8, 16, 32, 64, 128, 256), "steps": (1, 2, 3, 5, 10), "meta": (16, 32, 64, 128)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    options = side_by_side.arguments(parser, seconds=3)
    options.threads = 1
    program = side_by_side.program("bench_adapt")
    found, curves = {}, {}
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as folder:
        written = side_by_side.run([program, folder, "--write"], options)
        difference = side_by_side.json.loads(written.strip().splitlines()[-1])["difference"]
        members = os.path.join(folder, "members.safetensors")
        add = lambda name, value: found.setdefault(name, []).append(value)
        for _ in range(options.rounds):
            run = lambda *more: side_by_side.measure([program, folder, *more], options)
            add("peak", run("--engine", "peak")["gflops"])
            for name, size in (("many", "64"), ("one", "1")):
                add(f"ours {name}", run("--members", size))
                add(f"LibTorch {name}", run("--members", size, "--engine", "libtorch"))
            add("loop", side_by_side.measure_peer(["peers/adapt_loop.py", members], options))
        for option, values in CURVES.items():
            for value in values:
                curves[option, value] = side_by_side.measure(
                    [program, folder, f"--{option}", str(value)], options)["members_per_second"]

    rate = {name: side_by_side.median([one["members_per_second"] for one in values])
            for name, values in found.items() if name != "peak"}
    middle = lambda name, key: side_by_side.median([one[key] for one in found[name]])
    peak = max(found["peak"])
    print(f"Adaptation ({side_by_side.conditions(options)}).\n")
    print(f"{'engine':34}{'members/s':>11}{'ms':>9}{'ours is':>10}")
    for name, label, ours in (
            ("ours many", "runtime, 64 members in turn", "ours many"),
            ("LibTorch many", "LibTorch, 64 members at once", "ours many"),
            ("loop", "PyTorch, autograd for each", "ours many"),
            ("ours one", "runtime, one member", "ours one"),
            ("LibTorch one", "LibTorch, one member", "ours one")):
        print(f"{label:34}{rate[name]:11.0f}{1e3 / rate[name]:9.3f}{rate[ours] / rate[name]:9.2f}x")
    for option, values in CURVES.items():
        print(f"\n{ {'support': 'support rows', 'steps': 'steps', 'meta': 'width of the meta block'}[option] }")
        for value in values:
            print(f"{value:6}{curves[option, value]:11.0f} members/s{1e3 / curves[option, value]:9.3f} ms")
    needed, made = middle("ours many", "gflops_needed"), middle("ours many", "gflops_made")
    print(f"\nThe peak of a matrix product is {peak:.1f} GFLOP/s. Counting what is needed, frozen weights without")
    print(f"gradient and fixed shares once, the runtime does {needed:.1f} GFLOP/s; it saves some of that by stepping")
    print(f"the first layer through X X', and counting what it really does it is {made:.1f} GFLOP/s.")
    print(f"Largest difference of an embedding's number from LibTorch's: {difference:.1e}")
    side_by_side.finish({
        "members_per_second": round(rate["ours many"], 1),
        "single_member_ms": round(middle("ours one", "p50_us") / 1e3, 4),
        "ratio_libtorch": round(rate["ours many"] / rate["LibTorch many"], 3),
        "ratio_libtorch_single": round(rate["ours one"] / rate["LibTorch one"], 3),
        "ratio_loop": round(rate["ours many"] / rate["loop"], 2),
        "fraction_of_peak": round(made / peak, 3),
        "fraction_of_peak_needed": round(needed / peak, 3),
        "difference": difference,
        "loop_error": found["loop"][-1]["error"],
    }, options)


if __name__ == "__main__":
    main()
