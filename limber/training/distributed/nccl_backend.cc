#include "limber/training/distributed/nccl_backend.h"

#include "limber/core/base/error.h"

// Defined where CMake's LIMBER_NCCL is on: LibTorch's headers hide NCCL without it.
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace limber {

#ifdef USE_C10D_NCCL

bool has_nccl() {
  return true;
}

c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    int rank, int size,
                                                    std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  // Gloo meets in the same store, under keys of its own.
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(
      c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, size, options);
}

#else

bool has_nccl() {
  return false;
}

c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>&, int,
                                                    int, std::chrono::milliseconds) {
  throw InputError(
      "train.device: cuda: this Limber was built without NCCL, which several processes need on "
      "graphics cards; build it with -DLIMBER_NCCL=ON (docs/distributed.md), or use cpu");
}

#endif

}  // namespace limber
