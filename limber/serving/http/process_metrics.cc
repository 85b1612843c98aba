#include "limber/serving/http/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace limber::http {
namespace {

/// When the system started, in seconds since 1970; 0 when it does not say.
double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

/// Clock ticks from the system's start to this process's; negative when it does not say.
double start_ticks() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The second field is the program's name in parentheses, which may hold spaces and parentheses.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return -1;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = -1;
  return fields >> ticks ? ticks : -1;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

double resident_memory_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  if (!(file >> total >> resident)) return 0;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double processor_seconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

double process_start_time() {
  static const double time = [] {
    const double boot = boot_time(), ticks = start_ticks();
    if (boot > 0 && ticks >= 0) return boot + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
    return static_cast<double>(std::time(nullptr));
  }();
  return time;
}

}  // namespace limber::http
