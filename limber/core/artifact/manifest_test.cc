#include "limber/core/artifact/manifest.h"

#include <gtest/gtest.h>

#include <functional>

#include "limber/core/artifact/checksum.h"
#include "limber/core/base/error.h"

namespace limber {
namespace {

using nlohmann::ordered_json;

Manifest example() {
  Manifest manifest;
  manifest.name = "films";
  manifest.version = "000007";
  manifest.created = "2026-02-03T04:05:06Z";
  manifest.fields.config = {{"name", "films"}, {"train", {{"seed", 1}}}};
  manifest.fields.encoders = nlohmann::json::array({{{"name", "age"}, {"mean", 31.25}}});
  manifest.fields.data_window = {{"rows", 1000}};
  manifest.fields.metrics = {{"like", {{"auc", 0.75}}}};
  manifest.files = {{"dense.safetensors", 120, "0123456789abcdef"},
                    {"tables/age.safetensors", 0, "2d06800538d394c2"}};
  manifest.tensors = {{"w", "dense.safetensors", DataType::kF32, {2, 3}},
                      {"b", "dense.safetensors", DataType::kI8, {}}};
  return manifest;
}

/// The example after `change`, with a checksum that fits.
std::string forged(const std::function<void(ordered_json&)>& change) {
  ordered_json root = ordered_json::parse(manifest_to_text(example()));
  change(root);
  if (!root.contains("manifest_checksum")) return root.dump(2) + "\n";
  root["manifest_checksum"] = std::string(16, '0');
  std::string text = root.dump(2) + "\n";
  const std::string hex = checksum_of(std::as_bytes(std::span(text)));
  return text.replace(text.size() - 20, 16, hex);
}

void expect_refused(const std::string& text, const std::string& reason) {
  try {
    manifest_from_text(text, "models/films/000007/manifest.json");
    ADD_FAILURE() << "accepted, although: " << reason;
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(reason), std::string::npos) << message;
    EXPECT_EQ(message.rfind("models/films/000007/manifest.json: ", 0), 0u) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(Manifest, TextAndBackIsTheSame) {
  const std::string text = manifest_to_text(example());
  const Manifest manifest = manifest_from_text(text, "m");
  EXPECT_EQ(manifest_to_text(manifest), text);
  EXPECT_EQ(manifest.name, "films");
  EXPECT_EQ(manifest.version, "000007");
  EXPECT_EQ(manifest.created, "2026-02-03T04:05:06Z");
  EXPECT_EQ(manifest.fields.config["train"]["seed"], 1);
  EXPECT_EQ(manifest.fields.encoders[0]["mean"], 31.25);
  EXPECT_EQ(manifest.fields.data_window["rows"], 1000);
  EXPECT_EQ(manifest.fields.metrics["like"]["auc"], 0.75);
  ASSERT_EQ(manifest.files.size(), 2u);
  EXPECT_EQ(manifest.files[0].size, 120u);
  ASSERT_EQ(manifest.tensors.size(), 2u);
  EXPECT_EQ(manifest.tensors[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(manifest.tensors[1].type, DataType::kI8);
}

TEST(Manifest, EveryFlippedBitIsFound) {
  const std::string text = manifest_to_text(example());
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THROW(manifest_from_text(flipped, "m"), InputError) << bit;
  }
}

TEST(Manifest, EveryTruncationAndExtensionIsFound) {
  const std::string text = manifest_to_text(example());
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_THROW(manifest_from_text(text.substr(0, length), "m"), InputError) << length;
  }
  EXPECT_THROW(manifest_from_text(text + "\n", "m"), InputError);
}

TEST(Manifest, ANewerFormatIsNamedEvenThoughNothingElseFits) {
  expect_refused(R"({"format_version": 4, "signature": {}})",
                 "written by a newer Limber (format 4), this one reads up to 3; update Limber");
  expect_refused(R"({"format_version": 0})", "format_version is 0");
  expect_refused(R"({"format_version": "1"})", "format_version is \"1\"");
  expect_refused(R"({"format_version": -1})", "format_version is -1");
  expect_refused("{}", "format_version is missing");
  expect_refused("[]", "no object");
}

TEST(Manifest, UnknownKeysAreLeftToNewerReaders) {
  EXPECT_NO_THROW(manifest_from_text(forged([](auto&) {}), "m"));
  EXPECT_NO_THROW(
      manifest_from_text(forged([](auto& root) { root["files"][0]["note"] = "new"; }), "m"));
}

TEST(Manifest, EveryKeyIsNeeded) {
  for (const char* key : {"name", "version", "created", "config", "encoders", "data_window",
                          "metrics", "tensors", "files"}) {
    expect_refused(forged([&](auto& root) { root.erase(key); }),
                   std::string("the key ") + key + " is missing");
  }
  for (const char* key : {"path", "size", "checksum"}) {
    expect_refused(forged([&](auto& root) { root["files"][0].erase(key); }), key);
  }
  for (const char* key : {"name", "file", "dtype", "shape"}) {
    expect_refused(forged([&](auto& root) { root["tensors"][0].erase(key); }), key);
  }
  expect_refused(forged([](auto& root) { root.erase("manifest_checksum"); }), "own checksum");
}

TEST(Manifest, RefusesValuesThatMakeNoSense) {
  expect_refused(forged([](auto& root) { root["name"] = 3; }), "name is 3, not text");
  expect_refused(forged([](auto& root) { root["files"] = 3; }), "files is not a list");
  expect_refused(forged([](auto& root) { root["files"][0] = 3; }), "path is missing");
  expect_refused(forged([](auto& root) { root["files"][0]["size"] = -1; }), "the size -1");
  expect_refused(forged([](auto& root) { root["files"][1] = root["files"][0]; }), "listed twice");
  expect_refused(forged([](auto& root) { root["tensors"][1]["name"] = "w"; }), "listed twice");
  expect_refused(forged([](auto& root) { root["tensors"][0]["file"] = "x"; }), "not among");
  expect_refused(forged([](auto& root) { root["tensors"][0]["dtype"] = "F8"; }), "dtype \"F8\"");
  expect_refused(forged([](auto& root) { root["tensors"][0]["shape"] = {1, -2}; }), "size of -2");
}

TEST(Manifest, RefusesPathsThatLeaveTheFolder) {
  for (const char* path : {"", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "./x", "a//b",
                           "a/", "a\\b", "a\nb", "manifest.json"}) {
    expect_refused(forged([&](auto& root) { root["files"][1]["path"] = path; }),
                   "does not name a file inside the folder");
  }
  for (const char* path : {"x", "tables/x.safetensors", "a/b/c", "..x", "x..", "a/...", ".x"}) {
    EXPECT_TRUE(is_inner_path(path)) << path;
  }
}

TEST(Manifest, TextThatIsNotUtf8CannotBeWritten) {
  Manifest manifest = example();
  manifest.fields.config["name"] = "\xff";
  EXPECT_THROW(manifest_to_text(manifest), Error);
}

}  // namespace
}  // namespace limber
