"""A redis-server and a small client, for stream_test.py and operations_test.py."""

import contextlib
import json
import shutil
import socket
import subprocess
import time

from limber_server import free_port


class Redis:
    """A redis-server of the test's own, its appends on the disk before they are acknowledged."""

    def __init__(self, folder):
        assert shutil.which("redis-server"), "redis-server is not installed: run scripts/setup"
        self.folder, self.port, self.addresses = folder, free_port(), ["127.0.0.1"]
        self.start()

    def start(self):
        # It takes its word from those addresses alone, so that it needs no password.
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", *self.addresses, "--protected-mode", "no", "--dir",
             str(self.folder), "--appendonly", "yes", "--appendfsync", "always", "--save", ""],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                if self.ask("PING") == "PONG":
                    return
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.05)

    def listen_on(self, addresses):
        """Those as well, after a restart."""
        self.stop()
        self.addresses += addresses
        self.start()

    def stop(self):
        self.process.kill()
        self.process.wait()

    def ask(self, *words):
        """The answer to one command; lists nested as Redis nests them. An error is an OSError."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection, connection.makefile("rwb") as both:
            encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            both.write(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
            both.flush()
            return self.answer(both)

    def answer(self, both):
        line = both.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("redis-server is gone")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise OSError(rest)
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else both.read(int(rest) + 2)[:-2].decode(errors="replace")
        return None if rest == "-1" else [self.answer(both) for _ in range(int(rest))]

    def put(self, member, item, clicked=1):
        """The position of the event, which is in the stream now."""
        return self.ask("XADD", "clicks", "*", "event", json.dumps(
            {"member": member, "interaction": {"item_id": item, "clicked": clicked}}))
