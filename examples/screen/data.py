"""Writes training.csv (every other sample) and fresh.csv (the rest) into a folder.

usage: data.py FOLDER
"""

import csv
import pathlib
import sys

import numpy as np
from sklearn.datasets import load_breast_cancer

folder = pathlib.Path(sys.argv[1])
cancer = load_breast_cancer()
noise = np.random.default_rng(1).standard_normal((len(cancer.target), 2000)).round(4)
names = [name.replace(" ", "_") for name in cancer.feature_names]
header = ["tumour", *names, *(f"noise{j}" for j in range(noise.shape[1]))]
for name, start in (("training.csv", 0), ("fresh.csv", 1)):
    with open(folder / name, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for i in range(start, len(cancer.target), 2):
            writer.writerow([cancer.target_names[cancer.target[i]], *cancer.data[i], *noise[i]])
