// `limber serve --grpc-port` as a user meets it: a program, two ports, one SIGTERM.
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <open_inference.grpc.pb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <regex>
#include <string>
#include <vector>

#include "limber/core/base/files.h"
#include "limber/serving/http/client_for_test.h"
#include "limber/serving/service/test_model_for_test.h"

namespace limber {
namespace {

/// The program, its standard output read by us, killed with us.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int ends[2] = {};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~Program() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      wait();
    }
    ::close(output_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Without the line's end; what there is of it when the program has ended.
  std::string line() const {
    std::string text;
    char c = 0;
    while (::read(output_, &c, 1) == 1 && c != '\n') text.push_back(c);
    return text;
  }
  void stop() const { ::kill(process_, SIGTERM); }
  /// Its exit code; -1 when a signal ended it.
  int wait() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t process_ = 0;
  int output_ = -1;
};

std::vector<std::string> serve(const std::filesystem::path& model,
                               std::vector<std::string> options) {
  std::vector<std::string> all = {
      LIMBER_SERVE, "serve", model.string(), "--store", "memory:", "--port", "0"};
  all.insert(all.end(), options.begin(), options.end());
  return all;
}

TEST(ServeGrpc, ServesBothAndEndsInGoodOrder) {
  const TemporaryFolder folder;
  publish_test_model(folder.path());
  Program program(serve(folder.path() / "films", {"--grpc-port", "0"}));
  const std::string line = program.line();
  std::smatch ports;
  ASSERT_TRUE(std::regex_search(line, ports,
                                std::regex(R"(serving films version \d+ on http://127\.0\.0\.1:)"
                                           R"((\d+) and grpc://127\.0\.0\.1:(\d+) )")))
      << line;
  const auto stub = inference::GRPCInferenceService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + ports.str(2), grpc::InsecureChannelCredentials()));
  grpc::ClientContext ready_context, infer_context;
  inference::ServerReadyResponse ready;
  ASSERT_TRUE(stub->ServerReady(&ready_context, {}, &ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ModelInferRequest request;
  request.set_model_name("films");
  auto* input = request.add_inputs();
  input->set_name("member");
  input->set_datatype("INT64");
  input->add_shape(1);
  input->mutable_contents()->add_int64_contents(7);
  inference::ModelInferResponse response;
  const grpc::Status status = stub->ModelInfer(&infer_context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.outputs_size(), 2);

  // One registry for both. A call is counted when its answer has left, a moment after it arrived.
  http::Client client(static_cast<std::uint16_t>(std::stoi(ports.str(1))));
  EXPECT_TRUE(http::comes_true([&] {
    return client.get("/metrics")
               .body.find("limber_grpc_requests_total{code=\"OK\",method=\"ModelInfer\"} 1") !=
           std::string::npos;
  }));
  client.close();
  program.stop();
  EXPECT_EQ(program.wait(), 0);
}

TEST(ServeGrpc, IsAskedFor) {
  const TemporaryFolder folder;
  publish_test_model(folder.path());
  Program program(serve(folder.path() / "films", {}));
  const std::string line = program.line();
  EXPECT_NE(line.find("http://"), std::string::npos) << line;
  EXPECT_EQ(line.find("grpc://"), std::string::npos) << line;
  program.stop();
  EXPECT_EQ(program.wait(), 0);
}

TEST(ServeGrpc, SaysThatAPortIsNone) {
  const TemporaryFolder folder;
  publish_test_model(folder.path());
  for (const char* port : {"65536", "-1", "x"}) {
    Program program(serve(folder.path() / "films", {"--grpc-port", port}));
    EXPECT_EQ(program.wait(), 2) << port;
  }
}

}  // namespace
}  // namespace limber
