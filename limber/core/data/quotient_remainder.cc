#include "limber/core/data/quotient_remainder.h"

namespace limber {

std::array<std::int32_t, 4> QuotientRemainder::rows_of(std::uint64_t hash) const {
  // No more than 2^32 pairs (check_config), so that the product below fits.
  const auto space = static_cast<std::uint64_t>(quotients) * static_cast<std::uint64_t>(remainders);
  const auto divisor = static_cast<std::uint64_t>(remainders);
  std::array<std::int32_t, 4> rows{};
  std::int64_t first = 1;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t bits = half == 0 ? hash >> 32 : hash & 0xFFFFFFFFULL;
    const std::uint64_t scaled = (bits * space) >> 32;
    rows[2 * half] = static_cast<std::int32_t>(first + static_cast<std::int64_t>(scaled / divisor));
    first += quotients;
    rows[2 * half + 1] =
        static_cast<std::int32_t>(first + static_cast<std::int64_t>(scaled % divisor));
    first += remainders;
  }
  return rows;
}

}  // namespace limber
