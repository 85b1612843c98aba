"""The models that are compressed, and what is asked of each.

Every value that shapes a run is spelt out or comes from another bench's config, so that a finished
step can be told apart from another by its config and settings alone.
"""

from dataclasses import dataclass

from ablation.data_sets import synthetic
from quality.columns import COLUMNS
from quality.protocols import PROTOCOLS
from quality.search import read_tuned, tuned_settings

# Ids of which the log has more different values than the others: those that a vocabulary is
# compressed for.
LARGE_IDS = [f"id_{number:02}" for number in range(14, 27)]


@dataclass(frozen=True)
class Model:
    name: str
    title: str
    config: dict
    settings: tuple = ()

    @property
    def files(self):
        data = self.config["data"]
        return [data["interactions"], *(table["path"] for table in data["tables"].values())]


def movielens():
    """The best model of the main job: LiMAML and statistics, tuned as in bench-quality."""
    protocol, column = PROTOCOLS["warm"], COLUMNS["limaml_statistics"]
    config = column.config(protocol, tuned_settings(read_tuned(), protocol, column), 1)
    config["train"]["threads"] = 2
    return Model("movielens", "MovieLens-1M, LiMAML with statistics (split of the warm protocol)", config)


def ads(program, rows):
    """The Criteo-shaped log, crosses and an MLP; all ids that occur five times have a row."""
    config = synthetic(program, rows).config
    for feature in config["features"]:
        if feature["kind"] == "id":
            feature["min_count"] = 5
    config["model"]["global_block"]["cross"]["kind"] = "full"
    config["train"].update(threads=2, epochs=2)
    return Model("ads", f"synthetic ads log, {rows:,} rows: full-rank crosses, MLP 128-64", config)


def large(program, rows, width):
    """Four hidden layers of that width on the same kind of log (LiRank's large MLP)."""
    config = synthetic(program, rows).config
    for feature in config["features"]:
        if "min_count" in feature:
            feature["min_count"] = 50
    config["model"]["global_block"]["hidden"] = [width] * 4
    config["train"].update(threads=2, epochs=1, batch=1024, learning_rate=5e-4, sparse_learning_rate=0.02)
    return Model("large", f"synthetic ads log, {rows:,} rows: MLP 4 x {width}", config)


def rows_of_tables(layout):
    """{feature: rows} of the dictionaries, from `limber inspect --json`."""
    return {feature["name"]: feature["vocabulary_size"] for feature in layout["encoders"]["features"]
            if "vocabulary_size" in feature}


def quotient_remainder(manifest, features, times):
    """Settings that give these features quotient-remainder tables of that many times fewer rows."""
    rows = rows_of_tables(manifest)
    settings = []
    for name in features:
        # Two quotient and two remainder tables, all of one size, and the missing value's row.
        size = max(2, int((rows[name] / times - 1) // 4))
        settings += [f"features.{name}.vocabulary=qr", f"features.{name}.quotients={size}",
                     f"features.{name}.remainders={size}"]
    return tuple(settings)
