"""What the tests of the command line share: a generated log, and what a refusal must look like."""

import pathlib
import sys
import tempfile
import unittest

try:
    import pyarrow as pa
    import pyarrow.parquet as parquet
except ModuleNotFoundError as missing:
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {missing.name} is not installed: run scripts/setup "
             "(or pip install -r scripts/requirements.txt)")

from limber_cli import LIMBER, run, write_config

ROOT = pathlib.Path(__file__).parents[1]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keep = tempfile.TemporaryDirectory(prefix="limber-cli-")
        cls.folder = pathlib.Path(cls.keep.name)
        for ending in ("parquet", "csv"):
            done = run("generate", cls.folder / ending, "--rows", 2000, "--members", 60, "--items", 40,
                       "--format", ending)
            assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.keep.cleanup()

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=self.folder))

    def config(self, ending="parquet", interactions=None):
        return write_config(self.work / "config.yaml", self.folder / ending, ending, interactions)

    def csv(self, change):
        """A copy of the interactions; `change` gets its lines, the header first."""
        lines = (self.folder / "csv/interactions.csv").read_text().splitlines()
        path = self.work / "interactions.csv"
        path.write_text("\n".join(change(lines)) + "\n")
        return self.config("csv", path)

    def table(self, change):
        """The same in Parquet; `change` gets and returns a dictionary of columns."""
        columns = parquet.read_table(self.folder / "parquet/interactions.parquet").to_pydict()
        path = self.work / "interactions.parquet"
        parquet.write_table(pa.table(change(columns)), path)
        return self.config("parquet", path)

    def train(self, config, *arguments, **options):
        return run("train", config, "--models", self.work / "models", "--resamples", 10, *arguments, **options)

    def trained(self, config, *arguments):
        done = self.train(config, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return pathlib.Path(done.stdout.split("published ")[1].strip()), done

    def assert_refused(self, done, *culprits, code=2):
        lines = done.stderr.splitlines()
        self.assertEqual((done.returncode, len(lines)), (code, 1), done.stderr)
        self.assertTrue(lines[0].startswith("error: "), lines[0])
        for culprit in culprits:
            self.assertIn(str(culprit), lines[0])

    def refused(self, config, *culprits, settings=()):
        arguments = [word for setting in settings for word in ("--set", setting)]
        self.assert_refused(self.train(config, *arguments), *culprits)
        self.assertEqual(list(self.work.glob("models/*/[0-9]*")), [])


def main():
    if not pathlib.Path(LIMBER).is_file():
        sys.exit(f"{LIMBER} is not there: build first")
    unittest.main(module="__main__", argv=sys.argv[:1] + sys.argv[2:])
