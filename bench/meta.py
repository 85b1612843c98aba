"""Meta-training tasks a second: ours beside PyTorch's two ways, on the same batches and weights.

Prints a table and ends with one line of JSON. A step is everything from a ready batch to updated
weights: embedding rows, inner loop, query pass, outer gradients, clipping, Adam for the dense
parameters, row-wise Adagrad for the rows in use; the same for all three. Every peer first shows
that its outer gradients are ours.
"""

import argparse

import side_by_side

PEERS = {"loop": "peers/meta_loop.py", "vmap": "peers/meta_vmap.py"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    options = side_by_side.arguments(parser, seconds=3)
    program = side_by_side.program("bench_meta")
    rates, errors = {}, {}
    with side_by_side.temporary_file() as file:
        side_by_side.run([program, "--write", file], options)
        cases = [(order, steps) for steps in (1, 3) for order in ("first", "second")]
        # Round by round, so that whatever else the machine does meets all alike.
        for _ in range(options.rounds):
            for order, steps in cases:
                case = ["--order", order, "--steps", str(steps)]
                found = side_by_side.measure([program, *case], options)
                rates.setdefault((order, steps, "ours"), []).append(found["tasks_per_second"])
                for peer, script in PEERS.items():
                    found = side_by_side.measure_peer([script, file, *case], options)
                    rates.setdefault((order, steps, peer), []).append(found["tasks_per_second"])
                    errors[order, steps, peer] = found["errors"]

    rate = {key: side_by_side.median(values) for key, values in rates.items()}
    print(f"Meta-training, tasks a second ({side_by_side.conditions(options)}).")
    print("64 tasks a step, 0 to 100 support rows (log-uniform), 100 query rows each; meta block")
    print("64-64-16 on 37 columns, global block with two full cross layers and 128-64.\n")
    print(f"{'order':8}{'steps':>6}{'ours':>10}{'loop':>10}{'vmap':>10}{'x loop':>9}{'x vmap':>9}")
    result = {}
    for order, steps in cases:
        ours, loop, vmap = (rate[order, steps, who] for who in ("ours", "loop", "vmap"))
        print(
            f"{order:8}{steps:6}{ours:10.0f}{loop:10.0f}{vmap:10.0f}"
            f"{ours / loop:9.1f}{ours / vmap:9.1f}"
        )
        suffix = order if steps == 1 else f"{order}_{steps}_steps"
        result[f"tasks_per_second_{suffix}"] = round(ours, 1)
        result[f"ratio_loop_{suffix}"] = round(ours / loop, 2)
        result[f"ratio_vmap_{suffix}"] = round(ours / vmap, 2)
    side_by_side.print_errors(errors)
    result["largest_gradient_error"] = side_by_side.largest(errors)
    side_by_side.finish(result, options)


if __name__ == "__main__":
    main()
