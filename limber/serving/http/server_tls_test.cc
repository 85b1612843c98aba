#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/serving/http/certificate_for_test.h"
#include "limber/serving/http/certificate_watch.h"
#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/server.h"

namespace limber::http {
namespace {

template <class Object, void (*Free)(Object*)>
struct Freed {
  void operator()(Object* object) const { Free(object); }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>>;
using Stream = std::unique_ptr<SSL, Freed<SSL, SSL_free>>;

/// A client that trusts one certificate and checks the address.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, const std::filesystem::path& trusted, int highest = TLS1_3_VERSION)
      : socket_(port), context_(SSL_CTX_new(TLS_client_method())), stream_(nullptr) {
    SSL_CTX_set_max_proto_version(context_.get(), highest);
    SSL_CTX_load_verify_locations(context_.get(), trusted.c_str(), nullptr);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    stream_.reset(SSL_new(context_.get()));
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream_.get()), "127.0.0.1");
    SSL_set_alpn_protos(stream_.get(), reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"),
                        12);
    SSL_set_fd(stream_.get(), socket_.socket());
    ERR_clear_error();
    connected_ = SSL_connect(stream_.get()) == 1;
  }
  bool connected() const { return connected_; }
  std::string version() const { return SSL_get_version(stream_.get()); }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(stream_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  bool send(std::string_view bytes) {
    return SSL_write(stream_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  /// Up to the end that the server announces; whether it did (or cut the stream) goes to `orderly`.
  std::string read_all(bool& orderly) {
    std::string all;
    char buffer[16384];
    int count = 0;
    while ((count = SSL_read(stream_.get(), buffer, sizeof buffer)) > 0) {
      all.append(buffer, static_cast<std::size_t>(count));
    }
    orderly = SSL_get_error(stream_.get(), count) == SSL_ERROR_ZERO_RETURN;
    return all;
  }

 private:
  Client socket_;
  Context context_;
  Stream stream_;
  bool connected_ = false;
};

class HttpTls : public ::testing::Test {
 protected:
  HttpTls() {
    write_certificate(certificate_, key_);
    write_certificate(other_certificate_, other_key_);
  }
  void start(ServerOptions options = {}) {
    options.certificate = certificate_;
    options.key = key_;
    options.workers = 1;
    server_.emplace(options);
    server_->route("POST", "/echo", [](const Request& request) {
      return Response::text(std::string(request.body));
    });
    server_->start();
  }
  static std::string echo(std::string_view body, std::string_view connection) {
    return fmt::format(
        "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: {}\r\nContent-Length: {}\r\n\r\n{}",
        connection, body.size(), body);
  }

  TemporaryFolder folder_;
  std::filesystem::path certificate_ = folder_.path() / "a.pem", key_ = folder_.path() / "a.key";
  std::filesystem::path other_certificate_ = folder_.path() / "b.pem",
                        other_key_ = folder_.path() / "b.key";
  std::optional<Server> server_;
};

TEST_F(HttpTls, SpeaksTls) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server_->port(), certificate_, version);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.version(), version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(client.protocol(), "http/1.1");
    const std::string large(200'000, 'L');
    // The first two in one piece; more than a record in both directions.
    EXPECT_TRUE(client.send(echo("one", "keep-alive") + echo("two", "keep-alive")));
    EXPECT_TRUE(client.send(echo(large, "close")));
    bool orderly = false;
    const std::string answer = client.read_all(orderly);
    EXPECT_TRUE(orderly);
    const std::size_t one = answer.find("\r\n\r\none"), two = answer.find("\r\n\r\ntwo");
    EXPECT_LT(one, two);
    EXPECT_NE(two, std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + large));
  }
}

TEST_F(HttpTls, RefusesOldVersionsAndPlainText) {
  start({.header_time = std::chrono::milliseconds(300)});
  EXPECT_FALSE(TlsClient(server_->port(), certificate_, TLS1_1_VERSION).connected());
  EXPECT_FALSE(TlsClient(server_->port(), other_certificate_).connected());
  // It sees no HTTP in it: at most an alert comes back.
  Client plain(server_->port());
  plain.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
  char bytes[64] = {};
  const ssize_t count = ::recv(plain.socket(), bytes, sizeof bytes, 0);
  EXPECT_EQ(std::string_view(bytes, count > 0 ? static_cast<std::size_t>(count) : 0).find("HTTP"),
            std::string_view::npos);
  // One that never shakes hands is given up.
  Client silent(server_->port());
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(comes_true([&] { return server_->connections() == 0; }));
  EXPECT_TRUE(TlsClient(server_->port(), certificate_).connected());
}

TEST_F(HttpTls, AnswersALateClientBeforeItGivesUp) {
  start({.header_time = std::chrono::milliseconds(300)});
  TlsClient client(server_->port(), certificate_);
  client.send("POST /echo HT");
  bool orderly = false;
  EXPECT_TRUE(client.read_all(orderly).starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(orderly);
}

TEST_F(HttpTls, ReadsACertificateAgain) {
  start();
  TlsClient before(server_->port(), certificate_);
  ASSERT_TRUE(before.connected());
  const std::string good = read_file(key_);
  write_file_atomic(key_, "no key");
  EXPECT_THROW(server_->reload_certificate(), InputError);
  EXPECT_TRUE(TlsClient(server_->port(), certificate_).connected());
  write_file_atomic(key_, read_file(other_key_));
  write_file_atomic(certificate_, read_file(other_certificate_));
  server_->reload_certificate();
  EXPECT_TRUE(TlsClient(server_->port(), other_certificate_).connected());
  // Connections that stand are not disturbed.
  EXPECT_TRUE(before.send(echo("still", "close")));
  bool orderly = false;
  EXPECT_TRUE(before.read_all(orderly).ends_with("still"));
}

TEST_F(HttpTls, ARenewedCertificateIsNoticed) {
  start();
  CertificateWatch watch({.certificate = certificate_, .key = key_}, std::chrono::milliseconds(0));
  const auto renew = [](const std::filesystem::path& file, const std::string& text, int seconds) {
    write_file_atomic(file, text);
    std::filesystem::last_write_time(
        file, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(seconds));
  };
  watch.look(*server_);
  EXPECT_TRUE(TlsClient(server_->port(), certificate_).connected());
  // Half of it is there: the old one stays, and the next look tries again, whatever the times say.
  const std::string old = read_file(certificate_);
  const std::filesystem::path kept = folder_.path() / "kept.pem";
  write_file_atomic(kept, old);
  renew(key_, read_file(other_key_), 10);
  watch.look(*server_);
  EXPECT_TRUE(TlsClient(server_->port(), kept).connected());
  const auto times = std::filesystem::last_write_time(certificate_);
  write_file_atomic(certificate_, read_file(other_certificate_));
  std::filesystem::last_write_time(certificate_, times);
  watch.look(*server_);
  EXPECT_TRUE(TlsClient(server_->port(), other_certificate_).connected());
}

TEST_F(HttpTls, RefusesFilesThatDoNotBelongTogether) {
  const auto message = [](const std::filesystem::path& certificate,
                          const std::filesystem::path& key) {
    try {
      Server server({.certificate = certificate, .key = key});
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message(certificate_, key_), "");
  EXPECT_NE(message(certificate_, other_key_), "");
  EXPECT_NE(message(key_, key_).find("certificate"), std::string::npos);
  EXPECT_NE(message(certificate_, certificate_).find("key"), std::string::npos);
}

TEST_F(HttpTls, DrainsInGoodOrder) {
  start();
  TlsClient idle(server_->port(), certificate_);
  ASSERT_TRUE(idle.connected());
  EXPECT_TRUE(idle.send(echo("x", "keep-alive")));
  ASSERT_TRUE(comes_true(
      [&] { return server_->metrics().text().find("status=\"200\"") != std::string::npos; }));
  std::thread draining([&] { EXPECT_TRUE(server_->drain(std::chrono::milliseconds(60'000))); });
  bool orderly = false;
  EXPECT_TRUE(idle.read_all(orderly).ends_with("\r\n\r\nx"));
  EXPECT_TRUE(orderly);
  draining.join();
}

}  // namespace
}  // namespace limber::http
