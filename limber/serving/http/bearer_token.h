#pragma once

#include <array>
#include <string_view>

namespace limber::http {

/// The secret that requests must carry. Comparing takes as long whatever is sent: digests are
/// compared, in constant time, so neither the place of the first wrong letter nor the length shows.
class BearerToken {
 public:
  /// An empty token lets everybody in.
  explicit BearerToken(std::string_view token);

  /// Whether an Authorization header's value is "Bearer TOKEN".
  bool admits(std::string_view authorization) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  static Digest digest(std::string_view text);

  bool required_;
  Digest digest_;
};

}  // namespace limber::http
