#include "limber/core/artifact/artifact.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/error.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

class ArtifactTest : public testing::Test {
 protected:
  fs::path publish(const std::string& name = "films", float first = 1) {
    std::vector<float> dense(6);
    std::iota(dense.begin(), dense.end(), first);
    std::vector<std::int8_t> rows(40);
    std::iota(rows.begin(), rows.end(), std::int8_t{-20});
    ArtifactWriter writer(models_, name);
    writer.add_tensors("dense.safetensors", std::vector{make_tensor<float>("w", {2, 3}, dense)});
    writer.add_tensors("tables/item.safetensors",
                       std::vector{make_tensor<std::int8_t>("item", {10, 4}, rows)});
    writer.add_file("vocabulary/item", "first\nsecond\n");
    writer.add_file("vocabulary/empty", "");
    ManifestFields fields;
    fields.config = {{"name", name}};
    fields.metrics = {{"auc", 0.5}};
    return writer.publish(fields);
  }

  void expect_refused(const fs::path& path, const std::string& file, const std::string& reason) {
    try {
      Artifact::open(path);
      ADD_FAILURE() << "opened, although: " << reason;
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find(file), std::string::npos) << message;
      EXPECT_NE(message.find(reason), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }

  static void overwrite(const fs::path& path, const std::string& bytes) {
    // Anew: some file systems flush a file to disk that is cut to nothing and written again.
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  TemporaryFolder folder_;
  const fs::path models_ = folder_.path() / "models";
};

TEST_F(ArtifactTest, WhatIsPublishedComesBack) {
  const fs::path path = publish();
  EXPECT_EQ(path, models_ / "films" / "000001");
  Artifact opened = Artifact::open(path);
  const Artifact artifact = std::move(opened);  // views must survive a move
  EXPECT_EQ(artifact.name(), "films");
  EXPECT_EQ(artifact.version(), "000001");
  EXPECT_EQ(artifact.folder(), path);
  EXPECT_EQ(artifact.tensor("w").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(artifact.tensor("w").values<float>()[5], 6.0f);
  EXPECT_EQ(artifact.tensor("item").values<std::int8_t>()[0], -20);
  EXPECT_EQ(artifact.read("vocabulary/item"), "first\nsecond\n");
  EXPECT_EQ(artifact.read("vocabulary/empty"), "");
  EXPECT_EQ(artifact.file("vocabulary/item"), path / "vocabulary/item");
  EXPECT_EQ(artifact.manifest()["format_version"], 1);
  EXPECT_EQ(artifact.manifest()["config"]["name"], "films");
  EXPECT_EQ(artifact.contents().fields.metrics["auc"], 0.5);
  EXPECT_EQ(artifact.contents().created.size(), std::string("2026-02-03T04:05:06Z").size());
  EXPECT_TRUE(artifact.has_tensor("item"));
  EXPECT_FALSE(artifact.has_tensor("items"));
  EXPECT_THROW(artifact.tensor("items"), InputError);
  EXPECT_THROW(artifact.read("vocabulary/none"), InputError);
  EXPECT_THROW(artifact.read("manifest.json"), InputError);
  EXPECT_THROW(artifact.read("../000001/vocabulary/item"), InputError);
}

TEST_F(ArtifactTest, AModelsFolderOpensItsHighestVersion) {
  publish("films", 1);
  publish("films", 2);
  EXPECT_EQ(Artifact::open(models_ / "films").tensor("w").values<float>()[0], 2.0f);
  EXPECT_EQ(Artifact::open(models_ / "films" / "").version(), "000002");
  EXPECT_EQ(Artifact::open(models_ / "films/000001/").tensor("w").values<float>()[0], 1.0f);
  EXPECT_EQ(Artifact::open(models_ / "films/./000002/../000001").version(), "000001");
}

TEST_F(ArtifactTest, ACopyUnderAnotherNameKeepsItsVersion) {
  const fs::path copy = folder_.path() / "copy";
  fs::copy(publish(), copy, fs::copy_options::recursive);
  EXPECT_EQ(Artifact::open(copy).version(), "000001");
}

TEST_F(ArtifactTest, NothingThereIsSaidPlainly) {
  publish();
  expect_refused(models_ / "flims", "flims", "did you mean " + (models_ / "films").string());
  expect_refused(models_ / "books", "books", "no such folder");
  expect_refused(models_, "models", "no published version");
  expect_refused(models_ / "films/000001/manifest.json", "manifest.json", "no such folder");
  fs::create_directory(models_ / "films/000002");
  expect_refused(models_ / "films", "films/000002/manifest.json", "missing");
}

TEST_F(ArtifactTest, AFlippedBitInAnyByteOfAnyFileIsFound) {
  const fs::path path = publish();
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string whole = read_file(entry.path());
    for (std::size_t byte = 0; byte < whole.size(); ++byte) {
      std::string flipped = whole;
      flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << (byte % 8)));
      overwrite(entry.path(), flipped);
      expect_refused(path, entry.path().string(), "");
    }
    overwrite(entry.path(), whole);
  }
  EXPECT_EQ(files, 5);
  EXPECT_NO_THROW(Artifact::open(path));
}

TEST_F(ArtifactTest, MissingLongerAndShorterFilesAreFound) {
  const fs::path path = publish();
  for (const char* name : {"dense.safetensors", "tables/item.safetensors", "vocabulary/item",
                           "vocabulary/empty", "manifest.json"}) {
    const std::string whole = read_file(path / name);
    const bool is_manifest = std::string(name) == kManifestName;
    const std::string reason = is_manifest ? "damaged" : "bytes, the manifest says";
    overwrite(path / name, whole + "x");
    expect_refused(path, name, reason);
    if (!whole.empty()) {
      overwrite(path / name, whole.substr(1));
      expect_refused(path, name, reason);
    }
    fs::remove(path / name);
    expect_refused(path, name, "missing");
    fs::create_directory(path / name);
    expect_refused(path, name, "missing");
    fs::remove(path / name);
    overwrite(path / name, whole);
  }
  EXPECT_NO_THROW(Artifact::open(path));
}

TEST_F(ArtifactTest, FilesThatPassTheirChecksumButContradictTheIndexAreFound) {
  // A manifest made for other tensors of the same files.
  const fs::path path = publish();
  const auto with = [&](auto change) {
    Manifest manifest = manifest_from_text(read_file(path / kManifestName), "m");
    change(manifest);
    overwrite(path / kManifestName, manifest_to_text(manifest));
  };
  const std::string whole = read_file(path / kManifestName);
  const auto expect = [&](const std::string& file, const std::string& reason, auto change) {
    with(change);
    expect_refused(path, file, reason);
    overwrite(path / kManifestName, whole);
  };
  expect("dense.safetensors", "tensor w is not as", [](Manifest& m) { m.tensors[0].shape = {6}; });
  expect("dense.safetensors", "tensor w is not as",
         [](Manifest& m) { m.tensors[0].type = DataType::kI32; });
  expect("item.safetensors", "tensor w is not as",
         [](Manifest& m) { m.tensors[0].file = "tables/item.safetensors"; });
  expect("dense.safetensors", "tensor v is not as", [](Manifest& m) { m.tensors[0].name = "v"; });
  expect("dense.safetensors", "tensor v  is not as",
         [](Manifest& m) { m.tensors[0].name = "v\n"; });
  expect("manifest.json", "lists 1 of 2", [](Manifest& m) { m.tensors.pop_back(); });
  EXPECT_NO_THROW(Artifact::open(path));
}

TEST_F(ArtifactTest, ANewerFormatIsRefusedByName) {
  const fs::path path = publish();
  std::string text = read_file(path / kManifestName);
  const std::string key = "\"format_version\": ";
  text.replace(text.find(key), key.size() + 1, key + "4");
  overwrite(path / kManifestName, text);
  expect_refused(path, "manifest.json",
                 "written by a newer Limber (format 4), this one reads up to 3");
}

TEST_F(ArtifactTest, ALinkOutOfTheFolderIsRefused) {
  const fs::path path = publish(), outside = folder_.path() / "outside";
  fs::copy(path / "vocabulary/item", outside);
  fs::remove(path / "vocabulary/item");
  fs::create_symlink(outside, path / "vocabulary/item");
  expect_refused(path, "vocabulary/item", "it is a link");
}

TEST_F(ArtifactTest, AModelReachedThroughALinkOpens) {
  publish();
  fs::create_directory_symlink(models_, folder_.path() / "link");
  EXPECT_EQ(Artifact::open(folder_.path() / "link/films").version(), "000001");
}

TEST(ArtifactFormat, VersionOneStillOpens) {
  // Written by the first release of format 1 and never again: what is published stays readable.
  const fs::path path = fs::path(LIMBER_SOURCE_DIR) / "tests/data/artifact_v1/sample";
  const Artifact artifact = Artifact::open(path);
  EXPECT_EQ(artifact.name(), "sample");
  EXPECT_EQ(artifact.version(), "000001");
  EXPECT_EQ(artifact.contents().created, "2026-01-02T03:04:05Z");
  EXPECT_EQ(artifact.manifest()["config"]["data"]["labels"]["like"], "rating >= 4");
  EXPECT_EQ(artifact.tensor("global_block.0.weight").values<float>()[1], -0.5f);
  EXPECT_EQ(artifact.tensor("tables.genre.rows").values<std::int8_t>()[5], 127);
  EXPECT_EQ(artifact.tensor("tables.genre.scale").values<float>()[2], 0.0078125f);
  EXPECT_EQ(artifact.tensor("seen").values<std::int64_t>()[0], 5000000000);
  EXPECT_EQ(artifact.read("vocabulary/genre.txt"), "\"comedy\"\n\"drama\"\n");
}

}  // namespace
}  // namespace limber
