"""limber train on several processes: the same model as one process trains, checkpoints that go from
any number of processes to any other, and what happens when one of them is killed.

usage: distributed_cli_test.py FOLDER_OF_PROGRAMS
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import unittest

import pyarrow.parquet as parquet
from cli_case import Case
from limber_cli import LIMBER, run, write_config

SETTINGS = ["train.epochs=6", "train.patience=6", "train.early_stop=none", "train.checkpoint_seconds=0",
            "meta.tasks_per_batch=5"]
LAUNCHER = [sys.executable, "-m", "torch.distributed.run"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class DistributedTest(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Many row groups, so that each process reads a share.
        log = cls.folder / "parquet/interactions.parquet"
        parquet.write_table(parquet.read_table(log), log, row_group_size=150)

    def command(self, config, models, *arguments):
        return [LIMBER, "train", str(config), "--models", str(models), "--resamples", "0",
                *[word for setting in SETTINGS for word in ("--set", setting)], *map(str, arguments)]

    def start(self, size, command):
        """The processes as Slurm or Kubernetes would start them; their output goes to files."""
        port = free_port()
        processes = []
        for rank in range(size):
            environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1",
                           "MASTER_PORT": str(port), "LIMBER_RANK_TIMEOUT": "60"}
            with open(self.work / f"err{rank}", "w") as errors, open(self.work / f"out{rank}", "w") as output:
                processes.append(subprocess.Popen(command, env=environment, stdout=output, stderr=errors,
                                                  stdin=subprocess.DEVNULL))
        return processes

    def error(self, rank):
        return (self.work / f"err{rank}").read_text()

    def finish(self, processes):
        try:
            return [process.wait(timeout=120) for process in processes]
        finally:
            for process in processes:
                process.kill()

    def wait_for_words(self, rank, words):
        for _ in range(6000):
            if words in self.error(rank):
                return
            time.sleep(0.01)
        self.fail(f"process {rank} has not said in a minute: {words}")

    def log(self, models):
        version = max(models.glob("clicks/0*"))
        return [json.loads(line) for line in (version / "training_log.jsonl").read_text().splitlines()]

    def wait_for_step(self, models, step):
        """Returns when the log of a run under way, which is written an epoch at a time, is that far."""
        log = models / "clicks/.training/log.jsonl"
        for _ in range(6000):
            if log.exists() and f'"epoch":{step}' in log.read_text():
                return
            time.sleep(0.01)
        self.fail("no progress in a minute")

    def test_any_number_of_processes_gives_the_same_curve_and_metrics(self):
        config = self.config()
        curves, metrics, scores = {}, {}, {}
        for size in (1, 2, 4):
            models = self.work / f"models{size}"
            files = ("--metrics", self.work / f"{size}.json", "--scores", self.work / f"{size}.csv")
            codes = self.finish(self.start(size, self.command(config, models, *files)))
            self.assertEqual(codes, [0] * size, self.error(0))
            curves[size] = self.log(models)
            metrics[size] = json.loads((self.work / f"{size}.json").read_text())
            scores[size] = (self.work / f"{size}.csv").read_text().splitlines()
        self.assertEqual(metrics[2]["training"]["processes"], 2)
        for size in (2, 4):
            for one, other in zip(curves[1], curves[size], strict=True):
                self.assertEqual(one["step"], other["step"])
                for key in ("train_loss", "validation_log_loss", "validation_auc"):
                    self.assertAlmostEqual(one[key], other[key], delta=2e-4, msg=f"{size} processes: {key}")
            for key in ("log_loss", "auc", "gauc"):
                one, other = (metrics[n]["labels"]["clicked"]["metrics"][key]["value"] for n in (1, size))
                self.assertAlmostEqual(one, other, delta=2e-3, msg=key)
            # The same rows in the same order.
            self.assertEqual(len(scores[1]), len(scores[size]))
            self.assertEqual([line.split(",")[0] for line in scores[1]],
                             [line.split(",")[0] for line in scores[size]])
            self.assertFalse(list((self.work / f"models{size}").glob("clicks/.training/checkpoint*")))

    def test_a_killed_process_ends_the_job_and_another_number_goes_on(self):
        config = self.config()
        models, unbroken = self.work / "models", self.work / "unbroken"
        self.assertEqual(self.finish(self.start(1, self.command(config, unbroken))), [0])
        processes = self.start(2, self.command(config, models))
        self.wait_for_step(models, 2)
        processes[1].send_signal(signal.SIGKILL)
        self.assertEqual(self.finish(processes), [1, -signal.SIGKILL])
        self.assertIn("another process is gone", self.error(0))
        self.assertIn("from the last checkpoint", self.error(0))
        self.assertEqual(list(models.glob("clicks/0*")), [], "a broken run published")
        for size in (4, 1):
            processes = self.start(size, self.command(config, models))
            if size == 4:
                self.wait_for_words(0, "resuming after step")
                processes[0].send_signal(signal.SIGKILL)
                self.assertEqual(self.finish(processes), [-signal.SIGKILL, 1, 1, 1])
        self.assertEqual(self.finish(processes), [0])
        self.assertIn("resuming after step", self.error(0))
        # Nothing was trained twice or left out.
        for one, other in zip(self.log(unbroken), self.log(models), strict=True):
            self.assertEqual((one["step"], one["epoch"]), (other["step"], other["epoch"]))
            self.assertAlmostEqual(one["train_loss"], other["train_loss"], delta=2e-4)

    def test_torchrun_starts_again_from_the_last_checkpoint(self):
        config = self.config()
        models, unbroken = self.work / "models", self.work / "unbroken"
        self.assertEqual(self.finish(self.start(2, self.command(config, unbroken))), [0, 0])
        command = [*LAUNCHER, "--nproc-per-node", "2", "--max-restarts", "1", "--monitor-interval", "0.1",
                   "--master-port", str(free_port()), "--no-python", *self.command(config, models)]
        with open(self.work / "errors", "w") as errors:
            job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        self.wait_for_step(models, 2)
        workers = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True).stdout.split()
        os.kill(int(workers[-1]), signal.SIGKILL)
        text = (self.work / "errors")
        self.assertEqual(job.wait(timeout=120), 0, text.read_text())
        self.assertIn("resuming after step", text.read_text())
        # As many processes as before give the same bits.
        self.assertEqual(self.log(unbroken), self.log(models))

    def test_a_signal_to_one_stops_all_with_a_checkpoint(self):
        config = self.config()
        models = self.work / "models"
        processes = self.start(2, self.command(config, models))
        self.wait_for_step(models, 1)
        processes[1].send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(processes), [130, 130])
        self.assertIn("the same command goes on from there", self.error(0))
        self.assertEqual(self.finish(self.start(2, self.command(config, models))), [0, 0])
        self.assertIn("resuming after step", self.error(0))

    def test_a_process_that_is_killed_while_it_reads_ends_the_others(self):
        folder = self.work / "large"
        done = run("generate", folder, "--rows", 400000, "--members", 5000, "--items", 40)
        self.assertEqual(done.returncode, 0, done.stderr)
        config = write_config(self.work / "large.yaml", folder)
        processes = self.start(2, self.command(config, self.work / "models"))
        piece = self.work / "models/clicks/.training/data/of-rank-0/piece-1"
        for _ in range(6000):
            if piece.exists():
                break
            time.sleep(0.005)
        processes[1].kill()
        self.assertEqual(self.finish(processes), [1, -signal.SIGKILL])
        self.assertIn("another process is gone, which was reading the log", self.error(0))

    def test_what_several_processes_cannot_do_is_refused(self):
        config = self.config()
        models = self.work / "models"
        for arguments, words in ((("--set", "train.incremental.fisher_rows=10"), "train.incremental.fisher_rows"),
                                 (("--from", models / "clicks"), "--from"),
                                 (("--set", "train.device=cuda"), "train.device: cuda")):
            self.assertEqual(self.finish(self.start(2, self.command(config, models, *arguments))), [2, 2])
            for rank in (0, 1):
                self.assertIn(f"error: {words}", self.error(rank))
                self.assertIn("WORLD_SIZE is 2", self.error(rank))

    def test_an_error_of_all_is_one_of_input(self):
        codes = self.finish(self.start(2, self.command(self.work / "missing.yaml", self.work / "models")))
        self.assertEqual(codes, [2, 2])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
