#include "limber/core/artifact/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "limber/core/base/error.h"

namespace limber {
namespace {

std::string to_hex(XXH64_hash_t hash) {
  return fmt::format("{:016x}", hash);
}

}  // namespace

Checksum::Checksum() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw Error("no memory for a checksum");
  XXH3_64bits_reset(state_);
}

Checksum::~Checksum() {
  XXH3_freeState(state_);
}

void Checksum::add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(state_, bytes.data(), bytes.size());
}

std::string Checksum::hex() const {
  return to_hex(XXH3_64bits_digest(state_));
}

std::string checksum_of(std::span<const std::byte> bytes) {
  return to_hex(XXH3_64bits(bytes.data(), bytes.size()));
}

}  // namespace limber
