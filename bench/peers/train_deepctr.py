"""The ready-made DCNv2 of DeepCTR-Torch, in every set-up that might be its fastest.

The model is the library's class DCN with cross_parameterization="matrix", dim 16, as many cross
layers and the same hidden layers as ours; its linear part, which ours does not have, is left out. A
step is what its fit() does with a batch that is ready: forward, its binary cross entropy, backward,
step of the optimiser. The rest of fit(), which gathers batches example by example and asks for the
loss after each, is left out: that is faster. Set-ups within the library's interface: Adam by its
name, with and without its L2 penalties; and, as compile() takes any optimiser, fused Adam and fused
Adagrad without penalties, also under torch.compile.

The library's embeddings have dense gradients, and every step updates every row of every table. What
it would reach otherwise is measured too: its embeddings switched to sparse gradients from outside,
their rows updated by SparseAdam or by our row-wise Adagrad, the rest by fused Adam. torch.compile
takes no sparse gradients inside what it compiles, which is the library's whole forward.

The network is the library's own, with crosses and hidden layers side by side where ours stacks them,
so that gradients cannot be compared; the matrix products are as many, the rows looked up the same.
"""

import sys
import types

import torch
from torch import nn

import batch_file
import measure
import train_dcn

# At its import the library asks a package index for newer versions, by a package that it does not
# declare, and may print the answer among our results.
sys.modules["deepctr_torch.utils"] = types.SimpleNamespace(check_version=lambda version: None)
try:
    from deepctr_torch.inputs import DenseFeat, SparseFeat
    from deepctr_torch.models.dcn import DCN
except ImportError as failure:
    sys.exit(f"error: DeepCTR-Torch cannot be imported ({failure}); run make setup")

NO_PENALTY = {"l2_reg_linear": 0, "l2_reg_embedding": 0, "l2_reg_cross": 0}
LARGEST_EXACT_ID = 2**24  # of a float, as which the library takes ids


def fused(kind):
    return lambda model: kind(model.parameters(), lr=train_dcn.RATE, fused=True)


# name: (penalties, optimiser, whether under torch.compile)
LIBRARY = {
    "adam": ({}, lambda model: "adam", False),
    "adam, no penalty": (NO_PENALTY, lambda model: "adam", False),
    "fused adam, no penalty": (NO_PENALTY, fused(torch.optim.Adam), False),
    "fused adam, no penalty+compile": (NO_PENALTY, fused(torch.optim.Adam), True),
    "fused adagrad, no penalty": (NO_PENALTY, fused(torch.optim.Adagrad), False),
    "fused adagrad, no penalty+compile": (NO_PENALTY, fused(torch.optim.Adagrad), True),
}


class SparseRows:
    """The optimiser of a model whose embeddings are switched to sparse gradients."""

    def __init__(self, model, rows):
        for module in model.embedding_dict.values():
            module.sparse = True
        tables = [module.weight for module in model.embedding_dict.values()]
        others = [p for name, p in model.named_parameters() if not name.startswith("embedding_dict.")]
        self.all = tables + others
        self.optimisers = [train_dcn.SPARSE[rows](tables), torch.optim.Adam(others, lr=train_dcn.RATE, fused=True)]

    def zero_grad(self):
        for parameter in self.all:
            parameter.grad = None

    def step(self):
        for optimiser in self.optimisers:
            optimiser.step()


BY_HAND = {
    rows: (NO_PENALTY, lambda model, rows=rows: SparseRows(model, rows), False)
    for rows in ("sparse_adam", "rowwise_adagrad")
}


def columns_of(file):
    """The library's description of the features."""
    if any(feature.list or feature.source for feature in file.features):
        sys.exit("error: only logs without lists and side tables are compared with DeepCTR-Torch")
    for feature in file.features:
        if feature.table is not None and len(file.tables[feature.table]) > LARGEST_EXACT_ID:
            sys.exit(f"error: {feature.name}: ids beyond {LARGEST_EXACT_ID} are not exact as floats")
    return [
        DenseFeat(feature.name, 1) if feature.table is None
        else SparseFeat(feature.name, len(file.tables[feature.table]), file.tables[feature.table].size(1))
        for feature in file.features
    ]


def inputs_of(file, batch):
    """The one matrix of floats that the library takes."""
    columns = []
    for feature in file.features:
        values = batch.values[feature.name]
        columns.append(values if feature.table is None
                       else batch.rows[feature.table][values].float().unsqueeze(1))
    return torch.cat(columns, 1)


class Ranker:
    def __init__(self, file, columns, penalties, optimiser, compiled):
        layers = [name for name in file.dense if name.endswith("weight")]
        hidden = [file.dense[name].size(1) for name in sorted(n for n in layers if ".mlp." in n)]
        crosses = sum(".cross" in name for name in layers)
        self.model = DCN([], columns, cross_num=crosses, cross_parameterization="matrix",
                         dnn_hidden_units=hidden, **penalties).train()
        self.model.compile(optimiser(self.model), "binary_crossentropy")
        self.forward = torch.compile(self.model) if compiled else self.model

    def step(self, batch):
        """The lines of fit() for a batch."""
        predicted = self.forward(batch.inputs).squeeze(-1)
        self.model.optim.zero_grad()
        loss = self.model.loss_func(predicted, batch.labels, reduction="sum")
        total = loss + self.model.get_regularization_loss() + self.model.aux_loss
        total.backward()
        self.model.optim.step()
        return len(batch.labels)


def rates_of(setups, file, columns, options):
    rates = {}
    for name, setup in setups.items():
        try:
            rates[name] = measure.rate(Ranker(file, columns, *setup).step, file.batches, options, warm_up=3)
        except Exception as failure:
            if not setup[-1]:
                raise
            words = str(failure).strip().splitlines() or [type(failure).__name__]
            print(f"DeepCTR-Torch, {name} does not run here: {words[0]}", file=sys.stderr)
        torch.compiler.reset()
    return rates


def main():
    options = measure.arguments(__doc__).parse_args()
    torch.set_num_threads(options.threads)
    file = batch_file.read_batch_file(options.file)
    columns = columns_of(file)
    for batch in file.batches:
        batch.inputs = inputs_of(file, batch)
    measure.report(library=rates_of(LIBRARY, file, columns, options),
                   by_hand=rates_of(BY_HAND, file, columns, options))


if __name__ == "__main__":
    main()
