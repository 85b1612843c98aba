"""Installs Limber into a folder of its own, moves that elsewhere, runs its programs, and builds and
runs examples/embed from it alone, as somebody does who has no checkout.

usage: embed_example_test.py CMAKE BUILD_FOLDER REPOSITORY TINY_MODEL_MAIN CMAKE_ARGUMENTS...
"""

import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# What a user is told to include (docs/versioning.md); each must stand alone.
HEADERS = ["core/artifact/artifact.h", "core/base/error.h", "core/config/config.h", "core/data/encoder.h",
           "serving/ranker/ranker.h", "serving/ranker/value.h", "serving/runtime/adapter.h",
           "serving/runtime/feature_rows.h", "serving/runtime/runtime_model.h", "serving/runtime/scorer.h",
           "serving/runtime/support_rows.h"]
# What the facade must not drag into its user's sources.
UNWANTED = re.compile(r"/(nlohmann|fmt|arrow|yaml-cpp|spdlog|hwy)/")

HEADERS_PROJECT = """
cmake_minimum_required(VERSION 3.24)
project(headers LANGUAGES CXX)
find_package(limber 0.1 REQUIRED)
add_library(headers OBJECT {sources})
target_compile_options(headers PRIVATE -Wall -Wextra -Werror -Wno-psabi)
target_link_libraries(headers PRIVATE limber::runtime limber::ranker)
"""


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, timeout=600,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def check(condition, message):
    if not condition:
        sys.exit(f"embed_example_test: {message}")


def configure_and_build(cmake, source, build, prefix, arguments):
    run(cmake, "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF", *arguments)
    run(cmake, "--build", build, "--parallel", "2")


def expected_scores():
    """The tiny model's formulas for the example's interactions and candidates; its header has them."""
    tastes = {1: (1, 0), 2: (0, 1), 3: (-1, 0), 4: (1, 1)}
    minutes, age = {1: 90, 2: 120, 3: 100, 4: 60, 5: 80}, 40
    seen, e = [(1, 1), (2, 0), (4, 1)], [0.0, 0.0]

    def probability(film, past):
        f = tastes.get(film, (0, 0))
        logit = e[0] * f[0] + e[1] * f[1] + 0.5 * past + minutes.get(film, 0) / 100 + age / 50
        return 1 / (1 + math.exp(-logit))

    pasts = [0, 1, 0.5]
    for _ in range(2):
        errors = [probability(film, past) - label for (film, label), past in zip(seen, pasts)]
        for c in range(2):
            e[c] -= 4 / (3 + 1) * sum(error * tastes[film][c] for error, (film, _) in zip(errors, seen))
    return [probability(film, 0.5) for film in (3, 4, 5, None)]


def check_example(folder, prefix, cmake, repository, tiny_model, arguments):
    # A copy: nothing beside it can be found by accident.
    shutil.copytree(repository / "examples/embed", folder / "example")
    configure_and_build(cmake, folder / "example", folder / "build", prefix, arguments)
    models = folder / "tiny"
    models.mkdir()
    run(tiny_model, models)
    output = run(folder / "build/embed", models / "models/tiny", models)
    lines = output.splitlines()
    check(lines[0] == "tiny version 000001, adapted to 3 interactions", f"said {lines[0]!r}")
    found = [re.fullmatch(r"candidate (\d)  P\(like\) = (\d\.\d{4})", line) for line in lines[1:]]
    check(len(found) == 4 and all(found), f"printed\n{output}")
    expected = expected_scores()
    order = sorted(range(4), key=lambda i: -expected[i])
    check([int(match[1]) for match in found] == order, f"expected the order {order} of\n{output}")
    for match in found:
        wanted = expected[int(match[1])]
        check(abs(float(match[2]) - wanted) < 2e-4, f"candidate {match[1]}: expected {wanted:.4f} in\n{output}")
    # An error of the user's is one line and an exit code, not a crash.
    failed = subprocess.run([folder / "build/embed", models / "models/tinny", models], text=True, capture_output=True)
    check(failed.returncode == 1 and "did you mean" in failed.stderr and failed.stderr.count("\n") == 1,
          f"a missing model gave {failed.returncode}: {failed.stderr}")
    return models


def check_programs(prefix, models):
    said = run(prefix / "bin/limber", "inspect", "models/tiny", cwd=models)
    check("000001" in said, f"limber inspect said\n{said}")
    run(prefix / "bin/limber", "serve", "--help")


def check_arrow_is_asked_for(folder, prefix, cmake, repository):
    """Without an Arrow the package says how to name one."""
    environment = {key: value for key, value in os.environ.items() if key != "Arrow_DIR"}
    done = subprocess.run([cmake, "-S", repository / "examples/embed", "-B", folder / "no-arrow",
                           f"-DCMAKE_PREFIX_PATH={prefix}", "-DLIMBER_PYTHON=/nowhere/python"],
                          text=True, capture_output=True, env=environment)
    said = " ".join(done.stderr.split())
    check(done.returncode != 0 and "Set Arrow_DIR, or LIMBER_PYTHON to an interpreter" in said,
          f"configuring without Arrow gave {done.returncode}: {said}")


def check_headers(folder, prefix, cmake, arguments):
    project = folder / "headers"
    project.mkdir()
    sources = []
    for header in HEADERS:
        source = project / (header.replace("/", "_") + ".cc")
        source.write_text(f"#include <limber/{header}>\n#include <limber/{header}>\n")
        sources.append(source.name)
    (project / "CMakeLists.txt").write_text(HEADERS_PROJECT.format(sources=" ".join(sources)))
    configure_and_build(cmake, project, folder / "headers-build", prefix, arguments)
    (compiler,) = [argument.split("=", 1)[1] for argument in arguments if argument.startswith("-DCMAKE_CXX_COMPILER=")]
    read = run(compiler, "-std=c++20", "-M", f"-I{prefix / 'include'}", project / "serving_ranker_ranker.h.cc")
    check("limber/serving/ranker/ranker.h" in read, f"no list of included files:\n{read}")
    dragged = sorted({word for word in read.split() if UNWANTED.search(word)})
    check(not dragged, f"limber/serving/ranker/ranker.h includes {dragged[:3]}")


def check_versions(folder, prefix, cmake):
    """find_package takes the versions that docs/versioning.md promises, and no other."""
    versions = next((prefix / path) for path in ("lib/cmake/limber/limberConfigVersion.cmake",
                                                 "lib64/cmake/limber/limberConfigVersion.cmake")
                    if (prefix / path).is_file())
    for wanted, compatible in {"0.1": True, "0.1.0": True, "0.0": False, "0.2": False, "1.0": False}.items():
        script = folder / "version.cmake"
        major, minor = wanted.split(".")[:2]
        script.write_text(f"set(PACKAGE_FIND_VERSION {wanted})\nset(PACKAGE_FIND_VERSION_MAJOR {major})\n"
                          f"set(PACKAGE_FIND_VERSION_MINOR {minor})\ninclude({versions})\n"
                          'message("compatible=${PACKAGE_VERSION_COMPATIBLE}")\n')
        said = subprocess.run([cmake, "-P", script], text=True, capture_output=True).stderr
        check(f"compatible={str(compatible).upper()}" in said, f"version {wanted}: {said}")


def main():
    cmake, build, repository, tiny_model = sys.argv[1:5]
    arguments = sys.argv[5:]
    repository = pathlib.Path(repository)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for component in ("library", "programs"):
            run(cmake, "--install", build, "--component", component, "--prefix", folder / "first")
        prefix = folder / "moved"
        os.rename(folder / "first", prefix)
        private = [path.name for path in prefix.rglob("*.h") if "test" in path.name]
        check(not private, f"headers of tests were installed: {private}")
        for path in prefix.rglob("*.cmake"):
            check(str(repository) not in re.sub(r'set\(LIMBER_PYTHON "[^"]*"', "", path.read_text()),
                  f"{path.relative_to(prefix)} names the checkout")
        check_versions(folder, prefix, cmake)
        check_headers(folder, prefix, cmake, arguments)
        check_arrow_is_asked_for(folder, prefix, cmake, repository)
        models = check_example(folder, prefix, cmake, repository, tiny_model, arguments)
        check_programs(prefix, models)
    print("embed_example: installed, moved, built and run")


if __name__ == "__main__":
    main()
