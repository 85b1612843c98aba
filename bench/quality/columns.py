"""The models that are compared: what each changes in a protocol's config."""

from copy import deepcopy
from dataclasses import dataclass, field

from .protocols import PROTOCOLS

MEMBER = {"name": "member", "kind": "id", "dim": 16}


def set_value(config, key, value):
    """set_value(config, "train.seed", 3)"""
    *path, last = key.split(".")
    for part in path:
        config = config[part]
    config[last] = value


@dataclass(frozen=True)
class Column:
    name: str
    title: str
    changes: dict = field(default_factory=dict, hash=False)
    by_member: bool = False  # has an embedding of the member's id
    trees: bool = False      # LightGBM, on the rows of `limber export`

    @property
    def by_task(self):
        """Trained on episodes (tasks per batch) rather than on single rows (batch)."""
        return any(key.endswith(".enabled") for key in self.changes)

    @property
    def adapts(self):
        return "model.meta_block.enabled" in self.changes

    def exists_in(self, protocol):
        """A member who was never seen has no embedding of their own."""
        return not (self.by_member and protocol.split == "members")

    def config(self, protocol, settings, seed):
        config = deepcopy(protocol.config())
        for key, value in {**self.changes, **settings, "train.seed": seed}.items():
            set_value(config, key, value)
        if self.by_member:
            config["features"].append({**MEMBER, "column": config["data"]["task"]})
            config["model"]["global_block"]["wide"] = [MEMBER["name"]]
        return config


STATISTICS = {"model.statistics.enabled": True}
HISTORY = {"model.history.enabled": True}
RESIDUAL_HISTORY = {**HISTORY, "model.history.signal": "residual"}
META = {"model.meta_block.enabled": True}

COLUMNS = {column.name: column for column in (
    Column("none", "No personalisation"),
    Column("member_id", "Member-ID embedding (wide and deep)", by_member=True),
    Column("statistics", "Support statistics", STATISTICS),
    Column("history", "History encoder", HISTORY),
    Column("statistics_history", "Statistics + residual history", {**STATISTICS, **RESIDUAL_HISTORY}),
    Column("limaml", "LiMAML", META),
    Column("limaml_history", "LiMAML + history", {**META, **HISTORY}),
    Column("limaml_statistics", "LiMAML + statistics", {**META, **STATISTICS}),
    Column("limaml_all", "LiMAML + statistics + residual history",
           {**META, **STATISTICS, **RESIDUAL_HISTORY}),
    Column("lightgbm", "LightGBM on the same features + statistics", trees=True),
)}


def cells(protocols=None, columns=None):
    """The (protocol, column) pairs that exist, in the order of the table."""
    return [(protocol, column)
            for protocol in PROTOCOLS.values() if protocols is None or protocol.name in protocols
            for column in COLUMNS.values() if columns is None or column.name in columns
            if column.exists_in(protocol)]
