#include <gtest/gtest.h>

#include <vector>

#include "limber/core/config/config.h"
#include "limber/core/config/test_support.h"

namespace limber {
namespace {

using Settings = std::vector<std::string>;

/// The message for the movies config under --set.
std::string refusal(const Settings& settings) {
  return input_error([&] { parse_config(kMoviesYaml, "c.yaml", settings); });
}

TEST(CheckConfig, AcceptsAGoodConfig) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({"data.split=chronological"}), "");
  EXPECT_EQ(refusal({"data.validation_share=0.49", "data.test_share=0.5"}), "");
  EXPECT_EQ(refusal({"model.global_block.inputs=[history, age]"}), "");
  EXPECT_EQ(refusal({"model.meta_block.start=history", "model.history.enabled=true"}), "");
}

TEST(CheckConfig, FeatureNamesAreUnique) {
  EXPECT_EQ(refusal({"features.age.name=genres"}),
            "c.yaml: features: two are named genres; give each its own name");
}

TEST(CheckConfig, InputsNameFeaturesOnce) {
  for (const std::string path : {"model.meta_block.inputs", "model.history.inputs",
                                 "model.global_block.inputs", "model.global_block.wide"}) {
    EXPECT_EQ(refusal({path + "=[age, genrs]"}),
              "c.yaml: " + path + ": no feature is named genrs; did you mean genres?");
    EXPECT_EQ(refusal({path + "=[age, age]"}), "c.yaml: " + path + ": names age twice");
    EXPECT_EQ(refusal({path + "=[age]"}), "");
  }
}

TEST(CheckConfig, OnlyTheGlobalBlockReadsSequences) {
  for (const std::string path : {"model.meta_block.inputs", "model.history.inputs"}) {
    EXPECT_EQ(refusal({path + "=[history]"}),
              "c.yaml: " + path + ": history is a sequence, which only the global block can read");
  }
}

TEST(CheckConfig, ASequenceIsMadeOfAnIdFeature) {
  EXPECT_EQ(refusal({"features.history.of="}),
            "c.yaml: features.history.of: a sequence must say which id feature's values it is "
            "made of");
  EXPECT_EQ(refusal({"features.history.of=item"}),
            "c.yaml: features.history.of: no feature is named item; did you mean item_id?");
  EXPECT_EQ(refusal({"features.history.of=genres"}),
            "c.yaml: features.history.of: genres is of kind ids; a sequence is made of an id "
            "feature");
  EXPECT_NE(refusal({"features.history.of=history"}), "");
}

TEST(CheckConfig, ASequenceIsMadeOfSingleRows) {
  EXPECT_EQ(
      refusal({"features.item_id.vocabulary=qr"}),
      "c.yaml: features.history.of: a value of item_id has several rows (vocabulary: qr), and "
      "a sequence is made of single ones; take another vocabulary for it");
  EXPECT_EQ(refusal({"features.genres.vocabulary=qr"}), "");
  EXPECT_EQ(refusal({"features.item_id.vocabulary=perfect_hash"}), "");
}

TEST(CheckConfig, HalfAHashTellsEnoughPairsApart) {
  const std::string genres = "features.genres.";
  const auto with = [&](const char* quotients, const char* remainders) {
    return refusal({genres + "vocabulary=qr", genres + "quotients=" + quotients,
                    genres + "remainders=" + remainders});
  };
  EXPECT_EQ(with("4194304", "1024"), "");
  EXPECT_EQ(with("268435456", "16"), "");
  EXPECT_EQ(with("4194305", "1024"),
            "c.yaml: features.genres.quotients: 4194305 quotients and 1024 remainders make more "
            "pairs than the 4294967296 values of half a hash; with these remainders, 4194304 "
            "quotients use them all");
  EXPECT_NE(with("2", "268435456"), with("268435456", "268435456"));
  // What another vocabulary does not read does not matter.
  EXPECT_EQ(refusal({genres + "quotients=268435456", genres + "remainders=1000"}), "");
}

TEST(CheckConfig, TimeIsNeededWhereRowsAreOrdered) {
  EXPECT_EQ(refusal({"data.time="}).substr(0, 55),
            "c.yaml: data.time: is required by the sequence history:");
  const Settings no_sequence = {"data.time=", "features=[{name: item_id, kind: id}]",
                                "model.meta_block.inputs=[]"};
  EXPECT_EQ(refusal(no_sequence), "");
  Settings chronological = no_sequence;
  chronological.push_back("data.split=chronological");
  EXPECT_EQ(refusal(chronological),
            "c.yaml: data.split: chronological needs data.time; name that column, or split by "
            "random");
}

TEST(CheckConfig, SharesLeaveSomethingToTrainOn) {
  EXPECT_NE(refusal({"data.validation_share=0.5", "data.test_share=0.5"}).find("leave nothing"),
            std::string::npos);
}

TEST(CheckConfig, HistoryStartNeedsTheEncoder) {
  EXPECT_EQ(refusal({"model.meta_block.start=history"}),
            "c.yaml: model.meta_block.start: history needs model.history.enabled: true");
  EXPECT_EQ(refusal({"model.meta_block.start=history", "model.meta_block.enabled=false"}), "");
  const std::string enabled = "model.history.enabled=true";
  EXPECT_EQ(refusal({"model.meta_block.start=history", enabled}), "");
  EXPECT_NE(refusal({"model.meta_block.start=history", enabled, "model.history.pooling=attention"})
                .find("history needs model.history.pooling: mean"),
            std::string::npos);
}

TEST(CheckConfig, WidthsDivide) {
  EXPECT_EQ(
      refusal({"model.global_block.cross.kind=residual", "model.global_block.cross.rank=10"}),
      "c.yaml: model.global_block.cross.tokens: a bottleneck of 10 (rank) cannot be cut into 4 "
      "equal parts");
  EXPECT_EQ(refusal({"model.global_block.cross.rank=10"}), "");
  EXPECT_EQ(refusal({"model.history.pooling=transformer", "model.history.dim=9"}),
            "c.yaml: model.history.heads: a width of 9 (dim) cannot be cut into 2 heads");
}

TEST(CheckConfig, LabelsAreKnownAndInOneGroup) {
  EXPECT_EQ(refusal({"model.score.lke=1"}),
            "c.yaml: model.score.lke: no label has that name; did you mean like?");
  EXPECT_EQ(refusal({"train.label_weights.nothing=2"}),
            "c.yaml: train.label_weights.nothing: no label has that name");
  EXPECT_NE(refusal({"train.label_weights.like=0"}).find("leave the label out of data.labels"),
            std::string::npos);
  const std::string groups = "model.global_block.experts.groups.";
  const std::string kind = "model.global_block.experts.kind=groups";
  EXPECT_EQ(refusal({groups + "a=[like]"}),
            "c.yaml: model.global_block.experts.groups: needs model.global_block.experts.kind: "
            "groups, mmoe or ple");
  EXPECT_EQ(refusal({kind, "data.labels.seen=rating", groups + "a=[seen]"}),
            "c.yaml: model.global_block.experts.groups: the label like is in none; each must be in "
            "one");
  EXPECT_EQ(refusal({kind, groups + "a=[like]", groups + "b=[like]"}),
            "c.yaml: model.global_block.experts.groups.b: like is in a, too");
  EXPECT_EQ(refusal({kind, groups + "a=[like]"}), "");
}

TEST(CheckConfig, TheMetaBlockHasSomethingToRead) {
  // No YAML can say this, for a sequence needs an id feature; a config made in code can.
  Config config = parse_config(kMoviesYaml, "c.yaml");
  config.features.clear();
  config.model.meta_block.inputs.clear();
  EXPECT_THROW(check_config(config, "c.yaml"), InputError);
  config.model.meta_block.enabled = false;
  EXPECT_NO_THROW(check_config(config, "c.yaml"));
}

}  // namespace
}  // namespace limber
