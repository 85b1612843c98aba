#include "limber/core/data/stored_dataset.h"

#include <cstring>
#include <type_traits>

#include "limber/core/artifact/artifact.h"
#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/error.h"
#include "limber/core/data/stored_encoders.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr const char* kName = "stored";

/// The files of a feature's column, as RawFeature names them.
template <class Use>
void for_each_file(FeatureColumn& column, const Use& use) {
  use("numbers", column.numbers);
  use("ids", column.indices);
  use("starts", column.starts);
  use("lengths", column.lengths);
  use("values", column.values);
}

std::string stem_of(std::size_t source, const std::string& name, const std::string& feature) {
  return (source == 0 ? "interactions" : name) + "." + feature;
}

static_assert(std::is_trivially_copyable_v<TaskRows>);

}  // namespace

void store_dataset(const Dataset& dataset, const fs::path& folder) {
  fs::remove_all(folder / kName);
  ArtifactWriter writer(folder, kName);
  ManifestFields fields;
  fields.encoders["features"] = write_encoders(writer, dataset.encoders);
  nlohmann::json& layout = fields.encoders["layout"];
  layout["labels"] = dataset.layout.labels;
  layout["label_thresholds"] = to_json(dataset.layout.label_thresholds);
  nlohmann::json& window = fields.data_window;
  window = {{"rows", dataset.rows},
            {"bad_rows", dataset.bad_rows},
            {"split", dataset.split},
            {"split_by_member", dataset.split_by_member},
            {"first_time", dataset.first_time},
            {"last_time", dataset.last_time},
            {"weights", dataset.weights.size() > 0},
            {"times", dataset.times.size() > 0}};
  for (const DataSource& source : dataset.sources) {
    nlohmann::json columns = nlohmann::json::array();
    for (const FeatureColumn& column : source.columns) {
      nlohmann::json files = nlohmann::json::array();
      for_each_file(const_cast<FeatureColumn&>(column), [&](const char* ending, MappedFile& file) {
        if (file.size() > 0) files.push_back(ending);
      });
      columns.push_back(files);
    }
    window["sources"].push_back({{"name", source.name},
                                 {"rows", source.rows},
                                 {"features", source.features},
                                 {"columns", columns}});
  }
  writer.add_file("task_keys.txt", dataset.task_keys.to_lines());
  writer.add_file("tasks", std::as_bytes(std::span(dataset.tasks)));
  writer.publish(fields);
}

Dataset open_stored_dataset(const fs::path& folder) {
  const Artifact artifact = Artifact::open(folder / kName);
  const std::string origin = artifact.folder().string();
  Dataset dataset;
  try {
    const ManifestFields& fields = artifact.contents().fields;
    const nlohmann::json& window = fields.data_window;
    dataset.encoders = read_encoders(artifact);
    std::vector<std::string> tables;
    for (const auto& json : window.at("sources")) {
      const std::size_t s = dataset.sources.size();
      DataSource& source = dataset.sources.emplace_back();
      source.name = json.at("name");
      source.rows = json.at("rows");
      source.features = json.at("features").get<std::vector<int>>();
      for (const auto& files : json.at("columns")) {
        const auto feature = static_cast<std::size_t>(source.features.at(source.columns.size()));
        const std::string stem = stem_of(s, source.name, dataset.encoders.at(feature).name);
        for_each_file(source.columns.emplace_back(), [&](const char* ending, MappedFile& file) {
          for (const auto& listed : files) {
            if (listed == ending) file = MappedFile::open(folder / (stem + "." + ending));
          }
        });
      }
      if (s == 0) continue;
      tables.push_back(source.name);
      dataset.side_rows.push_back(MappedFile::open(folder / ("side." + source.name)));
    }
    const nlohmann::json& layout = fields.encoders.at("layout");
    dataset.layout =
        make_layout(dataset.encoders, tables, layout.at("labels").get<std::vector<std::string>>());
    dataset.layout.label_thresholds = label_thresholds_of(layout);
    dataset.labels = MappedFile::open(folder / "labels");
    if (window.at("weights")) dataset.weights = MappedFile::open(folder / "weights");
    if (window.at("times")) dataset.times = MappedFile::open(folder / "times");
    const std::string tasks = artifact.read("tasks");
    if (tasks.size() % sizeof(TaskRows) != 0) throw InputError("{}: is damaged", origin);
    dataset.tasks.resize(tasks.size() / sizeof(TaskRows));
    std::memcpy(dataset.tasks.data(), tasks.data(), tasks.size());
    dataset.task_keys = Vocabulary::from_lines(artifact.read("task_keys.txt"), origin);
    dataset.rows = window.at("rows");
    dataset.bad_rows = window.at("bad_rows");
    dataset.split = window.at("split");
    dataset.split_by_member = window.at("split_by_member");
    dataset.first_time = window.at("first_time");
    dataset.last_time = window.at("last_time");
  } catch (const nlohmann::json::exception& error) {
    throw InputError("{}: {}; it is damaged", origin, error.what());
  }
  return dataset;
}

}  // namespace limber
