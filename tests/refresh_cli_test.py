"""`limber adapt --shard`: any number of processes, in any order, give what one gives.

usage: refresh_cli_test.py FOLDER_OF_PROGRAMS
"""

import re
import socket
import subprocess
import time

import pyarrow
import pyarrow.dataset
import pyarrow.parquet as parquet

from cli_case import Case, main
from limber_cli import LIMBER, run


def by_member(table):
    return sorted(table.select(["member", "meta_embedding", "support_rows"]).to_pylist(),
                  key=lambda row: row["member"])


class Shards(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.case = cls()
        cls.case.work = cls.folder
        # Without time a member's rows are in a seeded random order, which shards must not change.
        cls.versions = [cls.case.trained(cls.case.config(), "--set", f"name={name}", "--set", f"data.time={time}")[0]
                        for name, time in (("timed", "timestamp"), ("timeless", ""))]

    def test_shards_together_give_what_one_process_gives(self):
        for version in self.versions:
            alone, parts = self.work / f"{version.parent.name}.parquet", f"{self.work / version.parent.name}/"
            self.assertEqual(run("adapt", version, "--output", alone).returncode, 0)
            counts = []
            for index in (3, 1, 4, 2):
                done = run("adapt", version, "--output", parts, "--shard", f"{index}/4")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"shard {index}/4", done.stdout)
                counts.append(int(done.stdout.split()[1]))
            self.assertEqual(sum(counts), 60)
            self.assertGreater(min(counts), 0)
            merged = pyarrow.dataset.dataset(parts).to_table()
            self.assertEqual(by_member(merged), by_member(parquet.read_table(alone)))
            # Once more: what is there stays.
            done = run("adapt", version, "--output", parts, "--shard", "2/4")
            self.assertIn("adapted 0 members", done.stdout)
            self.assertIn("were there already", done.stdout)

    def test_other_numbers_of_shards_do_not_mix(self):
        parts = f"{self.work / 'parts'}/"
        version = self.versions[0]
        self.assertEqual(run("adapt", version, "--output", parts, "--shard", "1/3").returncode, 0)
        for shard in ("1/4", "1/1"):
            self.assert_refused(run("adapt", version, "--output", parts, "--shard", shard), "--output", "-of-3-")
        whole = f"{self.work / 'whole'}/"
        self.assertEqual(run("adapt", version, "--output", whole).returncode, 0)
        self.assert_refused(run("adapt", version, "--output", whole, "--shard", "1/3"), "--output", whole)

    def test_a_folder_is_for_one_log(self):
        version = self.versions[0]
        whole = parquet.read_table(self.folder / "parquet/interactions.parquet")
        log, parts = self.work / "log.parquet", f"{self.work / 'parts'}/"
        parquet.write_table(whole.slice(0, 1500), log)
        arguments = ("adapt", version, "--output", parts, "--set", f"data.interactions={log}")
        self.assertEqual(run(*arguments, "--shard", "1/2").returncode, 0)
        self.assertEqual(run(*arguments, "--shard", "2/2").returncode, 0)
        parquet.write_table(whole, log)
        self.assert_refused(run(*arguments, "--shard", "1/2"), "another log", parts)
        damaged = next((self.work / "parts").glob("*-shard-2-of-2-*"))
        damaged.write_bytes(damaged.read_bytes()[:-20])
        self.assert_refused(run(*arguments, "--shard", "2/2"), damaged, "remove it")

    def test_side_tables_are_those_that_are_named(self):
        version = self.versions[0]
        table = parquet.read_table(self.folder / "parquet/items.parquet").to_pydict()
        table["category"] = table["category"][1:] + table["category"][:1]
        other = self.work / "items.parquet"
        parquet.write_table(pyarrow.table(table), other)
        outputs = [self.work / "own.parquet", self.work / "other.parquet"]
        for output, more in zip(outputs, ((), ("--table", f"items={other}"))):
            self.assertEqual(run("adapt", version, "--output", output, *more).returncode, 0)
        self.assertNotEqual(*(by_member(parquet.read_table(output)) for output in outputs))
        self.assert_refused(run("adapt", version, "--output", outputs[0], "--table", f"things={other}"), "things")

    def test_a_store_asks_for_the_columns_that_files_must_have(self):
        version = self.versions[0]
        columns = parquet.read_table(self.folder / "parquet/interactions.parquet")
        for missing in ("clicked", "timestamp", "item_id"):
            log = self.work / f"without_{missing}.parquet"
            parquet.write_table(columns.drop([missing]), log)
            store = f"rocksdb:{self.work / missing}"
            self.assert_refused(run("adapt", version, "--store", store, "--load", "--set",
                                    f"data.interactions={log}"), missing, log)
            self.assert_refused(run("plan", version, "--set", f"data.interactions={log}"), missing, log)

    def test_shards_share_a_redis_store(self):
        version, (port, server) = self.versions[0], self.redis()
        try:
            def adapt(database, *more):
                return subprocess.Popen([LIMBER, "adapt", version, "--store", f"redis://127.0.0.1:{port}/{database}",
                                         *more], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

            def adapted(process):
                output, errors = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0, errors)
                return int(re.search(r"adapted (\d+) members?", output)[1])

            self.assertEqual(adapted(adapt(1, "--load")), 60)
            # All at once, as machines would; one is killed and started again.
            started = [adapt(0, "--load", "--shard", f"{index}/3") for index in (1, 2, 3)]
            started[1].kill()
            started[1].communicate()
            again = adapt(0, "--load", "--shard", "2/3")
            self.assertLessEqual(adapted(started[0]) + adapted(started[2]) + adapted(again), 60)
            # Every member is there, and fresh, with the interactions that one process would have put there.
            self.assertEqual(adapted(adapt(0)), 0)
            self.assertEqual(self.lists(port, 0), self.lists(port, 1))
        finally:
            server.kill()
            server.wait()

    def redis(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        server = subprocess.Popen(["redis-server", "--port", str(port), "--save", "", "--dir", self.work],
                                  stdout=subprocess.DEVNULL)
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return port, server
            time.sleep(0.02)
        self.fail("redis-server did not start")

    def lists(self, port, database):
        """How many interactions each member has."""
        def ask(*words):
            return subprocess.run(["redis-cli", "-p", str(port), "-n", str(database), *words], check=True,
                                  capture_output=True).stdout
        keys = sorted(ask("--raw", "keys", "limber:i:*").split())
        self.assertEqual(len(keys), 60)
        return {key: ask("llen", key) for key in keys}

    def test_a_shard_may_be_empty(self):
        version, empty = self.versions[0], 0
        parts = self.work / "parts"
        for index in range(1, 7):
            done = run("adapt", version, "--output", f"{parts}/", "--shard", f"{index}/1000")
            self.assertEqual(done.returncode, 0, done.stderr)
            empty += not list(parts.glob(f"*-shard-{index}-of-*"))
        self.assertGreater(empty, 0)

    def test_refusals(self):
        version = self.versions[0]
        for shard in ("0/4", "5/4", "4", "a/b"):
            self.assert_refused(run("adapt", version, "--output", f"{self.work}/m/", "--shard", shard),
                                "--shard", "I/N")
        self.assert_refused(run("adapt", version, "--output", self.work / "m.parquet", "--shard", "1/2"), "folder")
        store = f"rocksdb:{self.work / 'store'}"
        self.assert_refused(run("adapt", version, "--store", store, "--load", "--shard", "1/2"), "--shard", "Redis")
        self.assertFalse((self.work / "store").exists())


if __name__ == "__main__":
    main()
