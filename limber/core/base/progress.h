#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace limber {

/// One line of progress on stderr: a bar that redraws on a terminal, a line every ten seconds
/// elsewhere, nothing for work that ends within a second off a terminal.
class Progress {
 public:
  /// `total` = 0 when it is not known.
  Progress(std::string label, std::uint64_t total, std::string_view unit = "rows");
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t count) { set(done_ + count); }
  void set(std::uint64_t done);
  /// Shown at the end of the line, e.g. "loss 0.5312".
  void note(std::string text) { note_ = std::move(text); }
  void finish();

  static void set_quiet(bool quiet);

 private:
  void draw(bool last);

  std::string label_, unit_, note_;
  std::uint64_t total_, done_ = 0;
  std::chrono::steady_clock::time_point start_, drawn_;
  bool terminal_, finished_ = false;
};

/// Seconds since the object was made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace limber
