#include "limber/serving/grpc/serving_for_test.h"
#include "limber/serving/http/certificate_for_test.h"

namespace limber {
namespace {

class GrpcTls : public GrpcServing {
 protected:
  GrpcTls() {
    http::write_certificate(certificate_, key_);
    http::write_certificate(other_certificate_, other_key_);
  }
  /// What a new client gets that trusts one certificate.
  grpc::StatusCode ask(const std::filesystem::path& trusted, const std::string& token = "") const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = read_file(trusted);
    return ask(grpc::SslCredentials(options), token);
  }
  grpc::StatusCode ask(const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                       const std::string& token) const {
    const auto stub = Service::NewStub(channel(credentials));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    inference::ModelInferResponse response;
    return stub->ModelInfer(&context, one_row("a"), &response).error_code();
  }

  std::filesystem::path certificate_ = folder_.path() / "a.pem", key_ = folder_.path() / "a.key";
  std::filesystem::path other_certificate_ = folder_.path() / "b.pem",
                        other_key_ = folder_.path() / "b.key";
};

TEST_F(GrpcTls, SpeaksTlsAndNothingElse) {
  start({.certificate = certificate_, .key = key_, .token = "secret"});
  EXPECT_EQ(ask(certificate_, "secret"), grpc::StatusCode::OK);
  EXPECT_EQ(ask(certificate_), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ask(other_certificate_, "secret"), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ask(grpc::InsecureChannelCredentials(), "secret"), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcTls, TakesARenewedCertificate) {
  start(
      {.certificate = certificate_, .key = key_, .certificate_interval = std::chrono::seconds(1)});
  ASSERT_EQ(ask(certificate_), grpc::StatusCode::OK);
  EXPECT_NE(ask(other_certificate_), grpc::StatusCode::OK);
  write_file_atomic(key_, read_file(other_key_));
  write_file_atomic(certificate_, read_file(other_certificate_));
  EXPECT_TRUE(http::comes_true([&] { return ask(other_certificate_) == grpc::StatusCode::OK; }));
}

TEST_F(GrpcTls, RefusesFilesThatDoNotBelongTogether) {
  const auto message = [this](const std::filesystem::path& certificate,
                              const std::filesystem::path& key) {
    try {
      start({.certificate = certificate, .key = key});
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message(certificate_, other_key_).find("a.pem"), std::string::npos);
  EXPECT_NE(message(key_, key_).find("certificate"), std::string::npos);
  EXPECT_NE(message(certificate_, folder_.path() / "none").find("none"), std::string::npos);
}

}  // namespace
}  // namespace limber
