#include "limber/core/data/stored_encoders.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/data/fit_vocabulary.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

FeatureEncoder encoder_of(const std::string& name, const std::string& kind) {
  FeatureEncoder encoder;
  encoder.name = encoder.column = name;
  encoder.kind = FeatureKind::id;
  encoder.vocabulary_kind = kind;
  encoder.dim = 4;
  if (kind == "dictionary" || kind == "perfect_hash") {
    encoder.vocabulary = std::make_shared<Vocabulary>();
    for (std::int64_t i = 0; i < 40; ++i) encoder.vocabulary->add(Key{true, i * i, {}});
    encoder.max_values = 50;
  }
  if (kind == "perfect_hash") {
    encoder.fingerprint_bits = 11;
    number_by_perfect_hash(encoder);
  }
  if (kind == "hash") encoder.hash_size = 17;
  if (kind == "qr") encoder.quotient_remainder = {9, 5};
  encoder.collisions = {kind == "hash" ? 40 : 0, 3, 12};
  return encoder;
}

class StoredEncodersTest : public testing::Test {
 protected:
  Artifact publish(const std::vector<FeatureEncoder>& encoders) {
    return publish(encoders, [](nlohmann::json&, ArtifactWriter&) {});
  }
  template <class Change>
  Artifact publish(const std::vector<FeatureEncoder>& encoders, const Change& change) {
    ArtifactWriter writer(folder_.path(), "m");
    ManifestFields fields;
    fields.encoders["features"] = write_encoders(writer, encoders);
    change(fields.encoders["features"], writer);
    return Artifact::open(writer.publish(fields));
  }
  template <class Change>
  std::string refusal(const FeatureEncoder& encoder, const Change& change) {
    const Artifact artifact = publish({encoder}, change);
    try {
      read_encoders(artifact);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
};

TEST_F(StoredEncodersTest, ComeBackAsTheyWere) {
  const std::vector<FeatureEncoder> encoders = {
      encoder_of("city", "dictionary"), encoder_of("user", "perfect_hash"),
      encoder_of("page", "hash"), encoder_of("item", "qr")};
  const Artifact artifact = publish(encoders);
  EXPECT_EQ(artifact.contents().format, kCompressedFormat);
  EXPECT_TRUE(artifact.has_file("vocabulary/city.txt"));
  EXPECT_TRUE(artifact.has_file("vocabulary/user.hash"));
  EXPECT_FALSE(artifact.has_file("vocabulary/user.txt"));
  const auto read = read_encoders(artifact);
  ASSERT_EQ(read.size(), encoders.size());
  for (std::size_t f = 0; f < read.size(); ++f) {
    EXPECT_EQ(read[f].to_json(), encoders[f].to_json());
    EXPECT_EQ(read[f].table_rows(), encoders[f].table_rows());
    for (std::int64_t i = 0; i < 2000; ++i) {
      std::vector<std::int32_t> before, after;
      encoders[f].append_rows(Key{true, i, {}}, before);
      read[f].append_rows(Key{true, i, {}}, after);
      ASSERT_EQ(before, after);
      ASSERT_EQ(before.size(), read[f].has_several_rows() ? 4U : 1U);
    }
  }
  EXPECT_EQ(read[1].vocabulary, nullptr);
}

TEST_F(StoredEncodersTest, OnlyNewKindsNeedTheNewFormat) {
  for (const char* kind : {"dictionary", "hash"}) {
    EXPECT_EQ(publish({encoder_of("a", kind)}).contents().format, kOldestFormat);
  }
  for (const char* kind : {"perfect_hash", "qr"}) {
    EXPECT_EQ(publish({encoder_of("a", kind)}).contents().format, kCompressedFormat);
  }
}

TEST_F(StoredEncodersTest, DamageIsNamed) {
  using nlohmann::json;
  const auto set = [&](const FeatureEncoder& encoder, const char* key, const json& value) {
    return refusal(encoder, [&](json& features, ArtifactWriter&) { features[0][key] = value; });
  };
  for (const char* kind : {"dictionary", "perfect_hash"}) {
    const FeatureEncoder encoder = encoder_of("user", kind);
    EXPECT_NE(refusal(encoder,
                      [](json& features, ArtifactWriter&) { features[0].erase("vocabulary_file"); })
                  .find("manifest is damaged"),
              std::string::npos);
    EXPECT_NE(set(encoder, "vocabulary_file", "vocabulary/none").find("vocabulary/none"),
              std::string::npos);
    EXPECT_NE(set(encoder, "vocabulary_size", 7).find("has 40 values, and the manifest says 6"),
              std::string::npos);
    EXPECT_NE(set(encoder, "max_values", -1).find("max_values is -1"), std::string::npos);
    EXPECT_NE(set(encoder, "vocabulary", "dictionry").find("no kind of vocabulary"),
              std::string::npos);
  }
  const FeatureEncoder user = encoder_of("user", "perfect_hash");
  EXPECT_NE(set(user, "fingerprint_bits", 12).find("fingerprints of 11 bits"), std::string::npos);
  EXPECT_NE(set(user, "fingerprint_bits", 0).find("damaged"), std::string::npos);
  EXPECT_NE(refusal(user,
                    [](json& features, ArtifactWriter& writer) {
                      writer.add_file("vocabulary/other.hash", std::string("LIMBERPH"));
                      features[0]["vocabulary_file"] = "vocabulary/other.hash";
                    })
                .find("other.hash: it is too short"),
            std::string::npos);
  EXPECT_NE(set(encoder_of("a", "hash"), "hash_size", 0).find("damaged"), std::string::npos);
  EXPECT_NE(set(encoder_of("a", "hash"), "collisions", 3).find("damaged"), std::string::npos);
  const FeatureEncoder qr = encoder_of("a", "qr");
  EXPECT_NE(set(qr, "remainders", 0).find("damaged"), std::string::npos);
  EXPECT_NE(set(qr, "quotients", std::int64_t{1} << 40).find("damaged"), std::string::npos);
  EXPECT_NE(set(qr, "quotients", (std::int64_t{1} << 31) - 1).find("damaged"), std::string::npos);
}

}  // namespace
}  // namespace limber
