"""make bench-ablation: what each component of the network is worth by itself, and all together.

On MovieLens-1M and on a synthetic ads log whose truth is known, trains an MLP without crosses, the
MLP with each component of bench/ablation/components.py, and with all of them; prints gains of AUC
over the MLP alone and, by device, how well the models are calibrated; ends with one line of JSON.
What reads a member's support is trained on episodes, which the MLP is not; such components are also
shown beside the support's statistics, trained on the same episodes, and the calibration layer beside
the device as an input. Weights are those of the global block. MovieLens-1M has no times, hence no
sequence that a transformer could read. Options that the built program
does not have are listed as not available. Finished runs are kept under build/bench/ablation and
used again, so that a bench that was cut off goes on.

BENCH_JOBS=2       runs side by side, one core each
BENCH_BUILD=...    folder that limber was built in; build/release without it
MOVIELENS_1M=...   folder of MovieLens-1M
"""

import argparse
import json
import sys

from ablation.components import BASE, COMPONENTS, all_of
from ablation.data_sets import movielens, synthetic
from ablation.options import Parser, known_options, missing_option
from ablation.parameters import matched_settings
from ablation.results import Outcome, Table, add_truth, outcome_of
from ablation.runs import PROGRAM, Run, Runner, check_programs, jobs_of_environment
from ablation.tables import as_json, as_text
from quality.protocols import BenchError

FEWEST_ROWS = 1000


def arguments_of():
    parser = Parser(prog="bench/ablation.py", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("movielens", "synthetic"), help="one of the two data sets")
    parser.add_argument("--components", help=f"some of: {', '.join(COMPONENTS)}, all; separated by commas")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each run (3)")
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of the ads log (5000000)")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        raise BenchError("--seeds: expected 1 or more")
    if arguments.rows < FEWEST_ROWS:
        raise BenchError(f"--rows: expected {FEWEST_ROWS} or more")
    known = [*COMPONENTS, "all"]
    names = known if arguments.components is None else arguments.components.replace(",", " ").split()
    for name in names:
        if name not in known:
            raise BenchError(f"--components: '{name}' is unknown; known are {', '.join(known)}")
    arguments.components = names
    return arguments


def components_of(data, names, options):
    """(components to train, {name: why not}) of the wanted ones, those first that others are matched to."""
    fitting = {name: component for name, component in COMPONENTS.items() if component.only in ("", data.name)}
    reasons = {}
    for name, component in fitting.items():
        if missing := missing_option(component.settings_for(data), options):
            reasons[name] = f"not available: the program has no {missing}"
        elif component.matched and component.matched in reasons:
            reasons[name] = f"not available: {component.matched} is not"
    wanted = [name for name in fitting if name in names or any(
        COMPONENTS[other].matched == name for other in names if other in COMPONENTS)]
    chosen = [BASE, *(fitting[name] for name in wanted)]
    if "all" in names:
        chosen.append(all_of([name for name in fitting if name not in reasons]))
    return chosen, reasons


def measure(runner, data, names, options, seeds):
    """Trains what is wanted on one data set and makes its table."""
    chosen, reasons = components_of(data, names, options)
    ready = {component.name: component for component in chosen if component.name not in reasons}
    runs = {name: runs_of(data, component, component.settings_for(data), seeds)
            for name, component in ready.items() if not component.matched}
    # Seed by seed, so that a bench that is cut off has every component of the first seeds.
    runner.run_all([by_seed[seed] for seed in range(seeds) for by_seed in runs.values()])
    base = runs["base"][0].result()
    for name, component in ready.items():
        if not component.matched:
            continue
        other = runs[component.matched][0].result()
        if base is None or other is None:
            reasons[name] = f"not available: {component.matched if base else 'the MLP alone'} failed"
        else:
            runs[name] = runs_of(data, component, matched_settings(base["shapes"], other["shapes"]), seeds)
    runner.run_all([by_seed[seed] for seed in range(seeds) for name, by_seed in runs.items() if ready[name].matched])
    table = Table(data, {
        component.name: Outcome(component, reasons[component.name]) if component.name in reasons
        else outcome_of(component, runs[component.name], runner.failures) for component in chosen})
    if data.log:
        add_truth(table, runs)
    return table


def runs_of(data, component, settings, seeds):
    return [Run(data, component.name, tuple(settings), seed) for seed in range(1, seeds + 1)]


def main():
    arguments = arguments_of()
    check_programs()
    options = known_options(PROGRAM)
    makers = {"movielens": movielens, "synthetic": lambda: synthetic(PROGRAM, arguments.rows)}
    names = [arguments.only] if arguments.only else list(makers)
    tables = []
    with Runner(jobs_of_environment()) as runner:
        for name in names:
            tables.append(measure(runner, makers[name](), arguments.components, options, arguments.seeds))
            print(as_text(tables[-1], arguments.seeds), flush=True)
    print(json.dumps(as_json(tables)))
    return 1 if runner.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
