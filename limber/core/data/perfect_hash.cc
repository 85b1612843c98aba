#include "limber/core/data/perfect_hash.h"

#include <cmph.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {

static_assert(std::endian::native == std::endian::little,
              "artifacts hold little-endian numbers, and so do the keys that cmph hashes");

constexpr std::string_view kMagic = "LIMBERPH";
constexpr std::uint32_t kVersion = 1;
constexpr std::int64_t kMostValues = std::numeric_limits<std::int32_t>::max() - 1;
constexpr std::int64_t kMostBits = 32;
/// cmph knows fifteen functions; all of them may fail with a tiny set. Another salt gives fifteen
/// more.
constexpr std::uint64_t kSalts = 64;

/// What the file begins with.
struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t fingerprint_bits;
  std::uint64_t values;
  std::uint64_t salt;
  std::uint64_t function_bytes;
};
static_assert(sizeof(Header) == 40);

/// A packed BDZ function: algorithm, hash, seed, vertices of a part, entries of the rank table,
/// that table, the logarithm of the vertices between its entries, and two bits for each vertex.
constexpr std::size_t kPackedWords = 5;
constexpr std::uint8_t kRankBits = 7;

std::uint64_t packed_size(std::uint64_t part, std::uint64_t ranks) {
  return sizeof(std::uint32_t) * (kPackedWords + ranks) + 1 + (3 * part + 3) / 4;
}

/// Whether the function says of its own sizes what they are, so that a search stays inside it.
bool is_whole(const std::vector<std::uint32_t>& function, std::uint64_t bytes,
              std::uint64_t values) {
  if (bytes < packed_size(0, 0) || function.size() * sizeof(std::uint32_t) < bytes) return false;
  const std::uint64_t part = function[3], ranks = function[4];
  // Three parts, each with an odd number of vertices, together 1.23 of them a value.
  if (function[0] != CMPH_BDZ || function[1] != CMPH_HASH_JENKINS || part % 2 == 0 ||
      3 * part < values || part > values / 2 + 8) {
    return false;
  }
  if (ranks != ((3 * part - 1) >> kRankBits) + 1 || bytes != packed_size(part, ranks)) return false;
  const auto* all = reinterpret_cast<const std::uint8_t*>(function.data());
  return all[sizeof(std::uint32_t) * (kPackedWords + ranks)] == kRankBits;
}

/// What cmph reads the values from.
struct Keys {
  std::span<const std::uint64_t> hashes;
  std::uint64_t salt = 0;
  std::size_t next = 0;
  std::uint64_t key = 0;
};

std::vector<std::uint32_t> build_function(std::span<const std::uint64_t> hashes, std::uint64_t salt,
                                          std::uint64_t& bytes) {
  // cmph draws its seeds from rand(): seeded here, so that the same values get the same numbers.
  static std::mutex one_at_a_time;
  const std::scoped_lock lock(one_at_a_time);
  std::srand(1);
  Keys keys{hashes, salt};
  cmph_io_adapter_t source;
  source.data = &keys;
  source.nkeys = static_cast<cmph_uint32>(hashes.size());
  source.read = [](void* data, char** key, cmph_uint32* length) {
    Keys& all = *static_cast<Keys*>(data);
    all.key = all.hashes[all.next++] ^ all.salt;
    *key = reinterpret_cast<char*>(&all.key);
    *length = sizeof(all.key);
    return static_cast<int>(sizeof(all.key));
  };
  source.dispose = [](void*, char*, cmph_uint32) {};
  source.rewind = [](void* data) { static_cast<Keys*>(data)->next = 0; };
  cmph_config_t* config = cmph_config_new(&source);
  if (config == nullptr) throw Error("no memory for a perfect hash of {} values", hashes.size());
  cmph_config_set_algo(config, CMPH_BDZ);
  cmph_t* function = cmph_new(config);
  cmph_config_destroy(config);
  if (function == nullptr) return {};
  bytes = cmph_packed_size(function);
  std::vector<std::uint32_t> packed((bytes + sizeof(std::uint32_t) - 1) / sizeof(std::uint32_t));
  cmph_pack(function, packed.data());
  cmph_destroy(function);
  return packed;
}

/// Bits of the hash mixed anew: which number a value has says nothing of them.
std::uint32_t fingerprint(std::uint64_t hash, std::uint64_t bits) {
  return static_cast<std::uint32_t>(mix64(hash ^ 0x66696E6765727072ULL) >> (64 - bits));
}

std::size_t words_for(std::uint64_t values, std::uint64_t bits) {
  return static_cast<std::size_t>((values * bits + 63) / 64);
}

}  // namespace

struct PerfectHash::State {
  std::uint64_t values = 0;
  std::uint64_t bits = 0;
  std::uint64_t salt = 0;
  std::uint64_t function_bytes = 0;
  std::vector<std::uint32_t> function;
  std::vector<std::uint64_t> fingerprints;  ///< `bits` each, the first in the lowest bits

  /// Number of a value of the set, from 0; of any other any number.
  std::uint64_t place(std::uint64_t hash) const {
    const std::uint64_t key = hash ^ salt;
    // cmph only reads, but does not say so.
    return cmph_search_packed(const_cast<std::uint32_t*>(function.data()),
                              reinterpret_cast<const char*>(&key), sizeof(key));
  }
  std::uint32_t fingerprint_at(std::uint64_t place) const {
    const std::uint64_t first = place * bits, shift = first % 64;
    std::uint64_t word = fingerprints[first / 64] >> shift;
    if (shift + bits > 64) word |= fingerprints[first / 64 + 1] << (64 - shift);
    return static_cast<std::uint32_t>(word & ((std::uint64_t{1} << bits) - 1));
  }
  void set_fingerprint(std::uint64_t place, std::uint64_t value) {
    const std::uint64_t first = place * bits, shift = first % 64;
    fingerprints[first / 64] |= value << shift;
    if (shift + bits > 64) fingerprints[first / 64 + 1] |= value >> (64 - shift);
  }
};

PerfectHash::PerfectHash(std::unique_ptr<const State> state) : state_(std::move(state)) {}
PerfectHash::~PerfectHash() = default;
PerfectHash::PerfectHash(PerfectHash&&) noexcept = default;
PerfectHash& PerfectHash::operator=(PerfectHash&&) noexcept = default;

PerfectHash PerfectHash::build(std::span<const std::uint64_t> hashes,
                               std::int64_t fingerprint_bits) {
  if (fingerprint_bits < 1 || fingerprint_bits > kMostBits) {
    throw InputError("a fingerprint of {} bits; it has 1 to {}", fingerprint_bits, kMostBits);
  }
  if (hashes.empty()) throw InputError("there is no value to number");
  if (static_cast<std::int64_t>(hashes.size()) > kMostValues) {
    throw InputError("{} values are more than a perfect hash numbers ({}); use vocabulary: hash",
                     hashes.size(), kMostValues);
  }
  {
    std::vector<std::uint64_t> sorted(hashes.begin(), hashes.end());
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      throw InputError(
          "two of the values have the same 64-bit hash, so that no perfect hash tells them apart; "
          "use vocabulary: dictionary");
    }
  }
  auto state = std::make_unique<State>();
  state->values = hashes.size();
  state->bits = static_cast<std::uint64_t>(fingerprint_bits);
  for (std::uint64_t attempt = 0; attempt < kSalts && state->function.empty(); ++attempt) {
    state->salt = attempt == 0 ? 0 : mix64(attempt);
    state->function = build_function(hashes, state->salt, state->function_bytes);
  }
  if (!is_whole(state->function, state->function_bytes, state->values)) {
    throw Error("cmph made no perfect hash of {} values", hashes.size());
  }
  state->fingerprints.resize(words_for(state->values, state->bits));
  std::vector<bool> taken(hashes.size());
  for (const std::uint64_t hash : hashes) {
    const std::uint64_t place = state->place(hash);
    if (place >= state->values || taken[place]) {
      throw Error("cmph made a hash of {} values that is not perfect", hashes.size());
    }
    taken[place] = true;
    state->set_fingerprint(place, fingerprint(hash, state->bits));
  }
  return PerfectHash(std::move(state));
}

std::int32_t PerfectHash::find(std::uint64_t hash) const {
  const std::uint64_t place = state_->place(hash);
  if (place >= state_->values || state_->fingerprint_at(place) != fingerprint(hash, state_->bits)) {
    return unknown;
  }
  return static_cast<std::int32_t>(place + 1);
}

std::int64_t PerfectHash::size() const {
  return static_cast<std::int64_t>(state_->values) + 1;
}

std::int64_t PerfectHash::fingerprint_bits() const {
  return static_cast<std::int64_t>(state_->bits);
}

std::int64_t PerfectHash::function_bytes() const {
  return static_cast<std::int64_t>(state_->function_bytes);
}

std::int64_t PerfectHash::fingerprint_bytes() const {
  return static_cast<std::int64_t>(state_->fingerprints.size() * sizeof(std::uint64_t));
}

std::string PerfectHash::to_bytes() const {
  Header header{};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  header.version = kVersion;
  header.fingerprint_bits = static_cast<std::uint32_t>(state_->bits);
  header.values = state_->values;
  header.salt = state_->salt;
  header.function_bytes = state_->function_bytes;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes.append(reinterpret_cast<const char*>(state_->function.data()), state_->function_bytes);
  bytes.append(reinterpret_cast<const char*>(state_->fingerprints.data()),
               static_cast<std::size_t>(fingerprint_bytes()));
  return bytes;
}

PerfectHash PerfectHash::from_bytes(std::string bytes, const std::string& origin) {
  const auto damaged = [&](std::string_view what) {
    return InputError("{}: {}; the file is damaged", origin, what);
  };
  Header header;
  if (bytes.size() < sizeof(header)) throw damaged("it is too short for a perfect hash");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::string_view(header.magic, kMagic.size()) != kMagic) {
    throw damaged("it is no perfect hash");
  }
  if (header.version != kVersion) {
    throw InputError(
        "{}: a perfect hash of version {}, and this Limber reads version {}; use a "
        "newer Limber",
        origin, header.version, kVersion);
  }
  if (header.fingerprint_bits < 1 || header.fingerprint_bits > kMostBits || header.values < 1 ||
      header.values > static_cast<std::uint64_t>(kMostValues)) {
    throw damaged("its sizes are out of range");
  }
  auto state = std::make_unique<State>();
  state->values = header.values;
  state->bits = header.fingerprint_bits;
  state->salt = header.salt;
  state->function_bytes = header.function_bytes;
  const std::size_t words = words_for(state->values, state->bits);
  const std::uint64_t rest = bytes.size() - sizeof(header);
  if (header.function_bytes > rest ||
      rest - header.function_bytes != words * sizeof(std::uint64_t)) {
    throw damaged("its length is not that of its values");
  }
  state->function.resize((header.function_bytes + sizeof(std::uint32_t) - 1) /
                         sizeof(std::uint32_t));
  std::memcpy(state->function.data(), bytes.data() + sizeof(header), header.function_bytes);
  if (!is_whole(state->function, state->function_bytes, state->values)) {
    throw damaged("its function does not have the size that it says");
  }
  state->fingerprints.resize(words);
  std::memcpy(state->fingerprints.data(), bytes.data() + sizeof(header) + header.function_bytes,
              words * sizeof(std::uint64_t));
  const std::uint64_t used = state->values * state->bits % 64;
  if (used != 0 && state->fingerprints.back() >> used != 0) {
    throw damaged("its last fingerprint is too long");
  }
  return PerfectHash(std::move(state));
}

}  // namespace limber
