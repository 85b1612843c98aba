#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace limber {

struct GeneratorOptions {
  std::int64_t rows = 100000;   ///< interactions, at least 1
  std::int64_t members = 1000;  ///< at least 1
  std::int64_t items = 500;     ///< at least 1
  std::uint64_t seed = 1;
  std::string format = "parquet";  ///< or "csv"
  bool with_dwell = false;         ///< interactions also say where, on what and for how long
};

/// A synthetic interaction log whose members have known preferences, so that tests and benchmarks
/// know what the best possible model would predict.
///
/// Members and items have latent vectors of eight dimensions, seen in none of the columns as such.
/// A member's click on an item is Bernoulli with
///
///     p = sigmoid(bias + quality(item) + bias(member) + scale * <member, item>).
///
/// Items are drawn by popularity and members by activity, both power laws; rows are in the order
/// of time. Columns show the truth in part: an item's category and tags follow from its vector,
/// its price from its quality, a member's age from the first dimension of the vector, and the
/// members of a country share a part of their bias; the device is noise.
///
///     interactions  member_id, item_id, timestamp (seconds since 1970), device, price, clicked
///     items         item_id, category, tags (a list; in CSV separated by "|")
///     members       member_id, age, country
///
/// With `with_dwell` the interactions have three columns more: surface (where the item was shown),
/// content_type (which follows from the item) and dwell_seconds, whose logarithm is normal with
///
///     mean = 1.8 + longer(surface) + longer(content_type) + 0.5 logit(p),   deviation 0.7
///
/// so that a video keeps everybody for long, and long for a video says that the member likes it.
///
/// The same options give the same bytes, and the other columns are the same with and without.
class Generator {
 public:
  static constexpr int kDimension = 8;
  static constexpr int kCategories = 12;
  static constexpr int kCountries = 6;

  /// Throws InputError for sizes below 1 and for an unknown format.
  explicit Generator(const GeneratorOptions& options);

  /// The true probability of a click; ids as in the files, from 1 on.
  double probability(std::int64_t member_id, std::int64_t item_id) const;

  /// Writes interactions, items and members into `folder`, which is created. Rows are streamed:
  /// memory holds the members, the items and one row group. Throws Error when it cannot be written.
  void write(const std::filesystem::path& folder) const;

 private:
  using Vector = float[kDimension];

  struct Member {
    Vector vector;
    float bias;
    std::int16_t age;
    std::int16_t country;
  };
  struct Item {
    Vector vector;
    float quality;
    float price;
    std::int16_t category;
    std::uint16_t tags;  ///< bit k: the vector is large in dimension k
  };

  float logit(const Member& member, const Item& item) const;
  void make_members();
  void make_items();
  void write_interactions(const std::filesystem::path& folder) const;
  void write_items(const std::filesystem::path& folder) const;
  void write_members(const std::filesystem::path& folder) const;

  GeneratorOptions options_;
  std::vector<Member> members_;
  std::vector<Item> items_;
};

}  // namespace limber
