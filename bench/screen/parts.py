"""Finished parts of the benchmark, kept so that an interrupted run goes on."""

import hashlib
import json
import time

from .microarrays import BUILD


def part(key, compute, progress):
    """The stored result of `key`, else that of compute(), stored. `key` spells out all it depends on."""
    path = BUILD / "parts" / (hashlib.sha256(key.encode()).hexdigest()[:24] + ".json")
    if path.is_file():
        try:
            stored = json.loads(path.read_text())
            if stored["key"] == key:
                return stored["value"]
        except (ValueError, KeyError):
            pass  # cut off while it was written by an older version: computed anew
    start = time.monotonic()
    value = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"key": key, "value": value}))
    temporary.replace(path)
    progress(f"{key[:90]}: {time.monotonic() - start:.1f} s")
    return value
