"""`limber plan`: what it measures is of the right order, and what it works out follows from it.

usage: plan_cli_test.py FOLDER_OF_PROGRAMS
"""

import json

from cli_case import Case, main
from limber_cli import run

QUICK = ("--seconds", "0.1", "--sample-members", "200")


class Plan(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        case.work = cls.folder
        cls.version = case.trained(case.config())[0]

    def plan(self, *arguments):
        return run("plan", self.version, *QUICK, *arguments)

    def test_what_follows_from_what_was_measured(self):
        done = self.plan("--json", "--members", "100M", "--ranks", "5k", "--events", "2e3", "--candidates", 40,
                         "--interactions", 30, "--table-rows", "10B", "--processors", 8, "--memory-gb", 64,
                         "--disk-gb", 1000, "--utilisation", 0.4, "--refresh-minutes", 30)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        costs, demand, plan = answer["unit_costs"], answer["demand"], answer["plan"]
        self.assertEqual((demand["members"], demand["rankings_a_second"], demand["events_a_second"]), (1e8, 5e3, 2e3))
        for name in ("event_seconds", "event_wait_seconds", "load_seconds", "adapt_seconds",
                     "disk_interaction_bytes", "memory_server_bytes"):
            self.assertGreater(costs[name], 0, name)
        rank = costs["rank_request_seconds"] + 40 * costs["rank_candidate_seconds"]
        self.assertTrue(1e-6 < rank < 1, rank)
        processors = 5e3 * rank + 2e3 * costs["event_seconds"]
        self.assertAlmostEqual(plan["rank_processors"] + plan["event_processors"], processors, 6)
        store = 1e8 * (costs["disk_member_bytes"] + 30 * costs["disk_interaction_bytes"])
        self.assertAlmostEqual(plan["store_bytes"] / store, 1, 9)
        by_processors, by_disk = processors / 0.4 / 8, store / 0.7e12
        self.assertTrue(max(by_processors, by_disk) <= plan["servers"] < max(by_processors, by_disk) + 1)
        self.assertEqual(plan["table_bytes_training"], 4 * 10e9 * 17)
        self.assertFalse(plan["fits_memory"])
        machines = plan["refresh_processor_seconds"] / 1800 / 8
        self.assertTrue(machines <= plan["refresh_machines"] < machines + 1)

    def test_it_says_what_it_does(self):
        done = self.plan("--table-rows", "10B", "--memory-gb", 16)
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("measured on this machine, with 2000 interactions of 60 members", "for 1 million members",
                      "TOO LARGE for the memory", "680 GB to train", "extrapolated, not measured",
                      "from 60 members to 1 million"):
            self.assertIn(words, done.stdout)

    def test_refusals(self):
        self.assert_refused(self.plan("--members", "many"), "--members many", "100M")
        self.assert_refused(self.plan("--members", "0"), "--members 0")
        self.assert_refused(self.plan("--ranks", "-5"), "--ranks")
        self.assert_refused(self.plan("--set", "model.meta_block.dim=3"), "data.*")
        self.assert_refused(run("plan", "no_model"), "no_model")


if __name__ == "__main__":
    main()
