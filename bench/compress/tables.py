"""The table of each model, and the line of JSON."""

from pathlib import Path

from quality.tables import text_table

from .models import rows_of_tables

PARTS = ("tables", "vocabularies", "dense", "whole")


def metrics_of(metrics, name):
    """Of the first label."""
    return next(iter(metrics["labels"].values()))["metrics"][name]


def difference_of(step, name):
    """From the model as it was trained."""
    if "difference" in step:
        return step["difference"][name]
    return next(iter(step["metrics"]["compression"]["labels"].values()))["difference"][name]


def size(count):
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.2f} {unit}"
        count /= 1000


def value(metric):
    text = f"{metric['value']:.5f}"
    return f"{text} [{metric['low']:.4f}, {metric['high']:.4f}]" if metric.get("low") is not None else text


def change(metric):
    text = f"{metric['value']:+.5f}"
    return f"{text} [{metric['low']:+.5f}, {metric['high']:+.5f}]" if metric.get("low") is not None else text


def sizes_from(first, step):
    """Sizes of a step beside those of the model that was trained, where steps follow each other."""
    before = first["metrics"]["compression"]["sizes"]
    after = step["metrics"]["compression"]["sizes"]
    return {part: {"before": before[part]["before"], "after": after[part]["after"],
                   "ratio": before[part]["before"] / max(after[part]["after"], 1)} for part in PARTS}


def sizes_of(folder):
    """Bytes of a published model's files, by part, as the program counts them."""
    files = [file for file in Path(folder).rglob("*") if file.is_file() and file.name != "training_log.jsonl"]
    parts = {"tables": "tables", "vocabularies": "vocabulary"}
    sizes = {part: sum(file.stat().st_size for file in files if file.parent.name == name)
             for part, name in parts.items()}
    return {**sizes, "dense": (Path(folder) / "dense.safetensors").stat().st_size,
            "whole": sum(file.stat().st_size for file in files)}


def rows_ratio(before, after, ids):
    """How many times fewer rows the embedding tables of these ids have, by `limber inspect --json`."""
    def rows(manifest):
        return sum(tensor["shape"][0] for tensor in manifest["tensors"]
                   if tensor["name"].removeprefix("tables.") in ids)
    return rows(before) / rows(after)


def table_of(model, manifest, trained, ways, others, speeds, candidates):
    sizes = ways[0][1]["metrics"]["compression"]["sizes"]
    lines = [["", *PARTS, "AUC", "log loss", "change of AUC", "change of log loss", f"speed at {candidates}"]]
    auc = metrics_of(trained["metrics"], "auc")
    lines.append(["as trained", *(size(sizes[part]["before"]) for part in PARTS), value(auc),
                  value(metrics_of(trained["metrics"], "log_loss")), "", "",
                  f"{speeds[0]['candidates_per_second']:,.0f}/s"])
    for (title, step), speed in zip(ways, speeds[1:]):
        sizes = sizes_from(ways[0][1], step)
        changes = [difference_of(step, name) for name in ("auc", "log_loss")]
        lines.append([title, *(f"{size(sizes[part]['after'])} ({sizes[part]['ratio']:.1f}x)" for part in PARTS),
                      *(value(metrics_of(step["metrics"], name)) for name in ("auc", "log_loss")),
                      *map(change, changes), f"{speed['speed_up']:.2f}x"])
    before = sizes_of(trained["to"])
    for title, step in others:
        after = sizes_of(step["to"])
        lines.append([title, *(f"{size(after[part])} ({before[part] / max(after[part], 1):.1f}x)" for part in PARTS),
                      *(value(metrics_of(step["metrics"], name)) for name in ("auc", "log_loss")),
                      *(change(difference_of(step, name)) for name in ("auc", "log_loss")), ""])
    ids = sum(rows_of_tables(manifest).values())
    return f"\n{model.title}\n  {ids:,} ids in dictionaries\n\n{text_table(lines)}\n"


def network_table(admm, magnitude):
    lines = [["network of convolutions", "weights", "times fewer", "times fewer bits", "accuracy",
              "change in points"]]
    for title, step in (("ADMM", admm), ("magnitude pruning and rounding", magnitude)):
        sizes, accuracy = step["metrics"]["sizes"], step["metrics"]["accuracy"]
        after, difference = accuracy["after"], accuracy["difference"]
        lines.append([title, f"{sizes['weights_before']:,} to {sizes['weights_after']:,}",
                      f"{sizes['weight_ratio']:.1f}", f"{sizes['bit_ratio']:.1f}",
                      f"{after['value']:.4f} [{after['low']:.4f}, {after['high']:.4f}]",
                      f"{100 * difference['value']:+.2f} [{100 * difference['low']:+.2f}, "
                      f"{100 * difference['high']:+.2f}]"])
    return f"\nDigits, LeNet-5\n\n{text_table(lines)}\n"


def crossbar_table(step):
    """Our estimates beside the published figures; the sentences of the report say what differs."""
    crossbars = step["metrics"]["crossbars"]
    lines = [["crossbars", "times fewer weights", "area", "power"]]
    for title, row in (("this network (estimate)", crossbars["total"]),
                       *((f"{row['network']}, {row['source']}", row) for row in crossbars["published"])):
        lines.append([title, f"{row['weight_compression']:.2f}", f"-{100 * row['area_reduction']:.2f} %",
                      f"-{100 * row['power_reduction']:.2f} %"])
    return (f"\n{text_table(lines)}\n  Not the same measurement: a small network on a small data set, and our cost "
            "constants (docs/crossbar.md).\n")


def rounded(number):
    return None if number is None else round(number, 6)


def as_json(results):
    """Losses are positive where compression costs quality. int8, QR and bytes an id are the worse of
    the MovieLens and the ads model."""
    line = {key: None for key in ("auc_loss_int8", "auc_loss_qr", "bytes_per_id", "dense_ratio", "dense_speed_up",
                                  "large_auc_loss", "artifact_ratio", "cnn_ratio", "cnn_bit_ratio",
                                  "cnn_accuracy_loss", "cnn_accuracy_loss_magnitude")}

    def worst(key, number):
        line[key] = number if line[key] is None else max(line[key], number)

    for name in ("movielens", "ads"):
        if name not in results:
            continue
        manifest, _, ways, others, _ = results[name]
        worst("auc_loss_int8", -difference_of(ways[0][1], "auc")["value"])
        line[f"auc_loss_int8_{name}"] = -difference_of(ways[0][1], "auc")["value"]
        loss = -difference_of(others[0][1], "auc")["value"]
        worst("auc_loss_qr", loss)
        line[f"auc_loss_qr_{name}"] = loss
        line[f"qr_ratio_{name}"] = others[0][1]["rows_ratio"]
        vocabularies = ways[2][1]["metrics"]["compression"]["sizes"]["vocabularies"]
        ids = sum(rows_of_tables(manifest).values())
        line[f"bytes_per_id_{name}"] = vocabularies["after"] / ids
        # Small vocabularies are all overhead: the larger model says what an id costs.
        line["bytes_per_id"] = vocabularies["after"] / ids
    if "large" in results:
        _, _, ways, _, speeds = results["large"]
        line["dense_ratio"] = ways[0][1]["metrics"]["compression"]["weights"]["ratio"]
        line["large_auc_loss"] = -difference_of(ways[0][1], "auc")["value"]
        line["large_auc_loss_all"] = -difference_of(ways[1][1], "auc")["value"]
        line["dense_speed_up"] = speeds[1]["speed_up"]
        line["artifact_ratio"] = sizes_from(ways[0][1], ways[1][1])["whole"]["ratio"]
    if "digits" in results:
        admm, magnitude = (step["metrics"] for step in results["digits"])
        line["cnn_ratio"] = admm["sizes"]["weight_ratio"]
        line["cnn_bit_ratio"] = admm["sizes"]["bit_ratio"]
        line["cnn_accuracy_loss"] = -admm["accuracy"]["difference"]["value"]
        line["cnn_accuracy_loss_magnitude"] = -magnitude["accuracy"]["difference"]["value"]
        line["cnn_area_reduction"] = admm["crossbars"]["total"]["area_reduction"]
        line["cnn_power_reduction"] = admm["crossbars"]["total"]["power_reduction"]
    return {key: rounded(number) for key, number in line.items()}
