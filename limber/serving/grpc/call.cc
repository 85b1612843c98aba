#include "limber/serving/grpc/call.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace limber {

Call::Call(CallBoard& board, GrpcMethod method) : board_(board), method_(method) {
  ++board_.running;
  board_.metrics.begun();
}

void Call::answer(grpc::Status status) {
  code_ = status.error_code();
  Finish(std::move(status));
}

void Call::OnCancel() {
  cancelled_ = true;
  if (Clock::now() >= board_.cut_after.load()) board_.cut_off.fetch_add(1);
}

void Call::OnDone() {
  // Whatever was answered, nobody has got it.
  const grpc::StatusCode code = wanted() || code_ == grpc::StatusCode::DEADLINE_EXCEEDED
                                    ? code_
                                    : grpc::StatusCode::CANCELLED;
  board_.metrics.ended(method_, code,
                       std::chrono::duration<double>(Clock::now() - arrival_).count());
  --board_.running;
  delete this;
}

grpc::Status one_line_status(grpc::StatusCode code, std::string_view text) {
  constexpr std::size_t kMost = 1000;
  std::string line(text.substr(0, kMost));
  if (text.size() > kMost) line += "...";
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return {code, line};
}

}  // namespace limber
