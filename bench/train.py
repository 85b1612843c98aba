"""Training examples a second of a ranker without support: ours beside PyTorch, same batches.

Prints a table and ends with one line of JSON. A step is everything from a batch's numbers and ids
to updated weights; ours finds the rows that a batch uses within the step, as PyTorch sorts its
sparse gradients within its own. PyTorch is measured in every set-up that might be its fastest, and
the fastest is the peer: SparseAdam, Adagrad or row-wise Adagrad for the rows, fused Adam for the
rest, with and without torch.compile.

Below stands about what the matrix products of an example alone would allow, at the speed that this
machine reaches on large square matrices: how much is left for anybody to gain.
"""

import argparse

import side_by_side

SHAPES = {
    "advertisements": "13 numbers, 26 ids x 16 (1e3 to 1e6 values), 2 full crosses, 400-400-400",
    "films": "item id x 16, genres x 8, a number, 3 ids x 4, 2 full crosses, 128-64",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    options = side_by_side.arguments(parser, seconds=4)
    program = side_by_side.program("bench_train")
    result, errors = {}, {}
    print(f"Training, examples a second, batch 4096 ({side_by_side.conditions(options)}).")
    for shape, words in SHAPES.items():
        ours, bounds, peers = [], [], {}
        with side_by_side.temporary_files(shape) as files:
            file = files[shape]
            case = ["--shape", shape]
            side_by_side.run([program, *case, "--write", file, "--threads", str(options.threads)], options)
            for _ in range(options.rounds):
                found = side_by_side.measure([program, *case], options)
                ours.append(found["examples_per_second"])
                bounds.append(found["examples_per_second_products"])
                found = side_by_side.measure_peer(["peers/train_dcn.py", file], options)
                for name, peer in found["examples_per_second"].items():
                    peers.setdefault(name, []).append(peer)
                errors[shape] = found["errors"]
        rate = side_by_side.median(ours)
        peer_rates = {name: side_by_side.median(rates) for name, rates in peers.items()}
        best = max(peer_rates, key=peer_rates.get)
        print(f"\n{shape}: {words}")
        print(f"  {'ours':32}{rate:12.0f}")
        for name, peer in sorted(peer_rates.items(), key=lambda entry: -entry[1]):
            mark = "  <- the peer" if name == best else ""
            print(f"  {'PyTorch, ' + name:32}{peer:12.0f}   x{rate / peer:.2f}{mark}")
        bound = side_by_side.median(bounds)
        print(f"  {'products alone, at full speed':32}{bound:12.0f}   x{bound / peer_rates[best]:.2f}")
        suffix = "" if shape == "advertisements" else "_" + shape
        result["examples_per_second" + suffix] = round(rate)
        result["ratio_pytorch" + suffix] = round(rate / peer_rates[best], 3)
        result["products_pytorch" + suffix] = round(bound / peer_rates[best], 3)
        result["peer" + suffix] = best
    side_by_side.print_errors(errors)
    result["largest_gradient_error"] = side_by_side.largest(errors)
    side_by_side.finish(result, options)


if __name__ == "__main__":
    main()
