#include "limber/core/data/ads_generator.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/data/table_writer.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kBlockRows = 1 << 16;
constexpr std::int64_t kPilotRows = 1 << 17;
// Blocks that are none of the log's.
constexpr std::uint64_t kPilotBlock = ~std::uint64_t{0};
constexpr std::uint64_t kEarlierBlock = std::uint64_t{1} << 40;
constexpr std::int64_t kStart = 1704067200;  // 2024-01-01
constexpr std::int64_t kSeconds = std::int64_t{90} * 86400;

double sigmoid(double logit) {
  return 1 / (1 + std::exp(-logit));
}

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("cannot make synthetic data: {}", status.message());
}

/// Decides who clicks, row after row: a click changes what the member's later rows are worth.
class Clicks {
 public:
  Clicks(double bias, AdsHistory history) : bias_(bias), history_(std::move(history)) {}

  /// The probability of a click on a row of the block, and whether it came.
  std::pair<double, bool> next(const AdsBlock& block, std::size_t row) {
    const std::int32_t member = block.members[row];
    const std::int32_t category = block.ids[0][row];
    const double score =
        block.scores[row] + AdsTruth::sequence(history_.since_click(member, category));
    const double probability = sigmoid(bias_ + AdsTruth::bend(score, block.devices[row]));
    const bool clicked = block.draws[row] < probability;
    history_.add(member, category, clicked);
    return {probability, clicked};
  }

  void live_through(const AdsBlock& block) {
    for (std::size_t row = 0; row < block.members.size(); ++row) next(block, row);
  }

 private:
  double bias_;
  AdsHistory history_;
};

template <class Builder, class Value>
std::shared_ptr<arrow::Array> array_of(const std::vector<Value>& values,
                                       const std::uint8_t* valid = nullptr) {
  Builder builder;
  check(builder.AppendValues(values.data(), static_cast<std::int64_t>(values.size()), valid));
  std::shared_ptr<arrow::Array> array;
  check(builder.Finish(&array));
  return array;
}

std::shared_ptr<arrow::Array> array_of_numbers(const std::vector<std::int32_t>& values) {
  std::vector<std::uint8_t> valid(values.size());
  std::ranges::transform(values, valid.begin(), [](std::int32_t value) {
    return value == AdsImpression::kMissing ? std::uint8_t{0} : std::uint8_t{1};
  });
  return array_of<arrow::Int32Builder>(values, valid.data());
}

std::shared_ptr<arrow::Array> array_of_devices(const std::vector<std::int32_t>& devices) {
  arrow::StringBuilder builder;
  for (const std::int32_t device : devices) {
    check(builder.Append(AdsTruth::kDevices[static_cast<std::size_t>(device)]));
  }
  std::shared_ptr<arrow::Array> array;
  check(builder.Finish(&array));
  return array;
}

std::shared_ptr<arrow::Schema> schema_of(bool with_truth) {
  arrow::FieldVector fields{
      arrow::field("member_id", arrow::int32()), arrow::field("timestamp", arrow::int64()),
      arrow::field("device", arrow::utf8()), arrow::field("category", arrow::int32())};
  for (int c = 1; c < AdsImpression::kIds; ++c) {
    fields.push_back(arrow::field(fmt::format("id_{:02}", c + 1), arrow::int32()));
  }
  for (int c = 0; c < AdsImpression::kNumbers; ++c) {
    fields.push_back(arrow::field(fmt::format("number_{:02}", c + 1), arrow::int32()));
  }
  fields.push_back(arrow::field("clicked", arrow::int32()));
  if (with_truth) fields.push_back(arrow::field("true_probability", arrow::float64()));
  return arrow::schema(fields);
}

AdsGeneratorOptions checked(const AdsGeneratorOptions& options) {
  const auto check_size = [](const char* name, std::int64_t size) {
    if (size < 1) throw InputError("synthetic data: {} is {}, expected 1 or more", name, size);
  };
  check_size("rows", options.rows);
  check_size("members", options.members);
  constexpr std::int64_t kMostMembers = 1 << 30;
  if (options.members > kMostMembers) {
    throw InputError("synthetic data: members is {}, expected {} or fewer", options.members,
                     kMostMembers);
  }
  if (!(options.rate >= 0.001 && options.rate <= 0.999)) {
    throw InputError("synthetic data: rate is {}, expected 0.001 to 0.999", options.rate);
  }
  if (options.format != "parquet" && options.format != "csv") {
    throw InputError("synthetic data: format is '{}', expected parquet or csv", options.format);
  }
  return options;
}

}  // namespace

AdsGenerator::AdsGenerator(const AdsGeneratorOptions& options)
    : options_(checked(options)), blocks_(options.seed, options.members), bias_(fitted_bias()) {}

/// The bias under which a smaller log with as many rows to a member has the wanted share of clicks.
/// There is no formula, because clicks bring further clicks.
double AdsGenerator::fitted_bias() const {
  const std::int64_t rows = std::min(kPilotRows, options_.rows);
  const double part = static_cast<double>(rows) / static_cast<double>(options_.rows);
  const auto members = static_cast<std::int64_t>(
      std::max(1.0, std::round(part * static_cast<double>(options_.members))));
  const AdsBlocks blocks(options_.seed, members);
  const AdsBlock earlier = blocks.draw(kPilotBlock - 1, rows);
  const AdsBlock block = blocks.draw(kPilotBlock, rows);
  const AdsHistory past(members, options_.seed, options_.rate);
  double low = -20;
  double high = 20;
  for (int step = 0; step < 30; ++step) {
    const double middle = (low + high) / 2;
    Clicks clicks(middle, past);
    clicks.live_through(earlier);
    double expected = 0;
    for (std::size_t row = 0; row < block.members.size(); ++row) {
      expected += clicks.next(block, row).first;
    }
    (expected < options_.rate * static_cast<double>(rows) ? low : high) = middle;
  }
  return (low + high) / 2;
}

void AdsGenerator::write(const fs::path& folder) const {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw Error("{}: cannot be created: {}", folder.string(), code.message());
  const auto schema = schema_of(options_.with_truth);
  TableWriter writer(folder / ("interactions." + options_.format), schema);
  Clicks clicks(bias_, AdsHistory(options_.members, options_.seed, options_.rate));
  // As many rows again before the first one: a past that nobody lived through would make the rate
  // of clicks drift for as long as the members need to forget it.
  const auto draw = [this](std::uint64_t first, std::int64_t start) {
    return blocks_.draw(first + static_cast<std::uint64_t>(start / kBlockRows),
                        std::min(kBlockRows, options_.rows - start));
  };
  const auto for_each_block = [&](std::uint64_t first, auto use) {
    std::future<AdsBlock> next = std::async(std::launch::async, draw, first, 0);
    for (std::int64_t start = 0; start < options_.rows; start += kBlockRows) {
      const AdsBlock block = next.get();
      if (start + kBlockRows < options_.rows) {
        next = std::async(std::launch::async, draw, first, start + kBlockRows);
      }
      use(block, start);
    }
  };
  for_each_block(kEarlierBlock,
                 [&](const AdsBlock& block, std::int64_t) { clicks.live_through(block); });
  // Whole seconds, one row at most in each: the order of the rows is that of time.
  const std::int64_t seconds = std::max(kSeconds, options_.rows);
  for_each_block(0, [&](const AdsBlock& block, std::int64_t start) {
    const std::size_t rows = block.members.size();
    std::vector<std::int64_t> timestamps(rows);
    std::vector<std::int32_t> clicked(rows);
    std::vector<double> probabilities(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::int64_t number = start + static_cast<std::int64_t>(row);
      timestamps[row] = kStart + number * seconds / options_.rows;
      const auto [probability, click] = clicks.next(block, row);
      probabilities[row] = probability;
      clicked[row] = click ? 1 : 0;
    }
    arrow::ArrayVector columns{array_of<arrow::Int32Builder>(block.members),
                               array_of<arrow::Int64Builder>(timestamps),
                               array_of_devices(block.devices)};
    for (const auto& ids : block.ids) columns.push_back(array_of<arrow::Int32Builder>(ids));
    for (const auto& numbers : block.numbers) columns.push_back(array_of_numbers(numbers));
    columns.push_back(array_of<arrow::Int32Builder>(clicked));
    if (options_.with_truth) columns.push_back(array_of<arrow::DoubleBuilder>(probabilities));
    writer.write(*arrow::RecordBatch::Make(schema, block.rows(), std::move(columns)));
  });
  writer.finish();
}

}  // namespace limber
