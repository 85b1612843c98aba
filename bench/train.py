"""Training examples a second of a ranker without support: ours beside PyTorch, same batches.

Prints a table and ends with one line of JSON. A step is everything from a batch's numbers and ids
to updated weights; ours finds the rows that a batch uses within the step, as PyTorch sorts its
sparse gradients within its own. PyTorch is measured in every set-up that might be its fastest, and
the fastest is the peer: SparseAdam, Adagrad or row-wise Adagrad for the rows, fused Adam for the
rest, with and without torch.compile.

On the advertisements a ready-made library stands beside them, DeepCTR-Torch, with its own network
and its own step, the fastest of several set-ups again (peers/train_deepctr.py): as its users can
have it, which is `ratio_ctr_library`, and with its embeddings switched to sparse gradients from
outside, which is `ratio_ctr_library_by_hand`.

Below stands about what the matrix products of an example alone would allow, at the speed that this
machine reaches on large square matrices: how much is left for anybody to gain.
"""

import argparse

import side_by_side

SHAPES = {
    "advertisements": "13 numbers, 26 ids x 16 (1e3 to 1e6 values), 2 full crosses, 400-400-400",
    "films": "item id x 16, genres x 8, a number, 3 ids x 4, 2 full crosses, 128-64",
}

LIBRARY_SHAPE = "advertisements"  # no lists, no side tables
LIBRARY_KINDS = {"library": "", "by_hand": ", sparse by hand"}


def add_rates(found, rates):
    for name, rate in found.items():
        rates.setdefault(name, []).append(rate)


def medians(rates):
    return {name: side_by_side.median(values) for name, values in rates.items()}


def print_peers(title, peer_rates, rate):
    """Prints them by speed, and returns the name of the fastest."""
    best = max(peer_rates, key=peer_rates.get)
    for name, peer in sorted(peer_rates.items(), key=lambda entry: -entry[1]):
        mark = "  <- the peer" if name == best else ""
        print(f"  {title(name):52}{peer:12.0f}   x{rate / peer:.2f}{mark}")
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    options = side_by_side.arguments(parser, seconds=4)
    program = side_by_side.program("bench_train")
    result, errors = {}, {}
    print(f"Training, examples a second, batch 4096 ({side_by_side.conditions(options)}).")
    for shape, words in SHAPES.items():
        ours, bounds, peers = [], [], {}
        libraries = {kind: {} for kind in LIBRARY_KINDS} if shape == LIBRARY_SHAPE else {}
        with side_by_side.temporary_files(shape) as files:
            file = files[shape]
            case = ["--shape", shape]
            side_by_side.run([program, *case, "--write", file, "--threads", str(options.threads)], options)
            for _ in range(options.rounds):
                found = side_by_side.measure([program, *case], options)
                ours.append(found["examples_per_second"])
                bounds.append(found["examples_per_second_products"])
                found = side_by_side.measure_peer(["peers/train_dcn.py", file], options)
                add_rates(found["examples_per_second"], peers)
                errors[shape] = found["errors"]
                if libraries:
                    found = side_by_side.measure_peer(["peers/train_deepctr.py", file], options)
                    for kind, rates in libraries.items():
                        add_rates(found[kind], rates)
        rate, bound = side_by_side.median(ours), side_by_side.median(bounds)
        peer_rates = medians(peers)
        print(f"\n{shape}: {words}")
        print(f"  {'ours':52}{rate:12.0f}")
        best = print_peers(lambda name: "PyTorch, " + name, peer_rates, rate)
        print(f"  {'products alone, at full speed':52}{bound:12.0f}   x{bound / peer_rates[best]:.2f}")
        suffix = "" if shape == "advertisements" else "_" + shape
        result["examples_per_second" + suffix] = round(rate)
        result["ratio_pytorch" + suffix] = round(rate / peer_rates[best], 3)
        result["products_pytorch" + suffix] = round(bound / peer_rates[best], 3)
        result["peer" + suffix] = best
        for kind, rates in libraries.items():
            library_rates = medians(rates)
            library = print_peers(lambda name: f"DeepCTR-Torch{LIBRARY_KINDS[kind]}, {name}", library_rates, rate)
            suffix = "" if kind == "library" else "_" + kind
            result["ratio_ctr_library" + suffix] = round(rate / library_rates[library], 3)
            result["ctr_library" + suffix] = library
    side_by_side.print_errors(errors)
    result["largest_gradient_error"] = side_by_side.largest(errors)
    side_by_side.finish(result, options)


if __name__ == "__main__":
    main()
