#include "limber/core/data/generator.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"
#include "limber/core/data/alias_table.h"
#include "limber/core/data/table_writer.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kGroupRows = 1 << 17;
constexpr std::int64_t kStart = 1704067200;  // 2024-01-01
constexpr std::int64_t kSeconds = std::int64_t{90} * 86400;

constexpr double kBias = -1;
constexpr double kScale = 0.42;  // <member, item> has a deviation of about 2.8
constexpr double kQualityDeviation = 0.6;
constexpr double kActivityExponent = 0.7;
constexpr double kPopularityExponent = 0.9;
constexpr float kTagThreshold = 0.8F;

constexpr std::array<const char*, Generator::kCountries> kCountryNames{"BR", "DE", "FR",
                                                                       "IN", "JP", "US"};
constexpr std::array<const char*, 3> kDevices{"phone", "desktop", "tablet"};
constexpr std::array<double, 3> kDeviceShares{0.6, 0.3, 0.1};

/// Where an item is shown or what it is, how often, and by how much that lengthens dwell (in its
/// logarithm).
struct DwellContext {
  const char* name;
  double share, longer;
};
constexpr std::array<DwellContext, 3> kSurfaces{
    {{"feed", 0.7, 0.0}, {"search", 0.2, 0.8}, {"profile", 0.1, 0.4}}};
constexpr std::array<DwellContext, 3> kContentTypes{
    {{"image", 0.5, 0.0}, {"article", 0.3, 0.9}, {"video", 0.2, 1.4}}};
constexpr double kDwellMean = 1.8;
constexpr double kDwellByLogit = 0.5;
constexpr double kDwellDeviation = 0.7;

/// The context that a uniform number in [0, 1) falls on.
const DwellContext& drawn(const std::array<DwellContext, 3>& contexts, double draw) {
  std::size_t c = 0;
  while (c + 1 < contexts.size() && draw >= contexts[c].share) draw -= contexts[c++].share;
  return contexts[c];
}

/// Streams of random numbers that do not depend on each other's length.
enum class Stream : std::uint64_t { kMembers = 1, kItems, kActivity, kPopularity, kRows, kDwell };

Random random_for(std::uint64_t seed, Stream stream) {
  return Random(mix64(mix64(seed) + static_cast<std::uint64_t>(stream)));
}

/// rank^-exponent, ranks dealt out at random.
std::vector<double> power_law(std::int64_t count, double exponent, Random random) {
  std::vector<double> weights(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = std::pow(static_cast<double>(i + 1), -exponent);
  }
  random.shuffle(std::span(weights));
  return weights;
}

double sigmoid(double logit) {
  return 1 / (1 + std::exp(-logit));
}

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("cannot make synthetic data: {}", status.message());
}

template <class... Builders>
std::shared_ptr<arrow::RecordBatch> batch_of(const std::shared_ptr<arrow::Schema>& schema,
                                             Builders&... builders) {
  arrow::ArrayVector columns;
  const auto finish = [&](arrow::ArrayBuilder& builder) {
    std::shared_ptr<arrow::Array> column;
    check(builder.Finish(&column));
    columns.push_back(column);
  };
  (finish(builders), ...);
  const std::int64_t rows = columns.front()->length();
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

}  // namespace

Generator::Generator(const GeneratorOptions& options) : options_(options) {
  const auto check_size = [](const char* name, std::int64_t size) {
    if (size < 1) throw InputError("synthetic data: {} is {}, expected 1 or more", name, size);
  };
  check_size("rows", options_.rows);
  check_size("members", options_.members);
  check_size("items", options_.items);
  if (options_.format != "parquet" && options_.format != "csv") {
    throw InputError("synthetic data: format is '{}', expected parquet or csv", options_.format);
  }
  make_members();
  make_items();
}

void Generator::make_members() {
  Random random = random_for(options_.seed, Stream::kMembers);
  members_.resize(static_cast<std::size_t>(options_.members));
  for (Member& member : members_) {
    for (float& value : member.vector) value = static_cast<float>(random.normal());
    member.country = static_cast<std::int16_t>(random.below(kCountries));
    const double shared = member.country * 0.2 - 0.5;
    member.bias = static_cast<float>(shared + 0.3 * random.normal());
    const double age = 40 + 12 * member.vector[0] + 3 * random.normal();
    member.age = static_cast<std::int16_t>(std::clamp(std::round(age), 16.0, 95.0));
  }
}

void Generator::make_items() {
  Random random = random_for(options_.seed, Stream::kItems);
  std::array<Vector, kCategories> centres;
  for (Vector& centre : centres) {
    for (float& value : centre) value = static_cast<float>(0.8 * random.normal());
  }
  items_.resize(static_cast<std::size_t>(options_.items));
  for (Item& item : items_) {
    item.category = static_cast<std::int16_t>(random.below(kCategories));
    const Vector& centre = centres[static_cast<std::size_t>(item.category)];
    item.tags = 0;
    for (int k = 0; k < kDimension; ++k) {
      item.vector[k] = centre[k] + static_cast<float>(0.6 * random.normal());
      if (item.vector[k] > kTagThreshold) item.tags |= static_cast<std::uint16_t>(1 << k);
    }
    item.quality = static_cast<float>(kQualityDeviation * random.normal());
    item.price = static_cast<float>(std::exp(3 + item.quality + 0.4 * random.normal()));
  }
}

float Generator::logit(const Member& member, const Item& item) const {
  float match = 0;
  for (int k = 0; k < kDimension; ++k) match += member.vector[k] * item.vector[k];
  return static_cast<float>(kBias) + item.quality + member.bias +
         static_cast<float>(kScale) * match;
}

double Generator::probability(std::int64_t member_id, std::int64_t item_id) const {
  return sigmoid(logit(members_.at(static_cast<std::size_t>(member_id - 1)),
                       items_.at(static_cast<std::size_t>(item_id - 1))));
}

void Generator::write(const fs::path& folder) const {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw Error("{}: cannot be created: {}", folder.string(), code.message());
  write_members(folder);
  write_items(folder);
  write_interactions(folder);
}

void Generator::write_interactions(const fs::path& folder) const {
  arrow::FieldVector fields{
      arrow::field("member_id", arrow::int64()), arrow::field("item_id", arrow::int64()),
      arrow::field("timestamp", arrow::int64()), arrow::field("device", arrow::utf8()),
      arrow::field("price", arrow::float64()),   arrow::field("clicked", arrow::int64())};
  if (options_.with_dwell) {
    fields.push_back(arrow::field("surface", arrow::utf8()));
    fields.push_back(arrow::field("content_type", arrow::utf8()));
    fields.push_back(arrow::field("dwell_seconds", arrow::float64()));
  }
  const auto schema = arrow::schema(fields);
  TableWriter writer(folder / ("interactions." + options_.format), schema);
  const AliasTable activity(
      power_law(options_.members, kActivityExponent, random_for(options_.seed, Stream::kActivity)));
  const AliasTable popularity(power_law(options_.items, kPopularityExponent,
                                        random_for(options_.seed, Stream::kPopularity)));
  const AliasTable devices(kDeviceShares);
  Random random = random_for(options_.seed, Stream::kRows);

  Random dwell_random = random_for(options_.seed, Stream::kDwell);
  std::vector<const DwellContext*> types;
  for (std::int64_t item = 0; item < options_.items; ++item) {
    types.push_back(&drawn(kContentTypes, dwell_random.uniform()));
  }

  arrow::StringBuilder surfaces;
  arrow::StringBuilder content_types;
  arrow::DoubleBuilder dwells;
  arrow::Int64Builder member_ids;
  arrow::Int64Builder item_ids;
  arrow::Int64Builder timestamps;
  arrow::StringBuilder device_names;
  arrow::DoubleBuilder prices;
  arrow::Int64Builder clicks;
  for (std::int64_t start = 0; start < options_.rows; start += kGroupRows) {
    const std::int64_t end = std::min(start + kGroupRows, options_.rows);
    for (std::int64_t row = start; row < end; ++row) {
      const std::int64_t member = activity.draw(random);
      const std::int64_t item = popularity.draw(random);
      const Item& shown = items_[static_cast<std::size_t>(item)];
      const double liking = logit(members_[static_cast<std::size_t>(member)], shown);
      const double passed = static_cast<double>(row) / static_cast<double>(options_.rows);
      check(member_ids.Append(member + 1));
      check(item_ids.Append(item + 1));
      check(timestamps.Append(kStart + static_cast<std::int64_t>(passed * kSeconds)));
      check(device_names.Append(kDevices[static_cast<std::size_t>(devices.draw(random))]));
      check(prices.Append(std::round(shown.price * 100.0) / 100));
      check(clicks.Append(random.uniform() < sigmoid(liking) ? 1 : 0));
      if (!options_.with_dwell) continue;
      const DwellContext& surface = drawn(kSurfaces, dwell_random.uniform());
      const DwellContext& type = *types[static_cast<std::size_t>(item)];
      const double logarithm = kDwellMean + surface.longer + type.longer + kDwellByLogit * liking +
                               kDwellDeviation * dwell_random.normal();
      check(surfaces.Append(surface.name));
      check(content_types.Append(type.name));
      check(dwells.Append(std::round(std::exp(logarithm) * 1000) / 1000));
    }
    writer.write(
        options_.with_dwell
            ? *batch_of(schema, member_ids, item_ids, timestamps, device_names, prices, clicks,
                        surfaces, content_types, dwells)
            : *batch_of(schema, member_ids, item_ids, timestamps, device_names, prices, clicks));
  }
  writer.finish();
}

void Generator::write_items(const fs::path& folder) const {
  const bool has_lists = options_.format == "parquet";
  const auto schema = arrow::schema(
      {arrow::field("item_id", arrow::int64()), arrow::field("category", arrow::utf8()),
       arrow::field("tags", has_lists ? arrow::list(arrow::utf8()) : arrow::utf8())});
  TableWriter writer(folder / ("items." + options_.format), schema);
  arrow::Int64Builder ids;
  arrow::StringBuilder categories;
  auto tag = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder tag_lists(arrow::default_memory_pool(), tag);
  arrow::StringBuilder tag_texts;
  const std::int64_t count = options_.items;
  for (std::int64_t start = 0; start < count; start += kGroupRows) {
    for (std::int64_t i = start; i < std::min(start + kGroupRows, count); ++i) {
      const Item& item = items_[static_cast<std::size_t>(i)];
      check(ids.Append(i + 1));
      check(categories.Append(fmt::format("category_{:02}", item.category + 1)));
      if (has_lists) check(tag_lists.Append());
      std::string joined;
      for (int k = 0; k < kDimension; ++k) {
        if ((item.tags >> k & 1) == 0) continue;
        const std::string name = fmt::format("tag_{}", k + 1);
        if (has_lists) check(tag->Append(name));
        joined += joined.empty() ? name : "|" + name;
      }
      if (!has_lists) check(tag_texts.Append(joined));
    }
    writer.write(has_lists ? *batch_of(schema, ids, categories, tag_lists)
                           : *batch_of(schema, ids, categories, tag_texts));
  }
  writer.finish();
}

void Generator::write_members(const fs::path& folder) const {
  const auto schema =
      arrow::schema({arrow::field("member_id", arrow::int64()), arrow::field("age", arrow::int64()),
                     arrow::field("country", arrow::utf8())});
  TableWriter writer(folder / ("members." + options_.format), schema);
  arrow::Int64Builder ids;
  arrow::Int64Builder ages;
  arrow::StringBuilder countries;
  const std::int64_t count = options_.members;
  for (std::int64_t start = 0; start < count; start += kGroupRows) {
    for (std::int64_t i = start; i < std::min(start + kGroupRows, count); ++i) {
      const Member& member = members_[static_cast<std::size_t>(i)];
      check(ids.Append(i + 1));
      check(ages.Append(member.age));
      check(countries.Append(kCountryNames[static_cast<std::size_t>(member.country)]));
    }
    writer.write(*batch_of(schema, ids, ages, countries));
  }
  writer.finish();
}

}  // namespace limber
