#pragma once

#include <string>
#include <vector>

#include "limber/companions/assign/instance.h"

namespace limber::assign {

/// What a reader should know of the groups: attributes that no assignment can make a difference to,
/// and groups whose names differ only in case or in blanks around them.
std::vector<std::string> notes_on_groups(const Instance& instance);

/// `text` with its control characters written as \n, \t or \xNN, so that it stays one line.
std::string on_one_line(const std::string& text);

}  // namespace limber::assign
