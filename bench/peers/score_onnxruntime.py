"""Scoring with ONNX Runtime: the same weights and requests as ours, as its users run it.

The graph takes 26 columns of ids [candidates] and numbers [candidates, 13]; what a request's
candidates share is repeated in each row. Graph optimizations are all on, inputs and outputs are bound once.
"""

import argparse
import json
import time

import batch_file
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def inputs():
    ids = [helper.make_tensor_value_info(f"id{i}", TensorProto.INT64, ["candidates"]) for i in range(26)]
    return [*ids, helper.make_tensor_value_info("numbers", TensorProto.FLOAT, ["candidates", 13])]


def build(tensors):
    """The graph of the model, from the weights in our file."""
    nodes, weights = [], []

    def add(kind, inputs, **attributes):
        name = f"{kind}{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(name, value):
        weights.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
        return name

    dense = lambda name: tensors[f"dense.global_block.{name}"].numpy()
    parts = ["numbers"]
    for i in range(26):
        table = weight(f"table{i}", tensors[f"table.id{i}"].numpy())
        parts.append(add("Gather", [table, f"id{i}"], axis=0))
    x0 = x = add("Concat", parts, axis=1)
    layer = 0
    while f"dense.global_block.cross.layer{layer}.down" in tensors:
        name = f"cross.layer{layer}."
        low = add("MatMul", [x, weight(name + "down", dense(name + "down"))])
        outer = add("Gemm", [low, weight(name + "up", dense(name + "up")),
                             weight(name + "bias", dense(name + "bias"))])
        x = add("Add", [add("Mul", [x0, outer]), x])
        layer += 1
    layer = 0
    while f"dense.global_block.mlp.layer{layer}.weight" in tensors:
        name = f"mlp.layer{layer}."
        x = add("Relu", [add("Gemm", [x, weight(name + "weight", dense(name + "weight")),
                                      weight(name + "bias", dense(name + "bias"))])])
        layer += 1
    nodes.append(helper.make_node("Gemm", [x, weight("head.weight", dense("head.weight")),
                                           weight("head.bias", dense("head.bias"))], ["logits"]))
    graph = helper.make_graph(
        nodes, "ranking",
        inputs(),
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["candidates", 1])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def identity():
    """A graph that does nothing, with inputs of the same shapes: what a call alone costs."""
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["numbers", "axes"], ["logits"])], "nothing",
        inputs(),
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["candidates", 1])],
        [numpy_helper.from_array(numpy.array([1], numpy.int64), "axes")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def bound(made, ids, numbers):
    """ids [26, candidates]."""
    binding = made.io_binding()
    for i in range(26):
        binding.bind_cpu_input(f"id{i}", ids[i])
    binding.bind_cpu_input("numbers", numbers)
    binding.bind_output("logits", "cpu")
    return binding


def measure(made, bindings, seconds):
    times = []
    begin = time.perf_counter()
    i = 0
    while (now := time.perf_counter()) - begin < seconds * 1.1:
        made.run_with_iobinding(bindings[i % len(bindings)])
        if now - begin > seconds / 10:
            times.append(time.perf_counter() - now)
        i += 1
    times = numpy.array(times) * 1e6
    return times.mean(), numpy.quantile(times, 0.5), numpy.quantile(times, 0.99)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--candidates", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processor-time", action="store_true")
    options = parser.parse_args()
    tensors, _ = batch_file.read_tensors(options.file)
    prefix = f"request{options.candidates}."
    requests = []
    while f"{prefix}{len(requests)}.ids" in tensors:
        name = f"{prefix}{len(requests)}."
        requests.append((tensors[name + "ids"].numpy(), tensors[name + "numbers"].numpy()))
    made = session(build(tensors))
    bindings = [bound(made, *request) for request in requests]
    made.run_with_iobinding(bindings[0])
    logits = tensors[prefix + "logits"].numpy()
    difference = numpy.abs(bindings[0].copy_outputs_to_cpu()[0].ravel() - logits).max()
    empty = session(identity())
    call = measure(empty, [bound(empty, *requests[0])], min(options.seconds, 1))[1]
    mean, p50, p99 = measure(made, bindings, options.seconds)
    print(json.dumps({"mean_us": mean, "p50_us": p50, "p99_us": p99, "call_us": call,
                      "candidates_per_second": options.candidates / mean * 1e6,
                      "difference": float(difference)}))


if __name__ == "__main__":
    main()
