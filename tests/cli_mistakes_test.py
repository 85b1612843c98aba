"""Every mistake that a user of the command line can make: each ends with exit code 2 and one line that names
the culprit, and nothing is lost.

usage: cli_mistakes_test.py FOLDER_OF_PROGRAMS
"""

import json
import math
import resource
import signal

import pyarrow as pa
import pyarrow.parquet as parquet

from cli_case import Case, main
from limber_cli import run, weights, write_config


class BadConfig(Case):
    def test_misspelt_key(self):
        config = self.config()
        text = config.read_text().replace("epochs:", "epoch:")
        config.write_text(text)
        line = text[:text.index("epoch:")].count("\n") + 1
        self.refused(config, f"config.yaml:{line}", "train.epoch", "epochs")
        self.refused(self.config(), "train.sede", "seed", settings=["train.sede=1"])

    def test_wrong_type_and_range(self):
        self.refused(self.config(), "train.epochs", "many", settings=["train.epochs=many"])
        self.refused(self.config(), "train.epochs", settings=["train.epochs=0"])
        self.refused(self.config(), "train.learning_rate", settings=["train.learning_rate=nan"])
        self.refused(self.config(), "meta.order", "third", settings=["meta.order=third"])

    def test_missing_files(self):
        self.assert_refused(self.train(self.work / "no.yaml"), "no.yaml")
        self.refused(self.config("parquet", self.work / "no.parquet"), "no.parquet")
        self.assert_refused(run("inspect", self.work / "no_model"), "no_model")
        self.assert_refused(run("init", self.work / "no_data"), "no_data")

    def test_paths_of_a_config_and_of_the_command_line(self):
        """Those of a config are relative to its folder, those of --set to the current one."""
        inner, outer = self.work / "inner", self.work / "outer"
        for folder in (inner, outer):
            folder.mkdir()
        rows = parquet.read_table(self.folder / "parquet/interactions.parquet")
        parquet.write_table(rows.slice(0, 1500), inner / "log.parquet")
        parquet.write_table(rows.slice(0, 1000), outer / "log.parquet")
        write_config(inner / "config.yaml", self.folder / "parquet", interactions="log.parquet")
        arguments = ["train", "../inner/config.yaml", "--models", self.work / "models", "--resamples", 0]
        settings = ["--set", "data.interactions=log.parquet"]
        self.assertIn(" 1500 rows", run(*arguments, cwd=outer).stderr)
        done = run(*arguments, *settings, cwd=outer)
        self.assertIn(" 1000 rows", done.stderr)
        version = done.stdout.split("published ")[1].strip()
        for command in (["evaluate", version, "--resamples", 0], ["adapt", version, "--output", "m.parquet"]):
            done = run(*command, *settings, cwd=inner)
            self.assertEqual(done.returncode, 0, done.stderr)
        members = parquet.read_table(inner / "m.parquet").num_rows
        self.assertEqual(members, len(set(rows.slice(0, 1500)["member_id"].to_pylist())))

        (inner / "log.parquet").unlink()
        self.assert_refused(run(*arguments, cwd=outer), "data.interactions: ../inner/log.parquet: no such file",
                            outer, "paths in a config are relative to its folder", "--set")
        for command in (["evaluate", version], ["adapt", version, "--output", "m.parquet"]):
            self.assert_refused(run(*command, cwd=inner), f"data.interactions: log.parquet: no such file (from {inner})",
                                "relative to the folder where it was trained", "--set")

    def test_adapting_changes_no_model(self):
        self.assert_refused(run("adapt", "no_model", "--output", "m.parquet", "--set", "meta.adaptation_steps=9"),
                            "--set meta.adaptation_steps=9", "data.*")

    def test_missing_columns(self):
        self.refused(self.config(), "'member'", "data.task", "member_id", settings=["data.task=member"])
        self.refused(self.config(), "'prise'", "price", settings=["features.price.column=prise"])
        self.refused(self.config(), "'klicked'", "clicked", settings=["data.labels.clicked=klicked"])

    def test_constant_label(self):
        def all_ones(columns):
            return {**columns, "clicked": [1] * len(columns["clicked"])}
        self.refused(self.table(all_ones), "clicked", "every training row")


class BadData(Case):
    @staticmethod
    def edit(row, column, text):
        """Writes `text` into a cell; row 1 is the line after the header."""
        def change(lines):
            cells = lines[row].split(",")
            cells[lines[0].split(",").index(column)] = text
            return lines[:row] + [",".join(cells)] + lines[row + 1:]
        return change

    def test_truncated_parquet(self):
        whole = (self.folder / "parquet/interactions.parquet").read_bytes()
        path = self.work / "interactions.parquet"
        for keep in (0, 3, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:keep])
            self.refused(self.config("parquet", path), path)

    def test_empty_csv(self):
        self.refused(self.csv(lambda lines: []), "interactions.csv")
        self.refused(self.csv(lambda lines: lines[:1]), "interactions.csv")

    def test_wrong_column_count(self):
        for row, text in ((17, "1,2"), (1999, "1,2,3,4,5,6,7")):
            config = self.csv(lambda lines: lines[:row] + [text] + lines[row + 1:])
            self.refused(config, "interactions.csv", f"row {row}")

    def test_unreadable_values(self):
        for row, column, text in ((41, "price", "cheap"), (1, "price", "1e999"), (2000, "price", "inf"),
                                  (7, "timestamp", "yesterday"), (7, "timestamp", ""), (9, "clicked", "2"),
                                  (9, "clicked", ""), (11, "member_id", "")):
            with self.subTest(row=row, column=column, text=text):
                self.refused(self.csv(self.edit(row, column, text)), "interactions.csv", f"row {row}", column)

    def test_infinity_and_nan_in_parquet(self):
        def put(value):
            def change(columns):
                prices = list(columns["price"])
                prices[99] = value
                return {**columns, "price": pa.array(prices, pa.float64())}
            return change
        for infinity in (float("inf"), float("-inf")):
            self.refused(self.table(put(infinity)), "interactions.parquet", "row 100", "price", "infinite")
        # NaN is how many tools write a missing number: it must train as null does.
        missing, _ = self.trained(self.table(put(None)))
        nan, _ = self.trained(self.table(put(float("nan"))))
        self.assertEqual(weights(missing), weights(nan))

    def test_bad_rows_are_skipped_and_counted(self):
        def spoil(lines):
            for edit in (self.edit(5, "price", "cheap"), self.edit(300, "timestamp", "soon"),
                         self.edit(1500, "clicked", "?")):
                lines = edit(lines)
            return lines[:800] + ["1,2,3"] + lines[801:]
        def leave_out(lines):
            return [line for row, line in enumerate(lines) if row not in (5, 300, 800, 1500)]
        version, done = self.trained(self.csv(spoil), "--set", "data.on_bad_row=skip")
        self.assertIn("1996 rows of 60 members", done.stderr)
        self.assertIn("4 left out", done.stderr)
        manifest = json.loads(run("inspect", version, "--json").stdout)
        self.assertEqual(manifest["data_window"]["bad_rows"], 4)
        clean, _ = self.trained(self.csv(leave_out))
        self.assertEqual(weights(version), weights(clean))

        # Applying the model counts them, too.
        self.csv(spoil)
        settings = ["--set", f"data.interactions={self.work}/interactions.csv", "--set", "data.on_bad_row=skip"]
        for arguments in (["adapt", version, "--output", self.work / "m.parquet"],
                          ["evaluate", version, "--resamples", 0, "--report", self.work / "page.html"],
                          ["export", self.work / "config.yaml", "--output", self.work / "rows"]):
            done = run(*arguments, *settings)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("4 rows left out (data.on_bad_row: skip)", done.stdout)
        # One of a kind is no plural.
        member = (self.folder / "csv/interactions.csv").read_text().splitlines()[1].split(",")[0]
        self.csv(lambda lines: lines[:1] + [line for line in lines if line.split(",")[0] == member] + ["1,2,3"])
        done = run("adapt", version, "--output", self.work / "m.parquet", *settings)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("adapted 1 member in", done.stdout)
        self.assertIn("\n1 row left out", done.stdout)

    def test_weights_that_are_all_zero_where_it_is_measured(self):
        def weighed(share):
            """Every row weighs 1 but the last of each member, which the chronological split holds out."""
            def change(columns):
                rows, weight = {}, [1.0] * len(columns["member_id"])
                for row in sorted(range(len(weight)), key=lambda row: columns["timestamp"][row]):
                    rows.setdefault(columns["member_id"][row], []).append(row)
                for own in rows.values():
                    for row in own[-math.ceil(share * len(own)):]:
                        weight[row] = 0.0
                return {**columns, "weight": weight}
            return self.table(change)
        settings = ["data.weight=weight", "data.validation_share=0.3", "data.test_share=0.1"]
        self.refused(weighed(0.6), "data.weight: the weight is 0 in every validation row", settings=settings)
        self.refused(weighed(0.15), "data.weight: the weight is 0 in every test row", settings=settings)
        # Before it is scored, too; members are adapted all the same.
        version, _ = self.trained(self.config())
        arguments = [word for setting in (f"data.interactions={self.work}/interactions.parquet", *settings)
                     for word in ("--set", setting)]
        self.assert_refused(run("evaluate", version, *arguments, cwd=self.work), "data.weight", "test")
        self.assertFalse((self.work / "report.html").exists())
        done = run("adapt", version, "--output", self.work / "m.parquet", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_small_log_gets_one_hint(self):
        _, done = self.trained(self.config())
        hints = [line for line in done.stderr.splitlines() if "hint: " in line]
        self.assertEqual(len(hints), 1, done.stderr)
        for word in ("8 steps an epoch", "--set train.epochs=", "--set train.patience="):
            self.assertIn(word, hints[0])
        changes = hints[0].split(" with ")[1].split()
        _, done = self.trained(self.config(), *changes)
        self.assertNotIn("hint: ", done.stderr)
        _, done = self.trained(self.config(), "--set", "model.meta_block.enabled=false", "--set",
                               "model.statistics.enabled=false")
        self.assertNotIn("hint: ", done.stderr)


class BadOutputs(Case):
    """Where the result cannot go is known before the work; nothing is read, trained or published."""

    def refused_early(self, *arguments, option, folders=False):
        """For an output in a missing folder, in a file, in a folder that takes no files, or a folder itself."""
        (self.work / "file").write_text("precious")
        (self.work / "folder").mkdir(exist_ok=True)
        for path, culprit in (("missing/out.x", "folder missing"), ("file/out.x", "file"), ("folder", "folder"),
                              ("/proc/out.x", "/proc")):
            if folders and path == "folder":
                continue
            with self.subTest(option=option, path=path):
                self.assert_refused(run(*arguments, option, path, cwd=self.work), f"{option} {path}: ", culprit)
        self.assertEqual((self.work / "file").read_text(), "precious")
        self.assertFalse((self.work / "missing").exists())

    def test_files(self):
        """The inputs are not there, so that whoever looks at them first complains of those."""
        for option in ("--metrics", "--scores"):
            self.refused_early("train", "no.yaml", option=option)
        for option in ("--report", "--metrics", "--scores"):
            self.refused_early("evaluate", "no_model", option=option)
        self.refused_early("adapt", "no_model", option="--output", folders=True)
        self.refused_early("predict", "no_model", "no.csv", option="--output")
        self.refused_early("report", "no.json", option="--output")
        self.refused_early("init", "no_data", option="--output")
        for verb, option in (("fit", "--output"), ("partial", "--output")):
            self.refused_early("screen", verb, "no.csv", option=option)
        self.refused_early("screen", "fit", "no.csv", "--output", "model", option="--ranked")
        self.refused_early("screen", "predict", "no.csv", "--model", "no_model", option="--output")
        self.refused_early("screen", "report", "no_model", option="--output")
        for option in ("--metrics", "--predictions"):
            self.refused_early("screen", "cross-validate", "no.csv", option=option)

    def test_folders(self):
        (self.work / "file").write_text("precious")
        config = self.config()
        for path in ("file", "file/deeper", "/proc/out"):
            culprit = "file" if path.startswith("file") else "/proc"
            self.assert_refused(run("train", config, "--models", path, cwd=self.work), f"--models {path}", culprit)
            self.assert_refused(run("train", config, "--set", f"data.cache={path}", cwd=self.work),
                                f"data.cache {path}", culprit)
            self.assert_refused(run("export", "no.yaml", "--output", path, cwd=self.work), f"--output {path}", culprit)
            self.assert_refused(run("generate", path, cwd=self.work), path, culprit)
        self.assertEqual(list(self.work.glob("models/*/[0-9]*")), [])
        # Folders that can be made are.
        done = run("export", config, "--output", "new/deeper", "--epochs", 1, cwd=self.work)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.work / "new/deeper/test.parquet").is_file())


class Artifacts(Case):
    def test_a_flipped_byte_is_found_in_every_file(self):
        version, _ = self.trained(self.config())
        files = [path for path in sorted(version.rglob("*")) if path.is_file()]
        self.assertGreater(len(files), 5)
        for path in files:
            whole = path.read_bytes()
            damaged = bytearray(whole)
            damaged[len(whole) // 2] ^= 0x10
            path.write_bytes(damaged)
            self.assert_refused(run("inspect", version), path)
            path.write_bytes(whole[:-1])
            self.assert_refused(run("inspect", version), path)
            path.write_bytes(whole)
        self.assertEqual(run("inspect", version).returncode, 0)
        table = version / "tables/item_id.safetensors"
        table.write_bytes(table.read_bytes()[::-1])
        for arguments in (["evaluate", version], ["adapt", version, "--output", self.work / "m.parquet"]):
            self.assert_refused(run(*arguments, cwd=self.work), table)
        table.unlink()
        self.assert_refused(run("inspect", version), table)

    def test_a_full_disk_publishes_nothing(self):
        # Long ids: only the published vocabulary, written last, is larger than the limit.
        def long_ids(columns):
            return {**columns, "code": [str(item) * 4000 for item in columns["item_id"]]}
        config = self.table(long_ids)
        config.write_text(config.read_text().replace("  - {name: item_id, kind: id",
                                                     "  - {name: item_id, column: code, kind: id"))

        def limited(size):
            def prepare():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            return prepare
        for size, culprit in ((200_000, "vocabulary/item_id.txt"), (1_000, "")):
            done = self.train(config, "--quiet", preexec_fn=limited(size))
            errors = [line for line in done.stderr.splitlines() if " info: " not in line]
            self.assertEqual((done.returncode, len(errors)), (1, 1), done.stderr)
            self.assertIn(culprit, errors[0])
            self.assertRegex(errors[0], "^error: .*(File too large|disk full)")
            self.assertEqual([path.name for path in self.work.glob("models/clicks/*")], [".training"])
        version, _ = self.trained(config)
        self.assertEqual(version.name, "000001")
        self.assertEqual(run("inspect", version).returncode, 0)


if __name__ == "__main__":
    main()
