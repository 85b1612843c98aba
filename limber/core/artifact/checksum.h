#pragma once

#include <cstddef>
#include <span>
#include <string>

struct XXH3_state_s;

namespace limber {

/// XXH3-64 of a stream of bytes: finds damage, at memory speed; no defence against an attacker.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;

  void add(std::span<const std::byte> bytes);
  /// Of all bytes added so far: 16 lower-case hexadecimal digits, as `xxhsum -H3` prints them.
  std::string hex() const;

 private:
  XXH3_state_s* state_;
};

std::string checksum_of(std::span<const std::byte> bytes);

}  // namespace limber
