#pragma once

#include <cstdint>
#include <functional>

#include "limber/core/config/config.h"
#include "limber/serving/rows/served_model.h"
#include "limber/serving/store/member_store.h"

namespace limber {

/// Streams the log of `config.data` as interactions for a store, in the order of the files: those
/// of members that `wanted` takes. Each has the name of its file and row for an event_id, so that
/// the same row of the same file is stored once; without data.time all happened now. Returns how
/// many bad rows were left out (data.on_bad_row). Throws InputError that names file, row, column.
std::int64_t for_each_interaction(const ServedModel& model, const Config& config,
                                  const std::function<bool(const Key& member)>& wanted,
                                  const std::function<void(MemberInteraction)>& use);

}  // namespace limber
