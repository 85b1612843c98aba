#!/usr/bin/env python3
"""Writes the inputs that each fuzz target starts from, and its dictionary of words.

usage: make_seeds.py FOLDER

FOLDER/TARGET/ gets files made of the repository's own: the artifact of tests/data, the examples'
configs, the YAML of the documentation, and small request bodies. FOLDER/TARGET.dict gets the words
that a parser knows, which random bytes seldom hit.
"""

import hashlib
import json
import pathlib
import re
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ARTIFACT = ROOT / "tests/data/artifact_v1/sample/000001"
SEPARATOR = b"\n=====\n"

BODIES = [
    b'{"member": 17, "candidates": [{"item_id": 5}, {"item_id": "x"}], "limit": 3, "label": "like"}',
    b'{"member": "m", "candidates": [1, 2, "c"], "context": {"hour": 7.5, "genres": ["a", "b|c"]}}',
    b'{"member": 9007199254740993, "interactions": [{"event_id": "e1", "time_ms": 1700000000000, '
    b'"item_id": 1234567890123456789, "rating": 4.5, "labels": {"like": 1}}]}',
    b'{"member": 1, "interaction": {"event_id": 7, "tags": [1, null, true, "x"], "big": 1e300}}',
    b'{"interactions": [{"a": -0.0, "b": 1e-320, "c": 18446744073709551615, "d": 9e15}]}',
    b'{"a": [[[{"b": [1, -2.5e+10, "\\u00e9\\ud83d\\ude00\\n"]}]], {}, []], "c": null, "d": false}',
    b'[0, -1, 9223372036854775807, -9223372036854775808, 9223372036854775808, 1e999]',
    b'{"a": 1, "a": 2}', b'{"": {"": ""}}', b' [ ] ', b'"text"', b'', b'{"a": "\\ud800"}',
    b'[0.12345678901234567890, -0.0001000000000000000055511151231257827e-5, 1E-00000000000000000003]',
    b'[' * 32 + b']' * 32, b'[' * 33 + b']' * 33, b'\xef\xbb\xbf{}', b'{}\0', b'["\xff"]',
    b'{' + b', '.join(b'"k%d": %d' % (i, i) for i in range(20)) + b'}',
]

WORDS = {
    "json": ['{', '}', '[', ']', '\\"', ':', ',', 'true', 'false', 'null', '\\\\u', '\\\\ud83d',
             '\\\\ude00', '-0', '1e9', '1E-400', '9007199254740993', '18446744073709551616', '0.1'],
    "request": ["member", "candidates", "context", "label", "limit", "interaction", "interactions",
                "event_id", "time_ms", "labels"],
    "safetensors": ["dtype", "shape", "data_offsets", "__metadata__", "F64", "F32", "I64", "I32",
                    "F16", "I8", "U8", "9223372036854775807", "4294967296"],
    "yaml": ["--set ", ": ", "- ", "? ", "&a ", "*a", "!!str ", "!!int ", "|\\x0a", ">-\\x0a",
             "\\\\x00", "\\\\u2028", "~", "---\\x0a", "...\\x0a", "%YAML 1.2\\x0a", "<<: ", "\\x0a  ",
             "# ", "'", ".inf", "0x10", "+1", "1e3"],
}


def option_names():
    """The words of docs/options.md that may be keys or values of a config."""
    text = (ROOT / "docs/options.md").read_text()
    return sorted(set(re.findall(r"[a-z][a-z_0-9]{2,}", " ".join(re.findall(r"`([^`\n]+)`", text)))))


def without_checksum(manifest):
    root = json.loads(manifest)
    del root["manifest_checksum"]
    return json.dumps(root, indent=2).encode()


def yaml_blocks():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        yield from re.findall(r"```ya?ml\n(.*?)```", page.read_text(), re.DOTALL)


def configs():
    examples = [path.read_bytes() for path in sorted(ROOT.glob("examples/*/config.yaml"))]
    # The config that tests use has every kind of section.
    support = (ROOT / "limber/core/config/test_support.h").read_text()
    whole = re.search(r'R"\((.*?)\)"', support, re.DOTALL).group(1).encode()
    yield from examples
    yield from (block.encode() for block in yaml_blocks())
    yield whole
    yield b"--set train.seed=3\n--set features.item_id.dim=8\n--set model.global_block.hidden=[64, 32]\n" + whole
    yield b"--set data.labels={like: 'rating >= 4'}\n--set name=\"x y\"\n" + whole
    yield b"name: &n movies\ndata: {task: *n, interactions: [&f a.csv, *f]}\n"
    yield b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b, *b]\n"


def safetensors(tensors):
    """The bytes of a file of {name: (dtype, count, bytes)}, the widest elements first."""
    header, data = {}, b""
    for name, (dtype, count, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": [count], "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + data


def packed_artifact(empty):
    """A model of format 3: a weight of floats in tiles and lines, and one of four bits."""
    tensors = {"a.packed": ("I64", 5, struct.pack("<5q", 32, 2, 2, 4, 4)),
               "b.packed": ("I64", 5, struct.pack("<5q", 4, 0, 0, 3, 3)),
               "a.lines": ("I32", 1, struct.pack("<i", 0b10110111)),
               "a.tiles": ("I32", 1, struct.pack("<i", 0b1001)),
               "a.values": ("F32", 4, struct.pack("<4f", 1, 2, 3, 4)),
               "b.scale": ("F32", 1, struct.pack("<f", 0.5)),
               "b.codes": ("U8", 5, bytes([0x21, 0x8F, 0x77, 0x10, 0x03]))}
    manifest = {"format_version": 3, "name": "m", "version": "000001", "created": "", "config": {}, "encoders": {},
                "data_window": {"compressed": {"from": "m/000000"}}, "metrics": {},
                "tensors": [{"name": name, "file": "dense.safetensors", "dtype": dtype, "shape": [count]}
                            for name, (dtype, count, _) in tensors.items()], "files": []}
    return SEPARATOR.join([json.dumps(manifest).encode(), safetensors(tensors), empty, b""])


def seeds():
    manifest = (ARTIFACT / "manifest.json").read_bytes()
    tensors = [path.read_bytes() for path in sorted(ARTIFACT.rglob("*.safetensors"))]
    parts = [without_checksum(manifest), (ARTIFACT / "dense.safetensors").read_bytes(),
             (ARTIFACT / "tables/genre.safetensors").read_bytes(),
             (ARTIFACT / "vocabulary/genre.txt").read_bytes()]
    # A model without files and tensors is the shortest that is whole.
    bare = json.dumps({"format_version": 1, "name": "m", "version": "000001", "created": "", "config": {},
                       "encoders": {"features": [{"name": "a", "kind": "id", "of": "b"}]},
                       "data_window": {}, "metrics": {"test": {"auc": 0.5}}, "tensors": [], "files": []})
    empty = b"\x08\0\0\0\0\0\0\0{}      "
    return {
        "json_body": (BODIES, WORDS["json"]),
        "request_fields": (BODIES, WORDS["json"] + WORDS["request"]),
        "safetensors": ([*tensors, *(t[8:] for t in tensors), empty,
                         b'{"__metadata__": {"a": "b"}, "s": {"dtype": "U8", "shape": [], "data_offsets": [0, 1]}}x'],
                        WORDS["json"] + WORDS["safetensors"]),
        "manifest": ([manifest, without_checksum(manifest), bare.encode()],
                     WORDS["json"] + WORDS["safetensors"] + sorted(json.loads(manifest)) + option_names()),
        "artifact": ([SEPARATOR.join(parts), SEPARATOR.join([bare.encode(), empty, empty, b"a\nb\n"]),
                      packed_artifact(empty)],
                     WORDS["json"] + WORDS["safetensors"] + ["\\x0a=====\\x0a"]),
        "config": (list(configs()), WORDS["yaml"] + option_names()),
    }


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    for target, (inputs, words) in seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for seed in inputs:
            (folder / target / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        (folder / f"{target}.dict").write_text("".join(f'"{word}"\n' for word in dict.fromkeys(words)))


if __name__ == "__main__":
    main()
