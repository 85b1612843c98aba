"""Adaptation as it is usually written in PyTorch: a loop over members, autograd in each."""

import torch
import torch.nn.functional as F

import batch_file
import measure
import meta_model


def adapt(model, x, y, steps):
    """x [rows, columns], y [rows] -> the adapted embedding [1, dim]."""
    rates, kappa, kappa_pooling = model.scalars()
    n = len(x)

    def embed(theta):
        outputs = model.meta_block(theta, x).sum(0, keepdim=True)
        return model.dense["default_embedding"] + outputs / (n + kappa_pooling)

    theta = model.theta
    for _ in range(steps):
        logits = model.global_block(embed(theta).expand(n, -1), x)
        loss = F.binary_cross_entropy_with_logits(logits, y, reduction="sum")
        found = torch.autograd.grad(loss, theta)
        theta = [(t - rate / (n + kappa) * g).detach().requires_grad_()
                 for t, rate, g in zip(theta, rates, found)]
    return embed(theta).detach()


def main():
    parser = measure.arguments(__doc__)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    file = batch_file.read_batch_file(options.file)
    model = meta_model.Model(file)
    for tensor in model.dense.values():
        tensor.requires_grad_(False)
    for tensor in model.theta:
        tensor.requires_grad_()

    def step(batch):
        with torch.no_grad():
            leaves = {name: F.embedding(batch.rows[name], table) for name, table in model.tables.items()}
            inputs = model.inputs(batch, leaves)
        offsets = batch.support_offsets.tolist()
        step.embeddings = [adapt(model, inputs[begin:end], batch.labels[begin:end], options.steps)
                           for begin, end in zip(offsets, offsets[1:])]
        return len(step.embeddings)

    step(file.batches[0])
    ours = file.results["embeddings"]
    error = float((torch.cat(step.embeddings) - ours).norm() / ours.norm())
    rate = measure.rate(step, file.batches, options, warm_up=1)
    measure.report(members_per_second=rate, error=error)


if __name__ == "__main__":
    main()
