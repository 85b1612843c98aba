"""Events that flow while a test breaks something, for stream_test.py and kafka_stream_test.py."""

import contextlib
import threading
import time


class EventFlow:
    """Puts an event every few milliseconds: `put_event(number)` does, and returns its place and its member, or None
    where whoever has the stream is gone. `put` remembers both."""

    def __init__(self, put_event):
        self.put_event, self.put, self.flowing = put_event, {}, True

    def run(self):
        number = 0
        while self.flowing:
            if done := self.put_event(number):
                self.put[done[0]] = done[1]
            number += 1
            time.sleep(0.004)

    @contextlib.contextmanager
    def __call__(self):
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            time.sleep(0.5)
            yield
        finally:
            self.flowing = False
            thread.join()
