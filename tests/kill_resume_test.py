"""Kills a training run again and again, at random moments, lets it resume, and compares what it
publishes with an unbroken run: every byte of every file must be the same.

usage: kill_resume_test.py FOLDER_OF_PROGRAMS [SEED]
"""

import pathlib
import random
import subprocess
import sys
import tempfile
import time

from limber_cli import LIMBER, run, weights, write_config

KILLS = 8
SETTINGS = ["train.checkpoint_seconds=0", "train.epochs=12", "train.patience=12", "meta.tasks_per_batch=2",
            "model.history.enabled=true", "model.global_block.dropout=0.1"]


def command(config, models):
    return ["train", config, "--models", models, "--resamples", 0,
            *[word for setting in SETTINGS for word in ("--set", setting)]]


def wait_for_checkpoints(path, count, process, seconds=120):
    """Returns when the checkpoint was replaced `count` times, or the process ended."""
    end = time.monotonic() + seconds
    seen = path.stat().st_ino if path.exists() else None
    while count > 0 and process.poll() is None:
        try:
            now = path.stat().st_ino
        except FileNotFoundError:
            now = None
        if now != seen:
            seen, count = now, count - 1
        if time.monotonic() > end:
            sys.exit(f"kill_resume_test: no step in {seconds} s: {path}")
        time.sleep(0.0005)


def train_broken(config, models, draw):
    """Trains to the end with kills in between; returns how many hit, and how many runs resumed."""
    kills = resumed = 0
    checkpoint = models / "clicks/.training/checkpoint"
    while kills < KILLS:
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen([LIMBER, *map(str, command(config, models))],
                                       stdout=subprocess.DEVNULL, stderr=errors)
            # Counted in steps, so that a fast machine does not finish first. The pause lets kills
            # fall everywhere within a step, also while a checkpoint is written; the first of all
            # falls into the start of a run.
            wait_for_checkpoints(checkpoint, draw.randrange(25) if kills else 0, process)
            time.sleep(draw.uniform(0, 0.03) if kills else draw.uniform(0, 0.3))
            done = process.poll() is not None
            process.kill()
            process.wait()
            errors.seek(0)
            text = errors.read()
        resumed += "resuming after step" in text
        if done:
            if process.returncode != 0:
                sys.exit(f"kill_resume_test: a resumed run failed: {text}")
            return kills, resumed
        kills += 1
        left = [path.name for path in models.glob("clicks/[0-9]*")]
        if left:
            sys.exit(f"kill_resume_test: a killed run published {left}")
    finished = run(*command(config, models))
    if finished.returncode != 0:
        sys.exit(f"kill_resume_test: the last run failed: {finished.stderr}")
    return kills, resumed + ("resuming after step" in finished.stderr)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    print(f"kill_resume_test: seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="limber-kill-") as keep:
        folder = pathlib.Path(keep)
        run("generate", folder / "data", "--rows", 4000, "--members", 80, "--items", 60)
        config = write_config(folder / "config.yaml", folder / "data")
        whole = run(*command(config, folder / "whole"))
        if whole.returncode != 0:
            sys.exit(f"kill_resume_test: the unbroken run failed: {whole.stderr}")
        kills, resumed = train_broken(config, folder / "broken", random.Random(seed))
        if resumed < 3:
            sys.exit(f"kill_resume_test: {kills} kills, but only {resumed} runs resumed: it tests nothing")
        expected, got = (weights(folder / name / "clicks/000001") for name in ("whole", "broken"))
        different = [name for name in expected | got if expected.get(name) != got.get(name)]
        if different or "training_log.jsonl" not in expected or "dense.safetensors" not in expected:
            sys.exit(f"kill_resume_test: not the same after {kills} kills: {different}")
        left = [path.name for path in (folder / "broken/clicks").iterdir() if path.name.startswith(".writing")]
        if left:
            sys.exit(f"kill_resume_test: left behind: {left}")
    print(f"kill_resume: {kills} kills, {resumed} resumed runs, {len(expected)} files equal to the unbroken run's")


if __name__ == "__main__":
    main()
