"""The command line of the bench, and which options the built program knows: asked of `limber options`,
which prints them all."""

import argparse
import re
import subprocess

from quality.protocols import BenchError

SECTION = re.compile(r"^## (?P<path>[a-z_.]+)")
OPTION = re.compile(r"^\| `(?P<name>[a-z_]+)` \| [^|]*\| [^|]*\| (?P<allowed>[^|]*)\|")


class Parser(argparse.ArgumentParser):
    """Whose mistakes are one line."""

    def error(self, message):
        raise BenchError(message)


def known_options(program):
    """{"model.history.pooling": {"mean", "attention"}}; an empty set allows what the type allows."""
    done = subprocess.run([program, "options"], capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{program} options: {done.stderr.strip()}")
    options, section = {}, ""
    for line in done.stdout.splitlines():
        if match := SECTION.match(line):
            section = match["path"]
        elif match := OPTION.match(line):
            options[f"{section}.{match['name']}"] = set(re.findall(r"`([^`]*)`", match["allowed"]))
    if not options:
        raise BenchError(f"{program} options: prints no table of options")
    return options


def missing_option(settings, options):
    """The first setting that the program does not know, or None."""
    for setting in settings:
        key, _, value = setting.partition("=")
        if key not in options or (options[key] and value not in options[key]):
            return setting
    return None
