"""Hosts for servers of a test, each with its own way to Redis that can be cut: network namespaces where this user may
make them, else addresses of the loopback with a proxy before Redis."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import threading

from limber_server import free_port


def make_hosts(count, redis):
    """As many hosts; `close()` ends them."""
    hosts = []
    try:
        for number in range(count):
            hosts.append(Namespace(number, redis))
        redis.listen_on([host.redis[0] for host in hosts])
        return hosts
    except (OSError, subprocess.CalledProcessError):
        for host in hosts:
            host.close()
        return [Loopback(number, redis) for number in range(count)]
    except BaseException:
        for host in hosts:
            host.close()
        raise


class Namespace:
    """A network of its own, joined to ours by two cables: one to whoever asks it, one to Redis. A cable that is cut
    swallows what is sent, and says nothing: as far as either side can tell the other has become slow."""

    names = itertools.count()

    def __init__(self, number, redis):
        ip = shutil.which("ip")
        if not ip or os.geteuid() != 0:
            raise OSError("network namespaces cannot be made")
        self.name = f"limber-{os.getpid()}-{next(self.names)}"
        # Networks that nobody has, of this process alone: another may test at the same time.
        front, rear = (f"198.{18 + way}.{os.getpid() % 64 * 4 + number}" for way in range(2))
        self.address, self.redis = f"{front}.2", (f"{rear}.1", redis.port)
        # Of at most 15 letters.
        self.cables = [f"lb{os.getpid() % 1000000}{kind}{number}" for kind in "fr"]
        self.run("netns", "add", self.name)
        try:
            self.inside("link", "set", "lo", "up")
            for cable, net in zip(self.cables, (front, rear)):
                self.run("link", "add", cable, "type", "veth", "peer", "name", f"{cable}i")
                self.run("link", "set", f"{cable}i", "netns", self.name)
                self.run("address", "add", f"{net}.1/30", "dev", cable)
                self.inside("address", "add", f"{net}.2/30", "dev", f"{cable}i")
                self.run("link", "set", cable, "up")
                self.inside("link", "set", f"{cable}i", "up")
            self.command = (ip, "netns", "exec", self.name)
            subprocess.run([*self.command, "true"], check=True, capture_output=True)
        except subprocess.CalledProcessError:
            self.close()
            raise

    @staticmethod
    def run(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

    def inside(self, *words):
        self.run("-n", self.name, *words)

    def cut(self):
        self.run("link", "set", self.cables[1], "down")

    def mend(self):
        self.run("link", "set", self.cables[1], "up")

    def close(self):
        for words in (*(("link", "delete", cable) for cable in self.cables), ("netns", "delete", self.name)):
            with contextlib.suppress(subprocess.CalledProcessError):
                self.run(*words)


class Loopback:
    """127.0.0.2 and on, where Linux answers without being told, and a proxy."""

    command = ()

    def __init__(self, number, redis):
        self.address = f"127.0.0.{number + 2}"
        self.proxy = Proxy(redis.port)
        self.redis = ("127.0.0.1", self.proxy.port)

    def cut(self):
        self.proxy.cut()

    def mend(self):
        self.proxy.open()

    def close(self):
        self.proxy.cut()


class Proxy:
    """A TCP proxy that can be cut: open connections end, new ones are refused."""

    def __init__(self, port):
        self.target, self.connections, self.lock = port, [], threading.Lock()
        self.listener = None
        self.port = free_port()
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # it is cut
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                near.close()  # Redis is gone
                continue
            far.settimeout(None)
            with self.lock:
                self.connections.append((near, far))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(one, other), daemon=True).start()

    @staticmethod
    def copy(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        Proxy.end(one, other)

    @staticmethod
    def end(*connections):
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.end(self.listener)
        self.listener.close()
        with self.lock:
            for pair in self.connections:
                self.end(*pair)
                for connection in pair:
                    connection.close()
            self.connections.clear()
