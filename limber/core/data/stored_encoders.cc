#include "limber/core/data/stored_encoders.h"

#include <utility>

#include "limber/core/base/error.h"

namespace limber {
namespace {

/// What the manifest says of a vocabulary's file.
void describe(nlohmann::json& json, const std::string& file, std::int64_t size) {
  json["vocabulary_file"] = file;
  json["vocabulary_size"] = size;
}

/// Reads the file that a dictionary or a perfect hash cannot do without.
void read_values(const Artifact& artifact, const nlohmann::json& json, FeatureEncoder& encoder) {
  const bool dictionary = encoder.vocabulary_kind == "dictionary";
  if (!dictionary && encoder.vocabulary_kind != "perfect_hash") return;
  const std::string file = json.at("vocabulary_file");
  const std::string origin = artifact.file(file).string();
  std::int64_t size = 0;
  if (dictionary) {
    encoder.vocabulary =
        std::make_shared<Vocabulary>(Vocabulary::from_lines(artifact.read(file), origin));
    size = encoder.vocabulary->size();
  } else {
    encoder.perfect_hash =
        std::make_shared<const PerfectHash>(PerfectHash::from_bytes(artifact.read(file), origin));
    size = encoder.perfect_hash->size();
    if (encoder.perfect_hash->fingerprint_bits() != encoder.fingerprint_bits) {
      throw InputError("{}: has fingerprints of {} bits, and the manifest says {}; it is damaged",
                       origin, encoder.perfect_hash->fingerprint_bits(), encoder.fingerprint_bits);
    }
  }
  if (json.value("vocabulary_size", size) != size) {
    throw InputError("{}: has {} values, and the manifest says {}; it is damaged", origin, size - 1,
                     json.at("vocabulary_size").get<std::int64_t>() - 1);
  }
}

}  // namespace

nlohmann::json write_encoders(ArtifactWriter& writer, const std::vector<FeatureEncoder>& encoders) {
  nlohmann::json features = nlohmann::json::array();
  for (const FeatureEncoder& encoder : encoders) {
    nlohmann::json& json = features.emplace_back(encoder.to_json());
    const std::string stem = "vocabulary/" + encoder.name;
    if (encoder.vocabulary_kind == "perfect_hash") {
      writer.add_file(stem + ".hash", encoder.perfect_hash->to_bytes());
      describe(json, stem + ".hash", encoder.perfect_hash->size());
    } else if (encoder.vocabulary) {
      writer.add_file(stem + ".txt", encoder.vocabulary->to_lines());
      describe(json, stem + ".txt", encoder.vocabulary->size());
    }
    if (encoder.vocabulary_kind == "perfect_hash" || encoder.vocabulary_kind == "qr") {
      writer.require_format(kCompressedFormat);
    }
  }
  return features;
}

std::vector<FeatureEncoder> read_encoders(const Artifact& artifact) {
  const std::string origin = (artifact.folder() / kManifestName).string();
  std::vector<FeatureEncoder> encoders;
  try {
    for (const auto& json : artifact.contents().fields.encoders.at("features")) {
      FeatureEncoder encoder = FeatureEncoder::from_json(json, origin);
      read_values(artifact, json, encoder);
      encoders.push_back(std::move(encoder));
    }
  } catch (const nlohmann::json::exception& error) {
    throw InputError("{}: encoders: {}; the manifest is damaged", origin, error.what());
  }
  return encoders;
}

}  // namespace limber
