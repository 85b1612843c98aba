"""Labels that are compared with a percentile, as a user meets them: trained, inspected, evaluated, adapted,
and every mistake.

usage: dwell_cli_test.py FOLDER_OF_PROGRAMS
"""

import json
import math

import pyarrow as pa
import pyarrow.parquet as parquet

from cli_case import Case, main
from limber_cli import run

LABEL = "data.labels.long=dwell_seconds > p80 by surface, content_type"


class Dwell(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for ending in ("parquet", "csv"):
            done = run("generate", cls.folder / ending, "--rows", 4000, "--members", 60, "--items", 40,
                       "--format", ending, "--with-dwell")
            assert done.returncode == 0, done.stderr

    def test_trained_inspected_evaluated_adapted(self):
        version, _ = self.trained(self.config(), "--set", LABEL, "--metrics", self.work / "train.json")
        layout = json.loads(run("inspect", version, "--json").stdout)["encoders"]["layout"]
        measured = layout["label_thresholds"]["long"]
        self.assertEqual((measured["percentile"], measured["by"]), (80, ["surface", "content_type"]))
        self.assertEqual(measured["all"]["rows"], json.loads(
            run("inspect", version, "--json").stdout)["data_window"]["training_rows"])
        by_name = {tuple(cluster["values"]): cluster for cluster in measured["clusters"]}
        self.assertGreater(by_name["feed", "video"]["threshold"], 2 * by_name["feed", "image"]["threshold"])
        self.assertTrue(all(cluster["rows"] >= 100 for cluster in by_name.values()))
        shown = run("inspect", version).stdout
        for word in ("Label thresholds", "p80 of all rows", "feed, video", "dwell_seconds > p80 by surface"):
            self.assertIn(word, shown)

        # Against the definition, on the training rows of the log: chronological, by member.
        columns = parquet.read_table(self.folder / "parquet/interactions.parquet").to_pydict()
        members = {}
        for i, member in enumerate(columns["member_id"]):
            members.setdefault(member, []).append(i)
        values = {}
        for rows in members.values():
            share = math.floor(0.1 * len(rows) + 0.5)
            for i in rows[:len(rows) - share - min(share, len(rows) - share)]:
                cluster = (columns["surface"][i], columns["content_type"][i])
                values.setdefault(cluster, []).append(columns["dwell_seconds"][i])
        for cluster, dwells in values.items():
            if len(dwells) < 100:
                self.assertNotIn(cluster, by_name)
                continue
            self.assertEqual(by_name[cluster]["rows"], len(dwells))
            self.assertEqual(by_name[cluster]["threshold"], sorted(dwells)[math.ceil(0.8 * len(dwells) - 1e-9) - 1])

        # Stored thresholds judge other rows: twice the dwell, more that is long.
        twice = self.work / "twice.parquet"
        parquet.write_table(pa.table({**columns, "dwell_seconds": [2 * dwell for dwell in columns["dwell_seconds"]]}),
                            twice)
        rates = {}
        for name, settings in (("same", ()), ("twice", ("--set", f"data.interactions={twice}"))):
            done = run("evaluate", version, "--report", self.work / "page.html", "--metrics", self.work / "m.json",
                       "--resamples", 0, "--scores", self.work / "scores.parquet", *settings)
            self.assertEqual(done.returncode, 0, done.stderr)
            truth = parquet.read_table(self.work / "scores.parquet")["long"].to_pylist()
            rates[name] = sum(truth) / len(truth)
        self.assertGreater(rates["twice"], rates["same"] + 0.1)
        done = run("adapt", version, "--output", self.work / "members.parquet")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("predict", version, twice, "-o", self.work / "p.parquet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("score_long", parquet.read_schema(self.work / "p.parquet").names)
        # CSV says the same.
        other, _ = self.trained(self.config("csv"), "--set", LABEL)
        self.assertEqual(json.loads(run("inspect", other, "--json").stdout)["encoders"]["layout"], layout)

    def test_mistakes(self):
        def refused(expression, *culprits, more=()):
            self.refused(self.config(), *culprits, settings=[f"data.labels.long={expression}", *more])
        refused("dwell_seconds > p90 by surfase", "data.labels.long", "surfase", "surface")
        refused("dwell_second > p90", "data.labels.long", "dwell_seconds")
        refused("dwell_seconds > p90 by category", "data.labels.long", "category")
        refused("dwell_seconds > p101", "label 'long'", "p101", "between 0 and 100")
        refused("dwell_seconds > p90 surface", "label 'long'", "by COLUMN")
        refused("dwell_seconds > p90 by", "label 'long'", "column is missing")
        refused("dwell_seconds > 'p90'", "label 'long'", "number")
        refused("device > p90", "interactions.parquet", "row 1", "device")

    def test_missing_dwell(self):
        def change(columns):
            dwells = [None if i % 5 == 0 else dwell for i, dwell in enumerate(columns["dwell_seconds"])]
            surfaces = [None if i % 2 == 0 else surface for i, surface in enumerate(columns["surface"])]
            return {**columns, "dwell_seconds": dwells, "surface": surfaces}
        self.refused(self.table(change), "interactions.parquet", "row 1", "dwell_seconds", "missing label",
                     settings=[LABEL])
        version, _ = self.trained(self.table(change), "--set", LABEL, "--set", "data.missing_labels=absent")
        self.assertIn("(missing), image", run("inspect", version).stdout)

    def test_thresholds_belong_to_their_training(self):
        version, _ = self.trained(self.config(), "--set", LABEL)
        changed = ("--set", "data.labels.long=dwell_seconds > p90 by surface")
        done = run("evaluate", version, "--report", self.work / "page.html", *changed)
        self.assert_refused(done, "data.labels.long", "p90 by surface", "p80 by surface, content_type")
        done = run("adapt", version, "--output", self.work / "members.parquet", *changed)
        self.assert_refused(done, "data.labels.long", "train it anew")

    def test_generate_knows_dwell_of_logs_alone(self):
        self.assert_refused(run("generate", self.work, "--kind", "ads", "--with-dwell"), "--with-dwell", "ads")


if __name__ == "__main__":
    main()
