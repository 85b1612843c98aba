#pragma once

#include "apps/serve_verbs.h"

namespace limber {

/// Adapts the members of a store whose interactions are newer than their embedding, after putting
/// the log's interactions there where `arguments.load` says so. What is done is done: a run that
/// was cut off goes on where it stopped when it is started again. Returns the exit code.
int adapt_store(const AdaptArguments& arguments);

}  // namespace limber
