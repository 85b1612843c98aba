"""make bench-compress: what `limber compress` saves on three models and a network of convolutions, and what
it costs.

Trains a MovieLens-1M model, a Criteo-shaped model and one with a large MLP, compresses each in several ways,
and prints for each way the bytes of tables, vocabularies, dense weights and the whole artifact, the
test AUC and log loss with their differences from the uncompressed model (paired by member, with intervals), and the
scoring speed. Ends with one line of JSON. Finished steps are kept under build/bench/compress and used again,
so that a bench that was cut off goes on; speeds are measured anew each time.

BENCH_BUILD=...    folder that limber was built in; build/release without it
MOVIELENS_1M=...   folder of MovieLens-1M
"""

import argparse
import json
import sys

from ablation.options import Parser
from ablation.runs import PROGRAM, check_programs
from compress.models import LARGE_IDS, ads, large, movielens, quotient_remainder
from compress.steps import Workshop
from compress.tables import as_json, crossbar_table, network_table, rows_ratio, table_of
from quality.protocols import ROOT, BenchError

CANDIDATES = 64
INT8 = ("compress.rows=int8",)
FP16 = ("compress.rows=fp16",)
HASHED = ("compress.rows=int8", "compress.vocabularies=perfect_hash")
TIMES = 5  # fewer rows under quotients and remainders
DIGITS = ROOT / "examples" / "digits" / "network.yaml"
DIGITS_DATA = ROOT / "build" / "data" / "digits" / "digits.csv"


def arguments_of():
    parser = Parser(prog="bench/compress.py", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("movielens", "ads", "large", "digits"), action="append",
                        help="one of the four; may be given again")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the ads log (1000000)")
    parser.add_argument("--large-rows", type=int, default=300_000, help="rows of the large MLP's log (300000)")
    parser.add_argument("--width", type=int, default=3500, help="width of the large MLP's layers (3500)")
    parser.add_argument("--ratio", type=float, default=21, help="how many times fewer weights it is to have (21)")
    return parser.parse_args()


def tables_and_vocabularies(workshop, model, ids):
    """The ways that need no training but for quotients and remainders, which are trained with."""
    trained = workshop.train(model)
    ways = [("int8 rows", workshop.compress(trained, INT8, f"{model.name}, int8 rows")),
            ("fp16 rows", workshop.compress(trained, FP16, f"{model.name}, fp16 rows")),
            ("int8 rows, perfect hash", workshop.compress(trained, HASHED, f"{model.name}, perfect hash"))]
    settings = quotient_remainder(workshop.manifest(trained), ids, TIMES)
    quotients = workshop.train(model, settings, f"{model.name}, quotients and remainders")
    quotients["difference"] = workshop.difference(trained, quotients, f"{model.name}, quotients and remainders")
    quotients["rows_ratio"] = rows_ratio(workshop.manifest(trained), workshop.manifest(quotients), ids)
    return trained, ways, [(f"{quotients['rows_ratio']:.2f}x fewer rows of {counted(ids)} (QR), trained anew", quotients)]


def counted(ids):
    return f"{len(ids)} ids" if len(ids) > 1 else ids[0]


def large_mlp(workshop, model, ratio):
    """Pruned in one pass under the penalty; then rounded and trained on, which the small network takes seconds for."""
    trained = workshop.train(model)
    pruned = workshop.compress(trained, (
        f"compress.target_ratio={ratio:g}", "compress.structure=units", "compress.rows=float32",
        "compress.admm.epochs=1", "compress.admm.rho=0.01", "compress.admm.learning_rate=0.001",
        "compress.admm.retrain_epochs=0"), "large, pruned")
    rounded = workshop.compress(pruned, (
        "compress.target_ratio=0", "compress.bits=8", "compress.admm.epochs=0", "compress.admm.retrain_epochs=2",
        "compress.admm.retrain_learning_rate=0.0005", *HASHED), "large, pruned and rounded")
    # A step is measured beside the one before it; here beside the large network, too.
    rounded["difference"] = workshop.difference(trained, rounded, "large, pruned and rounded, with the large one")
    return trained, [("units pruned (ADMM)", pruned), ("the same, then 8 bits, int8 rows, perfect hash", rounded)], []


def main():
    arguments = arguments_of()
    check_programs()
    wanted = arguments.only or ["movielens", "ads", "large", "digits"]
    results = {}
    with Workshop() as workshop:
        for name in wanted:
            if name == "digits":
                if not DIGITS_DATA.is_file():
                    raise BenchError(f"{DIGITS_DATA}: not found; run scripts/get-digits")
                admm = workshop.compress_network(DIGITS, (), "digits")
                passes = sum(admm["metrics"]["compression"][key] for key in ("epochs", "retrain_epochs"))
                magnitude = workshop.compress_network(
                    DIGITS, ("compress.admm.epochs=0", f"compress.admm.retrain_epochs={passes}"), "digits by magnitude")
                results[name] = (admm, magnitude)
                print(network_table(admm, magnitude), crossbar_table(admm), sep="", flush=True)
                continue
            if name == "movielens":
                model = movielens()
                trained, ways, others = tables_and_vocabularies(workshop, model, ["movie"])
            elif name == "ads":
                model = ads(PROGRAM, arguments.rows)
                trained, ways, others = tables_and_vocabularies(workshop, model, LARGE_IDS)
            else:
                model = large(PROGRAM, arguments.large_rows, arguments.width)
                trained, ways, others = large_mlp(workshop, model, arguments.ratio)
            speeds = workshop.speed([trained, *(way for _, way in ways)], CANDIDATES)
            results[name] = (workshop.manifest(trained), trained, ways, others, speeds)
            print(table_of(model, *results[name], CANDIDATES), flush=True)
    print(json.dumps(as_json(results)))


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
