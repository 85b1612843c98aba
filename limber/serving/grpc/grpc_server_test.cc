#include "limber/serving/grpc/grpc_server.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "limber/core/base/random.h"
#include "limber/serving/grpc/serving_for_test.h"
#include "limber/serving/http/server.h"
#include "limber/serving/serve/inference_protocol.h"

namespace limber {
namespace {

using Request = inference::ModelInferRequest;
using Response = inference::ModelInferResponse;

/// Rows of a request, some with a missing price or without words.
struct Row {
  std::string member;
  std::int64_t item = 0;
  float price = 0;
  std::string words;
};

std::vector<Row> random_rows(std::size_t count) {
  Random random(11);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < count; ++i) {
    Row& row = rows.emplace_back();
    row.member = "member " + std::to_string(random.below(7));
    row.item = static_cast<std::int64_t>(random.below(1000));
    row.price = i % 5 == 0 ? std::nanf("") : static_cast<float>(random.normal());
    if (i % 3 != 0) row.words = "war|peace|w" + std::to_string(random.below(20));
  }
  return rows;
}

std::string json_of(const std::vector<Row>& rows) {
  nlohmann::json members, items, prices, words;
  for (const Row& row : rows) {
    members.push_back(row.member);
    items.push_back(row.item);
    prices.push_back(std::isnan(row.price) ? nlohmann::json() : nlohmann::json(row.price));
    words.push_back(row.words);
  }
  auto inputs = nlohmann::json::array();
  const auto add = [&](const char* name, const char* datatype, const nlohmann::json& data) {
    inputs.push_back(
        {{"name", name}, {"datatype", datatype}, {"shape", {rows.size()}}, {"data", data}});
  };
  add("member", "BYTES", members);
  add("item", "INT64", items);
  add("price", "FP32", prices);
  add("words", "BYTES", words);
  return nlohmann::json{{"inputs", inputs}}.dump();
}

Request request_of(const std::vector<Row>& rows, bool raw) {
  Request request;
  request.set_model_name("films");
  const auto add = [&](const char* name, const char* datatype) {
    auto* input = request.add_inputs();
    input->set_name(name);
    input->set_datatype(datatype);
    input->add_shape(static_cast<std::int64_t>(rows.size()));
    return input;
  };
  const auto append = [](std::string& bytes, const auto& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const auto append_text = [&](std::string& bytes, const std::string& text) {
    append(bytes, static_cast<std::uint32_t>(text.size()));
    bytes += text;
  };
  auto *member = add("member", "BYTES"), *item = add("item", "INT64"),
       *price = add("price", "FP32"), *words = add("words", "BYTES");
  std::string raws[4];
  for (const Row& row : rows) {
    if (raw) {
      append_text(raws[0], row.member);
      append(raws[1], row.item);
      append(raws[2], row.price);
      append_text(raws[3], row.words);
    } else {
      member->mutable_contents()->add_bytes_contents(row.member);
      item->mutable_contents()->add_int64_contents(row.item);
      price->mutable_contents()->add_fp32_contents(row.price);
      words->mutable_contents()->add_bytes_contents(row.words);
    }
  }
  if (raw) {
    for (const std::string& bytes : raws) request.add_raw_input_contents(bytes);
  }
  return request;
}

std::vector<float> values_of(const Response& response, int output) {
  if (response.raw_output_contents_size() == 0) {
    const auto& values = response.outputs(output).contents().fp32_contents();
    return {values.begin(), values.end()};
  }
  const std::string& bytes = response.raw_output_contents(output);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST_F(GrpcServing, AnswersWhatItIs) {
  start();
  grpc::ClientContext contexts[8];
  inference::ServerReadyResponse ready;
  inference::ModelReadyResponse model_ready;
  inference::ServerMetadataResponse server;
  inference::ModelMetadataResponse model;
  EXPECT_TRUE(live());
  EXPECT_TRUE(stub_->ServerReady(&contexts[0], {}, &ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ModelReadyRequest which;
  which.set_name("films");
  which.set_version(host_.current()->runtime().version());
  EXPECT_TRUE(stub_->ModelReady(&contexts[1], which, &model_ready).ok());
  EXPECT_TRUE(model_ready.ready());
  ready_ = false;
  EXPECT_TRUE(stub_->ServerReady(&contexts[2], {}, &ready).ok());
  EXPECT_FALSE(ready.ready());
  EXPECT_TRUE(stub_->ModelReady(&contexts[3], which, &model_ready).ok());
  EXPECT_FALSE(model_ready.ready());
  EXPECT_TRUE(live());
  which.set_version("7");
  EXPECT_EQ(stub_->ModelReady(&contexts[4], which, &model_ready).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(stub_->ServerMetadata(&contexts[5], {}, &server).ok());
  EXPECT_EQ(server.name(), "limber");
  EXPECT_FALSE(server.version().empty());

  inference::ModelMetadataRequest described;
  described.set_name("films");
  EXPECT_TRUE(stub_->ModelMetadata(&contexts[6], described, &model).ok());
  EXPECT_EQ(model.name(), "films");
  ASSERT_EQ(model.versions_size(), 1);
  EXPECT_EQ(model.versions(0), host_.current()->runtime().version());
  std::map<std::string, std::string> inputs;
  for (const auto& input : model.inputs()) {
    inputs[input.name()] = input.datatype();
    ASSERT_EQ(input.shape_size(), 1);
    EXPECT_EQ(input.shape(0), -1);
  }
  EXPECT_EQ(inputs,
            (std::map<std::string, std::string>{
                {"item", "BYTES"}, {"member", "BYTES"}, {"price", "FP32"}, {"words", "BYTES"}}));
  ASSERT_EQ(model.outputs_size(), 2);
  EXPECT_EQ(model.outputs(0).name(), "click");
  EXPECT_EQ(model.outputs(1).name(), "like");
  EXPECT_EQ(model.outputs(1).datatype(), "FP32");
  described.set_name("books");
  const auto status = stub_->ModelMetadata(&contexts[7], described, &model);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_NE(status.error_message().find("films"), std::string::npos);
}

TEST_F(GrpcServing, ScoresTypedAndRawInputsAsHttpDoes) {
  start();
  http::Server http(http::ServerOptions{.workers = 1});
  add_inference_protocol(http, service_, limits_);
  http.start();
  // Some members have a past.
  for (const char* member : {"member 1", "member 4"}) {
    for (int i = 0; i < 5; ++i) {
      store_.append(
          member,
          {i, "", fmt::format(R"({{"item":{},"price":2,"click":{},"rating":5}})", i, i % 2)});
    }
  }
  const auto rows = random_rows(60);
  http::Client client(http.port());
  const http::Reply reply = client.post("/v2/models/films/infer", json_of(rows));
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto json = nlohmann::json::parse(reply.body);
  for (const bool raw : {false, true}) {
    Response response;
    Request request = request_of(rows, raw);
    request.set_id("a request");
    const grpc::Status status = infer(request, response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.model_name(), "films");
    EXPECT_EQ(response.model_version(), host_.current()->runtime().version());
    EXPECT_EQ(response.id(), "a request");
    ASSERT_EQ(response.outputs_size(), 2);
    EXPECT_EQ(response.raw_output_contents_size(), raw ? 2 : 0);
    for (int i = 0; i < 2; ++i) {
      const auto& expected = json.at("outputs").at(static_cast<std::size_t>(i));
      EXPECT_EQ(response.outputs(i).name(), expected.at("name"));
      const auto values = values_of(response, i);
      EXPECT_EQ(values, expected.at("data").get<std::vector<float>>()) << raw;
      // Rows that differ have scores that differ, or nothing would be compared.
      EXPECT_GT(std::set<float>(values.begin(), values.end()).size(), 40U);
    }
  }
}

TEST_F(GrpcServing, KnowsAMemberByNumberOrText) {
  start();
  store_.append("42", {1, "", R"({"item":3,"click":1})"});
  Response as_text, as_number, stranger;
  ASSERT_TRUE(infer(one_row("42"), as_text).ok());
  ASSERT_TRUE(infer(one_row("43"), stranger).ok());
  Request request = one_row("");
  auto& input = *request.mutable_inputs(0);
  input.set_datatype("UINT16");
  input.mutable_contents()->clear_bytes_contents();
  input.mutable_contents()->add_uint_contents(42);
  ASSERT_TRUE(infer(request, as_number).ok());
  EXPECT_EQ(values_of(as_text, 0), values_of(as_number, 0));
  EXPECT_NE(values_of(as_text, 0), values_of(stranger, 0));
}

TEST_F(GrpcServing, AnswersTheOutputsThatAreNamed) {
  start();
  Request request = request_of(random_rows(3), true);
  Response both, one;
  ASSERT_TRUE(infer(request, both).ok());
  request.add_outputs()->set_name("like");
  ASSERT_TRUE(infer(request, one).ok());
  ASSERT_EQ(one.outputs_size(), 1);
  EXPECT_EQ(one.outputs(0).name(), "like");
  ASSERT_EQ(one.raw_output_contents_size(), 1);
  EXPECT_EQ(values_of(one, 0), values_of(both, 1));
}

TEST_F(GrpcServing, ServesTheNewerVersionOnceItIsExchanged) {
  start();
  const std::string old_version = host_.current()->runtime().version();
  Response before, after;
  ASSERT_TRUE(infer(one_row("a"), before).ok());
  publish_test_model(folder_.path(), 2);
  ASSERT_TRUE(host_.reload());
  ASSERT_TRUE(infer(one_row("a"), after).ok());
  EXPECT_NE(after.model_version(), old_version);
  EXPECT_NE(values_of(before, 0), values_of(after, 0));
  Request request = one_row("a");
  request.set_model_version(old_version);
  EXPECT_EQ(infer(request).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(GrpcServing, CountsCalls) {
  start();
  EXPECT_TRUE(infer(one_row("a")).ok());
  EXPECT_TRUE(infer(one_row("b")).ok());
  EXPECT_FALSE(infer(Request()).ok());
  EXPECT_TRUE(live());
  ASSERT_TRUE(in_flight(0));
  EXPECT_EQ(ended("ModelInfer", "OK"), 2);
  EXPECT_EQ(ended("ModelInfer", "NOT_FOUND"), 1);
  EXPECT_EQ(ended("ServerLive", "OK"), 1);
  EXPECT_EQ(metric("limber_grpc_request_seconds_count{method=\"ModelInfer\"}"), 3);
  EXPECT_EQ(metric("limber_grpc_request_seconds_count{method=\"ModelReady\"}"), 0);
}

}  // namespace
}  // namespace limber
