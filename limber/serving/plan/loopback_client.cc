#include "limber/serving/plan/loopback_client.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http.hpp>

#include "limber/core/base/error.h"

namespace limber {
namespace beast = boost::beast;
using tcp = boost::asio::ip::tcp;

LoopbackClient::LoopbackClient(std::uint16_t port) : stream_(context_) {
  beast::error_code error;
  stream_.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port), error);
  if (error) throw Error("127.0.0.1:{}: {}", port, error.message());
  stream_.socket().set_option(tcp::no_delay(true));
}

void LoopbackClient::post(const std::string& target, const std::string& body) {
  beast::http::request<beast::http::string_body> request(beast::http::verb::post, target, 11);
  request.set(beast::http::field::host, "127.0.0.1");
  request.set(beast::http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  beast::http::response<beast::http::string_body> answer;
  beast::error_code error;
  beast::http::write(stream_, request, error);
  if (!error) beast::http::read(stream_, buffer_, answer, error);
  if (error) throw Error("POST {}: {}", target, error.message());
  if (answer.result_int() != 200) {
    throw Error("POST {}: {} {}", target, answer.result_int(), answer.body());
  }
}

}  // namespace limber
