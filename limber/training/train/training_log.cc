#include "limber/training/train/training_log.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

std::optional<std::int64_t> step_of(const nlohmann::ordered_json& line) {
  if (!line.is_object() || !line.contains("step") || !line["step"].is_number_integer()) {
    return std::nullopt;
  }
  return line["step"].get<std::int64_t>();
}

/// The lines of `text` up to `step`. Steps never fall, so the first later one ends them.
std::string_view lines_up_to(std::string_view text, std::int64_t step, const fs::path& path) {
  std::size_t begin = 0;
  for (std::size_t number = 1;; ++number) {
    const std::size_t end = text.find('\n', begin);
    // Each line is written with its line break; one without was cut short.
    if (end == std::string_view::npos) break;
    const auto line =
        nlohmann::ordered_json::parse(text.substr(begin, end - begin), nullptr, false);
    const auto found = step_of(line);
    if (!found) {
      throw InputError("{}:{}: not a JSON object with a whole \"step\"; mend or remove the file",
                       path.string(), number);
    }
    if (*found > step) break;
    begin = end + 1;
  }
  return text.substr(0, begin);
}

}  // namespace

TrainingLog::TrainingLog(fs::path path) : path_(std::move(path)) {
  file_.reset(std::fopen(path_.c_str(), "ae"));
  if (!file_) throw Error("{}: cannot be opened: {}", path_.string(), std::strerror(errno));
}

TrainingLog TrainingLog::start(const fs::path& path) {
  write_file_atomic(path, "");
  return TrainingLog(path);
}

TrainingLog TrainingLog::resume(const fs::path& path, std::int64_t step) {
  std::error_code code;
  if (!fs::exists(path, code)) return start(path);
  const std::string text = read_file(path);
  const std::string_view kept = lines_up_to(text, step, path);
  if (kept.size() != text.size()) write_file_atomic(path, kept);
  TrainingLog log(path);
  log.last_step_ = step;
  return log;
}

void TrainingLog::write(const nlohmann::ordered_json& line) {
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const auto step = step_of(line);
  if (!step) throw Error("{}: a line without a whole \"step\": {}", path_.string(), text);
  if (*step < last_step_) {
    throw Error("{}: step {} after step {}", path_.string(), *step, last_step_);
  }
  last_step_ = *step;
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
      std::fflush(file_.get()) != 0) {
    fail();
  }
}

void TrainingLog::sync() {
  if (::fsync(::fileno(file_.get())) != 0) fail();
}

void TrainingLog::fail() const {
  throw Error("{}: cannot be written: {}", path_.string(), std::strerror(errno));
}

}  // namespace limber
