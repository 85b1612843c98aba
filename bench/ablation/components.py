"""The components that are switched on, one after another, in a network that has none of them.

Each is a list of `--set` settings. {wide} and {context} are filled in by the data set: the features
whose embeddings reach the logit directly, and the feature whose values are calibrated apart.
"""

from dataclasses import dataclass

SUPPORT_PARTS = ("model.statistics.", "model.history.", "model.meta_block.")


@dataclass(frozen=True)
class Component:
    name: str
    title: str
    settings: tuple = ()
    only: str = ""     # the one data set that has it
    matched: str = ""  # an MLP, as wide as it takes to have as many parameters as this component
    control: str = ""  # a simpler component that is told the same, or is trained on the same episodes

    @property
    def reads_support(self):
        return any(setting.startswith(SUPPORT_PARTS) for setting in self.settings)

    def settings_for(self, data):
        """With those of training on episodes, where the component takes that."""
        settings = [setting.format(wide=data.wide, context=data.context) for setting in self.settings]
        settings += data.episode_settings if self.reads_support else ()
        return [*settings, *data.all_settings] if self.name == "all" else settings


BASE = Component("base", "MLP alone")

CROSS = "model.global_block.cross"
COMPONENTS = {component.name: component for component in (
    Component("cross_full", "Cross layers, full rank (DCNv2)", (f"{CROSS}.kind=full",)),
    Component("cross_low_rank", "Cross layers, low rank", (f"{CROSS}.kind=low_rank",)),
    Component("residual_cross", "Residual cross layers (with attention)", (f"{CROSS}.kind=residual",)),
    Component("gate", "Dense gate", ("model.global_block.gate=low_rank",)),
    Component("calibration", "Calibration layer",
              ("model.global_block.calibration.enabled=true",
               "model.global_block.calibration.inputs=[{context}]"), control="context_in_tower"),
    Component("context_in_tower", "Device as an input of the tower",
              ("model.global_block.inputs=[]",), only="synthetic"),
    Component("wide", "Wide part", ("model.global_block.wide={wide}",)),
    Component("experts", "Experts (MMoE)", ("model.global_block.experts.kind=mmoe",)),
    Component("statistics", "Support statistics", ("model.statistics.enabled=true",)),
    Component("history_mean", "History, mean",
              ("model.history.enabled=true", "model.history.pooling=mean"), control="statistics"),
    Component("history_attention", "History, attention",
              ("model.history.enabled=true", "model.history.pooling=attention"), control="statistics"),
    Component("history_transformer", "History, transformer",
              ("model.history.enabled=true", "model.history.pooling=transformer", "model.history.length=20"),
              only="synthetic", control="statistics"),
    Component("meta", "Meta block (LiMAML)", ("model.meta_block.enabled=true",), control="statistics"),
    Component("mlp_as_cross_full", "MLP with the parameters of full-rank crosses", matched="cross_full"),
    Component("mlp_as_residual_cross", "MLP with the parameters of residual crosses",
              matched="residual_cross"),
)}

# What "all" is made of: of each line the first component that exists. Of the histories the one by attention, which
# costs a fifth of the transformer.
ALL = (("residual_cross", "cross_full"), ("gate",), ("calibration",), ("wide",), ("experts",), ("statistics",),
       ("history_attention",), ("meta",))


def all_of(available):
    """The component with everything: one of each line of ALL."""
    parts = [next((name for name in line if name in available), None) for line in ALL]
    names = [name for name in parts if name]
    settings = tuple(setting for name in names for setting in COMPONENTS[name].settings)
    return Component("all", "All: " + ", ".join(names), settings)
