#pragma once

#include <torch/torch.h>

#include <chrono>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace limber {

/// Whether this Limber was built to sum over graphics cards (LIMBER_NCCL).
bool has_nccl();

/// NCCL between the processes that hold the same store: for tensors on graphics cards. Throws
/// InputError where this Limber was built without it.
c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    int rank, int size,
                                                    std::chrono::milliseconds timeout);

}  // namespace limber
