#include <CLI/CLI.hpp>

#include "apps/arguments.h"
#include "apps/serve_verbs.h"
#include "limber/core/base/main.h"
#include "limber/core/base/memory.h"
#include "limber/core/base/progress.h"

namespace {

using namespace limber;

constexpr const char* kStoreHelp =
    "Where members' interactions and embeddings are: rocksdb:FOLDER,\n"
    "redis://[[user]:password@]host[:port][/db], or memory:";

void add_tables(CLI::App* verb, std::vector<std::string>& tables) {
  verb->add_option("--table", tables, "A side table's files, where they are not those of training")
      ->type_name("NAME=PATH")
      ->allow_extra_args(false);
}

void add_kept(CLI::App* verb, std::int64_t& most_interactions, std::int64_t& interaction_days) {
  verb->add_option("--most-interactions", most_interactions,
                   "Kept of a member in the store; 0: twice what the model looks back on, at\n"
                   "least 200. All who write to a store should say the same")
      ->check(CLI::Range(0, 1000000));
  verb->add_option("--interaction-days", interaction_days,
                   "Days after which interactions are dropped; 0: never")
      ->check(CLI::Range(0, 36500));
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Serves rankings, adapts members and scores files, without LibTorch."};
  app.name("limber");
  app.require_subcommand(1);
  bool quiet = false;
  app.add_flag("--quiet,-q", quiet, "No progress lines");  // also before the verb

  ServeArguments serve;
  CLI::App* serve_verb = app.add_subcommand(
      "serve",
      "Ranks over HTTP and gRPC, learns from feedback, and shows a console page at /. A newer\n"
      "version that appears in the model's folder is exchanged under load. SIGTERM ends it in\n"
      "good order.");
  serve_verb->add_option("model", serve.model, "models/NAME or models/NAME/VERSION")->required();
  serve_verb
      ->add_option(
          "--store", serve.store,
          std::string(kStoreHelp) +
              "; or LIMBER_STORE in the\nenvironment, which others on the machine cannot read")
      ->capture_default_str()
      ->envname("LIMBER_STORE");
  add_tables(serve_verb, serve.tables);
  serve_verb
      ->add_option("--context", serve.context,
                   "Interaction features that a request's candidates have in common")
      ->delimiter(',');
  serve_verb
      ->add_option("--address", serve.address,
                   "Address to listen on; loopback alone "
                   "unless told otherwise")
      ->capture_default_str();
  serve_verb->add_option("--port", serve.port, "Port; 0 takes any free one and prints it")
      ->capture_default_str();
  serve_verb
      ->add_option(
          "--grpc-port", serve.grpc_port,
          "Port of the Open Inference Protocol over gRPC; 0 takes any free one and prints\n"
          "it; without it there is no gRPC")
      ->check(CLI::Range(0, 65535));
  serve_verb->add_option("--workers", serve.workers, "Threads that rank; 0: one a processor")
      ->check(CLI::Range(0, 4096));
  serve_verb->add_flag("--int8", serve.int8,
                       "Multiply the fully connected layers in 8-bit integers: faster, rounded");
  serve_verb
      ->add_option("--most-wait-ms", serve.most_wait_ms,
                   "Requests that would wait longer for a worker are turned away (503)")
      ->check(CLI::Range(1, 60000))
      ->capture_default_str();
  serve_verb->add_option("--token-file", serve.token_file,
                         "File with a token that requests must bear; or LIMBER_TOKEN");
  auto* certificate = serve_verb->add_option("--certificate", serve.certificate,
                                             "PEM file of the certificate, for TLS");
  auto* key = serve_verb->add_option("--key", serve.key, "PEM file of its key");
  certificate->needs(key);
  key->needs(certificate);
  serve_verb
      ->add_option("--cached-members", serve.cached_members,
                   "Members kept in memory: 100000; with Redis 0, since servers that share a\n"
                   "store would not see each other's clicks")
      ->check(CLI::Range(0, 1000000000));
  add_kept(serve_verb, serve.most_interactions, serve.interaction_days);
  auto* stream = serve_verb->add_option(
      "--stream", serve.stream,
      "A stream of events, each as the body of POST /feedback, to learn from beside it:\n"
      "redis://[[user]:password@]host[:port][/db]?stream=NAME&group=NAME, or\n"
      "kafka://broker[,broker]/TOPIC?group=NAME[&settings=FILE]; servers of one group\n"
      "share the events (docs/streams.md); or LIMBER_STREAM in the environment");
  stream->envname("LIMBER_STREAM")->check([](const std::string& given) -> std::string {
    return given.empty() ? "expected an address: redis://... or kafka://..." : "";
  });
  serve_verb
      ->add_option("--stream-consumer", serve.stream_consumer,
                   "This server's name in the group, unlike all others'; without it HOST:PORT")
      ->needs(stream);
  serve_verb
      ->add_option("--explore", serve.explore,
                   "Deviations of the last layer's posterior that rankings draw (Thompson\n"
                   "sampling), in place of the model's explore.scale; 0: never explore")
      ->check(CLI::Range(0.0, 100.0));
  serve_verb->add_option("--title", serve.title,
                         "Column of the item table that the console page shows");
  serve_verb
      ->add_option("--watch-seconds", serve.watch_seconds, "How often to look for a newer version")
      ->check(CLI::Range(0.05, 86400.0))
      ->capture_default_str();
  serve_verb
      ->add_option("--drain-seconds", serve.drain_seconds, "At the end: time for running requests")
      ->check(CLI::Range(0, 86400))
      ->capture_default_str();

  AdaptArguments adapt;
  CLI::App* adapt_verb = app.add_subcommand(
      "adapt",
      "Adapts members to their latest interactions: all members of log files into a file of meta\n"
      "embeddings (--output), or the members of a store that have new interactions (--store). A "
      "run\n"
      "that was cut off goes on when it is started again (of --output: with a folder).");
  adapt_verb->add_option("model", adapt.model, "models/NAME or models/NAME/VERSION")->required();
  adapt_verb->add_option("--output", adapt.output,
                         "File to write (.parquet), or FOLDER/ for a file of every 65,536 members");
  adapt_verb->add_option("--store", adapt.store, kStoreHelp);
  adapt_verb->add_flag("--load", adapt.load,
                       "Puts the interactions of data.interactions into the store first");
  adapt_verb->add_flag("--all", adapt.all, "All members of the store, not only those with news");
  adapt_verb
      ->add_option("--shard", adapt.shard,
                   "Share I of N of the members, by a hash of their keys: run all N, anywhere and\n"
                   "in any order, into one folder or store (docs/refresh.md)")
      ->type_name("I/N")
      ->capture_default_str();
  add_kept(adapt_verb, adapt.most_interactions, adapt.interaction_days);
  adapt_verb
      ->add_option("--set", adapt.settings,
                   "Overrides an option of data.*, such as data.interactions=new.parquet")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_tables(adapt_verb, adapt.tables);
  adapt_verb->add_option("--threads", adapt.threads, "Threads; 0: one a processor")
      ->check(CLI::Range(0, 4096));

  PredictArguments predict;
  CLI::App* predict_verb =
      app.add_subcommand("predict",
                         "Scores the rows of CSV or Parquet files: the probability of each label, "
                         "for the member that\n"
                         "the row's task column names, as the store knows them.");
  predict_verb->add_option("model", predict.model, "models/NAME or models/NAME/VERSION")
      ->required();
  predict_verb->add_option("input", predict.inputs, "Files, folders or globs")->required();
  predict_verb->add_option("--output,-o", predict.output, "File to write: .parquet or .csv")
      ->required();
  predict_verb->add_option("--store", predict.store,
                           "Where members' interactions are; without it nobody is known");
  predict_verb->add_flag("--skip-bad-rows", predict.skip_bad_rows,
                         "Leaves out rows that cannot be read, and counts them");
  add_tables(predict_verb, predict.tables);

  PopularityArguments popularity;
  CLI::App* popularity_verb = app.add_subcommand(
      "popularity",
      "Fits what each item adds to the logits of a published model, on recent interactions, and\n"
      "publishes the model once more with it. Seconds, no training; to be run every few hours.");
  popularity_verb->add_option("model", popularity.model, "models/NAME or models/NAME/VERSION")
      ->required();
  popularity_verb
      ->add_option("input", popularity.inputs,
                   "Interactions with their labels: files, folders or globs")
      ->required();
  popularity_verb
      ->add_option("--by", popularity.by, "Feature of kind id whose values are the items")
      ->type_name("FEATURE")
      ->required();
  popularity_verb
      ->add_option("--prior-deviation", popularity.prior_deviation,
                   "Deviation of the effects before any row was seen; without it the likeliest, "
                   "for each\nlabel")
      ->check(CLI::Range(1e-4, 100.0));
  popularity_verb
      ->add_option("--half-life-days", popularity.half_life_days,
                   "Age at which a row counts half, by data.time; without it all count alike")
      ->check(CLI::Range(1e-3, 36500.0));
  popularity_verb
      ->add_option("--days", popularity.days,
                   "Fits on the rows of the last days alone; members are adapted to older ones")
      ->check(CLI::Range(1e-3, 36500.0));
  popularity_verb->add_flag("--skip-bad-rows", popularity.skip_bad_rows,
                            "Leaves out rows that cannot be read, and counts them");
  add_tables(popularity_verb, popularity.tables);
  PlanArguments plan;
  CLI::App* plan_verb = app.add_subcommand(
      "plan",
      "How many machines, how much memory and disk: measures a model's unit costs on this "
      "machine,\n"
      "with members of its log, and works out what a larger system needs (docs/capacity.md).\n"
      "Numbers may be written 1e8 or 100M.");
  plan_verb->add_option("model", plan.model, "models/NAME or models/NAME/VERSION")->required();
  plan_verb->add_option("--members", plan.members, "Members in all")->capture_default_str();
  plan_verb->add_option("--interactions", plan.interactions,
                        "That a member has in the store; as in the log unless given");
  plan_verb->add_option("--ranks", plan.ranks, "Rankings a second, in the busiest hour")
      ->capture_default_str();
  plan_verb->add_option("--candidates", plan.candidates, "Candidates of a ranking")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  plan_verb->add_option("--events", plan.events, "Interactions a second, in the busiest hour")
      ->capture_default_str();
  plan_verb
      ->add_option("--table-rows", plan.table_rows,
                   "Rows of all embedding tables; 0: as in the model")
      ->capture_default_str();
  plan_verb->add_option("--table-width", plan.table_width, "Numbers of such a row")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  plan_verb
      ->add_option("--refresh-minutes", plan.refresh_minutes,
                   "In which all members are adapted to a new version")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  plan_verb->add_option("--utilisation", plan.utilisation, "Share of a processor that is used")
      ->check(CLI::Range(0.05, 1.0))
      ->capture_default_str();
  plan_verb->add_option("--processors", plan.processors, "Of a server; this machine's unless given")
      ->check(CLI::Range(1, 4096));
  plan_verb->add_option("--memory-gb", plan.memory_gb, "The same")->check(CLI::Range(0.1, 1e5));
  plan_verb->add_option("--disk-gb", plan.disk_gb, "The same")->check(CLI::Range(0.1, 1e7));
  plan_verb->add_option("--sample-members", plan.sample_members, "Members to measure with, at most")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  plan_verb->add_option("--seconds", plan.seconds, "Of requests of each kind")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  plan_verb->add_flag("--json", plan.json, "The same as JSON");
  plan_verb
      ->add_option("--set", plan.settings,
                   "Overrides an option of data.*, such as data.interactions=new.parquet")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_tables(plan_verb, plan.tables);
  popularity_verb->add_option("--threads", popularity.threads, "Threads; 0: one a processor")
      ->check(CLI::Range(0, 4096));

  add_quiet(app, quiet);
  if (const auto code = parse_arguments(app, argc, argv)) return *code;
  Progress::set_quiet(quiet);
  if (*serve_verb) return run_serve(serve);
  if (*predict_verb) return run_predict(predict);
  if (*popularity_verb) return run_popularity(popularity);
  if (*plan_verb) return run_plan(plan);
  return run_adapt(adapt);
}

}  // namespace

int main(int argc, char** argv) {
  limber::keep_freed_memory();
  return limber::run_main(argc, argv, parse_and_run);
}
