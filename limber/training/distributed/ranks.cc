#include "limber/training/distributed/ranks.h"

// LibTorch's package says that it was built with Gloo; without that its headers hide it.
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <numeric>

#include "limber/core/base/error.h"

namespace limber {
namespace {

using std::chrono::milliseconds;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A whole number from `least` to `most` in the environment.
std::int64_t number(const char* name, std::int64_t least, std::int64_t most) {
  const std::string text = variable(name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw InputError("{}: '{}' is no whole number from {} to {}; torchrun sets it", name, text,
                     least, most);
  }
  return value;
}

/// How long a process waits for the others: reading a log or a test may keep one of them busy.
milliseconds patience() {
  constexpr std::int64_t seconds = 1800, most = 7 * 24 * 3600;
  const bool given = !variable("LIMBER_RANK_TIMEOUT").empty();
  return milliseconds(1000 * (given ? number("LIMBER_RANK_TIMEOUT", 1, most) : seconds));
}

/// The first line of what went wrong, without LibTorch's backtrace.
std::string first_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

[[noreturn]] void fail(const std::string& doing, const std::exception& error) {
  throw Error(
      "{}: another process is gone or does not answer ({}); started again, training goes on from "
      "the last checkpoint (torchrun --max-restarts does so by itself)",
      doing, first_line(error));
}

}  // namespace

struct Ranks::Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
};

void Ranks::Pending::wait() {
  if (wait_) wait_();
  wait_ = {};
}

std::int64_t Ranks::world_size() {
  constexpr std::int64_t most = 1 << 20;
  return variable("WORLD_SIZE").empty() ? 1 : number("WORLD_SIZE", 1, most);
}

std::shared_ptr<Ranks> Ranks::from_environment() {
  const std::int64_t size = world_size();
  if (size == 1) return nullptr;
  const std::int64_t rank = number("RANK", 0, size - 1);
  const std::string address = variable("MASTER_ADDR");
  if (address.empty()) throw InputError("MASTER_ADDR: is not set; torchrun sets it");
  // torchrun itself may hold the store at that address; a restarted job meets under a name of its
  // own, so that it reads nothing of the one before.
  const bool held = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  const std::string restarts = variable("TORCHELASTIC_RESTART_COUNT");
  try {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(number("MASTER_PORT", 1, 65535));
    options.isServer = rank == 0 && !held;
    options.numWorkers = static_cast<std::size_t>(size);
    options.timeout = patience();
    c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::TCPStore>(address, options);
    store = c10::make_intrusive<c10d::PrefixStore>(
        "limber/" + (restarts.empty() ? std::string("0") : restarts), store);
    return std::make_shared<Ranks>(store, static_cast<int>(rank), static_cast<int>(size));
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("rank {} cannot meet the other processes at {}:{}: {}", rank, address,
                variable("MASTER_PORT"), first_line(error));
  }
}

Ranks::Ranks(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size)
    : group_(std::make_unique<Group>()), rank_(rank), size_(size) {
  auto options = c10d::ProcessGroupGloo::Options::create(patience());
  const std::string interface = variable("GLOO_SOCKET_IFNAME");
  options->devices.push_back(
      interface.empty() ? c10d::ProcessGroupGloo::createDefaultDevice(/*lazyInit=*/false)
                        : c10d::ProcessGroupGloo::createDeviceForInterface(interface, false));
  group_->store = store;
  group_->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
}

Ranks::~Ranks() = default;

Ranks::Pending Ranks::start_sum(torch::Tensor tensor) {
  constexpr const char* doing = "adding up over the processes";
  std::vector<torch::Tensor> tensors = {std::move(tensor)};
  Pending pending;
  try {
    pending.wait_ = [work = group_->gloo->allreduce(tensors)] {
      try {
        work->wait();
      } catch (const std::exception& error) {
        fail(doing, error);
      }
    };
  } catch (const std::exception& error) {
    fail(doing, error);
  }
  return pending;
}

double Ranks::of_first(double value) {
  const torch::Tensor one = torch::full({1}, first() ? value : 0.0, torch::kDouble);
  sum(one);
  return one.item<double>();
}

torch::Tensor Ranks::exchange(const torch::Tensor& send,
                              const std::vector<std::int64_t>& send_counts,
                              const std::vector<std::int64_t>& receive_counts) {
  const auto total = std::accumulate(receive_counts.begin(), receive_counts.end(), std::int64_t{0});
  torch::Tensor received = at::empty({total}, send.options().requires_grad(false));
  torch::Tensor sent = send;
  std::vector<std::int64_t> out = receive_counts, in = send_counts;
  try {
    group_->gloo->alltoall_base(received, sent, out, in)->wait();
  } catch (const std::exception& error) {
    fail("exchanging rows between the processes", error);
  }
  return received;
}

std::vector<torch::Tensor> Ranks::gather(const torch::Tensor& mine) {
  const auto ranks = static_cast<std::size_t>(size_);
  torch::Tensor rows = torch::zeros({size_}, torch::kLong);
  rows[rank_] = mine.size(0);
  sum(rows);
  const std::int64_t columns = mine.size(1);
  std::vector<std::int64_t> receive(ranks), send(ranks, mine.numel());
  for (std::size_t r = 0; r < ranks; ++r) {
    receive[r] = columns * rows.const_data_ptr<std::int64_t>()[r];
  }
  const torch::Tensor copies = mine.contiguous().view({-1}).repeat({size_});
  const torch::Tensor received = exchange(copies, send, receive);
  std::vector<torch::Tensor> all;
  std::int64_t at = 0;
  for (const std::int64_t count : receive) {
    all.push_back(received.narrow(0, at, count).view({-1, columns}));
    at += count;
  }
  return all;
}

void Ranks::send(torch::Tensor tensor, int to) {
  std::vector<torch::Tensor> tensors = {std::move(tensor)};
  try {
    group_->gloo->send(tensors, to, 0)->wait();
  } catch (const std::exception& error) {
    fail("sending rows of tables", error);
  }
}

void Ranks::receive(torch::Tensor tensor, int from) {
  std::vector<torch::Tensor> tensors = {std::move(tensor)};
  try {
    group_->gloo->recv(tensors, from, 0)->wait();
  } catch (const std::exception& error) {
    fail("receiving rows of tables", error);
  }
}

void Ranks::barrier() {
  sum(torch::zeros({1}));
}

}  // namespace limber
