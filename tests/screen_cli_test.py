"""Drives `limber screen` as a user would, and makes every mistake that a user can make.

usage: screen_cli_test.py FOLDER_OF_PROGRAMS
"""

import csv
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import pyarrow as pa
    import pyarrow.parquet as parquet
except ModuleNotFoundError as missing:
    sys.exit(f"screen_cli_test: {missing.name} is not installed: run scripts/setup")

from limber_cli import LIMBER, run


def data(samples=40, features=300, different=15, classes=("a", "b"), seed=1):
    """Header and rows of label, f0..; the first `different` features tell the classes apart."""
    source = random.Random(seed)
    rows = []
    for i in range(samples):
        label = classes[i % len(classes)]
        shift = 2.0 * (i % len(classes))
        rows.append([label] + [round(source.gauss(shift if j < different else 0, 1), 6) for j in range(features)])
    return ["label"] + [f"f{j}" for j in range(features)], rows


class Case(unittest.TestCase):
    def setUp(self):
        self.keep = tempfile.TemporaryDirectory(prefix="limber-screen-")
        self.addCleanup(self.keep.cleanup)
        self.work = pathlib.Path(self.keep.name)

    def write(self, header, rows, name="data.csv"):
        path = self.work / name
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return path

    def good(self, *arguments):
        done = run("screen", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, *arguments, culprits=()):
        done = run("screen", *arguments)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        self.assertEqual((done.returncode, len(errors)), (2, 1), done.stderr + done.stdout)
        for culprit in culprits:
            self.assertIn(str(culprit), errors[0])
        self.assertFalse((self.work / "out").exists())

    def fit_refused(self, path, *culprits, arguments=()):
        self.refused("fit", path, "-o", self.work / "out", *arguments, culprits=culprits)


class WholeWay(Case):
    def test_fit_predict_report_validate(self):
        path, model = self.write(*data()), self.work / "m"
        self.good("fit", path, "-o", model, "--ranked", self.work / "ranked.csv")
        with open(self.work / "ranked.csv", newline="") as file:
            ranked = list(csv.DictReader(file))
        self.assertEqual(len(ranked), 300)
        self.assertEqual({row["feature"] for row in ranked[:15]}, {f"f{j}" for j in range(15)})
        self.assertGreater(min(float(row["probability"]) for row in ranked[:15]), 0.9)
        self.assertLess(sum(float(row["probability"]) for row in ranked[15:]) / 285, 0.2)
        fresh = self.write(*data(seed=2), name="fresh.csv")
        out = self.good("predict", fresh, "-m", model, "-o", self.work / "p.csv")
        self.assertIn("error: 0.00%", out)
        self.good("cross-validate", path, "--folds", 4, "--metrics", self.work / "cv.json")
        self.assertLess(json.loads((self.work / "cv.json").read_text())["error"], 0.05)
        self.good("report", model, "-o", self.work / "r.html", "--validation", self.work / "cv.json")
        page = (self.work / "r.html").read_text()
        for word in ("<svg", "Cross-validated error", "f3"):
            self.assertIn(word, page)
        self.assertNotIn("http", page)

    def test_layouts_and_formats_give_the_same_model(self):
        header, rows = data()
        path = self.write(header, rows)
        self.good("fit", path, "-o", self.work / "m1", "--tune", 0)
        columns = {name: [row[i] for row in rows] for i, name in enumerate(header)}
        parquet.write_table(pa.table(columns), self.work / "data.parquet")
        self.good("fit", self.work / "data.parquet", "-o", self.work / "m2", "--tune", 0)
        turned = [[name, *columns[name]] for name in header[1:]]
        names = [f"s{i}" for i in range(len(rows))]
        self.write(["feature", *names], turned, "turned.csv")
        self.write(["sample", "label"], list(zip(names, columns["label"])), "labels.csv")
        self.good("fit", self.work / "turned.csv", "--features", "rows", "--labels", self.work / "labels.csv",
                  "-o", self.work / "m3", "--tune", 0)
        self.assertEqual((self.work / "m1").read_bytes(), (self.work / "m2").read_bytes())
        self.assertEqual((self.work / "m1").read_bytes(), (self.work / "m3").read_bytes())

    def test_a_single_rule(self):
        path = self.write(*data(samples=60))
        self.assertRegex(self.good("fit", path, "-o", self.work / "m"), "mean of [0-9]{2} rules")
        self.assertIn("tuned: one rule,", self.good("fit", path, "-o", self.work / "m", "--combine", "single"))

    def test_threads_and_shards_give_the_same_bits(self):
        path = self.write(*data(features=5000))
        for threads in (1, 2, 5):
            self.good("fit", path, "-o", self.work / f"m{threads}", "--tune", 0, "--threads", threads)
        parts = [self.work / f"p{i}" for i in (1, 2, 3)]
        for i, part in enumerate(parts, 1):
            self.good("partial", path, "--shard", f"{i}/3", "-o", part)
        self.good("merge", *reversed(parts), "-o", self.work / "merged")
        one = (self.work / "m1").read_bytes()
        for name in ("m2", "m5", "merged"):
            self.assertEqual(one, (self.work / name).read_bytes(), name)
        self.refused("merge", *parts[:2], "-o", self.work / "out", culprits=["shard 3 of 3"])
        again = self.work / "again"
        again.write_bytes(parts[0].read_bytes())
        self.refused("merge", parts[0], again, "-o", self.work / "out", culprits=["twice"])

    def test_three_classes(self):
        path = self.write(*data(samples=60, classes=("x", "y", "z")))
        for rule in ("joint", "one-versus-rest"):
            self.good("fit", path, "-o", self.work / "m", "--multiclass", rule)
            out = self.good("predict", path, "-m", self.work / "m", "-o", self.work / "p.csv")
            self.assertLess(float(re.search(r"error: ([0-9.]+)%", out)[1]), 4)

    def test_missing_constant_and_few(self):
        header, rows = data(features=6, different=3)
        for row in rows:
            row[6] = 7.25
        rows[0][1], rows[1][2], rows[5][3] = "", "NA", "NaN"
        path = self.write(header, rows)
        self.assertIn("1 constant", self.good("fit", path, "-o", self.work / "m"))
        self.good("predict", path, "-m", self.work / "m", "-o", self.work / "p.parquet")
        table = parquet.read_table(self.work / "p.parquet")
        self.assertEqual(table.num_rows, len(rows))

    def test_one_feature_alone_varies_within_classes(self):
        rows = [["x", 0, 1], ["x", 0, 2], ["y", 1, 1], ["y", 1, 3]]
        path = self.write(["label", "a", "b"], rows)
        out = self.good("fit", path, "-o", self.work / "m", "--tune", 0, "--priors", "equal")
        self.assertIn("2 features, 1 constant", out)
        self.good("predict", path, "-m", self.work / "m", "-o", self.work / "p.csv")

    def test_a_sample_without_values_gets_the_priors(self):
        header, rows = data(samples=61, features=40, different=20, classes=("x", "y", "z"))
        path, empty = self.write(header, rows), self.write(header, [["", *[""] * 40]], "empty.csv")
        for rule in ("joint", "one-versus-rest"):
            for tune in (0, 5):
                self.good("fit", path, "-o", self.work / "m", "--multiclass", rule, "--tune", tune,
                          "--priors", "x=0.5,y=0.3,z=0.2")
                self.good("predict", empty, "-m", self.work / "m", "-o", self.work / "p.csv")
                with open(self.work / "p.csv", newline="") as file:
                    row = next(csv.DictReader(file))
                self.assertEqual([float(row[f"probability_{k}"]) for k in "xyz"], [0.5, 0.3, 0.2])

    def test_a_missing_value_speaks_for_no_class(self):
        # Feature f1 tells the classes apart, but where it is missing f0 alone must decide.
        header, rows = data(samples=60, features=2, different=2, classes=("x", "y", "z"))
        path = self.write(header, rows)
        self.good("fit", path, "-o", self.work / "m", "--tune", 0, "--select", "all", "--priors", "equal")
        self.write(header, [["", 0, ""], ["", 2, ""], ["", 4, ""]], "few.csv")
        self.good("predict", self.work / "few.csv", "-m", self.work / "m", "-o", self.work / "p.csv")
        with open(self.work / "p.csv", newline="") as file:
            self.assertEqual([row["predicted"] for row in csv.DictReader(file)], ["x", "y", "z"])


class Page(Case):
    def test_the_page_prints_what_the_example_prints(self):
        root = pathlib.Path(__file__).resolve().parents[1]
        python = root / "build" / "venv" / "bin" / "python"
        if not python.exists() or subprocess.run([python, "-c", "import sklearn"], capture_output=True).returncode:
            self.skipTest("scikit-learn, whose data the example is of, is not at hand")
        done = subprocess.run([root / "examples" / "screen" / "run.sh", pathlib.Path(LIMBER).parent],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        printed = "".join(f"    {line}\n" for line in done.stdout.splitlines())
        self.assertIn(printed, (root / "docs" / "screen.md").read_text())


class Mistakes(Case):
    def test_shards_of_other_labels(self):
        header, rows = data(features=3000)
        parts = [self.work / "p1", self.work / "p2"]
        self.good("partial", self.write(header, rows), "--shard", "1/2", "-o", parts[0])
        swapped = [[{"a": "b", "b": "a"}[row[0]], *row[1:]] for row in rows]
        self.good("partial", self.write(header, swapped), "--shard", "2/2", "-o", parts[1])
        self.refused("merge", *parts, "-o", self.work / "out", culprits=[parts[1], "same samples"])

    def test_options_that_exclude_each_other(self):
        path = self.write(*data(features=5))
        for option, value in (("--select", "all"), ("--correlation", 0.5)):
            self.fit_refused(path, option, "--tune 5", arguments=(option, value))
        self.fit_refused(path, "--combine", "no effect", arguments=("--combine", "single", "--tune", 0))
        for options in (("--fdr", 0.1), ("--leave-one-out", "--folds", 5), ("--leave-one-out", "--repeats", 2),
                        ("--fold-table", path, "--folds", 5), ("--fold-table", path, "--leave-one-out")):
            self.refused("cross-validate", path, *options, "--metrics", self.work / "out", culprits=["no effect"])

    def test_twins_are_refused_even_where_neither_is_kept(self):
        header, rows = data(features=60, different=3)
        twins = [*header[:-1], header[-2]]
        path = self.write(twins, rows)
        for tune in (0, 5):
            self.fit_refused(path, "f58", arguments=("--tune", tune))
        turned = [[name, *(row[i] for row in rows)] for i, name in enumerate(twins) if i]
        names = [f"s{i}" for i in range(len(rows))]
        self.write(["feature", *names], turned, "turned.csv")
        self.write(["sample", "label"], [(name, row[0]) for name, row in zip(names, rows)], "labels.csv")
        self.fit_refused(self.work / "turned.csv", "f58",
                         arguments=("--features", "rows", "--labels", self.work / "labels.csv"))
        self.good("partial", path, "-o", self.work / "p")
        self.refused("merge", self.work / "p", "-o", self.work / "out", culprits=["f58"])

    def test_ties_are_cut_at_the_number_asked_for(self):
        header, rows = data(features=40, different=1)
        for row in rows:
            row[2:6] = [row[1]] * 4  # five features that are alike
        path = self.write(header, rows)
        for correlation in (1, 0.5):  # from sums, from values
            out = self.good("fit", path, "-o", self.work / "m", "--tune", 0, "--select", 3, "--correlation", correlation)
            self.assertIn("model of 3 features", out)

    def test_places_that_cannot_be_written(self):
        path = self.write(*data(features=5))
        for place in (self.work / "none" / "m", self.work):
            for option in ("-o", "--ranked"):
                output = () if option == "-o" else ("-o", self.work / "out")
                done = run("screen", "fit", path, *output, option, place)
                self.assertEqual(done.returncode, 2, done.stderr)
                name = {"-o": "--output"}.get(option, option)
                self.assertTrue(done.stderr.startswith(f"error: {name} {place}: "), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_classes_too_small_for_the_folds(self):
        header, rows = data(samples=12, features=5)
        path = self.write(header, [*rows, ["c", 1, 2, 3, 4, 5]])
        self.fit_refused(path, path, "class 'c' has 1 sample")
        self.refused("cross-validate", path, "--tune", 0, "--folds", 3, "--metrics", self.work / "out",
                     culprits=[path, "class 'c'"])

    def test_no_errors_are_no_certainty(self):
        path = self.write(*data(different=30))
        self.good("cross-validate", path, "--tune", 0, "--folds", 4, "--metrics", self.work / "cv.json")
        metrics = json.loads((self.work / "cv.json").read_text())
        self.assertEqual(metrics["error"], 0)
        self.assertAlmostEqual(metrics["low"], 0)
        self.assertAlmostEqual(metrics["high"], 0.0876, 3)

    def test_options_that_are_no_numbers(self):
        path = self.write(*data(features=5))
        for option in ("--fdr", "--correlation"):
            for word in ("nan", "inf", "2", "x"):
                done = run("screen", "fit", path, "-o", self.work / "out", "--tune", 0, option, word)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(option, done.stderr)

    def test_bad_values(self):
        for text, culprit in (("cheap", "not a number"), ("inf", "infinite"), ("-Infinity", "infinite"), ("1e200", "1e100")):
            header, rows = data(features=5)
            rows[3][2] = text
            self.fit_refused(self.write(header, rows), "row 4", "f1", culprit)

    def test_bad_tables(self):
        header, rows = data(features=5)
        self.fit_refused(self.work / "none.csv", "none.csv")
        self.fit_refused(self.write(header, [rows[0], rows[1][:-1]]), "row 2", "expected 6")
        self.fit_refused(self.write(header, []), "no samples")
        self.fit_refused(self.write(["class", *header[1:]], rows), "label")
        self.fit_refused(self.write(header, [["a", *row[1:]] for row in rows]), "class 'a'")
        self.fit_refused(self.write(header, [["", *rows[0][1:]], *rows[1:]]), "row 1", "label")
        self.fit_refused(self.write(header, [[row[0], 1, 1, 1, 1, 1] for row in rows]), "constant")

    def test_bad_models(self):
        path, model = self.write(*data()), self.work / "m"
        self.good("fit", path, "-o", model, "--tune", 0)
        whole = model.read_bytes()
        bad = self.work / "bad"
        for change in (whole[:-1], whole[:len(whole) // 2], whole[:50], b"", b"hello",
                       whole.replace(b"model 1\n", b"model 2\n"), whole[:300] + b"\xff" + whole[301:]):
            bad.write_bytes(change)
            self.refused("predict", path, "-m", bad, "-o", self.work / "out", culprits=[bad])
        header, rows = data()
        other = self.write(["label", *(f"g{j}" for j in range(300))], rows, "other.csv")
        self.refused("predict", other, "-m", model, "-o", self.work / "out", culprits=["lacks feature"])

    def test_stops_in_good_order(self):
        path = self.write(*data(samples=60, features=3000))
        process = subprocess.Popen([LIMBER, "screen", "cross-validate", path, "--leave-one-out", "--metrics",
                                    self.work / "out"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("stopped by a signal", errors)
        self.assertFalse((self.work / "out").exists())


if __name__ == "__main__":
    if not pathlib.Path(LIMBER).is_file():
        sys.exit(f"{LIMBER} is not there: build first")
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
