#include "limber/core/base/nearest_word.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace limber {
namespace {

/// No option or feature has a name this long, and the distance takes quadratic time.
constexpr std::size_t kLongestWord = 200;

std::string folded(std::string_view word) {
  std::string letters(word);
  for (char& letter : letters) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (letter == '-') letter = '_';
  }
  return letters;
}

/// "early" for "early_stop", "dimension" for "dim".
bool is_part(std::string_view first, std::string_view second) {
  return std::min(first.size(), second.size()) >= 3 &&
         (first.starts_with(second) || second.starts_with(first));
}

}  // namespace

std::size_t letters_apart(std::string_view first, std::string_view second) {
  const std::string from = folded(first), to = folded(second);
  // Rows i - 2, i - 1 and i of the dynamic programme.
  std::vector<std::size_t> before(to.size() + 1), above(to.size() + 1), row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[to.size()];
}

std::string nearest_word(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kLongestWord) return {};
  std::string nearest;
  std::size_t nearest_distance = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    std::size_t distance = letters_apart(word, candidate);
    std::size_t limit = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    // A one-letter change of a one-letter word is another word.
    if (candidate.size() == 1) limit = 0;
    if (distance > limit) {
      if (!is_part(folded(word), folded(candidate))) continue;
      // A part is a weaker hint than any misspelling.
      distance += kLongestWord;
    }
    if (nearest.empty() || distance < nearest_distance) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  return nearest;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string nearest = nearest_word(word, candidates);
  return nearest.empty() ? std::string() : "; did you mean " + nearest + "?";
}

}  // namespace limber
