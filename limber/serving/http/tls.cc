#include "limber/serving/http/tls.h"

#include <openssl/ssl.h>

#include <string>

#include "limber/core/base/error.h"

namespace limber::http {
namespace {

namespace ssl = boost::asio::ssl;

/// Of the protocols that a client offers, the one that is spoken here.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  const int result = SSL_select_next_proto(const_cast<unsigned char**>(chosen), chosen_size, kOurs,
                                           sizeof(kOurs) - 1, offered, offered_size);
  // A client that offers others only (h2) will see for itself.
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

std::shared_ptr<ssl::context> make_tls_context(const std::filesystem::path& certificate,
                                               const std::filesystem::path& key) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(
      native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle connection then holds no buffers.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);

  boost::system::error_code code;
  // Otherwise OpenSSL would ask at the terminal.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                 code);
  context->use_certificate_chain_file(certificate.string(), code);
  if (code) {
    throw InputError("{}: cannot be used as a certificate: {}; give a PEM file",
                     certificate.string(), code.message());
  }
  context->use_private_key_file(key.string(), ssl::context::pem, code);
  if (code) {
    throw InputError(
        "{}: cannot be used as a key: {}; give the PEM file, without a passphrase, that belongs to "
        "{}",
        key.string(), code.message(), certificate.string());
  }
  if (SSL_CTX_check_private_key(native) != 1) {
    throw InputError("{}: is not the key of {}; give the two that belong together", key.string(),
                     certificate.string());
  }
  return context;
}

}  // namespace limber::http
