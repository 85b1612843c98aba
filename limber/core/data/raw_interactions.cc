#include "limber/core/data/raw_interactions.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/data/source_reader.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

float sample_weight(const ColumnView& view, std::int64_t i) {
  const auto weight = static_cast<float>(view.number(i));
  if (std::isnan(weight)) throw BadValue("the weight is missing");
  if (weight < 0) throw BadValue("the weight is negative");
  if (std::isinf(weight)) throw BadValue("the weight is too large");
  return weight;
}

void save_keys(const fs::path& path, const Vocabulary& keys) {
  write_file_atomic(path, keys.to_lines());
}

/// What each number of the dictionary in `path` is in `keys`, which gets what it lacks.
std::vector<std::int32_t> joined_keys(const fs::path& path, Vocabulary& keys) {
  const Vocabulary theirs = Vocabulary::from_lines(read_file(path), path.string());
  std::vector<std::int32_t> ours;
  for (std::int32_t index = 1; index < theirs.size(); ++index) {
    ours.push_back(keys.add(theirs.key(index)) - 1);
  }
  return ours;
}

template <class T>
void append_saved(const fs::path& path, ColumnFile<T>& column) {
  const MappedFile saved = MappedFile::open(path);
  column.append(saved.as<T>());
}

void append_joined(const fs::path& path, const std::vector<std::int32_t>& ours,
                   ColumnFile<std::int32_t>& column) {
  const MappedFile saved = MappedFile::open(path);
  for (const std::int32_t number : saved.as<std::int32_t>()) {
    column.append(ours[static_cast<std::size_t>(number)]);
  }
}

}  // namespace

RawInteractions::RawInteractions(const DataOptions& data, const std::vector<SourceFiles>& files,
                                 std::vector<SourceBuilder>& builders, const fs::path& folder)
    : labels(data, files[0], builders[0], folder),
      files_(files),
      builders_(builders),
      folder_(folder),
      skip_(data.on_bad_row == "skip"),
      task_view_(builders[0].use(data.task)),
      raw_tasks_(folder / "raw_tasks"),
      raw_times_(folder / "raw_times"),
      raw_weights_(folder / "raw_weights"),
      raw_numbers_(folder / "raw_numbers") {
  if (!data.time.empty()) time_view_ = builders[0].use(data.time);
  if (!data.weight.empty()) weight_view_ = builders[0].use(data.weight);
  for (std::size_t s = 1; s < files.size(); ++s) {
    key_views_.push_back(builders[0].use(files[s].key));
    raw_side_.emplace_back(folder / side_file(s));
  }
}

std::string RawInteractions::side_file(std::size_t source) const {
  return "raw_side." + files_[source].name;
}

std::string RawInteractions::files_seen() const {
  std::string seen;
  for (const fs::path& file : files_[0].files) {
    std::error_code gone;
    seen += fmt::format("{} {}\n", file.string(), fs::file_size(file, gone));
  }
  return seen;
}

void RawInteractions::read(const MemberShard& members, ReadShare share) {
  SourceBuilder& main = builders_[0];
  seen_ = files_seen();
  std::vector<Key> keys(key_views_.size());
  std::int64_t number = 0;
  for_each_row(
      files_[0].files, main.columns, skip_, "reading interactions", bad_rows,
      [&](std::vector<ColumnView>& views, std::int64_t i, std::size_t& at) {
        at = task_view_;
        if (views[at].is_null(i)) throw BadValue("the task is missing");
        if (!members.has(views[at].key(i))) {
          ++number;
          ++passed_over;
          return;
        }
        std::int64_t time = 0;
        if (time_view_) {
          at = *time_view_;
          time = views[at].time(i);
        }
        labels.read(views, i, at);
        float weight = 1;
        if (weight_view_) {
          at = *weight_view_;
          weight = sample_weight(views[at], i);
        }
        main.read(views, i, at);
        for (std::size_t s = 0; s < keys.size(); ++s) {
          at = key_views_[s];
          // A key that the side table lacks gets a row of its own there, all else missing.
          keys[s] = views[at].is_null(i) ? Key{} : views[at].key(i);
        }
        at = task_view_;
        raw_tasks_.append(task_keys.add(views[at].key(i)) - 1);
        raw_times_.append(time);
        labels.store();
        if (weight_view_) raw_weights_.append(weight);
        if (!members.all()) raw_numbers_.append(number);
        ++number;
        for (std::size_t s = 0; s < keys.size(); ++s) {
          raw_side_[s].append(builders_[s + 1].keys.add(keys[s]) - 1);
        }
        main.store();
        ++rows;
      },
      share);
  if (share.count > 1 && files_seen() != seen_) {
    throw InputError(
        "data.interactions: the files have changed while they were read; read them again");
  }
}

void RawInteractions::finish() {
  tasks = raw_tasks_.finish();
  times = raw_times_.finish();
  weights = raw_weights_.finish();
  numbers = raw_numbers_.finish();
  for (ColumnFile<std::int32_t>& side : raw_side_) side_rows.push_back(side.finish());
}

void RawInteractions::save() {
  finish();
  labels.save();
  for (RawFeature& feature : builders_[0].raw) feature.save();
  save_keys(folder_ / "raw_task_keys", task_keys);
  for (std::size_t s = 1; s < files_.size(); ++s) {
    save_keys(folder_ / (side_file(s) + ".keys"), builders_[s].keys);
  }
  write_file_atomic(
      folder_ / "raw_counts",
      nlohmann::json{{"rows", rows}, {"bad_rows", bad_rows}, {"files", seen_}}.dump());
}

void RawInteractions::append(const fs::path& piece) {
  const auto counts = nlohmann::json::parse(read_file(piece / "raw_counts"));
  if (counts.at("files") != seen_) {
    throw InputError(
        "data.interactions: two processes have found other files, or other sizes of them; give "
        "files "
        "that do not change while they are read");
  }
  append_joined(piece / "raw_tasks", joined_keys(piece / "raw_task_keys", task_keys), raw_tasks_);
  append_saved(piece / "raw_times", raw_times_);
  append_saved(piece / "raw_weights", raw_weights_);
  for (std::size_t s = 1; s < files_.size(); ++s) {
    const std::string name = side_file(s);
    append_joined(piece / name, joined_keys(piece / (name + ".keys"), builders_[s].keys),
                  raw_side_[s - 1]);
  }
  labels.append(piece);
  for (RawFeature& feature : builders_[0].raw) feature.append(piece);
  rows += counts.at("rows").get<std::int64_t>();
  bad_rows += counts.at("bad_rows").get<std::int64_t>();
}

}  // namespace limber
