"""Includes run one way: apps -> training, serving, companions -> core, and inside a wing down the
order in which CMakeLists.txt lists the rooms. LibTorch is included only by rooms marked TORCH.

usage: includes_test.py [REPOSITORY]
"""

import pathlib
import re
import sys
import tempfile

WINGS = {"core": {"core"}, "training": {"training", "core"}, "serving": {"serving", "core"},
         "companions": {"companions", "core"}}
ROOM = re.compile(r"^\s*limber_room\(([a-z_]+)/([a-z_]+)([^)]*)\)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
TORCH = re.compile(r"(torch|ATen|c10)/")


def rooms_of(repository):
    """(wing, room) in the order of CMakeLists.txt -> may it use LibTorch?"""
    listing = (repository / "CMakeLists.txt").read_text()
    return {(wing, room): bool(re.search(r"\bTORCH\b", rest)) for wing, room, rest in ROOM.findall(listing)}


def room_of(path):
    parts = pathlib.PurePosixPath(path).parts
    return (parts[1], parts[2]) if len(parts) == 4 and parts[0] == "limber" else None


def complaint(here, quoted, system, rooms, repository):
    """What is wrong with one include of a file in room `here` (None: outside limber/), or None."""
    if system:
        if here and TORCH.match(system) and not rooms[here]:
            return f"{'/'.join(here)} does without LibTorch"
        return None
    there = room_of(quoted)
    if not (repository / quoted).is_file():
        return "no such file; includes are named from the repository's root"
    if here is None:
        return None
    if there is None:
        return "limber/ includes nothing outside itself"
    if there not in rooms:
        return f"{'/'.join(there)} is no room of CMakeLists.txt"
    if there[0] not in WINGS[here[0]]:
        return f"{here[0]} may include {', '.join(sorted(WINGS[here[0]]))} only"
    order = list(rooms)
    if there[0] == here[0] and order.index(there) > order.index(here):
        return f"{'/'.join(there)} stands below {'/'.join(here)} in CMakeLists.txt"
    return None


def violations(repository):
    rooms = rooms_of(repository)
    if not rooms:
        sys.exit("includes_test: CMakeLists.txt lists no rooms")
    found, includes = [], 0
    files = [path for folder in ("apps", "bench", "fuzz", "limber", "tests")
             for pattern in ("**/*.h", "**/*.cc") for path in sorted((repository / folder).glob(pattern))]
    for path in files:
        name = path.relative_to(repository).as_posix()
        here = room_of(name)
        if name.startswith("limber/") and here not in rooms:
            found.append(f"{name}: in no room of CMakeLists.txt")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            includes += 1
            wrong = complaint(here, *match.groups(), rooms, repository)
            if wrong:
                found.append(f"{name}:{number}: {line.strip()}: {wrong}")
    return found, includes


def check_self():
    """A small repository in which each line marked BAD, and no other, must be found."""
    sources = {
        "limber/core/base/error.h": "#include <string>\n",
        "limber/core/base/files.h": '#include "limber/core/data/reader.h"  // BAD: up the order\n',
        "limber/core/data/reader.h": '#include "limber/core/base/error.h"\n#include <torch/torch.h>  // BAD\n',
        "limber/core/data/up.h": '#include "limber/training/model/model.h"  // BAD: another wing\n'
                                 '#include "reader.h"  // BAD: not from the root\n'
                                 '#include "apps/main.h"  // BAD: outside\n'
                                 '// #include "limber/training/model/model.h"\n',
        "limber/training/model/model.h": '#include <torch/torch.h>\n#include "limber/core/data/reader.h"\n'
                                         '#include "limber/serving/runtime/scorer.h"  // BAD: sister\n',
        "limber/training/metrics/auc.h": "  # include <ATen/ATen.h>  // BAD: no TORCH\n",
        "limber/serving/runtime/scorer.h": '#include "limber/core/base/error.h"\n#include <c10/core/Device.h>  // BAD\n',
        "apps/main.h": '#include "limber/training/model/model.h"\n#include "limber/serving/runtime/scorer.h"\n',
    }
    listing = ("limber_room(core/base)\nlimber_room(core/data ROOMS core/base)\n"
               "limber_room(training/metrics)\n  limber_room(training/model TORCH ROOMS core/data)\n"
               "limber_room(serving/runtime)\n")
    with tempfile.TemporaryDirectory() as folder:
        repository = pathlib.Path(folder)
        (repository / "CMakeLists.txt").write_text(listing)
        for name, text in sources.items():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            (repository / name).write_text(text)
        found = {":".join(line.split(":")[:2]) for line in violations(repository)[0]}
    planted = {f"{name}:{number}" for name, text in sources.items()
               for number, line in enumerate(text.splitlines(), 1) if "BAD" in line}
    if found != planted:
        sys.exit(f"includes_test: its own check failed: planted {sorted(planted)}, found {sorted(found)}")


def main():
    check_self()
    repository = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve()
    found, includes = violations(repository)
    if found:
        sys.exit("\n".join(found))
    if includes < 100:
        sys.exit(f"includes_test: only {includes} includes found in {repository}: is this the repository?")
    print(f"includes: {includes} run one way")


if __name__ == "__main__":
    main()
