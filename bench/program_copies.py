"""Copies of the programs that a bench runs, and the processes that it has started."""

import shutil
import tempfile
from pathlib import Path


class ProgramCopies:
    """A scratch folder with copies: a build that ends while the bench is running must not change the programs
    under it. At the end of `with`, what still runs is ended and the folder removed."""

    def __init__(self, folder, programs):
        folder.mkdir(parents=True, exist_ok=True)
        self.scratch = Path(tempfile.mkdtemp(prefix="work.", dir=folder))
        for program in programs:
            shutil.copy2(program, self.scratch / program.name)
        self.processes = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in list(self.processes):
            process.terminate()
        for process in list(self.processes):
            process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)
