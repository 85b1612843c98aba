#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "limber/core/artifact/artifact.h"
#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/data/encoder.h"

namespace limber {

/// Writes what encoders know of values: a dictionary as vocabulary/NAME.txt, a perfect hash as
/// vocabulary/NAME.hash. Returns what the manifest's encoders say under "features". A perfect hash,
/// and rows of quotients and remainders, need the format of compressed models.
nlohmann::json write_encoders(ArtifactWriter& writer, const std::vector<FeatureEncoder>& encoders);

/// The encoders of an artifact, in the order of its features. Throws InputError that names the file
/// for a damaged one.
std::vector<FeatureEncoder> read_encoders(const Artifact& artifact);

}  // namespace limber
