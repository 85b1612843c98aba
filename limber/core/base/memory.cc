#include "limber/core/base/memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace limber {

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int mebibyte = 1 << 20;
  const auto set = [](int parameter, const char* variable, int value) {
    if (std::getenv(variable) == nullptr) mallopt(parameter, value);
  };
  set(M_MMAP_THRESHOLD, "MALLOC_MMAP_THRESHOLD_", 1024 * mebibyte);
  set(M_TRIM_THRESHOLD, "MALLOC_TRIM_THRESHOLD_", 2047 * mebibyte);
  set(M_TOP_PAD, "MALLOC_TOP_PAD_", 64 * mebibyte);
#endif
}

}  // namespace limber
