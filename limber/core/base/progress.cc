#include "limber/core/base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

namespace limber {
namespace {
std::atomic<bool> quiet = false;
}

Progress::Progress(std::string label, std::uint64_t total, std::string_view unit)
    : label_(std::move(label)),
      unit_(unit),
      total_(total),
      start_(std::chrono::steady_clock::now()),
      drawn_(start_),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  finish();
}

void Progress::set_quiet(bool value) {
  quiet = value;
}

void Progress::set(std::uint64_t done) {
  done_ = done;
  const auto now = std::chrono::steady_clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  if (now - drawn_ < pause) return;
  drawn_ = now;
  draw(false);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  const bool brief = std::chrono::steady_clock::now() - start_ < std::chrono::seconds(1);
  if (terminal_ || !brief) draw(true);
}

void Progress::draw(bool last) {
  if (quiet) return;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double rate = static_cast<double>(done_) / std::max(seconds, 1e-3);
  std::string line = fmt::format("{}  {} {}", label_, done_, unit_);
  if (total_ > 0 && !last) {
    const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
    const double left = rate > 0 ? static_cast<double>(total_ - std::min(total_, done_)) / rate : 0;
    line += fmt::format(" of {} ({:.0f}%), {:.0f} s left", total_, 100 * share, left);
  }
  line += fmt::format(", {:.0f} {}/s, {:.1f} s", rate, unit_, seconds);
  if (!note_.empty()) line += ", " + note_;
  line = terminal_ ? fmt::format("\r\033[K{}{}", line, last ? "\n" : "") : line + "\n";
  // Not fmt::print, which throws where the reader has gone: work goes on without a listener.
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace limber
