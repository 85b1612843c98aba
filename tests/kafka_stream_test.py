"""Three limber serve that share a Kafka topic and the members in one Redis: what is left of the events when a server,
the broker or an event is bad. The broker is librdkafka's own small cluster, in a process of its own.

usage: kafka_stream_test.py KAFKA_CLUSTER FOLDER_OF_PROGRAMS [unittest arguments]
"""

import json
import re
import signal
import subprocess
import sys
import threading
import time
import unittest

CLUSTER = sys.argv.pop(1)

from event_flow import EventFlow  # noqa: E402
from hosts_for_test import Proxy  # noqa: E402
from limber_server import ITEMS, Case, Server, setUpModule, tearDownModule  # noqa: E402, F401
from redis_for_test import Redis  # noqa: E402

MEMBERS = [f"m{number}" for number in range(24)]


class Kafka:
    """The cluster's process. Used by several threads."""

    def __init__(self):
        self.process = subprocess.Popen([CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock = threading.Lock()
        self.brokers = self.process.stdout.readline().strip()

    def ask(self, *words):
        with self.lock:
            print(*words, file=self.process.stdin, flush=True)
            return self.process.stdout.readline().strip()

    def put(self, member, text):
        """Where the event stands."""
        place = self.ask("put", member, text)
        assert re.fullmatch(r"clicks-\d+-\d+", place), place
        return place

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class KafkaStream(Case):
    def setUp(self):
        super().setUp()
        self.redis = Redis(self.work)
        self.addCleanup(self.redis.stop)
        self.kafka = Kafka()
        self.addCleanup(self.kafka.stop)
        self.settings = self.work / "kafka.conf"
        # As with brokers that were told group.min.session.timeout.ms=4000. Not less: this small cluster forgets who
        # waits longer for a group that begins, which takes it 3 s.
        self.settings.write_text("session.timeout.ms=4000\nheartbeat.interval.ms=300\n")
        self.servers, self.proxies = {}, {}
        for name in ("one", "two", "three"):
            self.open(name)
        self.events = EventFlow(self.put_event)
        self.put = self.events.put

    def open(self, name):
        proxy = self.proxies[name] = Proxy(self.redis.port)
        self.addCleanup(proxy.cut)
        server = Server(self.model, f"redis://127.0.0.1:{proxy.port}", "--most-interactions", 100000,
                        "--stream", f"kafka://{self.kafka.brokers}/clicks?group=rankers&settings={self.settings}",
                        "--stream-consumer", name)
        self.addCleanup(server.__exit__)
        self.servers[name] = server

    def wait(self, holds, seconds=30, what="it did not happen"):
        deadline = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def put_event(self, number):
        member, item = MEMBERS[number % len(MEMBERS)], ITEMS[number % len(ITEMS)]
        text = json.dumps({"member": member, "interaction": {"item_id": item, "clicked": number % 2}})
        return self.kafka.put(member, text), member

    def stored(self):
        """Of all members' interactions in the store, the places that their events had, in the order stored."""
        return [place for member in MEMBERS for record in self.redis.ask("LRANGE", f"limber:i:{member}", 0, -1)
                for place in re.findall(r"clicks-\d+-\d+", record)]

    def counts(self):
        return {name: server.metric('limber_stream_events_total{outcome="stored"}')
                for name, server in self.servers.items()}

    def until_all_take_part(self):
        self.wait(lambda: all(self.counts().values()), what="a server gets no events")

    def assert_each_event_once(self):
        self.wait(lambda: set(self.stored()) >= set(self.put), what="events are not stored")
        stored = self.stored()
        self.assertEqual(len(stored), len(set(stored)), "an event was applied twice")
        self.assertEqual(set(stored), set(self.put))
        for member in MEMBERS:
            count = list(self.put.values()).count(member)
            rankings = [server.rank(member, ITEMS) for server in self.servers.values()]
            for server, ranking in zip(self.servers.values(), rankings):
                self.assertEqual(server.ask("GET", f"/members/{member}")[1]["sequence"], count)
                self.assertEqual(ranking["ranking"], rankings[0]["ranking"])
        self.wait(lambda: sum(server.metric("limber_stream_lag") for server in self.servers.values()) == 0)

    def test_a_killed_servers_partitions_move(self):
        with self.events():
            self.until_all_take_part()
            self.servers["one"].process.kill()
            self.servers["one"].process.wait()
            died, before = time.monotonic(), set(self.put)
            del self.servers["one"]
            self.wait(lambda: set(self.stored()) >= before, 15, "its events went to nobody else")
            print(f"a server died: all its events were in the store after {time.monotonic() - died:.1f} s",
                  file=sys.stderr)
            # A new one gets a share.
            self.open("four")
            self.until_all_take_part()
        self.assert_each_event_once()

    def test_a_server_that_is_cut_off_from_its_store(self):
        with self.events():
            self.until_all_take_part()
            self.proxies["two"].cut()
            cut, before = time.monotonic(), set(self.put)
            lonely, others = self.servers["two"], [self.servers["one"], self.servers["three"]]
            self.wait(lambda: set(self.stored()) >= before, 15, "its events went to nobody else")
            print(f"a server was cut off: all its events were in the store after {time.monotonic() - cut:.1f} s",
                  file=sys.stderr)
            self.assertEqual(lonely.metric("limber_stream_usable"), 0)
            self.assertTrue(lonely.rank(MEMBERS[0], ITEMS)["unknown"])
            for server in others:
                self.assertEqual(server.metric("limber_stream_usable"), 1)
                self.assertEqual(server.metric("limber_stream_failures_total"), 0)
            # It takes part again.
            counted = self.counts()["two"]
            self.proxies["two"].open()
            self.wait(lambda: self.counts()["two"] > counted, what="it gets no events again")
        self.assert_each_event_once()

    def test_a_server_that_is_asked_to_stop(self):
        with self.events():
            self.until_all_take_part()
            leaving = self.servers.pop("two")
            leaving.process.send_signal(signal.SIGTERM)
            self.assertEqual(leaving.process.wait(20), 0, leaving.log())
            time.sleep(1)
        self.assert_each_event_once()

    def test_the_broker_and_the_store_are_gone_for_a_while(self):
        with self.events():
            self.until_all_take_part()
            self.redis.stop()
            self.wait(lambda: all(server.metric("limber_stream_usable") == 0 for server in self.servers.values()))
            self.redis.start()
            time.sleep(0.5)
        self.kafka.ask("down")
        self.wait(lambda: all(server.metric("limber_stream_usable") == 0 for server in self.servers.values()))
        for server in self.servers.values():
            self.assertEqual(server.ask("GET", "/health/ready")[0], 200)
        self.kafka.ask("up")
        self.assert_each_event_once()
        self.wait(lambda: all(server.metric("limber_stream_usable") == 1 for server in self.servers.values()))

    def test_a_poisoned_event_is_a_dead_letter(self):
        with self.events():
            self.until_all_take_part()
            poison = self.kafka.put("m1", '{"member": "m1", "interaction": {"item_id": 1, "clicked": 7}}')
            time.sleep(0.5)
        self.assert_each_event_once()
        letter = json.loads(self.kafka.ask("dead", 0))
        self.assertIn('"clicked": 7', letter[0])
        self.assertEqual(letter[1:4], ["id", poison, "event_id"])
        self.assertTrue(letter[4].startswith(f"{poison}@"), letter)
        self.assertEqual(letter[5], "reason")
        self.assertEqual(sum(server.metric('limber_stream_events_total{outcome="dead"}')
                             for server in self.servers.values()), 1)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
