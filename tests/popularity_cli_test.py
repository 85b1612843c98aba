"""`limber popularity` as a user meets it: published beside the main model, seen by predict, evaluate and serve,
killed in between, and every mistake.

usage: popularity_cli_test.py FOLDER_OF_PROGRAMS
"""

import json
import math
import random
import subprocess
import time

import pyarrow as pa
import pyarrow.parquet as parquet

from cli_case import Case, main
from limber_cli import LIMBER, run, weights, write_config


def logit(p):
    return math.log(p / (1 - p))


class Popularity(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.models = cls.folder / "models"
        config = write_config(cls.folder / "config.yaml", cls.folder / "parquet")
        done = run("train", config, "--models", cls.models, "--resamples", 0)
        assert done.returncode == 0, done.stderr
        # Later interactions, in which item 3 has become what everybody clicks, and item 5 nobody.
        columns = parquet.read_table(cls.folder / "parquet/interactions.parquet").to_pydict()
        cls.later = cls.folder / "later.parquet"
        clicks = [1 if item == 3 else 0 if item == 5 else click
                  for item, click in zip(columns["item_id"], columns["clicked"])]
        parquet.write_table(pa.table({**columns, "clicked": clicks,
                                      "timestamp": [t + 100 * 86400 for t in columns["timestamp"]]}), cls.later)

    def setUp(self):
        super().setUp()
        self.model = self.work / "models/clicks"
        self.model.mkdir(parents=True)
        subprocess.run(["cp", "-r", self.models / "clicks/000001", self.model], check=True)

    def refit(self, *arguments):
        done = run("popularity", self.model, self.later, "--by", "item_id", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def scores(self, version):
        path = self.work / "scores.parquet"
        done = run("predict", version, self.later, "-o", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return parquet.read_table(path)["score_clicked"].to_pylist()

    def test_published_and_seen_by_all(self):
        done = self.refit()
        version = self.model / "000002"
        self.assertIn(f"published {version}", done.stdout)
        self.assertIn("fitted item_id on 2000 rows from 2024-04-10", done.stdout)
        self.assertIn("(estimated)", done.stdout)
        self.assertNotIn("lie in the time", done.stdout)
        before, after = weights(self.model / "000001"), weights(version)
        self.assertEqual(sorted(after.keys() - before.keys()), ["popularity.safetensors"])
        self.assertEqual(before, {name: after[name] for name in before})
        manifest = json.loads(run("inspect", version, "--json").stdout)
        self.assertEqual(manifest["format_version"], 2)
        said = manifest["encoders"]["popularity"]
        self.assertEqual((said["feature"], said["rows"]), ("item_id", 2000))
        self.assertEqual(json.loads(run("inspect", self.model / "000001", "--json").stdout)["format_version"], 1)
        shown = run("inspect", version).stdout
        for word in ("Popularity", "feature", "prior_deviation", "popularity.safetensors"):
            self.assertIn(word, shown)

        # Each item's logits move by one number, that of item 3 up and of item 5 down.
        items = parquet.read_table(self.later)["item_id"].to_pylist()
        moved = {}
        for item, was, now in zip(items, self.scores(self.model / "000001"), self.scores(version)):
            moved.setdefault(item, []).append(logit(now) - logit(was))
        for item, effects in moved.items():
            self.assertLess(max(effects) - min(effects), 1e-3, item)
        effects = {item: sum(some) / len(some) for item, some in moved.items()}
        self.assertEqual((max(effects, key=effects.get), min(effects, key=effects.get)), (3, 5))
        self.assertGreater(effects[3], 0.5)

        # LibTorch says what serving says.
        loss = {}
        for name in ("000001", "000002"):
            metrics = self.work / f"{name}.json"
            done = run("evaluate", self.model / name, "--report", self.work / "page.html", "--metrics", metrics,
                       "--resamples", 0, "--set", f"data.interactions={self.later}")
            self.assertEqual(done.returncode, 0, done.stderr)
            loss[name] = json.loads(metrics.read_text())["labels"]["clicked"]["metrics"]["log_loss"]["value"]
        self.assertLess(loss["000002"], loss["000001"])
        done = run("adapt", version, "--output", self.work / "new.parquet")
        self.assertEqual(done.returncode, 0, done.stderr)
        # Adaptation does not see it.
        done = run("adapt", self.model / "000001", "--output", self.work / "old.parquet")
        self.assertEqual(*(parquet.read_table(self.work / f"{name}.parquet")["meta_embedding"].to_pylist()
                           for name in ("old", "new")))

        # Once more gives the same effects: it starts from the main model.
        self.refit()
        self.assertEqual(weights(self.model / "000003"), after)

    def test_options(self):
        self.refit("--prior-deviation", 0.001)
        small = json.loads(run("inspect", self.model, "--json").stdout)["encoders"]["popularity"]["labels"]["clicked"]
        self.assertLess(small["most"], 0.01)
        self.assertFalse(small["estimated"])
        done = self.refit("--days", 30, "--half-life-days", 5, "--threads", 1)
        said = json.loads(run("inspect", self.model, "--json").stdout)["encoders"]["popularity"]
        self.assertLess(said["rows"], 1000)
        self.assertEqual(said["half_life_days"], 5)
        self.assertLessEqual(said["last_time"] - said["first_time"], 30 * 86400)
        # Rows of the time that the model was trained on are said to be that.
        done = run("popularity", self.model, self.folder / "parquet/interactions.parquet", "--by", "item_id")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("lie in the time that the model was trained on", done.stdout)

    def test_a_kill_leaves_no_half_version(self):
        draw = random.Random(3)
        began = time.monotonic()
        self.refit()
        whole = time.monotonic() - began
        expected = weights(self.model / "000002")
        command = [LIMBER, "popularity", str(self.model), str(self.later), "--by", "item_id"]
        for _ in range(12):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(draw.uniform(0.3, 1.05) * whole)
            process.kill()
            process.wait()
            for version in self.model.glob("[0-9]*"):
                if version.name != "000001":
                    self.assertEqual(weights(version), expected)
                self.assertEqual(run("inspect", version).returncode, 0)
        self.refit()
        self.assertEqual([path.name for path in self.model.iterdir() if path.name.startswith(".writing")], [])

    def test_mistakes(self):
        def refused(*arguments, culprits, later=self.later, model=self.model):
            self.assert_refused(run("popularity", model, later, *arguments), *culprits)
            self.assertEqual([path.name for path in self.model.iterdir()], ["000001"])
        refused(culprits=["--by"])
        refused("--by", "item", culprits=["--by", "item_id"])
        refused("--by", "price", culprits=["price", "kind id"])
        refused("--by", "colour", culprits=["no feature 'colour'", "it can be item_id"])
        refused("--by", "item_id", "--prior-deviation", 0, culprits=["--prior-deviation"])
        refused("--by", "item_id", "--half-life-days", -1, culprits=["--half-life-days"])
        refused("--by", "item_id", "--table", "movies=x.csv", culprits=["--table movies"])
        refused("--by", "item_id", later=self.work / "none.parquet", culprits=["none.parquet"])
        done = run("popularity", self.model, self.work / "none.parquet", "--by", "item_id")
        self.assertNotIn("data.interactions", done.stderr)
        refused("--by", "item_id", model=self.work / "models/click", culprits=["models/click", "clicks"])
        unlabelled = self.work / "unlabelled.parquet"
        parquet.write_table(parquet.read_table(self.later).drop_columns(["clicked"]), unlabelled)
        refused("--by", "item_id", later=unlabelled, culprits=["data.labels.clicked"])
        (self.work / "moved").mkdir()
        subprocess.run(["cp", "-r", self.model / "000001", self.work / "moved"], check=True)
        refused("--by", "item_id", model=self.work / "moved/000001", culprits=["moved/000001", "clicks"])


if __name__ == "__main__":
    main()
