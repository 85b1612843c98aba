"""limber serve that learns from a Redis stream: what it does with events, and what is left of them when servers,
Redis or the network between them fail.

usage: stream_test.py FOLDER_OF_PROGRAMS [unittest arguments]
"""

import contextlib
import json
import re
import signal
import sys
import time
import unittest

from event_flow import EventFlow
from hosts_for_test import make_hosts
from limber_cli import run
from limber_server import ITEMS, Case, Server, setUpModule, tearDownModule  # noqa: F401
from redis_for_test import Redis


class StreamCase(Case):
    def setUp(self):
        super().setUp()
        self.redis = Redis(self.work)
        self.addCleanup(self.redis.stop)

    def serve(self, name="one", host=None):
        """A server whose store and stream are both on the test's Redis."""
        address, port = host.redis if host else ("127.0.0.1", self.redis.port)
        return Server(self.model, f"redis://{address}:{port}", "--most-interactions", 100000, "--stream",
                      f"redis://{address}:{port}/0?stream=clicks&group=rankers", "--stream-consumer", name,
                      **({"address": host.address, "command": host.command} if host else {}))

    def wait(self, holds, seconds=10, what="it did not happen"):
        deadline = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def stored(self, member):
        return self.redis.ask("LLEN", f"limber:i:{member}")


class Events(StreamCase):
    def test_an_event_changes_the_next_ranking(self):
        with self.serve() as server:
            before = server.rank("newcomer", ITEMS)
            self.assertEqual(before["interactions"], 0)
            for item in ITEMS[:5]:
                self.redis.put("newcomer", item)
            self.wait(lambda: server.rank("newcomer", ITEMS)["interactions"] == 5)
            after = server.rank("newcomer", ITEMS)
            self.assertNotEqual(before["ranking"], after["ranking"])
            self.assertEqual(server.metric('limber_stream_events_total{outcome="stored"}'), 5)
            self.wait(lambda: server.metric("limber_stream_lag") == 0)
            # What feedback over HTTP gives is the same, down to the scores.
            for item in ITEMS[:5]:
                server.click("other", item)
            other = server.rank("other", ITEMS)
            for ours, theirs in zip(after["ranking"], other["ranking"]):
                self.assertEqual(ours["index"], theirs["index"])
                self.assertAlmostEqual(ours["score"], theirs["score"], places=6)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(30), 0, server.log())
        # Its consumer owed nothing and left the group.
        self.assertEqual(self.redis.ask("XINFO", "CONSUMERS", "clicks", "rankers"), [])

    def test_into_a_store_of_its_own(self):
        """Members in memory are fresh, too."""
        with Server(self.model, self.store, "--stream",
                    f"redis://127.0.0.1:{self.redis.port}?stream=clicks&group=rankers") as server:
            server.rank("m", ITEMS)
            self.redis.put("m", ITEMS[0])
            self.wait(lambda: server.rank("m", ITEMS)["interactions"] == 1)

    def test_a_poisoned_event_is_a_dead_letter(self):
        poison = ["{no JSON", '{"member": "m"}', '{"member": "m", "interaction": {"item_id": 1, "clicked": 7}}',
                  '{"member": "m", "interaction": {"item_id": {"no": "item"}, "clicked": 1}}', "x" * (1 << 20 | 1)]
        with self.serve() as server:
            positions = []
            for number, text in enumerate(poison):
                self.redis.put("m", ITEMS[number])
                positions.append(self.redis.ask("XADD", "clicks", "*", "event", text))
                self.redis.put("m", ITEMS[number])
            self.wait(lambda: self.stored("m") == 2 * len(poison))
            self.wait(lambda: self.redis.ask("XLEN", "clicks:dead") == len(poison))
            letters = [dict(zip(fields[::2], fields[1::2]))
                       for _, fields in self.redis.ask("XRANGE", "clicks:dead", "-", "+")]
            self.assertEqual([letter["id"] for letter in letters], positions)
            self.assertEqual([letter["payload"] for letter in letters], [text[:1 << 18] for text in poison])
            self.assertEqual([int(letter["bytes"]) for letter in letters], [len(text) for text in poison])
            self.assertIn("not JSON", letters[0]["reason"])
            for position in positions:
                self.assertIn(f"event {position} is a dead letter", server.log())
            self.assertEqual(server.metric('limber_stream_events_total{outcome="dead"}'), len(poison))
            self.wait(lambda: server.metric("limber_stream_lag") == 0)

    def test_redis_that_lost_its_data_with_a_bad_event_in_hand(self):
        with self.serve() as server:
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            self.redis.put("m", ITEMS[0])
            poison = self.redis.ask("XADD", "clicks", "*", "event", "{no JSON")
            # The event is on its way to the server; by the time that it puts it aside there is no group.
            time.sleep(0.2)
            self.redis.ask("FLUSHALL")
            server.process.send_signal(signal.SIGCONT)
            time.sleep(0.5)
            self.redis.put("m", ITEMS[1])
            self.wait(lambda: self.stored("m") >= 1)
            letters = self.redis.ask("XRANGE", "clicks:dead", "-", "+")
            self.assertLessEqual(len(letters), 1)
            for _, fields in letters:
                self.assertIn(poison, fields)

    def test_no_password_is_told(self):
        self.redis.ask("CONFIG", "SET", "requirepass", "s3cret")
        address = f"redis://:s3cret@127.0.0.1:{self.redis.port}"
        with Server(self.model, None, environment={
                "LIMBER_STORE": address, "LIMBER_STREAM": f"{address}?stream=clicks&group=rankers"}) as server:
            self.assertEqual(server.rank("m", ITEMS)["interactions"], 0)
            self.assertNotIn("s3cret", server.line + server.log())
            self.assertIn(f"store redis://127.0.0.1:{self.redis.port}", server.line)
            self.assertIn("stream clicks", server.log())

    def test_redis_stopped_and_started(self):
        with self.serve() as server:
            for turn in range(2):
                for number in range(50):
                    self.redis.put("m", ITEMS[number % len(ITEMS)])
                self.redis.stop()
                # Rankings go on, for nobody in particular.
                self.assertEqual(len(server.rank("m", ITEMS)["ranking"]), len(ITEMS))
                self.wait(lambda: server.metric("limber_stream_usable") == 0)
                self.redis.start()
                self.redis.put("m", ITEMS[0])
                self.wait(lambda: self.stored("m") == 51 * (turn + 1), what="events were lost")
                self.wait(lambda: server.metric("limber_stream_lag") == 0)
            self.assertEqual(self.stored("m"), 102)
            self.assertGreater(server.metric("limber_stream_failures_total"), 0)
            self.assertEqual(server.rank("m", ITEMS)["interactions"] > 0, True)


class ThreeServers(StreamCase):
    """On hosts of their own, each with its own way to the Redis that holds the stream and the members."""

    MEMBERS = [f"m{number}" for number in range(12)]

    def setUp(self):
        super().setUp()
        self.hosts = make_hosts(3, self.redis)
        for host in self.hosts:
            self.addCleanup(host.close)
        self.servers = [None] * 3
        for number in range(3):
            self.open(number)
        self.events = EventFlow(self.put_event)
        self.put = self.events.put

    def open(self, number):
        server = self.serve(f"server-{number}", self.hosts[number])
        self.addCleanup(server.__exit__)
        self.servers[number] = server

    def put_event(self, number):
        member = self.MEMBERS[number % len(self.MEMBERS)]
        with contextlib.suppress(OSError):  # Redis is gone; whether it has the event, it will tell
            return self.redis.put(member, ITEMS[number % len(ITEMS)], number % 2), member
        return None

    def stored_positions(self):
        """Of all members' interactions in the store, the positions that their events had."""
        return [position for member in self.MEMBERS
                for record in self.redis.ask("LRANGE", f"limber:i:{member}", 0, -1)
                for position in re.findall(r"clicks/(\d+-\d+)", record)]

    def assert_each_event_once(self, seconds=10):
        streamed = {position: json.loads(fields[1])["member"]
                    for position, fields in self.redis.ask("XRANGE", "clicks", "-", "+")}
        self.assertLessEqual(set(self.put), set(streamed), "Redis lost events")
        self.put = streamed
        self.wait(lambda: set(self.stored_positions()) >= set(self.put), seconds, "events are not stored")
        stored = self.stored_positions()
        self.assertEqual(len(stored), len(set(stored)), "an event was applied twice")
        self.assertEqual(set(stored), set(self.put))

    def assert_fresh(self, servers):
        """Any server ranks any member, and knows all that was put."""
        for member in self.MEMBERS:
            count = list(self.put.values()).count(member)
            answers = [server.ask("GET", f"/members/{member}")[1] for server in servers]
            for answer in answers:
                self.assertEqual(answer["sequence"], count)
            rankings = [server.rank(member, ITEMS) for server in servers]
            for ranking in rankings:
                self.assertNotIn("unknown", ranking)
                self.assertEqual(ranking["ranking"], rankings[0]["ranking"])

    def freeze_with_events(self, number):
        """Stops a server that has been handed events which it has not stored."""
        deadline = time.monotonic() + 20
        while True:
            self.servers[number].process.send_signal(signal.SIGSTOP)
            # One that was waiting for events gets the next, into its socket.
            time.sleep(0.2)
            handed = {entry[0] for entry in self.redis.ask("XPENDING", "clicks", "rankers", "-", "+", 1000,
                                                           f"server-{number}")}
            if handed - set(self.stored_positions()):
                return
            self.servers[number].process.send_signal(signal.SIGCONT)
            self.assertLess(time.monotonic(), deadline, "it got no events")
            time.sleep(0.05)

    def test_a_killed_servers_events_are_taken_over(self):
        with self.events():
            for number in range(3):
                server = self.servers[number]
                self.freeze_with_events(number)
                server.process.kill()
                server.process.wait()
                died, before = time.monotonic(), set(self.put)
                self.wait(lambda: set(self.stored_positions()) >= before, 5, "not fresh 5 s after a server died")
                print(f"{type(self.hosts[number]).__name__}: a server died: all its events were in the store after "
                      f"{time.monotonic() - died:.1f} s", file=sys.stderr)
                self.open(number)
        self.assert_each_event_once()
        self.assert_fresh(self.servers)

    def test_all_killed_at_once(self):
        with self.events():
            for server in self.servers:
                server.process.kill()
            for server in self.servers:
                server.process.wait()
            time.sleep(0.2)
            for number in range(3):
                self.open(number)
        self.assert_each_event_once()
        self.assert_fresh(self.servers)

    def test_a_server_that_is_cut_off(self):
        with self.events():
            self.hosts[1].cut()
            cut, before = time.monotonic(), set(self.put)
            lonely, others = self.servers[1], [self.servers[0], self.servers[2]]
            self.wait(lambda: lonely.ask("GET", "/health/ready")[0] == 503)
            # It ranks, for nobody in particular; the others notice nothing.
            self.assertTrue(lonely.rank("m1", ITEMS)["unknown"])
            self.wait(lambda: lonely.metric("limber_stream_usable") == 0)
            for server in others:
                self.assertEqual(server.ask("GET", "/health/ready")[0], 200)
                self.assertNotIn("unknown", server.rank("m1", ITEMS))
                self.assertEqual(server.metric("limber_stream_usable"), 1)
                self.assertEqual(server.metric("limber_stream_failures_total"), 0)
            self.wait(lambda: set(self.stored_positions()) >= before, 5 - (time.monotonic() - cut),
                      "its events were not taken over within 5 s")
        self.assert_each_event_once()
        self.assert_fresh(others)
        self.hosts[1].mend()
        self.wait(lambda: lonely.ask("GET", "/health/ready")[0] == 200)
        self.wait(lambda: lonely.metric("limber_stream_usable") == 1)
        self.assert_each_event_once()
        self.assert_fresh(self.servers)

    def test_redis_killed_while_events_flow(self):
        with self.events():
            for _ in range(3):
                self.redis.stop()
                time.sleep(0.5)
                self.redis.start()
                time.sleep(0.5)
        self.assert_each_event_once()
        self.wait(lambda: all(server.metric("limber_stream_lag") == 0 for server in self.servers))
        self.assert_fresh(self.servers)

    def test_a_server_that_is_asked_to_stop(self):
        """It stores and acknowledges the batch in hand: nothing is left for the others to take over."""
        with self.events():
            server = self.servers[0]
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(10), 0, server.log())
            self.assertEqual([consumer[1] for consumer in self.redis.ask("XINFO", "CONSUMERS", "clicks", "rankers")],
                             ["server-1", "server-2"])
        self.assert_each_event_once()
        self.assert_fresh(self.servers[1:])


class Mistakes(Case):
    def test_addresses(self):
        for address, remedy in (("redis://localhost?stream=s", "group is missing; add &group=NAME"),
                                ("kafka://localhost?group=g", "the TOPIC is missing"),
                                ("http://localhost", "expected redis://"),
                                ("redis://:secret@localhost:x?stream=s&group=g", "the PORT is")):
            done = run("serve", self.model, "--store", "memory:", "--stream", address)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(remedy, done.stderr)
            self.assertNotIn("secret", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        done = run("serve", self.model, "--stream-consumer", "me")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("--stream", done.stderr)
        for word in ("--stream-consumer", "kafka://", "?stream=NAME&group=NAME"):
            self.assertIn(word, run("serve", "--help").stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
