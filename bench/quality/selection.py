"""BENCH_PROTOCOLS and BENCH_COLUMNS: which cells are wanted."""

import os

from .columns import COLUMNS
from .protocols import PROTOCOLS, BenchError


def names_of(variable, known):
    text = os.environ.get(variable, "")
    if not text.strip():
        return None
    names = [name for name in text.replace(",", " ").split()]
    for name in names:
        if name not in known:
            raise BenchError(f"{variable}: '{name}' is unknown; known are {', '.join(known)}")
    return names


def chosen_names():
    """(protocols, columns), each a list of names or None for all."""
    return names_of("BENCH_PROTOCOLS", PROTOCOLS), names_of("BENCH_COLUMNS", COLUMNS)
