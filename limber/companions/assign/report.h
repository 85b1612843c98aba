#pragma once

#include <string>

#include "limber/companions/assign/results.h"

namespace limber::assign {

/// The report as one HTML page that needs nothing else: the front, the table of compared
/// assignments, how the given assignment stands to the front, the network before and after for each
/// of the first attributes, and who goes where. Readable on a phone, in light and dark.
std::string render_report(const Results& results);

}  // namespace limber::assign
