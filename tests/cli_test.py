"""Drives the programs as a user would, the whole way from data to report.

usage: cli_test.py FOLDER_OF_PROGRAMS
"""

import json
import os
import re
import subprocess

import pyarrow.parquet as parquet

from cli_case import ROOT, Case, main
from limber_cli import LIMBER, run, weights


class WholeWay(Case):
    def test_from_data_to_report(self):
        config = self.work / "starter.yaml"
        done = run("init", self.folder / "parquet", "-o", config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"limber train {config}", done.stdout)
        version, done = self.trained(config, "--set", "train.epochs=2", "--set", "train.threads=1",
                                     "--metrics", self.work / "train.json")
        self.assertEqual(version.name, "000001")
        self.assertIn("2000 rows of 60 members", done.stderr)
        for word in ("AUC", "GAUC", "Log loss", "by support size", "chronological"):
            self.assertIn(word, done.stdout)

        done = run("inspect", version)
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("version 000001", "dense.safetensors", "item_id", "training_rows", "clicked"):
            self.assertIn(word, done.stdout)
        manifest = json.loads(run("inspect", version, "--json").stdout)
        self.assertEqual(manifest["data_window"]["rows"], 2000)

        done = run("adapt", version, "--output", self.work / "members.parquet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("adapted 60 members", done.stdout)
        self.assertNotIn("left out", done.stdout)
        members = parquet.read_table(self.work / "members.parquet").to_pydict()
        self.assertEqual(sorted(map(int, members["member"])), list(range(1, 61)))
        self.assertEqual(set(members["version"]), {"000001"})
        width = manifest["config"]["model"]["meta_block"]["dim"]
        self.assertEqual({len(vector) for vector in members["meta_embedding"]}, {width})
        self.assertGreater(len({tuple(vector) for vector in members["meta_embedding"]}), 50)

        # NAME stands for its latest version, and gives what training gave.
        page, metrics = self.work / "report.html", self.work / "clicks.json"
        done = run("evaluate", version.parent, "--report", page, "--metrics", metrics, "--resamples", 10,
                   "--scores", self.work / "clicks.parquet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("<html", page.read_text())
        after = json.loads(metrics.read_text())["labels"]["clicked"]
        before = json.loads((self.work / "train.json").read_text())["labels"]["clicked"]
        for key in ("auc", "gauc", "log_loss"):
            self.assertAlmostEqual(after["metrics"][key]["value"], before["metrics"][key]["value"], places=4)

        other = self.work / "other.json"
        other.write_bytes(metrics.read_bytes())
        (self.work / "other.parquet").write_bytes((self.work / "clicks.parquet").read_bytes())
        done = run("report", f"ours={metrics}", other, "-o", page)
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("ours", "Each minus 'ours'", "+0.0000 [+0.0000, +0.0000] unclear"):
            self.assertIn(word, done.stdout)
        self.assertIn("Comparison of models", page.read_text())
        self.assert_refused(run("report", metrics, metrics), metrics, "NAME=")
        self.assert_refused(run("report", metrics, "--baseline", "theirs"), "theirs")
        self.assert_refused(run("report", config), config)
        # Left to their defaults, the two pages stand side by side.
        (self.work / "pages").mkdir()
        for arguments in (["evaluate", version, "--resamples", 0], ["report", metrics]):
            done = run(*arguments, cwd=self.work / "pages")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("version 000001", (self.work / "pages/report.html").read_text())
        self.assertIn("Comparison of models", (self.work / "pages/comparison.html").read_text())

        again, _ = self.trained(config, "--set", "train.epochs=2", "--set", "train.threads=1")
        self.assertEqual(again.name, "000002")
        self.assertEqual(weights(version), weights(again))

    def test_csv_and_parquet_train_the_same_model(self):
        first, _ = self.trained(self.config("parquet"))
        second, _ = self.trained(self.config("csv"))
        self.assertEqual(weights(first), weights(second))

    def test_weights(self):
        """All ones change nothing; others change the model, and come back beside the scores."""
        def weighed(weight):
            return self.table(lambda columns: {**columns, "counts": [weight(age) for age in columns["price"]]})
        self.refused(weighed(lambda price: -1), "interactions.parquet", "row 1", "counts", "negative",
                     settings=["data.weight=counts"])
        self.refused(self.config(), "'counts'", "data.weight", settings=["data.weight=counts"])
        plain, _ = self.trained(self.config())
        ones, _ = self.trained(weighed(lambda price: 1), "--set", "data.weight=counts")
        self.assertEqual(weights(plain), weights(ones))
        scores = self.work / "scores.parquet"
        dear, _ = self.trained(weighed(lambda price: 3.5 if (price or 0) > 10 else 1), "--set",
                               "data.weight=counts", "--scores", scores)
        self.assertNotEqual(weights(plain), weights(dear))
        self.assertEqual(set(parquet.read_table(scores)["sample_weight"].to_pylist()), {1, 3.5})
        # A comparison weighs as the evaluation does.
        for name, model in (("ours", dear), ("theirs", plain)):
            done = run("evaluate", model, "--metrics", self.work / f"{name}.json", "--resamples", 5, "--scores",
                       self.work / f"{name}.parquet", "--report", self.work / "page.html",
                       "--set", f"data.interactions={self.work}/interactions.parquet", "--set",
                       "data.weight=counts")
            self.assertEqual(done.returncode, 0, done.stderr)
        done = run("report", self.work / "ours.json", self.work / "theirs.json", "-o", self.work / "page.html")
        self.assertEqual(done.returncode, 0, done.stderr)
        losses = [json.loads((self.work / f"{name}.json").read_text())["labels"]["clicked"]["metrics"]["log_loss"]
                  ["value"] for name in ("ours", "theirs")]
        self.assertIn(f"{losses[1] - losses[0]:+.4f} [", done.stdout)

    def test_help(self):
        everything = run("--help")
        self.assertEqual(everything.returncode, 0)
        verbs = re.findall(r"^  ([a-z]+)  +\w", everything.stdout, re.MULTILINE)
        self.assertLessEqual({"init", "train", "evaluate", "adapt", "report", "inspect"}, set(verbs))
        for verb in verbs:
            done = run(verb, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), verb)
            self.assertIn(f"limber {verb}", done.stdout)
            if verb != "screen":
                self.assertIn("--quiet", done.stdout)
        self.assertIn("--quiet", run("screen", "fit", "--help").stdout)
        page = run("options").stdout
        self.assertEqual(page, (ROOT / "docs/options.md").read_text(), "see the head of docs/options.md")
        sections = [line[3:] for line in page.splitlines() if line.startswith("## ")]
        self.assertGreater(len(sections), 10)
        options = run("train", "--help").stdout
        for section in sections:
            if section not in ("The whole config", "model"):  # those without options of their own
                self.assertIn(f"\n{section}: ", options)

    def test_version(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^limber \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        self.assert_refused(run("trian"), "trian", "--help", "did you mean train?")
        self.assert_refused(run("train", "--restrat"), "limber train", "--restrat", "did you mean --restart?")
        self.assert_refused(run("inspect", "a", "--jsn"), "--jsn", "did you mean --json?")
        self.assert_refused(run("screen", "ft"), "limber screen", "'ft'", "did you mean fit?")
        self.assert_refused(run("screen"), "limber screen", "needs one of: ", "fit")
        for arguments in (["train"], ["train", "a", "--models"], ["generate", "x", "--rows", "many"]):
            done = run(*arguments)
            self.assert_refused(done, f"limber {arguments[0]}", "--help")

    def test_init_keeps_what_is_there(self):
        config = self.work / "mine.yaml"
        config.write_text("precious")
        self.assert_refused(run("init", self.folder / "csv", "-o", config), "mine.yaml", "--force")
        self.assertEqual(config.read_text(), "precious")
        done = run("init", self.folder / "csv", "-o", config, "--force")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotEqual(config.read_text(), "precious")


class SyntheticAds(Case):
    def test_the_example_trains(self):
        done = run("generate", self.work / "ads", "--kind", "ads", "--rows", 3000, "--with-truth")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        log = parquet.read_table(self.work / "ads/interactions.parquet")
        self.assertEqual((log.num_rows, log.num_columns), (3000, 44))
        done = run("train", ROOT / "examples/ads/config.yaml", "--set",
                   f"data.interactions={self.work / 'ads/interactions.parquet'}", "--set", "train.epochs=1",
                   cwd=self.work)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_memory_does_not_grow_with_the_log(self):
        def peak(rows):
            """MiB. What the address sanitizer keeps back of freed memory is no part of it."""
            environment = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
            process = subprocess.Popen([LIMBER, "generate", str(self.work / "ads"), "--kind", "ads", "--members", "1000",
                                        "--rows", str(rows)], stdout=subprocess.DEVNULL, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            return usage.ru_maxrss / 1024

        # Six blocks and twenty; the columns of the difference alone are 150 MiB.
        self.assertLess(peak(1_300_000) - peak(400_000), 60)

    def test_bad_arguments(self):
        for arguments, culprits in (
                (["--kind", "add"], ["--kind", "'add'", "log or ads"]),
                (["--kind", "ads", "--items", 5], ["--items", "ads"]),
                (["--rate", 0.5], ["--rate", "log"]),
                (["--with-truth"], ["--with-truth", "log"]),
                (["--kind", "ads", "--rate", 2], ["rate", "2"]),
                (["--kind", "ads", "--rows", 0], ["rows", "0"]),
                (["--kind", "ads", "--format", "json"], ["'json'", "csv"])):
            self.assert_refused(run("generate", self.work / "none", *arguments), *culprits)
            self.assertFalse((self.work / "none").exists())


if __name__ == "__main__":
    main()
