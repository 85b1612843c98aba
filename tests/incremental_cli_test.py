"""`limber train --from` as its users meet it: a line of models over a growing log, and what can go wrong.

usage: incremental_cli_test.py FOLDER_OF_PROGRAMS
"""

import json
import shutil
import subprocess
import time

import pyarrow
import pyarrow.parquet as parquet

from cli_case import Case, main
from limber_cli import LIMBER, run, weights, write_config

FISHER = ["--set", "train.incremental.fisher_rows=200"]


class Line(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Later rows of the same members, on more items.
        done = run("generate", cls.folder / "later", "--rows", 1200, "--members", 60, "--items", 70)
        assert done.returncode == 0, done.stderr

    def later(self):
        return write_config(self.work / "later.yaml", self.folder / "later")

    def test_a_line_of_models(self):
        cold, _ = self.trained(self.config(), *FISHER)
        self.assertTrue((cold / "fisher.safetensors").is_file())
        metrics = self.work / "metrics.json"
        second, done = self.trained(self.later(), *FISHER, "--from", cold.parent, "--metrics", metrics)
        self.assertRegex(done.stderr, r"going on from clicks/000001; new ids: item_id \d+")
        self.assertRegex(done.stderr, r"Fisher information from 200 rows in")
        self.assertNotIn("hint: ", done.stderr)
        self.assertGreater(json.loads(metrics.read_text())["training"]["fisher_seconds"], 0)
        # Old ids stand where they stood.
        words = [(version / "vocabulary/item_id.txt").read_text() for version in (cold, second)]
        self.assertTrue(words[1].startswith(words[0]))
        self.assertGreater(len(words[1]), len(words[0]))
        # Under another name, from a version by its number.
        third, done = self.trained(self.later(), *FISHER, "--from", second, "--set", "name=other")
        self.assertEqual((third.parent.name, third.name), ("other", "000001"))
        self.assertIn("going on from clicks/000002; no new ids", done.stderr)
        window = json.loads(run("inspect", third, "--json").stdout)["data_window"]
        self.assertEqual(window["incremental"], {"from": "clicks/000002", "cold": "clicks/000001"})
        self.assertEqual(window["fisher"]["rows"], 200)
        self.assertIn("incremental.from", run("inspect", third).stdout)
        # Who uses the model does not see the difference.
        for arguments in (["predict", third, self.folder / "later/interactions.parquet", "--output", "scores.parquet"],
                          ["adapt", third, "--output", "members.parquet"],
                          ["evaluate", third, "--resamples", 0]):
            done = run(*arguments, cwd=self.work)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(parquet.read_table(self.work / "scores.parquet").num_rows, 1200)

    def test_a_plain_warm_start(self):
        cold, _ = self.trained(self.config())
        self.assertFalse((cold / "fisher.safetensors").exists())
        self.assert_refused(self.train(self.later(), "--from", cold), "clicks/000001: was published without",
                            "train.incremental.fisher_rows", "train.incremental.strength=0")
        warm, _ = self.trained(self.later(), "--from", cold, "--set", "train.incremental.strength=0")
        anew, _ = self.trained(self.later())
        self.assertNotEqual(weights(warm), weights(anew))

    def test_a_window_without_a_click(self):
        cold, _ = self.trained(self.config(), *FISHER)
        columns = parquet.read_table(self.folder / "later/interactions.parquet").to_pydict()
        columns["clicked"] = [0] * len(columns["clicked"])
        window = self.work / "quiet.parquet"
        parquet.write_table(pyarrow.table(columns), window)
        config = write_config(self.work / "quiet.yaml", self.folder / "later", interactions=window)
        version, done = self.trained(config, *FISHER, "--from", cold)
        self.assertEqual(version.name, "000002")
        self.assertIn("clicked is 0 in every training row", done.stderr)
        # By itself there would be nothing to learn.
        self.assert_refused(self.train(config), "data.labels.clicked")

    def test_mistakes(self):
        cold, _ = self.trained(self.config(), *FISHER)
        second, _ = self.trained(self.later(), *FISHER, "--from", cold)

        def refused(*culprits, model=second, settings=()):
            arguments = [word for setting in settings for word in ("--set", setting)]
            self.assert_refused(self.train(self.later(), "--from", model, *arguments), *culprits)
        refused("no_model", "no such folder", model=self.work / "models/no_model")
        refused("model.global_block.hidden: [8] in the config, [16] in clicks/000002",
                settings=["model.global_block.hidden=[8]"])
        refused("features.item_id.dim: 8 in the config, 4 in", settings=["features.item_id.dim=8"])
        refused("data.labels", settings=["data.labels.also=clicked"])
        refused("train.incremental.cold_weight", settings=["train.incremental.cold_weight=2"])
        refused("'klicked'", "clicked", settings=["data.labels.clicked=klicked"])
        shutil.move(cold, self.work / "elsewhere")
        refused("clicks/000001: the first model of clicks/000002's line", "train.incremental.cold_weight=0")
        damaged = second / "fisher.safetensors"
        damaged.write_bytes(damaged.read_bytes()[::-1])
        refused(damaged, "damaged")
        self.assertEqual(sorted(path.name for path in cold.parent.glob("[0-9]*")), ["000002"])

    def test_killed_and_resumed(self):
        cold, _ = self.trained(self.config(), *FISHER)
        steps = [word for setting in ("train.checkpoint_seconds=0", "train.epochs=6", "train.patience=6",
                                      "meta.tasks_per_batch=2", "train.optimizer=adagrad")
                 for word in ("--set", setting)]
        line = [*FISHER, *steps, "--from", cold]
        whole, _ = self.trained(self.later(), *line, "--set", "name=whole")
        command = [LIMBER, "train", self.later(), "--models", self.work / "models", "--resamples", "10", *line,
                   "--set", "name=broken"]
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        checkpoint = self.work / "models/broken/.training/checkpoint"
        end = time.monotonic() + 60
        while not checkpoint.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(0.05)
        process.kill()
        process.wait()
        self.assertTrue(checkpoint.exists())
        self.assertEqual(list(self.work.glob("models/broken/[0-9]*")), [])
        # Not to be gone on with by a run that starts elsewhere.
        self.assert_other_start_is_refused(self.later(), *FISHER, *steps, "--set", "name=broken")
        broken, done = self.trained(self.later(), *line, "--set", "name=broken")
        self.assertIn("resuming after step", done.stderr)
        self.assertEqual(weights(broken), weights(whole))
        self.assertFalse(checkpoint.exists())

    def assert_other_start_is_refused(self, config, *arguments):
        done = self.train(config, *arguments)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("--restart", done.stderr.splitlines()[-1])


if __name__ == "__main__":
    main()
