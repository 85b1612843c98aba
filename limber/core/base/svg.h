#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace limber {

/// Text that means itself inside HTML and SVG, in attributes as between tags: the five letters with
/// a meaning of their own become entities.
std::string escape_markup(std::string_view text);

/// The multiples of 1, 2 or 5 times a power of ten that lie in [low, high], ascending, with the
/// smallest such step that makes no more than about `about` of them: an axis' marks. Zero is
/// exactly zero. Empty unless low < high and both are finite.
std::vector<double> round_marks(double low, double high, int about);

}  // namespace limber
