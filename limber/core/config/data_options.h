#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "limber/core/config/constraint.h"
#include "limber/core/config/option_types.h"

/// What the logs are and which columns the model sees (part of limber/core/config/options.h).
namespace limber {

struct TableOptions {
  std::string path;
  std::string key;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("path", path, required(), "File, folder or glob of the side table.");
    visit("key", key, required(),
          "Column that identifies a row; the interactions must have a column of the same name.");
  }
};

struct DataOptions {
  Words interactions;
  std::map<std::string, TableOptions> tables;
  std::string task;
  std::string time;
  std::map<std::string, std::string> labels;
  std::string missing_labels = "fail";
  std::string weight;
  std::string split = "auto";
  double validation_share = 0.1;
  double test_share = 0.1;
  std::uint64_t split_seed = 1;
  std::string on_bad_row = "fail";
  std::string cache;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("interactions", interactions, required(),
          "CSV, CSV.gz or Parquet files, folders or globs with one row per impression.");
    visit("tables", tables, any(), "Side tables by name, joined to the interactions by their key.");
    visit("task", task, required(),
          "Column that says whom to personalise for, such as the member's id.");
    visit("time", time, any(),
          "Column that orders a member's interactions; leave empty where no time exists, and "
          "splits are seeded random.");
    visit("labels", labels, required(),
          "Labels by name: a column, or a comparison of a column with a number or a word such as "
          "'rating >= 4'.");
    visit("missing_labels", missing_labels, one_of({"fail", "absent"}),
          "An empty label: a bad row, or one that says nothing of this label (which then counts in "
          "no loss and no metric).");
    visit(
        "weight", weight, any(),
        "Column of sample weights, numbers of 0 or more; a row of weight 2 counts as two of it, in "
        "training, adaptation and metrics. Empty means that every row counts once.");
    visit("split", split, one_of({"auto", "members", "chronological", "random"}),
          "How rows become training, validation and test: whole members (cold members), the last "
          "rows of each member by time, or random rows of each member; auto is chronological "
          "where data.time is given, else random.");
    visit("validation_share", validation_share, between(0.001, 0.5),
          "Share of members (split: members) or of each member's rows held out for validation.");
    visit("test_share", test_share, between(0.001, 0.5),
          "Share of members (split: members) or of each member's rows held out for the test.");
    visit("split_seed", split_seed, at_least(0),
          "Seed of the split, apart from train.seed so that runs with other seeds share the test.");
    visit("on_bad_row", on_bad_row, one_of({"fail", "skip"}),
          "What to do with a row that cannot be read: end with an error that names file, row and "
          "column, or skip and count it.");
    visit("cache", cache, any(),
          "Folder for the encoded copy of the data; empty means a folder beside the model.");
  }
};

struct FeatureOptions {
  std::string name;
  std::string kind;
  std::string column;
  std::int64_t dim = 16;
  std::string transform = "standardize";
  std::int64_t buckets = 16;
  std::string separator = "|";
  std::string vocabulary = "dictionary";
  std::int64_t min_count = 1;
  std::int64_t max_values = 0;
  std::int64_t fingerprint_bits = 16;
  std::int64_t hash_size = 100000;
  std::int64_t quotients = 1000;
  std::int64_t remainders = 1000;
  std::string of;
  std::int64_t length = 50;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit("name", name, required(), "The feature's name, used in model.*.inputs.");
    visit("kind", kind, one_of({"number", "id", "ids", "sequence"}),
          "number: a numeric column; id: one value looked up in an embedding table; ids: several "
          "values, averaged; sequence: the member's earlier values of another id feature.");
    visit("column", column, any(),
          "Column it is read from, in the interactions or in a side table; empty means the name.");
    visit("dim", dim, between(1, 4096), "Width of the embedding (id, ids, sequence, bucketize).");
    visit("transform", transform, one_of({"none", "standardize", "log1p", "bucketize", "auto"}),
          "number only: as it is; (x - mean) / deviation; log(1 + x) then standardized; quantile "
          "buckets with an embedding each; log1p or standardize, by how skewed the training rows "
          "are.");
    visit("buckets", buckets, between(2, 1000), "Number of quantile buckets of bucketize.");
    visit("separator", separator, any(), "ids only: what separates the values of a text column.");
    visit("vocabulary", vocabulary, one_of({"dictionary", "perfect_hash", "hash", "qr"}),
          "id, ids: remember every value seen in training; know them by a minimal perfect hash and "
          "a fingerprint, in a few bytes each; hash values into hash_size rows; or hash them into "
          "two numbers and sum a row for the quotient and the remainder of each "
          "(docs/vocabularies.md).");
    visit("min_count", min_count, at_least(1),
          "dictionary, perfect_hash: values seen fewer times share the out-of-vocabulary row.");
    visit("max_values", max_values, at_least(0),
          "dictionary, perfect_hash: at most that many values, the most frequent; training that "
          "goes on from a model makes room for new ones by evicting those that its rows lack. 0: "
          "no cap.");
    visit("fingerprint_bits", fingerprint_bits, between(1, 32),
          "perfect_hash: bits kept of each value; an unknown one is taken for a known one with "
          "probability 2^-bits.");
    visit("hash_size", hash_size, between(2, 2147483647), "hash: number of embedding rows.");
    visit("quotients", quotients, between(2, 268435456),
          "qr: rows of each of the two quotient tables; about quotients x remainders pairs of rows "
          "are told apart by each half of the hash.");
    visit("remainders", remainders, between(2, 268435456),
          "qr: rows of each of the two remainder tables.");
    visit("of", of, any(), "sequence only: the id feature whose values make the sequence.");
    visit("length", length, between(1, 1000), "sequence only: how many of the latest values.");
  }
};

}  // namespace limber
