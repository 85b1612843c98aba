"""The settings that are tuned. Every column of every protocol gets the same number of draws."""

import itertools
import json
import random
from pathlib import Path

TUNED = Path(__file__).with_name("tuned.json")

# The first of each pair of lists is shared by all our models, so that all see the same draws.
LEARNING_RATES = list(itertools.product([2e-3, 3e-3], [0.1, 0.2, 0.4]))
TASKS_PER_BATCH = [32]
BATCHES = [1024]

TREES = {
    "learning_rate": [0.03, 0.05, 0.1],
    "num_leaves": [15, 31, 63, 127],
    "min_data_in_leaf": [20, 100, 500],
    "feature_fraction": [0.5, 0.8, 1.0],
}


def draws(column, count):
    """`count` settings for a column; more draws begin with the fewer ones."""
    if count < 1:
        raise ValueError("at least one draw")
    generator = random.Random(1)
    if column.trees:
        space = list(itertools.product(*TREES.values()))
        return [dict(zip(TREES, values)) for values in generator.sample(space, len(space))[:count]]
    rates = generator.sample(LEARNING_RATES, len(LEARNING_RATES))
    settings = []
    for i in range(count):
        dense, sparse = rates[i % len(rates)]
        tasks, batch = generator.choice(TASKS_PER_BATCH), generator.choice(BATCHES)
        settings.append({"train.learning_rate": dense, "train.sparse_learning_rate": sparse,
                         **({"meta.tasks_per_batch": tasks} if column.by_task
                            else {"train.batch": batch})})
    return settings


def read_tuned():
    return json.loads(TUNED.read_text()) if TUNED.exists() else {}


def tuned_settings(tuned, protocol, column):
    """The chosen settings of a cell; without tuning the first draw."""
    cell = tuned.get(protocol.name, {}).get(column.name)
    return cell["chosen"] if cell else draws(column, 1)[0]
