"""Runs the real programs for the tests of the command line."""

import os
import pathlib
import subprocess
import sys

if len(sys.argv) < 2:
    sys.exit("usage: TEST.py FOLDER_OF_PROGRAMS")
LIMBER = str(pathlib.Path(sys.argv[1]).resolve() / "limber")

CONFIG = """
name: clicks
data:
  interactions: {interactions}
  tables:
    items: {{path: {folder}/items.{ending}, key: item_id}}
    members: {{path: {folder}/members.{ending}, key: member_id}}
  task: member_id
  time: timestamp
  labels: {{clicked: clicked}}
features:
  - {{name: item_id, kind: id, dim: 4}}
  - {{name: price, kind: number}}
  - {{name: category, kind: id, dim: 4}}
  - {{name: tags, kind: ids, dim: 4}}
  - {{name: age, kind: number, transform: bucketize, dim: 4}}
model:
  meta_block: {{hidden: [8], dim: 4}}
  statistics: {{enabled: true}}
  global_block: {{hidden: [16]}}
meta: {{tasks_per_batch: 8}}
train: {{epochs: 2, learning_rate: 1e-2, threads: 1, device: cpu}}
"""


def run(*arguments, **options):
    """The finished process, its output as text. One that hangs ends the test."""
    return subprocess.run([LIMBER, *map(str, arguments)], text=True, capture_output=True, timeout=120,
                          stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C.UTF-8"}, **options)


def write_config(path, folder, ending="parquet", interactions=None):
    interactions = interactions or pathlib.Path(folder) / f"interactions.{ending}"
    path = pathlib.Path(path)
    path.write_text(CONFIG.format(folder=folder, ending=ending, interactions=interactions))
    return path


def weights(version):
    """Bytes of every file of a published version but the manifest, which tells the hour."""
    version = pathlib.Path(version)
    return {path.relative_to(version).as_posix(): path.read_bytes()
            for path in sorted(version.rglob("*")) if path.is_file() and path.name != "manifest.json"}
