#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

namespace limber {

/// The run's diary: one JSON object a line, each with the whole number "step", flushed as it is
/// written. A run that was cut off and resumed leaves the same bytes as one that was not, as long
/// as its lines hold no clock times.
class TrainingLog {
 public:
  /// Begins an empty log, replacing one of an earlier run. Throws Error.
  static TrainingLog start(const std::filesystem::path& path);
  /// Goes on after a checkpoint of `step`: keeps the lines up to that step and drops the later
  /// ones, a last line that a crash cut short among them. A missing log is begun. Throws InputError
  /// for a line that is no object with a step, Error when nothing can be written.
  static TrainingLog resume(const std::filesystem::path& path, std::int64_t step);

  /// Appends a line, its keys in the order given; infinities and NaN become null, as JSON has
  /// neither. Steps never fall. Throws Error.
  void write(const nlohmann::ordered_json& line);

  /// Flushes to disk. To be called before a checkpoint is saved, so that no power cut can leave a
  /// checkpoint that is ahead of its log. Throws Error.
  void sync();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  explicit TrainingLog(std::filesystem::path path);
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::int64_t last_step_ = INT64_MIN;
};

}  // namespace limber
