#include "limber/training/distributed/process_group.h"

// LibTorch's package says that it was built with Gloo; without that its headers hide it.
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <c10/util/Flags.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <new>
#include <numeric>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/data/vocabulary.h"
#include "limber/training/distributed/nccl_backend.h"

C10_DECLARE_int(caffe2_log_level);

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
    throw InputError("{}: '{}' is no whole number from {} to {} (docs/distributed.md)", name, text,
                     least, most);
  }
  return value;
}

/// How long a process waits for the others: reading a log or a test may keep one of them busy.
milliseconds rank_timeout() {
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
  // What is no word of Gloo's is no word of another process.
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) throw std::bad_alloc();
  throw Error(
      "{}: another process is gone, or has not answered in {} s (LIMBER_RANK_TIMEOUT): {}; started "
      "again, training goes on from the last checkpoint (torchrun --max-restarts does so by "
      "itself)",
      doing, rank_timeout().count() / 1000, first_line(error));
}

/// What `action` returns; where it fails, what was being done.
template <class Action>
auto guarded(const std::string& doing, const Action& action) {
  try {
    return action();
  } catch (const std::exception& error) {
    fail(doing, error);
  }
}

}  // namespace

struct ProcessGroup::Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  c10::intrusive_ptr<c10d::Backend> nccl;

  /// Whatever reaches the device that a tensor is on.
  c10d::Backend& of(const torch::Tensor& tensor) {
    if (tensor.device().is_cpu()) return *gloo;
    if (!nccl) throw Error("tensors on graphics cards are summed after use_cards() alone");
    return *nccl;
  }
};

void ProcessGroup::Pending::wait() {
  if (wait_) wait_();
  wait_ = {};
}

std::int64_t ProcessGroup::world_size() {
  constexpr std::int64_t most = 1 << 20;
  return variable("WORLD_SIZE").empty() ? 1 : number("WORLD_SIZE", 1, most);
}

namespace {

c10::intrusive_ptr<c10d::TCPStore> connect(const std::string& address, std::uint16_t port,
                                           bool serve, milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = serve;
  options.waitWorkers = false;
  options.timeout = timeout;
  auto store = c10::make_intrusive<c10d::TCPStore>(address, options);
  store->setTimeout(rank_timeout());
  return store;
}

/// Where torchrun holds a store at MASTER_ADDR itself, it keeps it over restarts, and processes
/// that have been started different numbers of times meet there. So what they meet in is the first
/// process's own store, and torchrun's holds its port alone: an old one is refused, and read again.
c10::intrusive_ptr<c10d::Store> meet_by_port(const std::string& address, std::uint16_t port,
                                             bool first) {
  constexpr const char* key = "limber/port";
  constexpr milliseconds moment(5000);
  const auto held = connect(address, port, false, rank_timeout());
  if (first) {
    auto own = connect(address, 0, true, rank_timeout());
    const std::string text = std::to_string(own->getPort());
    held->set(key, std::vector<std::uint8_t>(text.begin(), text.end()));
    return own;
  }
  const auto end = std::chrono::steady_clock::now() + rank_timeout();
  for (;;) {
    held->wait({key});
    const std::vector<std::uint8_t> text = held->get(key);
    try {
      return connect(address,
                     static_cast<std::uint16_t>(std::stoi(std::string(text.begin(), text.end()))),
                     false, moment);
    } catch (const std::exception&) {
      if (std::chrono::steady_clock::now() > end) throw;
      std::this_thread::sleep_for(milliseconds(100));
    }
  }
}

}  // namespace

std::shared_ptr<ProcessGroup> ProcessGroup::from_environment() {
  const std::int64_t size = world_size();
  if (size == 1) return nullptr;
  const std::int64_t rank = number("RANK", 0, size - 1);
  const std::string address = variable("MASTER_ADDR");
  if (address.empty()) throw InputError("MASTER_ADDR: is not set; torchrun sets it");
  const auto port = static_cast<std::uint16_t>(number("MASTER_PORT", 1, 65535));
  const bool held = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  // LibTorch logs each failed try with a backtrace; what is worth a word is said by our errors.
  if (variable("TORCH_CPP_LOG_LEVEL").empty()) FLAGS_caffe2_log_level = 3;  // fatal ones alone
  try {
    c10::intrusive_ptr<c10d::Store> store;
    if (held) {
      store = meet_by_port(address, port, rank == 0);
    } else {
      store = connect(address, port, rank == 0, rank_timeout());
    }
    return std::make_shared<ProcessGroup>(store, static_cast<int>(rank), static_cast<int>(size));
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(
        "process {} of {} has not met the others at {}:{} within {} s (LIMBER_RANK_TIMEOUT): {}; "
        "MASTER_ADDR must name the machine of process 0, reachable from all, GLOO_SOCKET_IFNAME, "
        "where it is set, a network card, and all of them must be started",
        rank, size, address, port, rank_timeout().count() / 1000, first_line(error));
  }
}

ProcessGroup::ProcessGroup(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size)
    : group_(std::make_unique<Group>()), rank_(rank), size_(size) {
  auto options = c10d::ProcessGroupGloo::Options::create(rank_timeout());
  const std::string interface = variable("GLOO_SOCKET_IFNAME");
  options->devices.push_back(
      interface.empty() ? c10d::ProcessGroupGloo::createDefaultDevice(/*lazyInit=*/false)
                        : c10d::ProcessGroupGloo::createDeviceForInterface(interface, false));
  group_->store = store;
  group_->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);

  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  const auto host = static_cast<std::int64_t>(hash_key(Key{.text = name.data()}));
  const auto hosts = all_gather(torch::full({1, 1}, host, torch::kLong));
  size_of_host_ = 0;
  for (int other = size - 1; other >= 0; --other) {
    if (hosts[static_cast<std::size_t>(other)].item<std::int64_t>() != host) continue;
    ++size_of_host_;
    if (other < rank) ++place_on_host_;
    first_of_host_ = other;
  }
}

ProcessGroup::~ProcessGroup() = default;

void ProcessGroup::use_cards() {
  group_->nccl = make_nccl_backend(group_->store, rank_, size_, rank_timeout());
}

ProcessGroup::Pending ProcessGroup::start_all_reduce(torch::Tensor tensor) {
  constexpr const char* doing = "adding up over the processes";
  c10d::Backend& backend = group_->of(tensor);
  std::vector<torch::Tensor> tensors = {std::move(tensor)};
  Pending pending;
  pending.wait_ = [work = guarded(doing, [&] { return backend.allreduce(tensors); })] {
    guarded(doing, [&] { return work->wait(); });
  };
  return pending;
}

void ProcessGroup::broadcast(torch::Tensor tensor) {
  const torch::NoGradGuard no_grad;
  // -0 plus 0 is 0 for all of them.
  if (!is_first()) tensor.zero_();
  all_reduce(std::move(tensor));
}

double ProcessGroup::broadcast(double value) {
  const torch::Tensor one = torch::full({1}, value, torch::kDouble);
  broadcast(one);
  return one.item<double>();
}

torch::Tensor ProcessGroup::all_to_all(const torch::Tensor& send,
                                       const std::vector<std::int64_t>& send_counts,
                                       const std::vector<std::int64_t>& receive_counts) {
  const auto total = std::accumulate(receive_counts.begin(), receive_counts.end(), std::int64_t{0});
  torch::Tensor received = at::empty({total}, send.options().requires_grad(false));
  torch::Tensor sent = send;
  std::vector<std::int64_t> out = receive_counts, in = send_counts;
  guarded("exchanging rows between the processes",
          [&] { return group_->gloo->alltoall_base(received, sent, out, in)->wait(); });
  return received;
}

std::vector<torch::Tensor> ProcessGroup::all_gather(const torch::Tensor& mine) {
  const auto ranks = static_cast<std::size_t>(size_);
  torch::Tensor rows = torch::zeros({size_}, torch::kLong);
  rows[rank_] = mine.size(0);
  all_reduce(rows);
  const std::int64_t columns = mine.size(1);
  std::vector<std::int64_t> receive(ranks), send(ranks, mine.numel());
  for (std::size_t r = 0; r < ranks; ++r) {
    receive[r] = columns * rows.const_data_ptr<std::int64_t>()[r];
  }
  const torch::Tensor copies = mine.contiguous().view({-1}).repeat({size_});
  const torch::Tensor received = all_to_all(copies, send, receive);
  std::vector<torch::Tensor> all;
  std::int64_t at = 0;
  for (const std::int64_t count : receive) {
    all.push_back(received.narrow(0, at, count).view({-1, columns}));
    at += count;
  }
  return all;
}

void ProcessGroup::send(torch::Tensor tensor, int to) {
  std::vector<torch::Tensor> tensors = {std::move(tensor)};
  guarded("sending rows of tables", [&] { return group_->gloo->send(tensors, to, 0)->wait(); });
}

void ProcessGroup::receive(torch::Tensor tensor, int from) {
  std::vector<torch::Tensor> tensors = {std::move(tensor)};
  guarded("receiving rows of tables", [&] { return group_->gloo->recv(tensors, from, 0)->wait(); });
}

void ProcessGroup::announce(const std::string& what, const std::string& problem) {
  // Not every store keeps an empty value.
  const std::string told = "." + problem;
  guarded("telling the other processes of " + what, [&] {
    group_->store->set("limber/" + what, std::vector<std::uint8_t>(told.begin(), told.end()));
  });
}

void ProcessGroup::wait_for(const std::string& what) {
  constexpr std::chrono::hours weeks(24 * 14);
  const std::vector<std::uint8_t> told = guarded("waiting for " + what, [&] {
    group_->store->wait({"limber/" + what}, weeks);
    return group_->store->get("limber/" + what);
  });
  if (told.size() > 1) {
    throw Error("another process ended: {}", std::string(told.begin() + 1, told.end()));
  }
}

void ProcessGroup::barrier() {
  all_reduce(torch::zeros({1}));
}

}  // namespace limber
