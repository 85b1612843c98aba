#include "limber/companions/assign/group_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace limber::assign {
namespace {

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

/// The name without blanks around it, in small letters as far as ASCII goes.
std::string folded(const std::string& name) {
  const auto begin = std::find_if_not(name.begin(), name.end(), is_blank);
  const auto end = std::find_if_not(name.rbegin(), std::make_reverse_iterator(begin), is_blank);
  std::string result(begin, end.base());
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

}  // namespace

std::vector<std::string> notes_on_groups(const Instance& instance) {
  std::vector<std::string> notes;
  std::size_t constant = 0;
  for (std::size_t a = 0; a < instance.attributes.size(); ++a) {
    const Attribute& attribute = instance.attributes[a];
    const bool alike = std::all_of(
        instance.profiles.begin(), instance.profiles.end(),
        [&](const std::vector<Group>& profile) { return profile[a] == instance.profiles[0][a]; });
    if (alike && !instance.profiles.empty()) {
      ++constant;
      notes.push_back(fmt::format(
          "All candidates have {} = {}{}: no assignment changes the diversity of {}.",
          attribute.name, attribute.groups[static_cast<std::size_t>(instance.profiles[0][a])],
          attribute.groups.size() == 1 ? ", as everyone does" : "", attribute.name));
    }
    std::map<std::string, std::string> seen;
    for (const std::string& group : attribute.groups) {
      const auto [at, is_new] = seen.emplace(folded(group), group);
      if (is_new) continue;
      notes.push_back(fmt::format(
          "The groups '{}' and '{}' of {} differ only in case or blanks and count as two; if they "
          "are one, write them alike.",
          at->second, group, attribute.name));
    }
  }
  if (constant == instance.attributes.size()) {
    notes.push_back("Diversity is the same for every assignment: only fitness counts.");
  }
  for (std::string& note : notes) note = on_one_line(note);
  return notes;
}

std::string on_one_line(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '\n') {
      result += "\\n";
    } else if (letter == '\r') {
      result += "\\r";
    } else if (letter == '\t') {
      result += "\\t";
    } else if (code < 0x20 || code == 0x7f) {
      result += fmt::format("\\x{:02x}", code);
    } else {
      result += letter;
    }
  }
  return result;
}

}  // namespace limber::assign
