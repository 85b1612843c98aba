"""Drives `limber assign` as a user would: the worked example of docs/assign.md, every kind of input
file, constraints, a given assignment, signals, and the mistakes that a user can make.

usage: assign_cli_test.py FOLDER_OF_PROGRAMS
"""

import csv
import gzip
import json
import os
import pathlib
import random
import re
import resource
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
    sys.exit(f"assign_cli_test: {missing.name} is not installed: run scripts/setup "
             "(or pip install -r scripts/requirements.txt)")

from limber_cli import LIMBER, run

ROOT = pathlib.Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/assign"
TABLES = ("edges", "nodes", "positions", "candidates", "fitness")
FILES = {"edges": "ties.csv", "nodes": "people.csv", "positions": "positions.csv",
         "candidates": "candidates.csv", "fitness": "fitness.csv"}
WRITTEN = {"assignment.csv", "front.csv", "front_assignments.csv", "summary.json", "report.html"}


def rows(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


class Case(unittest.TestCase):
    def setUp(self):
        keep = tempfile.TemporaryDirectory(prefix="limber-assign-")
        self.addCleanup(keep.cleanup)
        self.work = pathlib.Path(keep.name)
        self.tables = {table: EXAMPLE / name for table, name in FILES.items()}

    def put(self, table, text):
        self.tables[table] = self.work / f"{table}.csv"
        self.tables[table].write_text(text)

    def arguments(self, *more, attributes="gender", output="out"):
        words = [word for table, path in self.tables.items() for word in (f"--{table}", path)]
        return ["assign", *words, "--attributes", attributes, "-o", self.work / output, *more]

    def assign(self, *more, **options):
        done = run(*self.arguments(*more, **options))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def assert_refused(self, done, *culprits, code=2):
        lines = done.stderr.splitlines()
        self.assertEqual((done.returncode, len(lines)), (code, 1), done.stderr)
        self.assertTrue(lines[0].startswith("error: "), lines[0])
        for culprit in culprits:
            self.assertIn(str(culprit), lines[0])
        self.assertFalse((self.work / "out/assignment.csv").exists())

    def summary(self, output="out"):
        return json.loads((self.work / output / "summary.json").read_text())


class WorkedExample(Case):
    def test_the_page_shows_what_the_command_prints(self):
        done = subprocess.run([EXAMPLE / "run"], text=True, capture_output=True, timeout=120,
                              env={**os.environ, "LIMBER": LIMBER, "OUTPUT": str(self.work / "out")})
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (ROOT / "docs/assign.md").read_text()
        printed = done.stdout.replace(str(self.work / "out"), "build/assign-example")
        self.assertIn(printed.strip(), page)
        self.assertIn((self.work / "out/assignment.csv").read_text().strip(), page)
        self.assertEqual({path.name for path in (self.work / "out").iterdir()}, WRITTEN)

    def test_quotas_fixed_and_given_hold(self):
        self.assign("--quotas", EXAMPLE / "quotas.csv", "--fixed", EXAMPLE / "fixed.csv",
                    "--given", EXAMPLE / "given.csv", "--steps", 3)
        sources = {row["candidate"]: row["source"] for row in rows(EXAMPLE / "candidates.csv")}
        fitness = {(row["position"], row["candidate"]): float(row["fitness"])
                   for row in rows(EXAMPLE / "fitness.csv")}
        front = {row["point"]: row for row in rows(self.work / "out/front.csv")}
        points = {}
        for row in rows(self.work / "out/front_assignments.csv"):
            points.setdefault(row["point"], {})[row["position"]] = row["candidate"]
        self.assertEqual(front.keys(), points.keys())
        for point, assignment in points.items():
            self.assertEqual(len(set(assignment.values())), 6)
            self.assertEqual(assignment["lead-sales"], "Uma")
            self.assertGreaterEqual([sources[who] for who in assignment.values()].count("inside"), 2)
            self.assertAlmostEqual(sum(fitness[pair] for pair in assignment.items()),
                                   float(front[point]["fitness"]))
        given = self.summary()["given"]
        self.assertAlmostEqual(given["fitness"], sum(
            fitness[row["position"], row["candidate"]] for row in rows(EXAMPLE / "given.csv")))
        self.assertFalse(given["on_front"])


class Inputs(Case):
    def test_csv_gz_and_parquet_give_the_same(self):
        self.assign("--seed", 3)
        for ending in ("csv.gz", "parquet"):
            for table, name in FILES.items():
                path = self.work / f"{table}.{ending}"
                if ending == "csv.gz":
                    path.write_bytes(gzip.compress((EXAMPLE / name).read_bytes()))
                else:
                    columns = {key: [row[key] for row in rows(EXAMPLE / name)]
                               for key in rows(EXAMPLE / name)[0]}
                    if "fitness" in columns:
                        columns["fitness"] = [float(value) for value in columns["fitness"]]
                    parquet.write_table(pa.table(columns), path)
                self.tables[table] = path
            self.assign("--seed", 3, output=ending)
            for name in ("assignment.csv", "front.csv", "front_assignments.csv"):
                self.assertEqual((self.work / "out" / name).read_bytes(),
                                 (self.work / ending / name).read_bytes())

    def test_every_measure_and_several_attributes(self):
        people = rows(EXAMPLE / "people.csv")
        candidates = "candidate,gender,team\n" + "".join(
            f"{row['candidate']},{row['gender']},{people[i]['team']}\n"
            for i, row in enumerate(rows(EXAMPLE / "candidates.csv")))
        self.put("candidates", candidates)
        for measure in ("assortativity", "cross-ties", "exposure", "information-unfairness"):
            self.assign("--measure", measure, "--steps", 3, attributes="gender,team", output=measure)
            summary = self.summary(measure)
            self.assertEqual(summary["attributes"], ["gender", "team"])
            for point, written in zip(summary["sweep"], (0, 0.5, 1)):
                self.assertEqual(point["trade_off"], written)
            alone = {row["name"]: row for row in summary["compared"]}
            self.assertGreaterEqual(alone["diversity alone"][measure], alone["fitness alone"][measure])
            self.assertGreaterEqual(alone["fitness alone"]["fitness"], alone["diversity alone"]["fitness"])

    def test_other_column_names_and_eligibility(self):
        text = (EXAMPLE / "fitness.csv").read_text().replace("candidate,position,fitness", "member,slot,score")
        self.put("fitness", text)
        eligible = self.work / "eligible.csv"
        kept = rows(EXAMPLE / "fitness.csv")[::2] + rows(EXAMPLE / "given.csv")
        eligible.write_text("candidate,position\n" + "".join(
            f"{row['candidate']},{row['position']}\n" for row in kept))
        self.assign("--column", "fitness.candidate=member", "--column", "fitness.position=slot",
                    "--column", "fitness.fitness=score", "--eligible", eligible)
        allowed = {(row["candidate"], row["position"]) for row in kept}
        for row in rows(self.work / "out/front_assignments.csv"):
            self.assertIn((row["candidate"], row["position"]), allowed)

    def test_mistakes(self):
        self.tables["nodes"] = self.work / "nothing.csv"
        self.assert_refused(run(*self.arguments()), "nothing.csv")
        self.tables["nodes"] = EXAMPLE / "people.csv"
        self.assert_refused(run(*self.arguments(attributes="gendre")), "people.csv", "gendre", "gender")
        self.assert_refused(run(*self.arguments("--measure", "exposur")), "exposur", "exposure")
        self.assert_refused(run(*self.arguments("--column", "fitness")), "--column fitness")
        (self.work / "file").write_text("")
        self.assert_refused(run(*self.arguments(output="file/out")), "--output")
        self.put("fitness", (EXAMPLE / "fitness.csv").read_text() + "Udo,nowhere,1\n")
        self.assert_refused(run(*self.arguments()), "fitness.csv", "row 50", "position", "nowhere")
        for bad in (["--trade-off", "2"], ["--steps", "1"], ["--seconds", "-1"], ["--kicks", "many"]):
            done = run(*self.arguments(*bad))
            self.assertEqual(done.returncode, 2, bad)
            self.assertIn(bad[0], done.stderr)
        done = run("assign", "--edges", "x.csv")
        self.assertEqual(done.returncode, 2)
        self.assertIn("required", done.stderr)

    def test_numbers_that_are_none(self):
        for bad in (["--diversity-unit", "nan"], ["--seconds", "nan"], ["--trade-off", "nan"]):
            self.assert_refused(run(*self.arguments(*bad)), *bad)
        done = run(*self.arguments("--seed", "-1"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("--seed", done.stderr)

    def test_fitness_beyond_what_sums_and_differences_hold(self):
        text = (EXAMPLE / "fitness.csv").read_text()
        for value, word in (("1e308", "overflow"), ("-1e12", "leave the pair out")):
            lines = text.splitlines()
            for at in range(2, len(lines), 3):
                lines[at] = ",".join([*lines[at].split(",")[:2], value])
            self.put("fitness", "\n".join(lines) + "\n")
            self.assert_refused(run(*self.arguments()), "fitness.csv", "row ", "column fitness", word)

    def test_an_offset_of_fitness_changes_nothing(self):
        def written(output, offset):
            self.put("fitness", "candidate,position,fitness\n" + "".join(
                f"{row['candidate']},{row['position']},{offset + round(1024 * float(row['fitness'])) / 1024}\n"
                for row in rows(EXAMPLE / "fitness.csv")))
            self.assign("--steps", 5, output=output)
            return [(row["position"], row["candidate"]) for row in rows(self.work / output / "assignment.csv")]
        self.assertEqual(written("near", 0), written("far", 1e11))

    def test_a_name_with_a_line_break_is_one_line(self):
        self.put("candidates", (EXAMPLE / "candidates.csv").read_text() + '"New\nLine",woman,inside\n')
        self.put("fitness", (EXAMPLE / "fitness.csv").read_text() + 2 * '"New\nLine",seller,1\n')
        self.assert_refused(run(*self.arguments()), "fitness.csv", "New\\nLine", "already")

    def test_a_candidate_who_stays_in_the_network(self):
        self.put("candidates", (EXAMPLE / "candidates.csv").read_text() + "Ada,woman,inside\n")
        self.assert_refused(run(*self.arguments()), "candidates.csv", "row 11", "Ada", "count twice", "positions.csv")

    def test_the_file_at_fault_is_named(self):
        eligible = self.work / "eligible.csv"
        eligible.write_text("candidate,position\n" + "".join(
            f"{row['candidate']},{row['position']}\n" for row in rows(EXAMPLE / "fitness.csv")
            if row["position"] != "seller"))
        self.assert_refused(run(*self.arguments("--eligible", eligible)), "eligible.csv: position seller")
        kept = [row for row in rows(EXAMPLE / "fitness.csv")
                if row["position"] != "seller" or row["candidate"] == "Uma"]
        self.put("fitness", "candidate,position,fitness\n" + "".join(
            f"{row['candidate']},{row['position']},{row['fitness']}\n" for row in kept))
        self.assert_refused(run(*self.arguments("--fixed", EXAMPLE / "fixed.csv")), "fixed.csv: row 1",
                            "Uma", "lead-sales", "seller")

    def test_groups_that_make_no_difference_are_noted(self):
        for table in ("nodes", "candidates"):
            self.put(table, "\n".join(line + (",floor" if at == 0 else ",1") for at, line in enumerate(
                (EXAMPLE / FILES[table]).read_text().splitlines())) + "\n")
        done = self.assign("--steps", 2, attributes="floor")
        self.assertIn("only fitness counts", done.stdout)
        self.assertIn("only fitness counts", (self.work / "out/report.html").read_text())
        self.put("candidates", (EXAMPLE / "candidates.csv").read_text().replace(",woman", ",Woman ", 1))
        done = self.assign("--steps", 2)
        self.assertRegex(done.stdout, "'woman' and 'Woman ?' of gender")

    def test_a_folder_that_cannot_be_written_is_known_before_the_search(self):
        (self.work / "out/report.html").mkdir(parents=True)
        self.assert_refused(run(*self.arguments("--seconds", 1000, "--kicks", 10000000)), "--output", "report.html")
        self.assertEqual([path.name for path in (self.work / "out").iterdir()], ["report.html"])
        self.assert_refused(run(*self.arguments(output="/proc/out")), "--output /proc/out", "/proc")
        if os.geteuid() != 0:
            (self.work / "locked").mkdir(mode=0o500)
            self.assert_refused(run(*self.arguments(output="locked")), "--output", "locked")

    def test_infeasible_names_hall_s_violator(self):
        kept = [row for row in rows(EXAMPLE / "fitness.csv")
                if row["position"] not in ("seller", "lead-sales", "supporter")
                or row["candidate"] in ("Sara", "Uma")]
        self.put("fitness", "candidate,position,fitness\n" + "".join(
            f"{row['candidate']},{row['position']},{row['fitness']}\n" for row in kept))
        self.assert_refused(run(*self.arguments()), "fitness.csv", "cannot be filled", "3 positions",
                            "lead-sales", "seller", "supporter", "only 2 eligible", "Sara", "Uma")
        self.put("fitness", "candidate,position,fitness\nSara,seller,1\n")
        self.assert_refused(run(*self.arguments()), "lead-engineering", "no candidate is eligible")

    def test_a_full_disk_leaves_the_old_files(self):
        self.assign("--steps", 2)
        before = {path.name: path.read_bytes() for path in (self.work / "out").iterdir()}
        # The second limit lets some of the files through: none may replace its old one.
        for most in (50, len(before["report.html"]) // 2):
            def limited():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            done = run(*self.arguments("--trade-off", 1, "-q"), preexec_fn=limited)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("assignment.csv" if most == 50 else "report.html", done.stderr)
            self.assertEqual(before, {path.name: path.read_bytes() for path in (self.work / "out").iterdir()})


class AnyTime(Case):
    def setUp(self):
        """An organisation that keeps the search busy for long."""
        super().setUp()
        draw = random.Random(1)
        people = range(400)
        self.put("edges", "from,to\n" + "".join(
            f"{a},{b}\n" for a in people for b in draw.sample(range(400), 5) if a != b))
        self.put("nodes", "node,gender\n" + "".join(f"{a},{'fm'[a % 2]}\n" for a in people))
        self.put("positions", "position\n" + "".join(f"{a}\n" for a in range(60)))
        self.put("candidates", "candidate,gender\n" + "".join(
            f"c{c},{draw.choice('fm')}\n" for c in range(120)))
        self.put("fitness", "candidate,position,fitness\n" + "".join(
            f"c{c},{a},{draw.random():.6f}\n" for a in range(60) for c in range(120)))

    def assert_whole(self, output="out"):
        self.assertEqual({path.name for path in (self.work / output).iterdir()}, WRITTEN)
        self.assertEqual(len({row["candidate"] for row in rows(self.work / output / "assignment.csv")}), 60)
        self.assertTrue(self.summary(output)["cut_short"])

    def test_signals_give_the_best_so_far(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = subprocess.Popen([LIMBER, *map(str, self.arguments(
                "--kicks", 10000000, "--seconds", 1e6, output=f"out-{int(number)}"))],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            # The folder is made between reading and searching.
            while not (self.work / f"out-{int(number)}").exists() and process.poll() is None:
                time.sleep(0.05)
            time.sleep(1)
            self.assertIsNone(process.poll(), "it ended before the signal")
            process.send_signal(number)
            output, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, errors)
            self.assertIn("A signal ended the search", output)
            self.assert_whole(f"out-{int(number)}")

    def test_a_deadline_gives_the_best_so_far(self):
        start = time.monotonic()
        done = self.assign("--kicks", 10000000, "--seconds", 2)
        self.assertLess(time.monotonic() - start, 60)
        self.assertIn("--seconds 2", done.stdout)
        self.assert_whole()

    def test_a_seed_gives_the_same_bytes(self):
        for output in ("first", "second"):
            self.assign("--steps", 3, "--starts", 1, "--kicks", 3, "--seconds", 1000, output=output)
        for name in WRITTEN:
            self.assertEqual((self.work / "first" / name).read_bytes(),
                             (self.work / "second" / name).read_bytes(), name)


class Help(unittest.TestCase):
    def test_help_teaches(self):
        done = run("assign", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("limber assign", "--measure", "assortativity", "cross-ties", "exposure",
                     "information-unfairness", "--fixed", "--quotas", "--given", "--seconds", "docs/assign.md"):
            self.assertIn(word, done.stdout)
        options = set(re.findall(r"--[a-z-]+", done.stdout))
        page = (ROOT / "docs/assign.md").read_text()
        for option in options - {"--help"}:
            self.assertIn(option, page, "docs/assign.md explains every option")


if __name__ == "__main__":
    if not pathlib.Path(LIMBER).is_file():
        sys.exit(f"{LIMBER} is not there: build first")
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
