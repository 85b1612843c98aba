#pragma once

#include <span>
#include <string>
#include <string_view>

namespace limber {

/// Number of letters to insert, delete, replace or swap with their neighbour to turn `first` into
/// `second` (the optimal string alignment distance). Case, and - against _, make no difference.
std::size_t letters_apart(std::string_view first, std::string_view second);

/// The candidate that `word` is likely to be a misspelling or a part of, the first of equals; empty
/// when none is near.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean CANDIDATE?", or nothing when none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace limber
