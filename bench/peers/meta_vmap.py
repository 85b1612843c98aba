"""Meta-training with torch.func: vmap over tasks of grad of the support loss.

Supports are padded to the largest of the batch, with a weight of zero for padding, as vmap needs.
Everything that needs no vmap is left out of it: the inputs are looked up once for the whole batch,
and the query rows, which need no padding, go through the global block as one matrix.
"""

import torch
import torch.nn.functional as F
from torch.func import grad, vmap

import meta_model


def backward(model, batch, leaves, steps, second):
    counts = batch.support_offsets.diff()
    tasks, most = len(counts), int(counts.max())
    support_rows = int(batch.support_offsets[-1])
    rates, kappa, kappa_pooling = model.scalars()
    default = model.dense["default_embedding"]
    inputs = model.inputs(batch, leaves)

    # Row r of task t; padding reads row 0 and has weight 0.
    place = torch.arange(most).expand(tasks, most)
    weight = (place < counts.unsqueeze(1)).to(inputs.dtype)
    index = (batch.support_offsets[:-1].unsqueeze(1) + place) * weight.long()
    x = F.embedding(index, inputs[:support_rows])
    y = batch.labels[index]
    n = counts.to(inputs.dtype)

    def embed(theta, x, weight, n):
        outputs = model.meta_block(theta, x) * weight.unsqueeze(1)
        return default + outputs.sum(0, keepdim=True) / (n + kappa_pooling)

    def support_loss(theta, x, y, weight, n):
        logits = model.global_block(embed(theta, x, weight, n).expand(most, -1), x)
        losses = F.binary_cross_entropy_with_logits(logits, y, reduction="none")
        return (losses * weight).sum()

    # The first step starts from one theta for all tasks: vmap multiplies by it once.
    theta, theta_dim = tuple(model.theta), None
    for _ in range(steps):
        found = vmap(grad(support_loss), (theta_dim, 0, 0, 0, 0))(theta, x, y, weight, n)
        if not second:
            found = tuple(g.detach() for g in found)
        shares = 1 / (n + kappa)
        theta = tuple(
            t - rate * shares.reshape(-1, *[1] * (g.dim() - 1)) * g
            for t, rate, g in zip(theta, rates, found)
        )
        theta_dim = 0
    e = vmap(embed, (theta_dim, 0, 0, 0))(theta, x, weight, n).squeeze(1)

    query_counts = batch.query_offsets.diff()
    logits = model.global_block(
        e.repeat_interleave(query_counts, 0), inputs[support_rows:]
    )
    mean = F.binary_cross_entropy_with_logits(logits, batch.labels[support_rows:])
    mean.backward()
    return mean.detach()


if __name__ == "__main__":
    meta_model.run(__doc__, backward)
