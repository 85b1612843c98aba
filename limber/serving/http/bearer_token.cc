#include "limber/serving/http/bearer_token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "limber/serving/http/request.h"

namespace limber::http {

BearerToken::BearerToken(std::string_view token)
    : required_(!token.empty()), digest_(digest(token)) {}

BearerToken::Digest BearerToken::digest(std::string_view text) {
  Digest digest;
  static_assert(std::tuple_size_v<Digest> == SHA256_DIGEST_LENGTH);
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

bool BearerToken::admits(std::string_view authorization) const {
  if (!required_) return true;
  constexpr std::string_view kScheme = "Bearer ";
  if (!same_name(authorization.substr(0, kScheme.size()), kScheme)) return false;
  const Digest given = digest(authorization.substr(kScheme.size()));
  return CRYPTO_memcmp(given.data(), digest_.data(), digest_.size()) == 0;
}

}  // namespace limber::http
