#pragma once

#include <open_inference.pb.h>

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "limber/serving/serve/inference_protocol.h"

namespace limber {

/// The inputs of a ModelInfer request as columns. Texts are views of the request, which must live
/// as long.
struct InputColumns {
  std::vector<InferenceTensor> tensors;
  std::deque<std::string> spelled;  ///< whole numbers beyond 63 bits, as texts
};

/// Whether the inputs come as raw_input_contents; the outputs then leave as raw_output_contents.
bool is_raw(const inference::ModelInferRequest& request);

/// Reads BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64 and BYTES, typed or raw. Throws
/// InputError that names the input: a column that the model does not read, one given twice, more
/// than `most_rows`, a shape other than [rows] or [rows, 1], values that are not as many as the
/// shape says or do not fit their datatype. What is read takes memory by what the model has use
/// for, not by what was sent.
InputColumns read_inputs(const inference::ModelInferRequest& request, const RequestSchema& schema,
                         std::size_t most_rows);

/// Which of the model's `labels` are asked for, in the request's order; all when it names none.
/// Throws InputError for another name.
std::vector<std::size_t> wanted_outputs(const inference::ModelInferRequest& request,
                                        const std::vector<std::string>& labels);

/// Adds `outputs[i]` for each i of `wanted`, as FP32 of shape [rows].
void write_outputs(const std::vector<InferenceOutput>& outputs,
                   const std::vector<std::size_t>& wanted, bool raw,
                   inference::ModelInferResponse& response);

}  // namespace limber
