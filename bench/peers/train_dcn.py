"""A DCNv2 ranker as one writes it in PyTorch, in every set-up that might be the fastest.

Embeddings are nn.Embedding(sparse=True), consecutive features of one width in one table, so that
one lookup serves them; lists are nn.EmbeddingBag. Dense parameters: Adam(fused=True). Rows:
SparseAdam, Adagrad, or row-wise Adagrad as ours. Each with and without torch.compile of the dense
part. Prints examples a second of each that runs.
"""

import sys
import warnings

import torch
from torch import nn
import torch.nn.functional as F

import batch_file
import measure

CLIP_NORM = 10.0
RATE, TABLE_RATE = 1e-3, 0.05


class Cross(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x0, x):
        return torch.addcmul(x, x0, self.linear(x))


class Dense(nn.Module):
    """Two cross layers, hidden layers, one logit."""

    def __init__(self, width, crosses, hidden):
        super().__init__()
        self.crosses = nn.ModuleList(Cross(width) for _ in range(crosses))
        self.hidden = nn.ModuleList()
        for out in hidden:
            self.hidden.append(nn.Linear(width, out))
            width = out
        self.head = nn.Linear(width, 1)

    def forward(self, parts):
        x0 = x = torch.cat(parts, 1)
        for cross in self.crosses:
            x = cross(x0, x)
        for layer in self.hidden:
            x = torch.relu(layer(x))
        return self.head(x).squeeze(1)


class Run:
    """Consecutive features of one kind and width, looked up at once."""

    def __init__(self, features, file):
        self.features = features
        self.numbers = features[0].table is None
        self.list = features[0].list
        if self.numbers:
            return
        tables = [file.tables[feature.table] for feature in features]
        sizes = torch.tensor([0] + [len(table) for table in tables])
        self.starts = sizes.cumsum(0)[:-1]
        kind = nn.EmbeddingBag if self.list else nn.Embedding
        options = {"mode": "mean", "include_last_offset": True} if self.list else {}
        self.module = kind.from_pretrained(
            torch.cat(tables), freeze=False, sparse=True, **options
        )

    def forward(self, batch, i):
        if self.numbers:
            return batch.prepared[i]
        if self.list:
            return self.module(*batch.prepared[i])
        return self.module(batch.prepared[i]).flatten(1)

    def prepare(self, batch):
        """What a data loader would hand over: plain numbers and row numbers of every batch row."""
        columns = []
        for feature, start in zip(self.features, self.starts if not self.numbers else self.features):
            values = batch.values[feature.name]
            place = batch.positions.get(feature.source)
            if self.numbers:
                columns.append(values if place is None else values[place])
                continue
            values = batch.rows[feature.table][values] + start
            if self.list:
                return expand_list(values, batch.offsets[feature.name], place)
            columns.append(values if place is None else values[place])
        return torch.cat(columns, 1) if self.numbers else torch.stack(columns, 1)


def expand_list(values, offsets, place):
    """Values and offsets of each batch row from those of the side table's rows."""
    if place is None:
        return values, offsets
    lists = [values[b:e] for b, e in zip(offsets[:-1].tolist(), offsets[1:].tolist())]
    chosen = [lists[p] for p in place.tolist()]
    sizes = torch.tensor([0] + [len(one) for one in chosen])
    return torch.cat(chosen), sizes.cumsum(0)


def make_runs(file):
    runs, last = [], None
    for source in file.sources:
        for feature in (f for f in file.features if f.source == source):
            width = None if feature.table is None else file.tables[feature.table].size(1)
            kind = (width, feature.list)
            if kind == last and not feature.list:
                runs[-1].append(feature)
            else:
                runs.append([feature])
            last = kind
    return [Run(features, file) for features in runs]


class RowwiseAdagrad:
    """The rule of ours: one sum a row, of the mean squared gradient."""

    def __init__(self, tables, lr):
        self.tables, self.rate = tables, lr
        self.sums = [torch.zeros(len(table)) for table in tables]

    @torch.no_grad()
    def step(self):
        for table, all_sums in zip(self.tables, self.sums):
            gradient = table.grad.coalesce()
            rows, values = gradient.indices()[0], gradient.values()
            sums = all_sums[rows] + values.square().mean(1)
            all_sums[rows] = sums
            table.index_add_(0, rows, values * (-self.rate / (sums.sqrt() + 1e-8)).unsqueeze(1))


SPARSE = {
    "sparse_adam": lambda tables: torch.optim.SparseAdam(tables, lr=RATE),
    "adagrad": lambda tables: torch.optim.Adagrad(tables, lr=TABLE_RATE),
    "rowwise_adagrad": lambda tables: RowwiseAdagrad(tables, TABLE_RATE),
}


class Ranker:
    def __init__(self, file, sparse, compiled):
        self.runs = make_runs(file)
        dense = file.dense
        weights = lambda part: sorted(
            n for n in dense if n.startswith(f"global_block.{part}") and n.endswith("weight")
        )
        crosses, hidden = weights("cross"), weights("mlp")
        width = dense[crosses[0]].size(0)
        self.dense = Dense(width, len(crosses), [dense[name].size(1) for name in hidden])
        linears = [cross.linear for cross in self.dense.crosses]
        self.linears = dict(
            zip(crosses + hidden + weights("head"), [*linears, *self.dense.hidden, self.dense.head])
        )
        with torch.no_grad():
            for name, linear in self.linears.items():
                linear.weight.copy_(dense[name].t())
                linear.bias.copy_(dense[name.replace("weight", "bias")])
        self.parameters = list(self.dense.parameters())
        self.tables = [run.module.weight for run in self.runs if not run.numbers]
        self.adam = torch.optim.Adam(self.parameters, lr=RATE, fused=True)
        self.sparse = SPARSE[sparse](self.tables)
        self.forward = torch.compile(self.dense) if compiled else self.dense

    def backward(self, batch):
        for parameter in self.parameters + self.tables:
            parameter.grad = None
        logits = self.forward([run.forward(batch, i) for i, run in enumerate(self.runs)])
        loss = F.binary_cross_entropy_with_logits(logits, batch.labels)
        loss.backward()
        return loss.detach()

    def step(self, batch):
        self.backward(batch)
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM, foreach=True)
        self.adam.step()
        self.sparse.step()
        return len(batch.labels)

    def gradients(self, batch):
        named = {}
        for name, linear in self.linears.items():
            named[f"dense.{name}"] = linear.weight.grad.t()
            named[f"dense.{name.replace('weight', 'bias')}"] = linear.bias.grad
        for run in self.runs:
            if run.numbers:
                continue
            whole = run.module.weight.grad.coalesce()
            rows, values = whole.indices()[0], whole.values()
            for feature, start in zip(run.features, run.starts):
                place = torch.searchsorted(rows, batch.rows[feature.table] + start)
                named[f"table.{feature.table}"] = values[place]
        return named


GROUPS = {"phi": lambda n: n.startswith("dense."), "tables": lambda n: n.startswith("table.")}


def main():
    # Adagrad builds its sparse step unchecked, and PyTorch remarks on it.
    warnings.filterwarnings("ignore", message="Sparse invariant checks")
    parser = measure.arguments(__doc__)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    file = batch_file.read_batch_file(options.file)
    for batch in file.batches:
        batch.prepared = [run.prepare(batch) for run in make_runs(file)]
    rates, errors = {}, None
    for compiled in (False, True):
        for sparse in SPARSE:
            name = sparse + ("+compile" if compiled else "")
            ranker = Ranker(file, sparse, compiled)
            try:
                if errors is None:
                    loss = ranker.backward(file.batches[0])
                    theirs = ranker.gradients(file.batches[0])
                    ours = {n[9:]: t for n, t in file.results.items() if n.startswith("gradient.")}
                    errors = measure.relative_errors(ours, theirs, GROUPS)
                    our_loss = float(file.results["loss"])
                    errors["loss"] = abs(float(loss) - our_loss) / abs(our_loss)
                rates[name] = measure.rate(ranker.step, file.batches, options, warm_up=3)
            except Exception as failure:
                if not compiled:
                    raise
                words = str(failure).strip().splitlines() or [type(failure).__name__]
                print(f"{name} does not run here: {words[0]}", file=sys.stderr)
                break
    measure.report(examples_per_second=rates, errors=errors)


if __name__ == "__main__":
    main()
