#pragma once

#include <string>
#include <string_view>

namespace limber {

/// Where a Redis is and how to be let in.
struct RedisAddress {
  std::string host;
  int port = 6379;
  int database = 0;
  std::string user, password;  ///< empty: none

  /// Of "redis://[[user]:password@]host[:port][/db]"; host may be [an IPv6 address]; user and
  /// password may be percent-encoded. Throws InputError, which never repeats the password.
  static RedisAddress parse(std::string_view url);

  /// "redis://host:port/db", for messages.
  std::string without_password() const;
};

/// A store's address, for messages: that of a Redis without its password, others as they are.
std::string store_without_password(std::string_view url);

}  // namespace limber
