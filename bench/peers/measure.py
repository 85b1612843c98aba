"""What all peers share: the command line, timing, and the comparison with our gradients."""

import argparse
import json
import time

import torch


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("file")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument(
        "--processor-time", action="store_true", help="count processor time; with one thread"
    )
    return parser


def rate(step, batches, options, warm_up):
    """Calls step(batch), which returns how much it did, for some seconds; how much a second."""
    now = time.process_time if options.processor_time else time.perf_counter
    for i in range(warm_up):
        step(batches[i % len(batches)])
    done = i = 0
    begin = now()
    while (elapsed := now() - begin) < options.seconds:
        done += step(batches[i % len(batches)])
        i += 1
    return done / elapsed


def relative_errors(ours, theirs, groups):
    """Norm of the difference over the norm of ours, for each group of tensors by name."""
    errors = {}
    for group, belongs in groups.items():
        names = [name for name in ours if belongs(name)]
        difference = sum((ours[n] - theirs[n]).double().square().sum() for n in names)
        size = sum(ours[n].double().square().sum() for n in names)
        errors[group] = float((difference / size).sqrt())
    return errors


def report(**values):
    print(json.dumps(values))
