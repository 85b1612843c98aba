#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace limber {

/// A failure that ends the command with exit code 1: the machine's or our own fault (disk full, a
/// broken invariant).
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}

  /// `throw Error("{}: cannot write: {}", path, reason)`.
  template <class First, class... Rest>
  Error(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest)
      : std::runtime_error(
            fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...)) {}
};

/// A failure that the user can mend (bad input, bad option): one line that names the file, row and
/// key and the remedy; ends the command with exit code 2.
class InputError : public Error {
 public:
  using Error::Error;
};

}  // namespace limber
