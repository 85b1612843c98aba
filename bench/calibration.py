"""make bench-calibration: calibrating a model after its training beside doing it within.

On the synthetic ads log, whose devices bend the logit each in its own way, trains three networks with
the same settings: one that does not see the device, one with the device as an input of its tower, and
one whose calibration layer has a curve for each device. To the scores of the first two on the
validation rows fits Platt scaling and isotonic regression, for all rows and for each device, and
compares all on the test rows: calibration ratio, expected calibration error (15 bins of as many rows),
log loss, normalised entropy, AUC, and the log loss above that of the true probabilities, which needs
no bins and is free of the clicks' chance. Ends with one line of JSON.

The fitted methods have an advantage, which they have in practice, too: they see the labels of the
validation rows, by which the joint layer is only stopped. None of the networks is tuned for its
calibration. The error of the truth itself says how much of an error is chance.

Finished runs are kept under build/bench/calibration and used again.

BENCH_JOBS=2       runs side by side, one core each
BENCH_BUILD=...    folder that limber was built in; build/release without it
"""

import argparse
import json
import sys

from ablation.data_sets import synthetic
from ablation.options import Parser, known_options, missing_option
from ablation.runs import PROGRAM, check_programs, jobs_of_environment
from calibration.held_out import HeldOut
from calibration.runs import BUILD, Scorer, runs_of
from calibration.tables import as_json, as_text, compare
from quality.protocols import BenchError

FEWEST_ROWS = 10_000


def arguments_of():
    parser = Parser(prog="bench/calibration.py", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the ads log (1000000)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each network (3)")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        raise BenchError("--seeds: expected 1 or more")
    if arguments.rows < FEWEST_ROWS:
        raise BenchError(f"--rows: expected {FEWEST_ROWS} or more")
    return arguments


def main():
    arguments = arguments_of()
    jobs = jobs_of_environment()
    check_programs("limber-serve")
    data = synthetic(PROGRAM, arguments.rows)
    runs = runs_of(data, arguments.seeds)
    options = known_options(PROGRAM)
    for by_seed in runs.values():
        if missing := missing_option(by_seed[0].settings, options):
            raise BenchError(f"the program has no {missing}; run make build")
    BUILD.mkdir(parents=True, exist_ok=True)
    held_out = HeldOut(data.config, BUILD / f"{data.log.parent.name}.parquet")
    with Scorer(jobs, held_out) as scorer:
        scorer.run_all([by_seed[seed] for seed in range(arguments.seeds) for by_seed in runs.values()])
        if scorer.failures:
            raise BenchError(f"a run failed: {next(iter(scorer.failures.values()))}")
    try:
        found = compare(held_out, runs)
    except ValueError as error:
        raise BenchError(f"the scores do not fit the log: {error}") from error
    print(data.title)
    print(as_text(found, held_out, arguments.seeds))
    print(json.dumps(as_json(found, arguments.seeds)))


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
