#pragma once

#include <functional>
#include <string>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/serving/serve/http_api.h"

namespace limber {

/// One input of the Open Inference Protocol: a column of the log, one value a row.
struct InferenceTensor {
  std::string name;
  std::vector<FieldValue> values;
};

/// Scores of one label, one a row.
struct InferenceOutput {
  std::string name;
  std::vector<float> values;
};

/// What both transports of the protocol do: scores rows, each for the member that its task column
/// names. `wanted` is asked before each member, who may have to be adapted. Throws InputError: no
/// task column, columns of different lengths, too many rows; NobodyWaits as soon as it is not
/// wanted.
std::vector<InferenceOutput> infer(RankingService& service, const ServedModel& model,
                                   const ApiLimits& limits,
                                   const std::vector<InferenceTensor>& inputs,
                                   const std::function<bool()>& wanted);

class NobodyWaits : public Error {
 public:
  NobodyWaits() : Error("nobody waits for the answer any more") {}
};

/// An input that the model reads: its column, and the datatype that the metadata names.
struct InferenceColumn {
  std::string name, datatype;
};
std::vector<InferenceColumn> inference_columns(const ServedModel& model);

/// Adds /v2, /v2/health/..., /v2/models/... to the server. https://kserve.github.io/website/
/// describes the protocol.
void add_inference_protocol(http::Server& server, RankingService& service, const ApiLimits& limits);

}  // namespace limber
