#pragma once

#include <string>

#include "limber/companions/assign/layout.h"
#include "limber/companions/assign/results.h"

namespace limber::assign {

/// The front in the plane of fitness and diversity, with random assignments, the one that is
/// written and the given one, as an SVG element.
std::string front_drawing(const Results& results);

/// The network coloured by one attribute, with `assignment` at the open positions (kNone: drawn
/// hollow), as an SVG element. Ties between groups are drawn darker than those within.
std::string network_drawing(const Instance& instance, const Layout& layout, std::size_t attribute,
                            const Assignment& assignment);

/// The groups of an attribute with their colours, as an HTML element.
std::string legend(const Attribute& attribute);

}  // namespace limber::assign
