#include <fmt/ranges.h>

#include <cmath>
#include <optional>

#include "limber/core/artifact/packed_weight.h"
#include "limber/core/artifact/tile_grid.h"
#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"

namespace limber {
namespace {

constexpr std::size_t kHeadSizes = 3;

/// Puts the tensors of one weight together; every complaint names file and tensor.
class WeightReader {
 public:
  WeightReader(const Tensor& head, const std::map<std::string, Tensor, std::less<>>& tensors,
               const std::string& origin)
      : head_(head), tensors_(tensors), origin_(origin) {}

  UnpackedWeight read() {
    read_head();
    find_parts();
    const std::int64_t room = grid_.rows * grid_.columns;
    if (room > kMostExpansion * result_.what.bytes / 4) {
      damaged(head_.name, "it asks for {} numbers from {} bytes", room, result_.what.bytes);
    }
    check_maps();
    visit([&](std::int64_t, std::int64_t) { ++result_.what.stored; });
    check_numbers();
    result_.values.resize(static_cast<std::size_t>(room));
    std::int64_t next = 0;
    visit([&](std::int64_t row, std::int64_t column) {
      result_.values[static_cast<std::size_t>(row * grid_.columns + column)] = number(next++);
    });
    return std::move(result_);
  }

 private:
  template <class... Arguments>
  [[noreturn]] void damaged(const std::string& name, fmt::format_string<Arguments...> format,
                            Arguments&&... arguments) const {
    throw InputError("{}: damaged: tensor {}: {}; copy or publish this version again", origin_,
                     one_line(name),
                     one_line(fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

  void read_head() {
    PackedWeight& what = result_.what;
    what.name = head_.name.substr(0, head_.name.size() - kPackedEnding.size());
    const auto values = head_.values<std::int64_t>();
    if (head_.shape.size() != 1 || values.size() <= kHeadSizes) {
      damaged(head_.name, "it holds {} numbers, too few for bits, tile and shape", values.size());
    }
    what.bits = values[0];
    what.tile_rows = values[1];
    what.tile_columns = values[2];
    what.shape.assign(values.begin() + kHeadSizes, values.end());
    if (what.bits != 32 && what.bits != 8 && what.bits != 4) {
      damaged(head_.name, "numbers of {} bits", what.bits);
    }
    const std::int64_t room = count_elements(what.shape).value_or(0);
    if (room == 0) damaged(head_.name, "the shape [{}]", fmt::join(what.shape, ", "));
    grid_ = {what.shape[0], room / what.shape[0], what.tile_rows, what.tile_columns};
    if (!grid_.is_valid()) {
      damaged(head_.name, "tiles of {} x {} in a matrix of {} x {}", what.tile_rows,
              what.tile_columns, grid_.rows, grid_.columns);
    }
  }

  const Tensor* find(const std::string& ending, DataType type) {
    const std::string name = result_.what.name + ending;
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) return nullptr;
    const Tensor& tensor = found->second;
    if (tensor.type != type || tensor.shape.size() != 1) {
      damaged(name, "it is no list of {}", name_of(type));
    }
    result_.what.bytes += static_cast<std::int64_t>(tensor.bytes.size());
    return &tensor;
  }
  const Tensor& need(const std::string& ending, DataType type) {
    const Tensor* tensor = find(ending, type);
    if (tensor == nullptr) damaged(result_.what.name + ending, "it is missing");
    return *tensor;
  }

  void find_parts() {
    result_.what.bytes = static_cast<std::int64_t>(head_.bytes.size());
    if (!grid_.is_dense()) {
      tiles_.emplace(need(".tiles", DataType::kI32).values<std::int32_t>());
      const Tensor* lines = find(".lines", DataType::kI32);
      if (lines != nullptr) lines_.emplace(lines->values<std::int32_t>());
    }
    if (result_.what.bits == 32) {
      values_ = need(".values", DataType::kF32).values<float>();
      return;
    }
    if (result_.what.bits == 8) {
      bytes_ = need(".codes", DataType::kI8).values<std::int8_t>();
    } else {
      halves_ = need(".codes", DataType::kU8).values<std::uint8_t>();
    }
    const auto scale = need(".scale", DataType::kF32).values<float>();
    if (scale.size() != 1) damaged(result_.what.name + ".scale", "{} scales", scale.size());
    scale_ = scale[0];
    if (!(scale_ > 0) || !std::isfinite(scale_)) {
      damaged(result_.what.name + ".scale", "the scale {}", scale_);
    }
  }

  void check_map(const std::string& ending, const BitView& map, std::int64_t bits) const {
    if (map.holds_just(bits)) return;
    damaged(result_.what.name + ending, "it is no map of {} bits", bits);
  }

  void check_maps() {
    if (!tiles_) return;
    check_map(".tiles", *tiles_, grid_.count());
    if (!lines_) return;
    std::int64_t bits = 0;
    for (std::int64_t t = 0; t < grid_.count(); ++t) {
      if (tiles_->at(t)) bits += grid_.tile(t).rows + grid_.tile(t).columns;
    }
    check_map(".lines", *lines_, bits);
  }

  template <class Visit>
  void visit(Visit visit) const {
    visit_stored(grid_, tiles_ ? &*tiles_ : nullptr, lines_ ? &*lines_ : nullptr, visit);
  }

  void check_numbers() const {
    const std::int64_t stored = result_.what.stored, bits = result_.what.bits;
    const auto there = static_cast<std::int64_t>(bits == 32  ? values_.size()
                                                 : bits == 8 ? bytes_.size()
                                                             : halves_.size());
    const std::int64_t asked = bits == 4 ? (stored + 1) / 2 : stored;
    if (there == asked) return;
    damaged(result_.what.name + (bits == 32 ? ".values" : ".codes"),
            "{} elements where {} are asked for", there, asked);
  }

  float number(std::int64_t index) const {
    const auto i = static_cast<std::size_t>(index);
    if (result_.what.bits == 32) return values_[i];
    if (result_.what.bits == 8) return scale_ * static_cast<float>(bytes_[i]);
    const int half = halves_[i / 2] >> i % 2 * 4 & 15;
    return scale_ * static_cast<float>(half < 8 ? half : half - 16);
  }

  const Tensor& head_;
  const std::map<std::string, Tensor, std::less<>>& tensors_;
  const std::string& origin_;
  UnpackedWeight result_;
  TileGrid grid_;
  std::optional<BitView> tiles_, lines_;
  std::span<const float> values_;
  std::span<const std::int8_t> bytes_;
  std::span<const std::uint8_t> halves_;
  float scale_ = 0;
};

}  // namespace

bool is_packed_weight(const Tensor& tensor) {
  return tensor.type == DataType::kI64 && tensor.name.size() > kPackedEnding.size() &&
         tensor.name.ends_with(kPackedEnding);
}

UnpackedWeight unpack_weight(const Tensor& head,
                             const std::map<std::string, Tensor, std::less<>>& tensors,
                             const std::string& origin) {
  return WeightReader(head, tensors, origin).read();
}

}  // namespace limber
