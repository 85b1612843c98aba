"""Parameters of a published model, and the MLP that has as many.

`limber inspect --json` lists every tensor with its shape. Compared are the weights of the global
block alone: the embedding tables are the same in all models.
"""

from math import prod

BLOCK = "global_block."


def shapes_of(manifest):
    return {tensor["name"]: tensor["shape"] for tensor in manifest["tensors"]
            if tensor["name"].startswith(BLOCK)}


def count(shapes):
    return sum(prod(shape) for shape in shapes.values())


def mlp_parameters(inputs, width, labels):
    """Of an MLP with layers of `width` and half of it, and its head."""
    half = max(1, width // 2)
    return (inputs + 1) * width + (width + 1) * half + (half + 1) * labels


def matched_settings(base, target):
    """Settings of the MLP that comes nearest to the parameters of `target` (shapes of the base and
    of the other model)."""
    inputs = base[BLOCK + "mlp.layer0.weight"][0]
    labels = base[BLOCK + "head.weight"][1]
    wanted, width = count(target), 1
    while mlp_parameters(inputs, width, labels) < wanted:
        width += 1
    nearest = min((max(1, width - 1), width),
                  key=lambda w: abs(mlp_parameters(inputs, w, labels) - wanted))
    return [f"model.global_block.hidden=[{nearest}, {max(1, nearest // 2)}]"]
