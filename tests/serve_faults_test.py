"""limber serve when things break: killed under load, Redis gone, the disk full, a million members.

usage: serve_faults_test.py FOLDER_OF_PROGRAMS [unittest arguments]
"""

import contextlib
import http.client
import random
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

from limber_cli import LIMBER
from limber_server import ITEMS, Case, Server, free_port, setUpModule, tearDownModule  # noqa: F401


class Killed(Case):
    def test_no_acknowledged_event_is_lost(self):
        """Twenty times: clicks and rankings from four clients, SIGKILL, and all that was acknowledged is there."""
        chance, acknowledged = random.Random(1), []
        for turn in range(20):
            with Server(self.model, self.store, "--most-interactions", 100000) as server:
                # What earlier turns were told is stored is a duplicate now.
                for member, event, item in chance.sample(acknowledged, min(40, len(acknowledged))) \
                        if turn < 19 else acknowledged:
                    answer = server.click(member, item, event_id=event)
                    self.assertEqual((answer["stored"], answer["duplicates"]), (0, 1), f"{event} was lost")
                stop, lock = threading.Event(), threading.Lock()

                def work(number):
                    mine = random.Random(100 * turn + number)
                    for event in range(10**6):
                        if stop.is_set():
                            return
                        member, name = f"m{mine.randrange(20)}", f"{turn}-{number}-{event}"
                        item = mine.choice(ITEMS)
                        try:
                            server.click(member, item, event_id=name)
                            with lock:
                                acknowledged.append((member, name, item))
                            server.rank(member, ITEMS)
                        except (OSError, AssertionError, ValueError, http.client.HTTPException):
                            return  # the server is gone

                threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
                for thread in threads:
                    thread.start()
                before = len(acknowledged)
                deadline = time.monotonic() + 20
                while len(acknowledged) < before + 30 and time.monotonic() < deadline:
                    time.sleep(0.01)
                time.sleep(chance.random() * 0.2)
                server.process.kill()
                server.process.wait()
                stop.set()
                for thread in threads:
                    thread.join()
                self.assertGreaterEqual(len(acknowledged), before + 30, "hardly a click was acknowledged")
        # A member's vector knows of the last click that was acknowledged, though its server died.
        with Server(self.model, self.store, "--most-interactions", 100000) as server:
            counts = {}
            for member, _, _ in acknowledged:
                counts[member] = counts.get(member, 0) + 1
            for member, count in counts.items():
                _, answer = server.ask("GET", f"/members/{member}")
                self.assertGreaterEqual(answer["sequence"], count)


class RedisGone(Case):
    def start(self):
        self.redis = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--dir", str(self.work), "--appendonly", "yes",
             "--appendfsync", "always", "--save", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            self.assertLess(time.monotonic(), deadline, "redis-server did not start")
            time.sleep(0.05)

    def test_it_comes_back(self):
        self.assertTrue(shutil.which("redis-server"), "redis-server is not installed: run scripts/setup")
        self.port = free_port()
        self.start()
        try:
            with Server(self.model, f"redis://127.0.0.1:{self.port}") as server:
                for item in ITEMS[:3]:
                    server.click("m", item)
                known = server.rank("m", ITEMS)
                self.redis.kill()
                self.redis.wait()
                status, answer = server.ask("POST", "/feedback", {"member": "m", "interaction": {
                    "item_id": ITEMS[3], "clicked": 1}})
                self.assertEqual(status, 503, answer)
                self.assertIn("the store cannot be used", answer["error"])
                self.assertIn("Retry-After", server.headers)
                # Rankings go on, for nobody in particular, and say so.
                unknown = server.rank("m", ITEMS)
                self.assertTrue(unknown["unknown"])
                self.assertEqual(server.ask("GET", "/health/ready")[0], 503)
                self.start()
                deadline = time.monotonic() + 20
                while server.ask("GET", "/health/ready")[0] != 200:
                    self.assertLess(time.monotonic(), deadline, "the store is back, and the server does not see it")
                    time.sleep(0.1)
                again = server.rank("m", ITEMS)
                self.assertEqual(again["ranking"], known["ranking"])
                self.assertEqual(server.click("m", ITEMS[3])["interactions"], 4)
        finally:
            self.redis.kill()
            self.redis.wait()

    def test_two_servers_see_each_others_clicks(self):
        self.port = free_port()
        self.start()
        try:
            url = f"redis://127.0.0.1:{self.port}"
            with Server(self.model, url) as one, Server(self.model, url) as other:
                before = other.rank("m", ITEMS)
                one.click("m", ITEMS[0])
                after = other.rank("m", ITEMS)
                self.assertEqual(after["interactions"], 1)
                self.assertNotEqual(before["ranking"], after["ranking"])
        finally:
            self.redis.kill()
            self.redis.wait()


class DiskFull(Case):
    def test_rankings_go_on(self):
        """A limit on the size of files stands for a full disk; raising it, for space that is freed."""
        with Server(self.model, self.store) as server:
            server.click("m", ITEMS[0])
            pid = server.process.pid
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
            refused = 0
            for turn in range(200):
                status, answer = server.ask("POST", "/feedback", {"member": "m", "interaction": {
                    "item_id": ITEMS[turn % len(ITEMS)], "clicked": 1, "note": "x" * 200}})
                if status != 200:
                    self.assertEqual(status, 503, answer)
                    self.assertNotIn("\n", answer["error"])
                    refused += 1
                    if refused == 3:
                        break
            self.assertEqual(refused, 3, "the disk never was full")
            self.assertEqual(len(server.rank("m", ITEMS)["ranking"]), len(ITEMS))
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
            deadline = time.monotonic() + 30
            while server.ask("POST", "/feedback", {"member": "m", "interaction": {
                    "item_id": ITEMS[1], "clicked": 1}})[0] != 200:
                self.assertLess(time.monotonic(), deadline, "space is free again, and clicks are refused")
                time.sleep(0.2)


class Million(Case):
    def test_ready_soon(self):
        """A store of a million members; the server is ready within three seconds."""
        with open(self.work / "log.csv", "w") as log:
            log.write("member_id,item_id,timestamp,price,clicked\n")
            for member in range(1_000_000):
                log.write(f"n{member},{ITEMS[member % len(ITEMS)]},{member},{member % 90},{member % 2}\n")
        done = subprocess.run([LIMBER, "adapt", str(self.model), "--store", self.store, "--load", "--set",
                               f"data.interactions={self.work / 'log.csv'}"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("adapted 1000000 members", done.stdout)
        with Server(self.model, self.store) as server:
            print(f"a million members: ready after {server.ready_seconds} s", file=sys.stderr)
            self.assertLess(server.ready_seconds, 3)
            self.assertEqual(server.rank("n999999", ITEMS)["interactions"], 1)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
