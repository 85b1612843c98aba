#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace limber {

/// Numbers a fixed set of values from 1 without storing them: a minimal perfect hash of their
/// 64-bit hashes (BDZ of cmph, some 2.7 bits a value) gives each a number of its own, and a
/// fingerprint of a few bits tells values outside the set apart, all but a share of 2^-bits.
class PerfectHash {
 public:
  static constexpr std::int32_t unknown = 0;

  /// `hashes` are hash_key of the values. Throws InputError where two are the same (values that
  /// cannot be told apart, or a value given twice), for none, and for more than 2^31 - 2.
  static PerfectHash build(std::span<const std::uint64_t> hashes, std::int64_t fingerprint_bits);

  ~PerfectHash();
  PerfectHash(PerfectHash&&) noexcept;
  PerfectHash& operator=(PerfectHash&&) noexcept;

  /// Number of a value from 1 to size() - 1, or `unknown`.
  std::int32_t find(std::uint64_t hash) const;
  /// Number of indices, the unknown one included, as of a Vocabulary.
  std::int64_t size() const;
  std::int64_t fingerprint_bits() const;
  /// Bytes of the hash function alone and of all fingerprints.
  std::int64_t function_bytes() const;
  std::int64_t fingerprint_bytes() const;

  /// The file in the artifact: magic, sizes, function, fingerprints.
  std::string to_bytes() const;
  /// Throws InputError that begins with `origin` for bytes that to_bytes cannot have made.
  static PerfectHash from_bytes(std::string bytes, const std::string& origin);

 private:
  struct State;
  explicit PerfectHash(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace limber
