#!/usr/bin/env python3
"""Makes the fitness table of `limber assign` from rows that a model has scored.

    limber evaluate models/NAME --scores scores.parquet
    limber export config.yaml --output rows
    fitness_from_scores.py scores.parquet rows/test.parquet models/NAME/VERSION LABEL FEATURE fitness.csv

The model's members are the candidates; FEATURE is its id feature that holds the position. Scores and
exported rows match line by line; the model's vocabulary turns the exported codes into names again. A
pair that occurs several times gets the mean of its scores (logits).
"""
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet


def name_of(line):
    """A line of a vocabulary: "#" marks a number, a quote starts JSON text."""
    return json.loads(line) if line.startswith('"') else line.removeprefix("#")


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    scores_path, rows_path, model, label, feature, output = sys.argv[1:]
    scores, rows = parquet.read_table(scores_path), parquet.read_table(rows_path)
    if not (scores["member"].equals(rows["member"]) and scores[label].equals(rows[label])):
        sys.exit(f"{scores_path} and {rows_path} are not of the same rows: export with the model's config")
    vocabulary = pathlib.Path(model) / "vocabulary" / f"{feature}.txt"
    names = [None, *map(name_of, vocabulary.read_text().splitlines())]
    table = pa.table({"candidate": scores["member"],
                      "position": pa.array([names[code] for code in rows[feature].to_pylist()], pa.string()),
                      "fitness": scores[f"{label}_logit"]})
    known = table.filter(table["position"].is_valid())
    mean = known.group_by(["candidate", "position"], use_threads=False).aggregate([("fitness", "mean")])
    mean = mean.select(["candidate", "position", "fitness_mean"]).rename_columns(["candidate", "position", "fitness"])
    csv.write_csv(mean, output)
    print(f"wrote {mean.num_rows} pairs to {output}; {table.num_rows - known.num_rows} rows named a position "
          "that the model does not know")


if __name__ == "__main__":
    main()
