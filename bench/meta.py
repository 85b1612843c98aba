"""Meta-training tasks a second: ours beside PyTorch's two ways, on the same batches and weights.

Prints a table and ends with one line of JSON. A step is everything from a ready batch to updated
weights: embedding rows, inner loop, query pass, outer gradients, clipping, Adam for the dense
parameters, row-wise Adagrad for the rows in use; the same for all three. Every peer first shows
that its outer gradients are ours.
"""

import argparse

import side_by_side

ROWS = {"long": "<= 100 and 100 query", "short": "<= 20 and 20 query"}
PEERS = {"loop": "peers/meta_loop.py", "vmap": "peers/meta_vmap.py"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    options = side_by_side.arguments(parser, seconds=3)
    program = side_by_side.program("bench_meta")
    rates, errors = {}, {}
    cases = [(histories, order, steps) for histories in ROWS for steps in (1, 3)
             for order in ("first", "second")]
    with side_by_side.temporary_files(*ROWS) as files:
        for histories, file in files.items():
            side_by_side.run([program, "--write", file, "--histories", histories, "--threads",
                              str(options.threads)], options)
        # Round by round, so that whatever else the machine does meets all alike.
        for _ in range(options.rounds):
            for key in cases:
                histories, order, steps = key
                case = ["--order", order, "--steps", str(steps)]
                found = side_by_side.measure([program, "--histories", histories, *case], options)
                rates.setdefault((*key, "ours"), []).append(found["tasks_per_second"])
                for peer, script in PEERS.items():
                    # The loop's tasks are small; more threads may only slow it. The better counts.
                    threads = {1, options.threads} if peer == "loop" else {options.threads}
                    found = [side_by_side.measure_peer([script, files[histories], *case], options, n)
                             for n in sorted(threads)]
                    rates.setdefault((*key, peer), []).append(max(one["tasks_per_second"] for one in found))
                    errors[*key, peer] = found[-1]["errors"]

    rate = {key: side_by_side.median(values) for key, values in rates.items()}
    print(f"Meta-training, tasks a second ({side_by_side.conditions(options)}).")
    print("64 tasks a step, support rows log-uniform from 0; meta block 64-64-16 on 37 columns, global")
    print("block with two full cross layers and 128-64. The loop runs on one thread too; its better counts.\n")
    print(f"{'rows of a task':24}{'order':8}{'steps':>6}{'ours':>10}{'loop':>10}{'vmap':>10}"
          f"{'x loop':>9}{'x vmap':>9}")
    result = {}
    for histories, order, steps in cases:
        ours, loop, vmap = (rate[histories, order, steps, who] for who in ("ours", "loop", "vmap"))
        print(
            f"{ROWS[histories]:24}{order:8}{steps:6}{ours:10.0f}{loop:10.0f}{vmap:10.0f}"
            f"{ours / loop:9.1f}{ours / vmap:9.1f}"
        )
        suffix = order if steps == 1 else f"{order}_{steps}_steps"
        if histories == "short":
            suffix += "_short"
        result[f"tasks_per_second_{suffix}"] = round(ours, 1)
        result[f"ratio_loop_{suffix}"] = round(ours / loop, 2)
        result[f"ratio_vmap_{suffix}"] = round(ours / vmap, 2)
    side_by_side.print_errors(errors)
    result["largest_gradient_error"] = side_by_side.largest(errors)
    side_by_side.finish(result, options)


if __name__ == "__main__":
    main()
