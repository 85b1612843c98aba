"""The tables as text, and the last line as JSON."""

import math

from quality.tables import text_table

from .components import COMPONENTS
from .results import mean_and_half


def shown(pair, sign=True):
    mean, half = pair
    text = f"{mean:+.5f}" if sign else f"{mean:.4f}"
    return text if math.isnan(half) else f"{text} ± {half:.5f}" if sign else f"{text} ± {half:.4f}"


def gain_table(table):
    labels = table.data.labels
    heads = [f"AUC {label}" for label in labels]
    rows = [["AUC gain over the MLP alone", *heads, *(["mean"] if len(labels) > 1 else []), "log loss",
             "block weights", "s a run"]]
    for name, outcome in table.outcomes.items():
        if outcome.reason:
            continue
        columns = [*range(len(labels)), *([None] if len(labels) > 1 else [])]
        if name == "base":
            cells = [shown(mean_and_half(outcome.auc.mean(axis=1) if label is None else outcome.auc[:, label]), False)
                     for label in columns]
            cells.append(shown(mean_and_half(outcome.log_loss.mean(axis=1)), False))
        else:
            cells = [shown(gain) if (gain := table.gain(name, label)) else "-" for label in columns]
            cells.append(shown(gain) if (gain := table.gain(name, metric="log_loss")) else "-")
        rows.append([outcome.component.title, *cells, f"{outcome.parameters:,}", f"{outcome.seconds:.0f}"])
    return rows


def matched_lines(table):
    for name, outcome in table.outcomes.items():
        matched = outcome.component.matched
        gain = table.gain(matched, over=name) if matched and not outcome.reason else None
        if gain:
            yield (f"{COMPONENTS[matched].title} above {outcome.component.title} ({', '.join(outcome.settings)}; "
                   f"{table.outcomes[matched].parameters:,} and {outcome.parameters:,} weights): {shown(gain)} AUC")


def control_lines(table):
    for name, outcome in table.outcomes.items():
        control = outcome.component.control
        gain = table.gain(name, over=control) if control and not outcome.reason else None
        if gain:
            same = ", trained on the same episodes" if outcome.component.reads_support else ""
            yield f"{outcome.component.title} above {COMPONENTS[control].title.lower()}{same}: {shown(gain)} AUC"


def ratio_table(table):
    observed = table.truth["observed"]
    devices = sorted(observed)
    rows = [["predicted clicks over expected", *devices],
            ["Observed clicks, ± a deviation of the draw",
             *("{:.4f} ± {:.4f}".format(*observed[device]) for device in devices)]]
    for outcome in table.outcomes.values():
        if not outcome.reason:
            rows.append([outcome.component.title, *(
                shown(mean_and_half([ratios[device] for ratios in outcome.ratios]), False) for device in devices)])
    return rows


def as_text(table, seeds):
    intervals = "no intervals with one seed" if seeds == 1 else "± is half a 95% t-interval over the seeds"
    count = "1 seed" if seeds == 1 else f"{seeds} seeds"
    lines = [f"\n{table.data.title}", f"  {count}, paired; {intervals}", "", text_table(gain_table(table))]
    lines += ["", *(f"  {outcome.component.title}: {outcome.reason}" for outcome in table.outcomes.values()
                    if outcome.reason)]
    lines += [f"  {line}" for line in (*matched_lines(table), *control_lines(table))]
    if table.truth:
        truth = table.truth
        lines += [f"  The true probabilities have AUC {truth['auc']:.4f} and log loss {truth['log_loss']:.4f} on the "
                  f"{truth['rows']:,} test rows, of which {truth['rate']:.1%} were clicked.", "",
                  text_table(ratio_table(table))]
    return "\n".join(lines)


def as_json(tables):
    """{data}_{component}: gain of the mean AUC over the MLP alone, null where there is none;
    {data}_base and synthetic_truth: AUC itself."""
    line = {}
    for table in tables:
        name = table.data.name
        if not table.base.reason:
            line[f"{name}_base"] = round(float(table.base.auc.mean()), 6)
        for component in table.outcomes:
            if component != "base":
                gain = table.gain(component)
                line[f"{name}_{component}"] = round(gain[0], 6) if gain else None
                if outcome_control := table.outcomes[component].component.control:
                    above = table.gain(component, over=outcome_control)
                    line[f"{name}_{component}_above_{outcome_control}"] = round(above[0], 6) if above else None
        if table.truth:
            line[f"{name}_truth"] = round(table.truth["auc"], 6)
            for model in ("base", "calibration"):
                outcome = table.outcomes.get(model)
                for device in sorted(table.truth["observed"]):
                    known = outcome is not None and not outcome.reason
                    line[f"{name}_ratio_{model}_{device}"] = round(
                        mean_and_half([ratios[device] for ratios in outcome.ratios])[0], 6) if known else None
    return line
