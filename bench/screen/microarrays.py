"""The three expression data sets, and what is done to their values before any method sees them."""

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench" / "screen"
NAMES = ("golub", "alon", "singh")


class BenchError(Exception):
    """What the user can mend; shown as one line."""


@dataclass
class Microarray:
    name: str
    path: Path
    values: np.ndarray  # [samples, genes], as in the file
    labels: np.ndarray  # [samples], text
    truth: np.ndarray   # [samples], 0 or 1 in the order of the labels


def load(name):
    folder = Path(os.environ.get("MICROARRAY", ROOT.parent / "shared" / "data" / "microarray"))
    path = folder / f"{name}.csv.gz"
    if not path.is_file():
        raise BenchError(f"{path}: not found; set MICROARRAY to the folder of golub.csv.gz, alon.csv.gz and "
                         "singh.csv.gz (a line a sample: label,g1..gp)")
    with gzip.open(path, "rt") as file:
        header = file.readline().rstrip("\n").split(",")
        rows = [line.rstrip("\n").split(",") for line in file]
    if header[0] != "label" or any(len(row) != len(header) for row in rows):
        raise BenchError(f"{path}: expected lines of label,g1..gp")
    labels = np.array([row[0] for row in rows])
    values = np.array([row[1:] for row in rows], dtype=float)
    return Microarray(name, path, values, labels, (labels == np.unique(labels)[1]).astype(int))


def transformed(values, training):
    """asinh(x / median magnitude of the training samples), then every sample to mean 0, deviation 1:
    what `--transform asinh --normalize samples` does. All methods get this."""
    magnitudes = np.abs(values[training])
    result = np.arcsinh(values / np.median(magnitudes[magnitudes > 0]))
    return (result - result.mean(axis=1, keepdims=True)) / result.std(axis=1, keepdims=True)
