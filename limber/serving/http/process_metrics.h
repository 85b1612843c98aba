#pragma once

namespace limber::http {

/// Bytes of this process that are in RAM; 0 where the system does not say (it has no /proc).
double resident_memory_bytes();

/// Processor time that all of this process's threads have used, in seconds.
double processor_seconds();

/// When this process began, in seconds since 1970; where the system does not say, when this was
/// first asked.
double process_start_time();

}  // namespace limber::http
