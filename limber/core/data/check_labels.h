#pragma once

#include <string>
#include <vector>

#include "limber/core/data/dataset.h"

namespace limber {

/// Throws InputError for what training rows cannot teach: a label that none of them has, or that is
/// the same in all, and rows that all weigh nothing.
void check_labels(const Dataset& dataset);

/// Labels of which the training rows show no zero or no one, each with what is so: "clicked is 0
/// in every training row". For training that goes on from a model, which knows them already.
std::vector<std::string> one_sided_labels(const Dataset& dataset);

}  // namespace limber
