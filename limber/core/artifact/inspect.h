#pragma once

#include <string>

#include "limber/core/artifact/artifact.h"

namespace limber {

/// What `limber inspect` prints: version, sizes by file, parameters, tensors, labels, features with
/// their vocabularies, data window and metrics, as aligned text that ends in a line break. Parts of
/// the config that the artifact does not have are left out.
std::string describe_artifact(const Artifact& artifact);

/// What `limber inspect --json` prints: the manifest, key for key as it is stored.
std::string describe_artifact_as_json(const Artifact& artifact);

/// The tensor's elements where they are weights: floating-point numbers, or quantised rows of 8
/// bits. Wider integers count and index; they are no parameters.
std::uint64_t count_parameters(const TensorEntry& tensor);

}  // namespace limber
