#pragma once

#include <functional>

namespace limber {

/// The frame of every program: runs `body` and turns what it throws into an exit code and one
/// "error: ..." on stderr. InputError (the user can mend it) gives 2, all else 1; otherwise the
/// code is what `body` returns. Before that it
///  - sends spdlog's default logger to stderr, as "12:34:56 info: ..." (stdout is for results),
///  - ignores SIGPIPE, so that a closed peer is a failed write and not a silent death,
///  - lets SIGINT and SIGTERM ask for a stop.
int run_main(int argc, char** argv, const std::function<int(int argc, char** argv)>& body);

/// Whether SIGINT or SIGTERM has asked the program to stop. Loops that may run long look at it and
/// end in good order; a second signal kills the program at once, as if it had no handler.
bool stop_requested();

}  // namespace limber
