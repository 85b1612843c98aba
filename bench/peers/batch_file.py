"""Reads what the programs bench_meta and bench_train write: weights, batches, our gradients."""

import json
import struct
from dataclasses import dataclass, field

import torch

TYPES = {"F32": torch.float32, "I64": torch.int64}


@dataclass
class Feature:
    name: str
    source: str  # "" = the interactions, else the side table
    table: str | None  # embedding table; None for a number
    list: bool


@dataclass
class Batch:
    """Side tables' rows appear once; positions[source] says which one each batch row uses.

    rows[table] are the table rows in use, and a feature's indices count in those.
    """

    labels: torch.Tensor
    support_offsets: torch.Tensor
    query_offsets: torch.Tensor
    rows: dict = field(default_factory=dict)
    positions: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)  # feature -> numbers [n, 1] or indices
    offsets: dict = field(default_factory=dict)  # feature -> offsets of a list


@dataclass
class BatchFile:
    features: list
    sources: list
    dense: dict
    tables: dict
    batches: list
    results: dict  # everything else: losses and gradients


def read_tensors(path):
    with open(path, "rb") as file:
        bytes_ = bytearray(file.read())
    (length,) = struct.unpack_from("<Q", bytes_)
    head = json.loads(bytes(bytes_[8 : 8 + length]))
    metadata = head.pop("__metadata__")
    tensors = {}
    for name, entry in head.items():
        begin, end = entry["data_offsets"]
        kind = TYPES[entry["dtype"]]
        count = (end - begin) // kind.itemsize
        flat = (
            torch.frombuffer(bytes_, dtype=kind, count=count, offset=8 + length + begin)
            if count
            else torch.empty(0, dtype=kind)
        )
        tensors[name] = flat.reshape(entry["shape"]).clone()
    return tensors, metadata


def read_batch_file(path):
    tensors, metadata = read_tensors(path)
    features = [Feature(**entry) for entry in json.loads(metadata["features"])]
    sources = json.loads(metadata["sources"])
    batches = []
    for i in range(int(metadata["batches"])):
        take = lambda name: tensors.pop(f"batch{i}.{name}")
        batch = Batch(take("labels"), take("support_offsets"), take("query_offsets"))
        for feature in features:
            if feature.table is None:
                batch.values[feature.name] = take(feature.name + ".numbers").unsqueeze(1)
                continue
            batch.values[feature.name] = take(feature.name + ".indices")
            if feature.list:
                batch.offsets[feature.name] = take(feature.name + ".offsets")
            batch.rows[feature.table] = take(feature.table + ".rows")
        for source in sources[1:]:
            batch.positions[source] = take(source + ".positions")
        batches.append(batch)
    dense = {name[6:]: t for name, t in tensors.items() if name.startswith("dense.")}
    tables = {name[6:]: t for name, t in tensors.items() if name.startswith("table.")}
    results = {n: t for n, t in tensors.items() if not n.startswith(("dense.", "table."))}
    return BatchFile(features, sources, dense, tables, batches, results)
