"""The trained models and their scores of the held-out rows; finished runs are kept and used again."""

from ablation.components import BASE, COMPONENTS
from ablation.runs import Run, Runner
from quality.protocols import ROOT

BUILD = ROOT / "build" / "bench" / "calibration"

MODELS = {
    "base": BASE,
    "tower": COMPONENTS["context_in_tower"],
    "joint": COMPONENTS["calibration"],
}


class ScoredRun(Run):
    @property
    def folder(self):
        return BUILD / "runs" / self.key

    @property
    def predicted(self):
        return self.folder / "held_out.parquet"


class Scorer(Runner):
    """Has every model that was trained score the held-out rows, too."""

    build = BUILD
    programs = (*Runner.programs, "limber-serve")

    def __init__(self, jobs, held_out):
        super().__init__(jobs)
        self.held_out = held_out

    def use_model(self, model, work):
        self.command("limber-serve", "predict", model, self.held_out.file, "--quiet",
                     "--output", work / "held_out.parquet")


def runs_of(data, seeds):
    """{model: [run by seed]}"""
    return {name: [ScoredRun(data, name, tuple(component.settings_for(data)), seed) for seed in range(1, seeds + 1)]
            for name, component in MODELS.items()}
