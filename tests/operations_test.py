"""What docs/operations.md and examples/operations say is there: options of the program, metrics of a server.

usage: operations_test.py FOLDER_OF_PROGRAMS [unittest arguments]
"""

import pathlib
import re
import sys
import unittest

from limber_cli import run
from limber_server import ITEMS, Case, Server, setUpModule, tearDownModule  # noqa: F401
from redis_for_test import Redis

ROOT = pathlib.Path(__file__).parents[1]
FILES = [ROOT / "docs/operations.md", ROOT / "docs/streams.md", *sorted((ROOT / "examples/operations").iterdir())]


class Operations(Case):
    def test_options_are_known(self):
        known = "".join(run(verb, "--help").stdout for verb in ("serve", "adapt", "plan"))
        checked = 0
        for path in FILES:
            text = path.read_text()
            commands = re.findall(r"^.*limber (?:serve|adapt|plan).*$|^ *- --.*$", text, re.MULTILINE)
            options = re.findall(r"`(--[a-z][a-z-]+)", text)
            for option in options + re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(commands)):
                self.assertIn(f"{option} ", known, path.name)
                checked += 1
        self.assertGreater(checked, 20)

    def test_metrics_are_there(self):
        redis = Redis(self.work)
        self.addCleanup(redis.stop)
        with Server(self.model, "memory:", "--stream",
                    f"redis://127.0.0.1:{redis.port}?stream=clicks&group=rankers") as server:
            server.rank("m", ITEMS)
            families = set(re.findall(r"^# TYPE (\w+)", server.ask("GET", "/metrics")[1], re.MULTILINE))
        for path in FILES:
            for name in re.findall(r"\b(?:limber|process)_[a-z_]+[a-z]\b", path.read_text()):
                self.assertIn(name.removesuffix("_bucket"), families, path.name)

    def test_a_server_has_time_to_stop(self):
        unit = (ROOT / "examples/operations/limber.service").read_text()
        drain = int(re.search(r"--drain-seconds (\d+)", unit)[1])
        self.assertGreater(int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]), drain)
        manifest = (ROOT / "examples/operations/kubernetes.yaml").read_text()
        drain = int(re.search(r"--drain-seconds=(\d+)", manifest)[1])
        before = int(re.search(r'sleep, "(\d+)"', manifest)[1])
        self.assertGreater(int(re.search(r"terminationGracePeriodSeconds: (\d+)", manifest)[1]), drain + before)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
