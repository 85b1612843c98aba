"""The same model as ours in plain PyTorch, and the outer step around it; shared by both peers."""

import torch
import torch.nn.functional as F

import batch_file
import measure

CLIP_NORM = 10.0
# As in bench_meta: outer steps too small to lead anywhere.
RATE, TABLE_RATE = 1e-6, 5e-5


class Model:
    """Weights by our names: meta block, global block, learned rates and shrinkages."""

    def __init__(self, file):
        self.file = file
        self.dense = {name: t.requires_grad_(name != "base_rates") for name, t in file.dense.items()}
        self.tables = file.tables
        self.sums = {name: torch.zeros(len(t)) for name, t in file.tables.items()}
        layers = sum(n.startswith("meta_block.") and n.endswith("weight") for n in self.dense)
        self.theta = [
            self.dense[f"meta_block.layer{layer}_{part}"]
            for layer in range(layers)
            for part in ("weight", "bias")
        ]
        self.phi = {n[13:]: t for n, t in self.dense.items() if n.startswith("global_block.")}
        self.crosses = sum(n.startswith("cross.") and n.endswith("weight") for n in self.phi)
        self.hidden = sum(n.startswith("mlp.") and n.endswith("weight") for n in self.phi)
        self.parameters = [t for t in self.dense.values() if t.requires_grad]
        self.adam = torch.optim.Adam(self.parameters, lr=RATE, fused=True)

    def leaves(self, batch):
        """The rows of each table that a batch uses, as leaves."""
        return {
            name: F.embedding(batch.rows[name], table).requires_grad_()
            for name, table in self.tables.items()
        }

    def inputs(self, batch, leaves):
        """[rows, all columns]; what belongs to a side table's row is looked up once a row."""
        sources = []
        for source in self.file.sources:
            parts = []
            for feature in self.file.features:
                if feature.source != source:
                    continue
                values = batch.values[feature.name]
                if feature.table is None:
                    parts.append(values)
                elif feature.list:
                    parts.append(
                        F.embedding_bag(
                            values,
                            leaves[feature.table],
                            batch.offsets[feature.name],
                            mode="mean",
                            include_last_offset=True,
                        )
                    )
                else:
                    parts.append(F.embedding(values, leaves[feature.table]))
            if not parts:
                continue
            part = torch.cat(parts, 1)
            if source:
                part = F.embedding(batch.positions[source], part)
            sources.append(part)
        return torch.cat(sources, 1)

    @staticmethod
    def meta_block(theta, x):
        for layer in range(0, len(theta) - 2, 2):
            x = torch.relu(torch.addmm(theta[layer + 1], x, theta[layer]))
        return torch.addmm(theta[-1], x, theta[-2])

    def global_block(self, e, x):
        """e [rows, dim], x [rows, columns] -> logits [rows]."""
        x0 = x = torch.cat([e, x], 1)
        for layer in range(self.crosses):
            name = f"cross.layer{layer}."
            x = torch.addcmul(x, x0, torch.addmm(self.phi[name + "bias"], x, self.phi[name + "weight"]))
        for layer in range(self.hidden):
            name = f"mlp.layer{layer}."
            x = torch.relu(torch.addmm(self.phi[name + "bias"], x, self.phi[name + "weight"]))
        return torch.addmm(self.phi["head.bias"], x, self.phi["head.weight"]).squeeze(1)

    def scalars(self):
        """Inner learning rates by tensor, kappa of the support loss and of the pooling."""
        return (
            self.dense["log_inner_rates"].exp().unbind(),
            self.dense["log_shrinkage"].exp(),
            self.dense["log_pooling_shrinkage"].exp(),
        )

    def clear(self):
        for parameter in self.parameters:
            parameter.grad = None

    def update(self, batch, leaves):
        """Clipping, Adam for the dense parameters, row-wise Adagrad for the rows in use."""
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM, foreach=True)
        self.adam.step()
        with torch.no_grad():
            for name, leaf in leaves.items():
                rows, gradient = batch.rows[name], leaf.grad
                sums = self.sums[name][rows] + gradient.square().mean(1)
                self.sums[name][rows] = sums
                step = gradient * (-TABLE_RATE / (sums.sqrt() + 1e-8)).unsqueeze(1)
                self.tables[name].index_add_(0, rows, step)


GROUPS = {
    "theta": lambda n: n.startswith("dense.meta_block."),
    "phi": lambda n: n.startswith("dense.global_block."),
    "rest": lambda n: n.startswith("dense.") and "_block." not in n,
    "tables": lambda n: n.startswith("table."),
}


def gradients(model, leaves):
    named = {f"dense.{n}": t.grad for n, t in model.dense.items() if t.grad is not None}
    return named | {f"table.{n}": t.grad for n, t in leaves.items()}


def run(description, backward):
    """A peer's main. backward(model, batch, leaves, steps, second) leaves gradients, returns the
    mean query loss."""
    parser = measure.arguments(description)
    parser.add_argument("--order", default="second")
    parser.add_argument("--steps", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    file = batch_file.read_batch_file(options.file)
    model = Model(file)
    second = options.order == "second"

    def step(batch, update=True):
        leaves = model.leaves(batch)
        model.clear()
        loss = backward(model, batch, leaves, options.steps, second)
        if update:
            model.update(batch, leaves)
            return len(batch.support_offsets) - 1
        return float(loss), gradients(model, leaves)

    loss, theirs = step(file.batches[0], update=False)
    prefix = f"{options.order}.{options.steps}."
    ours = {
        name[len(prefix) + 9 :]: tensor
        for name, tensor in file.results.items()
        if name.startswith(prefix + "gradient.")
    }
    errors = measure.relative_errors(ours, theirs, GROUPS)
    our_loss = float(file.results[prefix + "loss"])
    errors["loss"] = abs(loss - our_loss) / abs(our_loss)
    rate = measure.rate(step, file.batches, options, warm_up=3)
    measure.report(tasks_per_second=rate, errors=errors)
