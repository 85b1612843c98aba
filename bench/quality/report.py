"""The finished table in the form that limber/training/evaluate/report.h renders as HTML."""

import math

from .columns import COLUMNS
from .metrics import METRICS


def number(value):
    return None if math.isnan(value) else value


def interval(value, half):
    return {"value": number(value), "low": number(value - half), "high": number(value + half)}


def model_of(table, cell):
    if cell.failure:
        return {"name": cell.column.title, "note": f"failed: {cell.failure}"}
    return {
        "name": cell.column.title,
        "note": f"{cell.seeds} seed{'s' if cell.seeds > 1 else ''}",
        "highlight": cell.column.name == table.best,
        "metrics": {name: interval(*cell.metric(name)) for name in METRICS},
        "support": [{"label": str(point["size"]), "from": point["size"], "to": point["size"],
                     "metrics": {name: {"value": number(point[name])} for name in METRICS}}
                    for point in cell.support],
        "activity": [{"label": part["label"], "from": part["from"], "to": part["to"],
                      "metrics": {name: interval(*part[name]) for name in METRICS}}
                     for part in cell.activity],
        "reliability": cell.reliability,
    }


def differences_of(table):
    """Every model minus the one without personalisation."""
    base = table.cells.get("none")
    if base is None or base.failure:
        return None
    return {"baseline": COLUMNS["none"].title, "models": [
        {"name": cell.column.title,
         "metrics": {name: interval(*table.paired(cell, base, name)) for name in METRICS}}
        for cell in table.cells.values() if cell is not base and not cell.failure]}


def report_of(tables, seeds):
    protocols = []
    for table in tables:
        protocol = {"name": table.protocol.title, "description": table.protocol.description,
                    "models": [model_of(table, cell) for cell in table.cells.values()]}
        differences = differences_of(table)
        if differences:
            protocol["differences"] = differences
        protocols.append(protocol)
    return {
        "title": "Ranking quality on MovieLens",
        "lead": "Every model with and without personalisation on the same rows, tuned with the same "
                "number of settings by validation log loss.",
        "intervals": f"95% intervals over members and {seeds} seeds",
        "protocols": protocols,
    }
