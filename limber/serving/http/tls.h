#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>

namespace limber::http {

/// What a server needs to speak TLS 1.2 or 1.3. Throws InputError that names the file that cannot
/// be read, is no certificate or key, or does not belong to the other.
std::shared_ptr<boost::asio::ssl::context> make_tls_context(
    const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace limber::http
