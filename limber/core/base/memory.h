#pragma once

namespace limber {

/// For programs that allocate the same large arrays at every step: freed memory stays with the
/// process instead of going back to the system, whose fresh pages would have to be cleared and
/// mapped at the next step again. The process's memory then never shrinks below its peak. What the
/// environment says (MALLOC_TRIM_THRESHOLD_ and its like, see mallopt(3)) comes first. Does nothing
/// where the C library is not glibc.
void keep_freed_memory();

}  // namespace limber
