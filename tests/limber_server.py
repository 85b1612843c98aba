"""A running `limber serve` and a trained model to serve, for serve_test.py and serve_faults_test.py."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

import pyarrow.parquet

from limber_cli import LIMBER, run, write_config


def free_port():
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """A running server; `with` ends it. `command` stands before the program's name; `store` may be None where the
    `environment` names it."""

    def __init__(self, model, store, *arguments, address="127.0.0.1", command=(), environment=None):
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [*command, LIMBER, "serve", str(model), *(["--store", store] if store else []), "--address", address,
             "--port", "0", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=self.errors, text=True, env={**os.environ, **(environment or {})})
        self.line = line = self.process.stdout.readline()
        found = re.search(rf"://{re.escape(address)}:(\d+).*ready in ([\d.]+) s", line)
        if not found:
            self.process.wait(30)
            raise AssertionError(f"not ready: {line}{self.log()}")
        self.address, self.port, self.ready_seconds = address, int(found[1]), float(found[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self.process.stdout.close()
        self.errors.close()

    def log(self):
        self.errors.seek(0)
        return self.errors.read()

    def ask(self, method, path, body=None, headers=None):
        """(status, parsed answer)"""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=30)
        try:
            text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            self.headers = dict(answer.getheaders())
            data = answer.read()
            is_json = answer.getheader("Content-Type", "").startswith("application/json")
            return answer.status, json.loads(data) if is_json and data else data.decode()
        finally:
            connection.close()

    def rank(self, member, candidates, **more):
        status, answer = self.ask("POST", "/rank", {"member": member, "candidates": candidates, **more})
        assert status == 200, answer
        return answer

    def click(self, member, item, clicked=1, **more):
        status, answer = self.ask("POST", "/feedback", {"member": member, "interaction": {
            "item_id": item, "clicked": clicked, **more}})
        assert status == 200, answer
        return answer

    def metric(self, name):
        _, text = self.ask("GET", "/metrics")
        return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(rf"{name}[ {{]", line))


ITEMS = []  # keys of the model's item table


def setUpModule():
    global FOLDER, MODELS
    FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="limber-serve-"))
    done = run("generate", FOLDER / "data", "--members", 60, "--items", 40)
    assert done.returncode == 0, done.stderr
    MODELS = FOLDER / "models"
    done = run("train", write_config(FOLDER / "config.yaml", FOLDER / "data"), "--models", MODELS,
               "--resamples", 0, "--quiet")
    assert done.returncode == 0, done.stderr
    ITEMS[:] = [row["item_id"] for row in pyarrow.parquet.read_table(FOLDER / "data/items.parquet").to_pylist()]


def tearDownModule():
    shutil.rmtree(FOLDER)


class Case(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=FOLDER))
        self.model = MODELS / "clicks"
        self.store = f"rocksdb:{self.work / 'store'}"
