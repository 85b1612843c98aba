"""limber serve as its users meet it: rankings, clicks, versions exchanged, faults, the console page.

usage: serve_test.py FOLDER_OF_PROGRAMS [unittest arguments]
"""

import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import pyarrow.parquet

import limber_server
from browser_page import Page
from limber_cli import LIMBER, run
from limber_server import ITEMS, Case, Server, free_port, setUpModule, tearDownModule  # noqa: F401


class Requests(Case):
    def test_a_click_changes_the_next_ranking_and_outlives_the_server(self):
        with Server(self.model, self.store) as server:
            before = server.rank("newcomer", ITEMS)
            self.assertEqual(before["interactions"], 0)
            scores = [row["score"] for row in before["ranking"]]
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertEqual(sorted(row["index"] for row in before["ranking"]), list(range(len(ITEMS))))
            for item in ITEMS[:5]:
                answer = server.click("newcomer", item, time_ms=int(time.time() * 1e3))
            self.assertEqual((answer["sequence"], answer["interactions"], answer["refreshed"]), (5, 5, True))
            after = server.rank("newcomer", ITEMS)
            self.assertNotEqual(before["ranking"], after["ranking"])
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(30), 0, server.log())
        with Server(self.model, self.store) as server:
            again = server.rank("newcomer", ITEMS)
            self.assertEqual(after["ranking"], again["ranking"])
            self.assertEqual(server.ask("DELETE", "/members/newcomer")[0], 204)
            self.assertEqual(server.rank("newcomer", ITEMS)["ranking"], before["ranking"])

    def test_the_store_gives_what_files_give(self):
        done = run("adapt", self.model, "--output", self.work / "members.parquet")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("adapt", self.model, "--store", self.store, "--load")
        self.assertEqual(done.returncode, 0, done.stderr)
        # Loading the same log again changes nothing.
        done = run("adapt", self.model, "--store", self.store, "--load")
        self.assertIn("adapted 0 members", done.stdout)
        rows = pyarrow.parquet.read_table(self.work / "members.parquet").to_pylist()
        with Server(self.model, self.store) as server:
            for row in rows[:20]:
                _, answer = server.ask("GET", f"/members/{row['member']}")
                self.assertEqual(answer["interactions"], row["support_rows"])
                for ours, theirs in zip(answer["meta_embedding"], row["meta_embedding"]):
                    self.assertAlmostEqual(ours, theirs, places=5)
            member = rows[0]["member"]
            ranking = server.rank(member, ITEMS)["ranking"]
            _, inferred = server.ask("POST", "/v2/models/clicks/infer", {"inputs": [
                {"name": "member_id", "shape": [len(ITEMS)], "datatype": "BYTES", "data": [member] * len(ITEMS)},
                {"name": "item_id", "shape": [len(ITEMS), 1], "datatype": "INT64", "data": ITEMS}]})
            scores = inferred["outputs"][0]["data"]
            for row in ranking:
                self.assertAlmostEqual(row["score"], scores[row["index"]], places=6)
        # A file of the same rows.
        (self.work / "rows.csv").write_text("member_id,item_id\n" + "".join(f"{member},{item}\n" for item in ITEMS))
        done = run("predict", self.model, self.work / "rows.csv", "--store", self.store, "-o", self.work / "s.parquet")
        self.assertEqual(done.returncode, 0, done.stderr)
        predicted = pyarrow.parquet.read_table(self.work / "s.parquet").to_pylist()
        for row in ranking:
            self.assertAlmostEqual(row["score"], predicted[row["index"]]["score_clicked"], places=6)

    def test_candidates_in_every_form(self):
        with Server(self.model, "memory:") as server:
            keys = server.rank("m", ITEMS[:4])["ranking"]
            self.assertEqual(keys, server.rank("m", [{"item_id": item} for item in ITEMS[:4]])["ranking"])
            self.assertEqual(keys[:2], server.rank("m", ITEMS[:4], limit=2)["ranking"])
            self.assertEqual(keys, server.rank("m", ITEMS[:4], label="clicked", context={"page": 3})["ranking"])
            # An item that no table knows is ranked by what the request says of it.
            cheap, dear = (server.rank("m", [{"item_id": "new", "price": price}])["ranking"][0]["score"]
                           for price in (1, 1000))
            self.assertNotEqual(cheap, dear)

    def test_large_ids_stay_exact(self):
        """Neighbours that a double cannot tell apart are two members."""
        with Server(self.model, self.store) as server:
            server.click(2**53 + 1, ITEMS[0])
            self.assertEqual(server.rank(2**53 + 1, ITEMS)["member"], str(2**53 + 1))
            self.assertEqual(server.rank(2**53 + 1, ITEMS)["interactions"], 1)
            self.assertEqual(server.rank(2**53, ITEMS)["interactions"], 0)

    def test_an_event_counts_once(self):
        with Server(self.model, self.store) as server:
            self.assertEqual(server.click("m", ITEMS[0], event_id="e1")["stored"], 1)
            again = server.click("m", ITEMS[0], event_id="e1")
            self.assertEqual((again["stored"], again["duplicates"], again["interactions"]), (0, 1, 1))

    def test_what_cannot_be_is_refused_with_the_place(self):
        with Server(self.model, self.store) as server:
            rank, feedback = "/rank", "/feedback"
            for path, body, words in (
                    (rank, "{", ""), (rank, "[]", ""), (rank, {"candidates": [1]}, "member"),
                    (rank, {"member": 1}, "candidates"), (rank, {"member": 1, "candidates": []}, "candidates"),
                    (rank, {"member": [1], "candidates": [1]}, "member"),
                    (rank, {"membr": 1, "candidates": [1]}, "did you mean member?"),
                    (rank, {"member": 1, "candidates": [{"price": "dear"}]}, "candidates[0].price"),
                    (rank, {"member": 1, "candidates": [1], "label": "clickd"}, "did you mean"),
                    (rank, {"member": 1, "candidates": [1], "limit": 0}, "limit"),
                    (rank, {"member": 1, "candidates": [1] * 5001}, "5000"),
                    (feedback, {"member": 1}, "interactions"),
                    (feedback, {"member": 1, "interaction": {"item_id": 1}}, "clicked"),
                    (feedback, {"member": 1, "interaction": {"item_id": 1, "clicked": 7}}, "interactions[0].clicked"),
                    (feedback, {"member": 1, "interaction": {"item_id": 1, "labels": {"clicked": 2}}}, "labels"),
                    (feedback, {"member": 1, "interaction": {"item_id": 1, "labels": {"clik": 1}}}, "clik"),
                    ("/v2/models/clicks/infer", {"inputs": []}, "member_id"),
                    ("/v2/models/clicks/infer", {"outputs": [{"name": "clickd"}], "inputs": [
                        {"name": "member_id", "shape": [1], "data": [1]}]}, "did you mean clicked?"),
                    ("/v2/models/clicks/infer", {"inputs": [
                        {"name": "member_id", "shape": [1], "data": [1]},
                        {"name": "item_i", "shape": [1], "data": [1]}]}, "did you mean item_id?"),
                    ("/v2/models/other/infer", {"inputs": []}, "other")):
                with self.subTest(body=str(body)[:80]):
                    status, answer = server.ask("POST", path, body)
                    self.assertIn(status, (400, 404), answer)
                    self.assertIn(words, answer["error"])
                    self.assertNotIn("\n", answer["error"])
            self.assertEqual(server.ask("GET", "/rank")[0], 405)
            self.assertEqual(server.ask("GET", "/nothing")[0], 404)
            self.assertEqual(server.ask("POST", rank, "{}", {"Content-Type": "text/plain"})[0], 415)
            self.assertEqual(server.rank(1, ITEMS[:1])["interactions"], 0, "something refused was stored")

    def test_metadata_health_metrics_token(self):
        with Server(self.model, "memory:") as server:
            _, data = server.ask("GET", "/v2/models/clicks")
            self.assertEqual([output["name"] for output in data["outputs"]], ["clicked"])
            for path in ("/health/live", "/health/ready", "/v2/health/ready", "/v2/models/clicks/ready"):
                self.assertEqual(server.ask("GET", path)[0], 200, path)
            server.rank("m", ITEMS)
            self.assertGreaterEqual(server.metric("limber_http_requests_total"), 1)
        token = self.work / "token"
        token.write_text("secret\n")
        with Server(self.model, "memory:", "--token-file", token) as server:
            body = {"member": 1, "candidates": ITEMS[:2]}
            self.assertEqual(server.ask("POST", "/rank", body)[0], 401)
            self.assertEqual(server.ask("POST", "/rank", body, {"Authorization": "Bearer secret"})[0], 200)

    def test_the_program_is_small_and_knows_no_libtorch(self):
        program = pathlib.Path(LIMBER).with_name("limber-serve")
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        self.assertIn("librocksdb", linked)
        for library in ("torch", "c10", "mkl", "python"):
            self.assertNotIn(f"lib{library}", linked)
        with Server(self.model, "memory:") as server:
            print(f"limber-serve: {program.stat().st_size / 2**20:.1f} MiB, ready after {server.ready_seconds} s",
                  file=sys.stderr)

    def test_one_server_a_folder(self):
        with Server(self.model, self.store):
            done = run("serve", self.model, "--store", self.store, "--port", 0)
            self.assertEqual(done.returncode, 2)
            self.assertIn("another process uses this store", done.stderr)

    def test_integers_rank_alike(self):
        with Server(self.model, "memory:") as floats, Server(self.model, "memory:", "--int8") as integers:
            exact = {row["index"]: row["score"] for row in floats.rank("m", ITEMS)["ranking"]}
            for row in integers.rank("m", ITEMS)["ranking"]:
                self.assertAlmostEqual(row["score"], exact[row["index"]], places=1)


class Versions(Case):
    def setUp(self):
        super().setUp()
        shutil.copytree(limber_server.MODELS, self.work / "models")
        self.model = self.work / "models" / "clicks"

    def publish(self, seed, *settings):
        done = run("train", limber_server.FOLDER / "config.yaml", "--models", self.work / "models", "--resamples", 0,
                   "--quiet", "--restart",
                   *(word for setting in (f"train.seed={seed}", *settings) for word in ("--set", setting)))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_model_that_knows_how_uncertain_it_is_explores(self):
        refused = run("serve", self.model, "--store", "memory:", "--port", 0, "--explore", 1)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--explore 1: version 000001 of clicks does not know how uncertain", refused.stderr)
        self.publish(1, "explore.enabled=true", "explore.scale=1")
        with Server(self.model, "memory:") as server:
            trained = server.rank("m", ITEMS, explore=False)
            self.assertNotIn("explored", trained)
            self.assertEqual(trained["ranking"], server.rank("m", ITEMS, explore=False)["ranking"])
            draws = [server.rank("m", ITEMS) for _ in range(20)]
            self.assertTrue(all(draw["explored"] for draw in draws))
            self.assertGreater(len({tuple(row["index"] for row in draw["ranking"]) for draw in draws}), 10)
            # Around what was trained, and the same for /v2 each time.
            exact = {row["index"]: row["score"] for row in trained["ranking"]}
            mean = {index: 0 for index in exact}
            for draw in draws:
                for row in draw["ranking"]:
                    mean[row["index"]] += row["score"] / len(draws)
            self.assertLess(max(abs(mean[index] - exact[index]) for index in exact), 0.25)
            status, answer = server.ask("POST", "/rank", {"member": "m", "candidates": ITEMS, "explore": 1})
            self.assertEqual(status, 400)
            self.assertIn("explore", answer["error"])
        with Server(self.model, "memory:", "--explore", 0) as server:
            self.assertEqual(server.rank("m", ITEMS)["ranking"], trained["ranking"])

    def test_versions_change_under_load_and_a_damaged_one_does_not(self):
        with Server(self.model, self.store, "--watch-seconds", 0.1) as server:
            for member in range(30):
                server.click(f"m{member}", ITEMS[member % len(ITEMS)])
            failures, versions, stop = [], set(), threading.Event()

            def work(number):
                chance = random.Random(number)
                while not stop.is_set():
                    try:
                        if chance.random() < 0.2:
                            versions.add(server.click(f"m{chance.randrange(30)}", chance.choice(ITEMS))["version"])
                        else:
                            versions.add(server.rank(f"m{chance.randrange(30)}", ITEMS)["version"])
                    except Exception as error:
                        failures.append(repr(error))

            threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            try:
                self.publish(seed=2)
                deadline = time.monotonic() + 20
                while "000002" not in versions and time.monotonic() < deadline:
                    time.sleep(0.05)
                # Members that nobody asks for are adapted, too.
                while server.metric("limber_members_refreshed") < 1 and time.monotonic() < deadline:
                    time.sleep(0.05)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            self.assertEqual(failures, [])
            self.assertEqual(versions, {"000001", "000002"})
            self.assertGreaterEqual(server.metric("limber_members_refreshed"), 1)

            damaged = self.model / "000003"
            shutil.copytree(self.model / "000002", self.work / "copy")
            weights = bytearray((self.work / "copy" / "dense.safetensors").read_bytes())
            weights[-5] ^= 0x40
            (self.work / "copy" / "dense.safetensors").write_bytes(weights)
            (self.work / "copy").rename(damaged)
            deadline = time.monotonic() + 20
            while server.metric("limber_model_reload_failures") < 1 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertGreaterEqual(server.metric("limber_model_reload_failures"), 1)
            self.assertEqual(server.rank("m1", ITEMS)["version"], "000002")
            self.assertIn("000003", server.log())
            self.assertIn("keeps serving", server.log())

            # A folder copied under a new number still says which version it is.
            damaged.rename(self.work / "gone")
            shutil.copytree(self.model / "000002", self.work / "again")
            (self.work / "again").rename(damaged)
            deadline = time.monotonic() + 20
            while "publish it anew" not in server.log() and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertIn("publish it anew", server.log())
            self.assertEqual(server.metric("limber_model_reload_failures"), 2)


class Console(Case):
    def test_a_click_in_the_browser_moves_the_list(self):
        """Chromium opens the page, which clicks on the item ranked last, again and again."""
        chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome")
                         if (path := shutil.which(name))), None)
        self.assertIsNotNone(chromium, "chromium is not installed: run scripts/setup")
        with Server(self.model, self.store) as server:
            first = [row["index"] for row in server.rank("visitor", ITEMS, limit=50)["ranking"]]
            # A frame of the same origin is driven from outside, as a hand would. Chromium's helpers may
            # still write into the profile when the browser has ended.
            with tempfile.TemporaryDirectory(prefix="limber-chromium-",
                                             ignore_cleanup_errors=True) as profile:
                port = free_port()
                browser = subprocess.Popen(
                    [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                     "--disable-background-networking", f"--remote-debugging-port={port}",
                     f"--user-data-dir={profile}", f"http://127.0.0.1:{server.port}/"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    page = Page(port)
                    page.wait("document.querySelectorAll('#list li').length > 0")
                    page.run("const box = document.getElementById('member'); box.value = 'visitor';"
                             "box.dispatchEvent(new Event('change'));")
                    keys = "[...document.querySelectorAll('#list li')].map((line) => line.dataset.key).join()"
                    expected = ",".join(str(ITEMS[index]) for index in first)
                    page.wait(f"({keys}) === {json.dumps(expected)}")
                    for _ in range(4):
                        shown = page.run("document.getElementById('status').textContent")
                        page.run("document.querySelector('#list li:last-child button').click()")
                        page.wait(f"document.getElementById('status').textContent !== {json.dumps(shown)}"
                                  " && document.getElementById('status').textContent.startsWith('Stored')")
                    after = page.run(keys)
                    self.assertNotEqual(after, expected, "the list did not move")
                    self.assertEqual(sorted(after.split(",")), sorted(expected.split(",")))
                    self.assertRegex(page.run("document.getElementById('status').textContent"),
                                     r"adapted in [\d.]+ ms; ranked \d+ items on 4 interactions in [\d.]+ ms")
                    page.close()
                finally:
                    browser.kill()
                    browser.wait()
            self.assertEqual(server.rank("visitor", ITEMS)["interactions"], 4)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
