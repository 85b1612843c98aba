"""Meta-training as it is usually written in PyTorch: a loop over tasks, create_graph=True."""

import torch
import torch.nn.functional as F

import meta_model


def backward(model, batch, leaves, steps, second):
    support_offsets, query_offsets = batch.support_offsets.tolist(), batch.query_offsets.tolist()
    rates, kappa, kappa_pooling = model.scalars()
    default = model.dense["default_embedding"]
    support_rows = support_offsets[-1]
    inputs = model.inputs(batch, leaves)
    sizes = lambda offsets: [e - b for b, e in zip(offsets, offsets[1:])]
    supports = inputs[:support_rows].split(sizes(support_offsets))
    queries = inputs[support_rows:].split(sizes(query_offsets))
    support_labels = batch.labels[:support_rows].split(sizes(support_offsets))
    query_labels = batch.labels[support_rows:].split(sizes(query_offsets))
    total = 0
    for x, y, x_query, y_query in zip(supports, support_labels, queries, query_labels):
        n = len(x)

        def embed(theta):
            return default + model.meta_block(theta, x).sum(0, keepdim=True) / (n + kappa_pooling)

        theta = model.theta
        for _ in range(steps if n else 0):
            logits = model.global_block(embed(theta).expand(n, -1), x)
            loss = F.binary_cross_entropy_with_logits(logits, y, reduction="sum")
            found = torch.autograd.grad(loss, theta, create_graph=second, retain_graph=True)
            theta = [t - rate / (n + kappa) * g for t, rate, g in zip(theta, rates, found)]
        e = embed(theta) if n else default
        logits = model.global_block(e.expand(len(x_query), -1), x_query)
        total = total + F.binary_cross_entropy_with_logits(logits, y_query, reduction="sum")
    mean = total / query_offsets[-1]
    mean.backward()
    return mean.detach()


if __name__ == "__main__":
    meta_model.run(__doc__, backward)
