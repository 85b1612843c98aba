"""A page of a headless Chromium, driven through its debugging port."""

import http.client
import json
import socket
import time


class Page:
    """The first page of a Chromium, through its debugging port: WebSocket by hand, text frames alone."""

    def __init__(self, port):
        deadline = time.monotonic() + 30
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/json")
                pages = [page for page in json.loads(connection.getresponse().read()) if page["type"] == "page"]
                connection.close()
                if pages:
                    break
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise AssertionError("chromium did not open its debugging port")
            time.sleep(0.1)
        path = pages[0]["webSocketDebuggerUrl"].split(str(port), 1)[1]
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: bGltYmVyLXRlc3Qta2V5MA==\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        while self.file.readline() not in (b"\r\n", b""):
            pass
        self.number = 0

    def close(self):
        self.file.close()
        self.socket.close()

    def run(self, expression):
        self.number += 1
        data = json.dumps({"id": self.number, "method": "Runtime.evaluate",
                           "params": {"expression": expression, "returnByValue": True}}).encode()
        length = (bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + len(data).to_bytes(2, "big"))
        self.socket.sendall(b"\x81" + length + bytes(4) + data)
        while True:
            head = self.file.read(2)
            size = head[1] & 0x7F
            if size >= 126:
                size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
            message = json.loads(self.file.read(size))
            if message.get("id") == self.number:
                result = message["result"]
                if "exceptionDetails" in result:
                    raise AssertionError(result["exceptionDetails"])
                return result["result"].get("value")

    def wait(self, condition):
        deadline = time.monotonic() + 30
        while not self.run(condition):
            if time.monotonic() > deadline:
                raise AssertionError(f"never came true: {condition}; the page says: "
                                     + str(self.run("document.body.textContent")).strip()[:500])
            time.sleep(0.05)
