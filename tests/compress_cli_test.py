"""`limber compress` as its users meet it: what is published is what evaluate and predict read, a killed run goes on,
and every mistake is one line.

usage: compress_cli_test.py FOLDER_OF_PROGRAMS
"""

import json
import math
import pathlib
import random
import shutil
import subprocess
import time

import pyarrow as pa
import pyarrow.parquet as parquet

from cli_case import Case, main
from limber_cli import LIMBER, run, weights, write_config

PRUNED = ("compress.keep=0.5", "compress.bits=4", "compress.admm.epochs=2", "compress.admm.retrain_epochs=2",
          "compress.vocabularies=perfect_hash")

NETWORK = """
name: halves
images: {{file: {images}, label: label, width: 6, height: 6, validation_share: 0.1, test_share: 0.25}}
layers:
  - {{name: conv, kind: convolution, units: 4, size: 3, padding: 1}}
  - {{name: pool, kind: max_pool, size: 2}}
  - {{name: dense, kind: dense, units: 8}}
  - {{name: classes, kind: dense, units: 4}}
train: {{epochs: 6, batch: 16, learning_rate: 1e-2, threads: 1}}
compress:
  structure: units
  keep_of: {{conv: 0.5, dense: 0.5}}
  bits: 4
  admm: {{epochs: 6, learning_rate: 1e-2, retrain_epochs: 8, retrain_learning_rate: 1e-2}}
  crossbar: {{samples: 2}}
"""


def given(settings):
    return [word for setting in settings for word in ("--set", setting)]


class Compress(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        config = write_config(cls.folder / "config.yaml", cls.folder / "parquet")
        done = run("train", config, "--models", cls.folder / "models", "--resamples", 0)
        assert done.returncode == 0, done.stderr

    def setUp(self):
        super().setUp()
        self.model = self.work / "models/clicks"
        self.model.mkdir(parents=True)
        shutil.copytree(self.folder / "models/clicks/000001", self.model / "000001")

    def compress(self, *settings, model=None):
        metrics = self.work / "compressed.json"
        done = run("compress", model or self.model, *given(settings), "--resamples", 20, "--metrics", metrics)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(metrics.read_text()), done

    def auc(self, version):
        metrics = self.work / "evaluated.json"
        done = run("evaluate", version, "--resamples", 0, "--metrics", metrics, cwd=self.work)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(metrics.read_text())["labels"]["clicked"]["metrics"]["auc"]["value"]

    def scores(self, version):
        path = self.work / "scores.parquet"
        done = run("predict", version, self.folder / "parquet/interactions.parquet", "-o", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return parquet.read_table(path)["score_clicked"].to_pylist()

    def test_bytes_are_saved_and_nobody_sees_the_difference(self):
        before = weights(self.model / "000001")
        metrics, done = self.compress()
        version = self.model / "000002"
        self.assertIn(f"published {version}", done.stdout)
        self.assertIn("whole artifact", done.stdout)
        self.assertEqual(weights(self.model / "000001"), before)
        self.assertEqual(metrics["compression"]["sizes"]["dense"]["ratio"], 1)
        manifest = json.loads(run("inspect", version, "--json").stdout)
        self.assertEqual((manifest["format_version"], manifest["data_window"]["compressed"]["from"]),
                         (3, "clicks/000001"))
        types = {tensor["name"]: tensor["dtype"] for tensor in manifest["tensors"]}
        self.assertEqual((types["tables.item_id"], types["tables.item_id.scale"]), ("I8", "F32"))
        # What was measured before publishing is what is read after it.
        self.assertEqual(self.auc(version), metrics["labels"]["clicked"]["metrics"]["auc"]["value"])
        moved = [abs(a - b) for a, b in zip(self.scores(self.model / "000001"), self.scores(version))]
        self.assertLess(max(moved), 0.01)
        self.assertGreater(max(moved), 0)

    def test_pruned_rounded_and_hashed_at_once(self):
        metrics, _ = self.compress(*PRUNED)
        version = self.model / "000002"
        self.assertEqual(self.auc(version), metrics["labels"]["clicked"]["metrics"]["auc"]["value"])
        config = json.loads(run("inspect", version, "--json").stdout)["config"]
        self.assertEqual(config["model"]["global_block"]["hidden"], [8])
        self.assertEqual([feature["vocabulary"] for feature in config["features"] if feature["name"] == "item_id"],
                         ["perfect_hash"])
        self.assertTrue((version / "vocabulary/item_id.hash").is_file())
        self.assertEqual(len(self.scores(version)), 2000)
        # A compressed model may be compressed, not trained on.
        self.assertEqual(run("compress", version, "--set", "compress.rows=fp16", "--resamples", 0).returncode, 0)
        later = self.trained_from(version)
        self.assert_refused(later, "clicks/000001")

    def trained_from(self, version):
        return run("train", self.config(), "--models", self.work / "models", "--from", version,
                   "--set", "features.item_id.vocabulary=perfect_hash")

    def test_tiles_of_zeros_score_as_they_did_in_training(self):
        config = self.config()
        version, _ = self.trained(config, *given(["model.meta_block.enabled=false", "model.statistics.enabled=false",
                                                  "model.global_block.hidden=[64, 32]"]))
        self.compress("compress.structure=blocks", "compress.block=[4, 16]", "compress.keep=0.3",
                      "compress.admm.epochs=1", "compress.admm.retrain_epochs=1", model=version)
        compressed = version.parent / "000003"
        self.assertLess((compressed / "dense.safetensors").stat().st_size,
                        (version / "dense.safetensors").stat().st_size)
        trained, served = self.work / "trained.parquet", self.work / "served.parquet"
        for arguments in (["evaluate", compressed, "--resamples", 0, "--scores", trained],
                          ["predict", compressed, self.folder / "parquet/interactions.parquet", "-o", served]):
            done = run(*arguments, cwd=self.work)
            self.assertEqual(done.returncode, 0, done.stderr)
        log = parquet.read_table(self.folder / "parquet/interactions.parquet")
        by_member = {}
        for _, member, score in sorted(zip(log["timestamp"].to_pylist(), log["member_id"].to_pylist(),
                                           parquet.read_table(served)["score_clicked"].to_pylist(), strict=True)):
            by_member.setdefault(str(member), []).append(math.log(score / (1 - score)))
        tested = {}
        for row in parquet.read_table(trained).to_pylist():
            tested.setdefault(str(row["member"]), []).append(row["clicked_logit"])
        self.assertGreater(sum(map(len, tested.values())), 100)
        for member, logits in tested.items():
            # The split is chronological: what is tested of a member are the last of the rows.
            for logit, other in zip(sorted(logits), sorted(by_member[member][-len(logits):]), strict=True):
                self.assertAlmostEqual(logit, other, delta=1e-4)

    def test_a_killed_run_goes_on_to_the_same_bytes(self):
        long = (*PRUNED, "compress.admm.retrain_epochs=40")
        self.compress(*long)
        unbroken = weights(self.model / "000002")
        shutil.rmtree(self.model / "000002")
        log = self.model / ".compress/compress.jsonl"
        log.unlink(missing_ok=True)
        for _ in range(3):
            process = subprocess.Popen([LIMBER, "compress", str(self.model), *given(long), "--resamples", "20"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            lines = len(log.read_text().splitlines()) if log.exists() else 0
            end = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < end:
                if log.exists() and len(log.read_text().splitlines()) > lines + 4:
                    break
                time.sleep(0.001)
            process.kill()
            process.wait()
        self.assertFalse((self.model / "000002").exists())
        self.compress(*long)
        self.assertEqual(weights(self.model / "000002"), unbroken)

    def test_one_at_a_time(self):
        long = given((*PRUNED, "compress.admm.retrain_epochs=2000"))
        log = self.model / ".compress/compress.jsonl"
        first = subprocess.Popen([LIMBER, "compress", str(self.model), *long], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while not log.exists() and first.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            self.assert_refused(run("compress", self.model), ".compress", "another process")
            self.assertIsNone(first.poll())
        finally:
            first.kill()
            first.wait()
        self.compress()

    def test_what_was_packed_stays_packed(self):
        self.compress("compress.structure=blocks", "compress.block=[4, 8]", "compress.keep=0.5", "compress.bits=4",
                      "compress.admm.epochs=1", "compress.admm.retrain_epochs=0")
        metrics, done = self.compress("compress.vocabularies=perfect_hash")
        self.assertIn("compressed already", done.stderr)
        self.assertIn(f"limber compress {self.model / '000001'}", done.stderr)
        self.assertEqual(metrics["compression"]["sizes"]["dense"]["ratio"], 1)
        dense = [weights(self.model / version)["dense.safetensors"] for version in ("000002", "000003")]
        self.assertEqual(*dense)
        later = self.trained_from(self.model / "000003")
        self.assert_refused(later, self.model / "000001")

    def test_a_checkpoint_of_other_rows_is_left_aside(self):
        long = given((*PRUNED, "compress.admm.retrain_epochs=2000", f"data.interactions={self.work / 'log.parquet'}"))
        log = parquet.read_table(self.folder / "parquet/interactions.parquet")
        parquet.write_table(log, self.work / "log.parquet")
        for attempt in range(2):
            lines = self.model / ".compress/compress.jsonl"
            lines.unlink(missing_ok=True)
            process = subprocess.Popen([LIMBER, "compress", str(self.model), *long], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            end = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < end:
                if lines.exists() and len(lines.read_text().splitlines()) > 3:
                    break
                time.sleep(0.01)
            process.kill()
            _, errors = process.communicate()
            self.assertEqual("compress.checkpoint.other" in errors, attempt == 1, errors)
            items = pa.array(log["item_id"].to_pylist()[::-1], log.schema.field("item_id").type)
            log = log.set_column(log.column_names.index("item_id"), "item_id", items)
            parquet.write_table(log, self.work / "log.parquet")

    def test_nobody_reads_the_output(self):
        for end in ("", " 2>&1"):
            done = subprocess.run(f"{LIMBER} inspect {self.model}{end} | true; echo ${{PIPESTATUS[0]}}", shell=True,
                                  executable="/bin/bash", capture_output=True, text=True, timeout=60)
            self.assertIn(done.stdout.strip(), ("0", "1"))
            self.assertEqual(done.stderr, "")

    def test_mistakes_are_one_line(self):
        def refused(*settings, culprits, model=None):
            done = run("compress", model or self.model, *given(settings))
            self.assert_refused(done, *culprits)
            self.assertFalse((self.model / "000002").exists())

        refused("compress.target_ratio=100000", culprits=["global_block.cross.layer0"])
        refused("compress.layers=[global_block.mlp.layer7]", "compress.keep=0.5", culprits=["layer7"])
        refused("compress.rows=float32", culprits=["nothing is asked for"])
        refused("compress.structure=rows", "compress.block=[16]", "compress.keep=0.5", culprits=["compress.block"])
        refused("compress.keep=0.5", "compress.target_ratio=2", culprits=["compress.keep"])
        refused("compress.keeep=0.5", culprits=["compress.keep"])
        refused("compress.layers=[global_block.mlp.layer0]", culprits=["compress.layers"])
        refused("compress.crossbar.samples=3", culprits=["compress.crossbar.samples"])
        refused("compress.keep=0", culprits=["compress.keep"])
        refused("compress.keep=0.999", culprits=["takes nothing away"])
        refused("model.global_block.hidden=[4]", culprits=["model"])
        refused(culprits=["nowhere"], model=self.work / "nowhere")
        table = self.model / "000001/tables/item_id.safetensors"
        damaged = bytearray(table.read_bytes())
        damaged[-1] ^= 1
        table.write_bytes(damaged)
        refused(culprits=["item_id.safetensors"])

    def test_the_weights_are_listed(self):
        done = run("compress", self.model, "--list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"global_block\.mlp\.layer0 +\d+ +16 .*units can be removed")
        self.assertFalse((self.model / "000002").exists())


class CompressNetwork(Case):
    """Images of 6 x 6 pixels: a bright half, left, right, above or below, is the class."""

    def setUp(self):
        super().setUp()
        noise = random.Random(1)
        self.images = self.work / "images.csv"
        lines = ["label," + ",".join(f"pixel{i}" for i in range(36))]
        for image in range(400):
            label = image % 4
            bright = [(x < 3, x >= 3, y < 3, y >= 3)[label] for y in range(6) for x in range(6)]
            pixels = (min(255, max(0, int(noise.gauss(190 if on else 60, 40)))) for on in bright)
            lines.append(f"{label}," + ",".join(map(str, pixels)))
        self.images.write_text("\n".join(lines) + "\n")
        self.network = self.work / "network.yaml"
        self.network.write_text(NETWORK.format(images=self.images))

    def compress(self, *settings, arguments=()):
        return run("compress", self.network, "--models", self.work / "models", *given(settings), *arguments)

    def test_it_is_trained_compressed_and_reported(self):
        metrics, report = self.work / "metrics.json", self.work / "crossbars.html"
        done = self.compress(arguments=("--metrics", metrics, "--report", report))
        self.assertEqual(done.returncode, 0, done.stderr)
        folder = pathlib.Path(done.stdout.split("published ")[1].splitlines()[0])
        self.assertEqual(folder, self.work / "models/halves/000001")
        measured = json.loads(metrics.read_text())
        self.assertGreater(measured["accuracy"]["after"]["value"], 0.9)
        # 4 filters of 3 x 3; 8 units on 4 maps of 3 x 3 pixels; 4 classes. Half of filters and units
        # go, and what reads them; the classes keep their bits.
        sizes = measured["sizes"]
        self.assertEqual((sizes["weights_before"], sizes["weights_after"]),
                         (4 * 9 + 8 * 4 * 9 + 4 * 8, 2 * 9 + 4 * 2 * 9 + 4 * 4))
        self.assertGreater(sizes["bit_ratio"], sizes["weight_ratio"])
        crossbars = measured["crossbars"]["total"]
        self.assertGreater(crossbars["area_reduction"], 0)
        self.assertAlmostEqual(crossbars["weight_compression"], sizes["weight_ratio"])
        self.assertIn("<svg", report.read_text())

    def test_damaged_weights_are_not_compressed(self):
        self.assertEqual(self.compress().returncode, 0)
        trained = self.work / "models/halves/.compress/trained.safetensors"
        damaged = bytearray(trained.read_bytes())
        damaged[-3] ^= 1
        trained.write_bytes(damaged)
        done = self.compress()
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("trained.safetensors: is damaged", done.stderr)

    def test_the_same_command_again_is_the_next_version(self):
        first, second = self.compress(), self.compress()
        self.assertEqual((first.returncode, second.returncode), (0, 0), second.stderr)
        self.assertIn("halves/000002", second.stdout)
        tensors = [[file.read_bytes() for file in sorted((self.work / "models/halves" / version).glob("*.safetensors"))]
                   for version in ("000001", "000002")]
        self.assertEqual(len(tensors[0]), 1)
        self.assertEqual(*tensors)

    def test_the_weights_are_listed(self):
        done = self.compress(arguments=("--list",))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"conv +9 +4 +hidden")
        self.assertFalse((self.work / "models").exists())

    def test_mistakes_are_one_line(self):
        self.assert_refused(self.compress(arguments=("--scores", self.work / "scores.parquet")), "--scores")
        self.assert_refused(self.compress("compress.keep_of.conf=0.5"), "conf", "conv")
        self.assert_refused(self.compress("compress.keep_of={}", "compress.target_ratio=1000"), "target_ratio")
        self.assert_refused(self.compress("images.width=7"), "images.csv", "36")
        lines = self.images.read_text().splitlines()
        lines[7] = lines[7].replace(",", ",x", 1)
        self.images.write_text("\n".join(lines) + "\n")
        self.assert_refused(self.compress(), "images.csv", "pixel0", "7")
        self.assertEqual(list(self.work.glob("models/*/[0-9]*")), [])


if __name__ == "__main__":
    main()
