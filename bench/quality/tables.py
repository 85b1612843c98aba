"""The tables as text and as Markdown, and the last line as JSON."""

import math

from .columns import COLUMNS
from .metrics import METRICS
from .protocols import PROTOCOLS

TITLES = {"auc": "AUC", "gauc": "GAUC", "log_loss": "Log loss", "normalized_entropy": "NE",
          "calibration_ratio": "Calibration"}
DASH = "-"


def plain(value, half=None, sign=False):
    if math.isnan(value):
        return DASH
    text = f"{value:+.4f}" if sign else f"{value:.4f}"
    return text if half is None else f"{text} ± {half:.4f}"


def main_table(table):
    rows = [["", *(TITLES[name] for name in METRICS)]]
    for column in COLUMNS.values():
        if not column.exists_in(table.protocol):
            rows.append([column.title, *[DASH] * len(METRICS)])
            continue
        cell = table.cells.get(column.name)
        if cell is None:
            continue
        rows.append([column.title, *(["failed"] * len(METRICS) if cell.failure else
                                     [plain(*cell.metric(name)) for name in METRICS])])
    return rows


def difference_table(table):
    names = ("auc", "gauc", "log_loss")
    rows = [["", *(TITLES[name] for name in names)]]
    for name, cell in table.cells.items():
        if name != table.best and not cell.failure:
            rows.append([cell.column.title,
                         *(plain(*table.difference(name, metric), sign=True) for metric in names)])
    return rows


def support_table(table, metric):
    curves = {cell.column.title: {point["size"]: point[metric] for point in cell.support}
              for cell in table.cells.values() if cell.support}
    sizes = sorted({size for curve in curves.values() for size in curve})
    return [["support rows", *map(str, sizes)],
            *([title, *(plain(curve.get(size, math.nan)) for size in sizes)]
              for title, curve in curves.items())]


def activity_table(table, metric):
    cells = [cell for cell in table.cells.values() if cell.activity]
    if not cells:
        return [["member's rows"]]
    return [["member's rows", *(part["label"] for part in cells[0].activity)],
            *([cell.column.title, *(plain(*part[metric]) for part in cell.activity)] for cell in cells)]


def text_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  " + "  ".join(
        value.ljust(width) if i == 0 else value.rjust(width)
        for i, (value, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def markdown_table(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---|" + "---:|" * (len(rows[0]) - 1))
    return "\n".join(lines)


def sections(table, seeds):
    """(title, rows) of all that is printed about one protocol."""
    parts = [("", main_table(table))]
    if table.best:
        best = COLUMNS[table.best].title
        parts.append((f"{best} (of the LiMAML columns the best validation log loss) minus each other "
                      "column, 95% intervals", difference_table(table)))
    for metric in ("auc", "gauc"):
        parts.append((f"{TITLES[metric]} when the support is cut to a member's latest rows",
                      support_table(table, metric)))
    for metric in ("auc", "gauc"):
        parts.append((f"{TITLES[metric]} by quintile of member activity", activity_table(table, metric)))
    return [part for part in parts if len(part[1]) > 1]


def head_of(table, seeds):
    count = "1 seed" if seeds == 1 else f"{seeds} seeds"
    return f"{count}, {table.members:,} members, {table.rows:,} test rows. {table.protocol.description}"


def as_text(table, seeds):
    lines = [f"\n{table.protocol.title}", f"  {head_of(table, seeds)}"]
    for title, rows in sections(table, seeds):
        lines += [f"\n  {title}" if title else "", text_table(rows)]
    for name, cell in table.cells.items():
        if cell.failure:
            lines.append(f"  {name} failed: {cell.failure}")
    return "\n".join(lines)


def as_markdown(tables, seeds):
    lines = []
    for table in tables:
        lines += [f"### {table.protocol.title}", "", head_of(table, seeds), ""]
        for title, rows in sections(table, seeds):
            lines += [*([f"{title}:", ""] if title else []), markdown_table(rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def overview_markdown(tables, seeds):
    """AUC and GAUC of all columns under all protocols: what the README shows."""
    head = ["", *(f"{table.protocol.name} {TITLES[metric]}" for table in tables
                  for metric in ("auc", "gauc"))]
    rows = [head]
    for column in COLUMNS.values():
        row = [column.title]
        for table in tables:
            cell = table.cells.get(column.name)
            for metric in ("auc", "gauc"):
                row.append(DASH if cell is None or cell.failure else plain(*cell.metric(metric)))
        rows.append(row)
    count = "1 seed" if seeds == 1 else f"{seeds} seeds"
    return markdown_table(rows) + f"\n\n{count}; ± is half a 95% interval over members and seeds.\n"


def as_json(tables):
    """{protocol}_{auc, gauc}_{column}; null where the column does not exist or has failed."""
    by_name = {table.protocol.name: table for table in tables}
    result = {}
    for protocol in PROTOCOLS.values():
        table = by_name.get(protocol.name)
        for metric in ("auc", "gauc"):
            for name in COLUMNS:
                cell = table.cells.get(name) if table else None
                value = None if cell is None or cell.failure else round(cell.metric(metric)[0], 6)
                result[f"{protocol.name}_{metric}_{name}"] = value
    return result
