#include <arrow/record_batch.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>

#include "apps/serve_verbs.h"
#include "limber/core/artifact/manifest.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/main.h"
#include "limber/core/base/one_line.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/source_reader.h"
#include "limber/serving/grpc/grpc_server.h"
#include "limber/serving/http/certificate_watch.h"
#include "limber/serving/serve/http_api.h"
#include "limber/serving/store/redis_address.h"
#include "limber/serving/stream/stream_reader.h"

namespace limber {
namespace {

std::string read_token(const std::string& file) {
  if (file.empty()) {
    const char* token = std::getenv("LIMBER_TOKEN");
    return token == nullptr ? "" : token;
  }
  std::string token = read_file(file);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (token.empty()) throw InputError("--token-file {}: the file is empty", file);
  return token;
}

/// Keys, and titles where a column was named, of the item table's first rows.
ConsoleData console_data(const ServedModel& model, const ServeArguments& arguments) {
  constexpr std::int64_t most = 500;
  ConsoleData console;
  const int item = model.schema().item_table();
  if (item < 0) {
    if (!arguments.title.empty()) {
      throw InputError("--title: the model has not just one item table that could have titles");
    }
    return console;
  }
  const CatalogueTable& table = model.catalogue().tables()[static_cast<std::size_t>(item)];
  console.item_table = table.name;
  for (std::int64_t row = 0; row < std::min(most, table.rows.rows); ++row) {
    console.keys.push_back(table.keys.text(static_cast<std::int32_t>(row + 1)));
  }
  if (arguments.title.empty()) return console;
  const auto given = named_paths(arguments.tables, "--table");
  const auto path = given.find(table.name);
  const std::string pattern =
      path != given.end() ? path->second : model.runtime().config.data.tables.at(table.name).path;
  TableReader reader(expand_paths(std::span(&pattern, 1)), {arguments.title}, false);
  for (Chunk chunk; console.titles.size() < console.keys.size() && reader.next(chunk);) {
    const ColumnView view(chunk.batch->column(0));
    for (std::int64_t i = 0; i < view.size() && console.titles.size() < console.keys.size(); ++i) {
      if (view.is_null(i)) {
        console.titles.emplace_back();
      } else {
        const Key key = view.key(i);
        console.titles.push_back(member_name(key));
      }
    }
  }
  return console;
}

/// The gRPC server beside the HTTP server: the same workers, certificate and token, and ready when
/// that one is.
GrpcOptions grpc_options(const ServeArguments& arguments, const http::ServerOptions& options) {
  GrpcOptions grpc;
  grpc.address = options.address;
  grpc.port = static_cast<std::uint16_t>(arguments.grpc_port);
  grpc.workers = options.workers;
  grpc.most_requests = options.queue_capacity;
  grpc.most_wait = options.most_wait;
  grpc.deadline = options.deadline;
  grpc.certificate = options.certificate;
  grpc.key = options.key;
  grpc.token = options.token;
  return grpc;
}

/// The name that a server has in its group unless told otherwise: HOST:PORT.
std::string consumer_name(std::uint16_t port) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) {
    throw InputError("--stream: this machine has no name; give one by --stream-consumer");
  }
  return fmt::format("{}:{}", host.data(), port);
}

/// http://127.0.0.1:8080
std::string url(const std::string& scheme, const ServeArguments& arguments, std::uint16_t port) {
  const bool ipv6 = arguments.address.find(':') != std::string::npos;
  return fmt::format("{}{}://{}{}{}:{}", scheme, arguments.certificate.empty() ? "" : "s",
                     ipv6 ? "[" : "", arguments.address, ipv6 ? "]" : "", port);
}

/// Interactions of a member that are worth keeping: twice what the model looks back on, since the
/// next version may look further, and 200 at least. From the manifest alone: all else is read
/// later.
std::int64_t interactions_kept(const std::string& model) {
  const std::filesystem::path path = Artifact::find_folder(model) / kManifestName;
  const Config config = config_from_json(
      manifest_from_text(read_file(path), path.string()).fields.config, path.string());
  std::int64_t longest = 0;
  for (const FeatureOptions& feature : config.features) {
    if (feature.kind == "sequence") longest = std::max(longest, feature.length);
  }
  return std::max<std::int64_t>(200, 2 * (config.meta.support + longest));
}

/// A request of each kind, so that the first member does not pay for cold caches and tables.
void warm_up(RankingService& service) {
  const auto model = service.host().current();
  const auto bench = model->borrow();
  FieldRow row(model->schema());
  row[model->schema().task()] = FieldValue::of(std::string_view("limber-warm-up"));
  for (int round = 0; round < 3; ++round) {
    bench->candidates.restart();
    for (int i = 0; i < 200; ++i) bench->candidates.add(row);
    service.rank(*model, *bench, "limber-warm-up", "", 0, /*explore=*/true);
  }
}

}  // namespace

std::map<std::string, std::string> named_paths(const std::vector<std::string>& given,
                                               const std::string& option) {
  std::map<std::string, std::string> paths;
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == one.size()) {
      throw InputError("{} {}: expected NAME=PATH", option, one);
    }
    paths[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return paths;
}

int run_serve(const ServeArguments& arguments) {
  // A file that may not grow is a failed write, as a full disk is, and not a silent death.
  std::signal(SIGXFSZ, SIG_IGN);
  const Stopwatch time;
  http::ServerOptions options;
  options.address = arguments.address;
  options.port = arguments.port;
  options.workers = arguments.workers;
  options.most_wait = std::chrono::milliseconds(arguments.most_wait_ms);
  options.certificate = arguments.certificate;
  options.key = arguments.key;
  options.token = read_token(arguments.token_file);
  const bool loopback = arguments.address.starts_with("127.") || arguments.address == "::1";
  if (!loopback && options.token.empty()) {
    spdlog::warn("{} is reachable from elsewhere and no token is asked for (--token-file)",
                 arguments.address);
  }
  std::optional<StreamAddress> stream;
  if (!arguments.stream.empty()) stream = StreamAddress::parse(arguments.stream);
  if (stream && arguments.store == "memory:") {
    spdlog::warn(
        "--store memory: forgets what is read from --stream when the server ends, and it is not "
        "delivered again");
  }
  ServedModel::Options served;
  served.tables = named_paths(arguments.tables, "--table");
  served.context = arguments.context;
  served.precision = arguments.int8 ? Precision::kInt8 : Precision::kFloat32;

  StoreOptions kept;
  kept.most_interactions = arguments.most_interactions > 0 ? arguments.most_interactions
                                                           : interactions_kept(arguments.model);
  kept.interaction_ttl = std::chrono::hours(24) * arguments.interaction_days;
  const auto store = open_member_store(arguments.store, kept);
  // Servers that share a store must see each other's clicks, so none of them remembers members.
  const bool shared_store = arguments.store.starts_with("redis:");
  Personaliser personaliser(*store, arguments.cached_members.value_or(shared_store ? 0 : 100000));
  ModelHost host(arguments.model, served, personaliser);
  RankingService service(host, personaliser, arguments.explore);
  if (arguments.explore.value_or(0) > 0 && !host.current()->runtime().last_layers) {
    throw InputError(
        "--explore {}: version {} of {} does not know how uncertain its last layer is; train it "
        "with explore.enabled: true",
        *arguments.explore, host.current()->runtime().version(), host.current()->runtime().name());
  }
  const ConsoleData console = console_data(*host.current(), arguments);
  warm_up(service);

  http::CertificateWatch certificate(options, std::chrono::seconds(60));
  http::Server server(options);
  add_endpoints(server, service, console, ApiLimits{});
  std::optional<GrpcServer> grpc;
  if (arguments.grpc_port >= 0) {
    grpc.emplace(grpc_options(arguments, options), service, ApiLimits{}, server.metrics(),
                 [&] { return server.ready() && store->health().usable; });
    grpc->start();
  }
  server.start();
  // Of a port that was left open the number is known now.
  std::optional<StreamReader> reader;
  if (stream) {
    const std::string consumer = arguments.stream_consumer.empty() ? consumer_name(server.port())
                                                                   : arguments.stream_consumer;
    reader.emplace(open_event_source(*stream, consumer), service, server.metrics());
    reader->start();
    spdlog::info("events come from {}, group {}, as {}", stream->without_password(),
                 one_line(stream->group), one_line(consumer));
  }
  host.watch(std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * arguments.watch_seconds)));
  const auto model = host.current();
  fmt::print(
      "serving {} version {} on {}{} (store {}; tables: {}; ready in {:.2f} s)\n",
      model->runtime().name(), model->runtime().version(), url("http", arguments, server.port()),
      grpc ? " and " + url("grpc", arguments, grpc->port()) : "",
      store_without_password(arguments.store),
      model->catalogue().tables().empty() ? "none" : model->catalogue().summary(), time.seconds());
  std::fflush(stdout);
  while (!stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    certificate.look(server);
  }
  spdlog::info("stopping: no new connections; running requests are finished");
  // Reads no further batch; meanwhile the requests are finished.
  if (reader) reader->request_stop();
  const std::chrono::seconds patience(arguments.drain_seconds);
  auto grpc_clean = std::async(std::launch::async, [&] { return !grpc || grpc->drain(patience); });
  const bool http_clean = server.drain(patience);
  if (reader) reader->stop();
  const bool clean = grpc_clean.get() && http_clean;
  if (!clean) spdlog::warn("some requests were cut off after {} s", arguments.drain_seconds);
  return clean ? 0 : 1;
}

}  // namespace limber
