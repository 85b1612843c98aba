#include "limber/companions/screen/sample_matrix.h"

#include <algorithm>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/data/column_file.h"

namespace limber::screen {

SampleMatrix::SampleMatrix(FeatureSource& source, const Transform& transform,
                           std::span<const SampleScale> scales)
    : samples_(source.samples()), labels_(source.labels()), origin_(source.origin()) {
  ColumnFile<double> values(folder_.path() / "values");
  ColumnFile<char> names(folder_.path() / "names");
  ColumnFile<std::uint64_t> ends(folder_.path() / "ends");
  FeatureBlock block;
  while (source.next(block)) {
    if (stop_requested()) throw Error("stopped by a signal; nothing was written");
    apply(transform, scales, block);
    for (const double value : block.values) values.append(value);
    for (std::int64_t j = 0; j < block.features(); ++j) {
      for (const char letter : block.names[j]) names.append(letter);
      ends.append(static_cast<std::uint64_t>(names.size()));
    }
    features_ += block.features();
  }
  values_ = values.finish();
  names_ = names.finish();
  ends_ = ends.finish();
}

std::span<const double> SampleMatrix::feature(std::int64_t j) const {
  return std::as_const(values_).as<double>().subspan(static_cast<std::size_t>(j) * samples_.size(),
                                                     samples_.size());
}

std::string_view SampleMatrix::name(std::int64_t j) const {
  const auto ends = std::as_const(ends_).as<std::uint64_t>();
  const auto at = static_cast<std::size_t>(j);
  const std::uint64_t begin = at == 0 ? 0 : ends[at - 1];
  return {std::as_const(names_).as<char>().data() + begin,
          static_cast<std::size_t>(ends[at] - begin)};
}

class SampleMatrix::Source : public FeatureSource {
 public:
  explicit Source(const SampleMatrix& matrix) : matrix_(matrix) {}

  const std::vector<std::string>& samples() const override { return matrix_.samples_; }
  const std::vector<std::string>& labels() const override { return matrix_.labels_; }
  void rewind() override { done_ = 0; }
  std::string origin() const override { return matrix_.origin_; }
  double share_done() const override {
    return static_cast<double>(done_) / static_cast<double>(matrix_.features_);
  }

  bool next(FeatureBlock& block) override {
    const auto width = static_cast<std::int64_t>(matrix_.samples_.size());
    const std::int64_t count =
        std::min(matrix_.features_ - done_,
                 std::clamp<std::int64_t>(kBlockValues / width, 1, kBlockFeatures));
    block.first = done_;
    block.names.clear();
    const auto all = matrix_.values_.as<double>();
    const auto begin = all.begin() + done_ * width;
    block.values.assign(begin, begin + count * width);
    for (std::int64_t j = done_; j < done_ + count; ++j) block.names.add(matrix_.name(j));
    done_ += count;
    return count > 0;
  }

 private:
  const SampleMatrix& matrix_;
  std::int64_t done_ = 0;
};

std::unique_ptr<FeatureSource> SampleMatrix::source() const {
  return std::make_unique<Source>(*this);
}

}  // namespace limber::screen
