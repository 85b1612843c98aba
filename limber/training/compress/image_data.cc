#include "limber/training/compress/image_data.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "limber/core/artifact/checksum.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/base/one_line.h"
#include "limber/core/base/random.h"
#include "limber/core/data/column.h"
#include "limber/core/data/reader.h"

namespace limber {
namespace {

using Names = std::vector<std::string>;

/// The label's column, then the pixels'.
Names choose_columns(const ImageOptions& options, const Names& columns) {
  const std::string file = one_line(options.file);
  if (std::find(columns.begin(), columns.end(), options.label) == columns.end()) {
    throw InputError("{}: no column '{}' (images.label){}", file, options.label,
                     did_you_mean(options.label, columns));
  }
  Names chosen = {options.label};
  for (const std::string& column : columns) {
    if (column != options.label && column.starts_with(options.pixels)) chosen.push_back(column);
  }
  const auto found = static_cast<std::int64_t>(chosen.size()) - 1;
  const std::int64_t expected = options.channels * options.height * options.width;
  if (found != expected) {
    throw InputError(
        "{}: {} of pixels, where images.channels x height x width is {} x {} x {} = {}{}", file,
        counted(found, "column"), options.channels, options.height, options.width, expected,
        options.pixels.empty() ? "; images.pixels chooses columns by how their names begin" : "");
  }
  return chosen;
}

/// Rows as they are read, one image after another.
struct Rows {
  std::vector<float> pixels;
  std::vector<std::int64_t> classes;
};

class RowReader {
 public:
  RowReader(const ImageOptions& options, std::int64_t classes, const Names& columns)
      : columns_(columns), scale_(options.scale), classes_(classes) {}

  void read(const Chunk& chunk, Rows& rows) const {
    const std::int64_t count = chunk.batch->num_rows();
    const std::size_t pixels = columns_.size() - 1;
    const std::size_t first = rows.classes.size();
    rows.classes.resize(first + static_cast<std::size_t>(count));
    rows.pixels.resize((first + static_cast<std::size_t>(count)) * pixels);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      std::int64_t i = 0;
      try {
        const ColumnView view(chunk.batch->column(static_cast<int>(c)));
        for (; i < count; ++i) {
          const std::size_t row = first + static_cast<std::size_t>(i);
          const double value = number(view, i);
          if (c == 0) {
            rows.classes[row] = class_of(value);
          } else {
            rows.pixels[row * pixels + c - 1] = static_cast<float>(value / scale_);
          }
        }
      } catch (const BadValue& bad) {
        throw InputError("{}: row {}, column {}: {}", one_line(chunk.file.string()), chunk.row(i),
                         one_line(columns_[c]), one_line(bad.what()));
      }
    }
  }

 private:
  static double number(const ColumnView& view, std::int64_t i) {
    if (view.is_null(i)) throw BadValue("is empty");
    return view.number(i);
  }
  std::int64_t class_of(double value) const {
    if (!(value >= 0 && value < static_cast<double>(classes_)) || value != std::floor(value)) {
      throw BadValue(fmt::format("{} is no class from 0 to {}, the units of the last layer", value,
                                 classes_ - 1));
    }
    return static_cast<std::int64_t>(value);
  }

  const Names& columns_;
  double scale_;
  std::int64_t classes_;
};

std::string fingerprint_of(const Rows& rows, std::span<const std::int64_t> order, std::int64_t test,
                           std::int64_t validation) {
  Checksum checksum;
  const std::int64_t sizes[] = {test, validation};
  checksum.add(std::as_bytes(std::span(rows.pixels)));
  checksum.add(std::as_bytes(std::span(rows.classes)));
  checksum.add(std::as_bytes(order));
  checksum.add(std::as_bytes(std::span(sizes)));
  return checksum.hex();
}

}  // namespace

ImageData read_images(const ImageOptions& options, std::int64_t classes) {
  const std::string patterns[] = {options.file};
  const auto files = expand_paths(patterns);
  const Names columns = choose_columns(options, column_names(files));
  TableReader reader(files, columns, false);
  const RowReader row_reader(options, classes, columns);
  Rows rows;
  for (Chunk chunk; reader.next(chunk);) row_reader.read(chunk, rows);

  const auto count = static_cast<std::int64_t>(rows.classes.size());
  const auto share = [&](double part) {
    return static_cast<std::int64_t>(std::floor(part * static_cast<double>(count) + 0.5));
  };
  const std::int64_t test = share(options.test_share);
  const std::int64_t validation = share(options.validation_share);
  if (test < 1 || validation < 1 || test + validation >= count) {
    throw InputError("{}: {} are too few for a training, a validation and a test part",
                     one_line(options.file), counted(count, "image"));
  }

  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  // mix64 is one to one, so no two rows have the same word.
  const std::uint64_t seed = mix64(options.split_seed);
  std::sort(order.begin(), order.end(), [seed](std::int64_t a, std::int64_t b) {
    return mix64(static_cast<std::uint64_t>(a) ^ seed) <
           mix64(static_cast<std::uint64_t>(b) ^ seed);
  });

  const torch::Tensor index = torch::tensor(order);
  const torch::Tensor pixels = torch::from_blob(
      rows.pixels.data(), {count, options.channels, options.height, options.width}, torch::kFloat);
  const torch::Tensor labels = torch::from_blob(rows.classes.data(), {count}, torch::kLong);
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    const torch::Tensor chosen = index.slice(0, begin, end);
    return ImagePart{pixels.index_select(0, chosen), labels.index_select(0, chosen)};
  };
  return {part(test + validation, count), part(test, test + validation), part(0, test),
          fingerprint_of(rows, order, test, validation)};
}

}  // namespace limber
