#include "limber/companions/screen/partial_statistics.h"

#include <algorithm>
#include <set>

#include "limber/companions/screen/parallel.h"
#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/text_check.h"

namespace limber::screen {
namespace {

/// Drops the features of `block` that are not the shard's.
void keep_shard(const Shard& shard, std::size_t samples, FeatureBlock& block) {
  if (shard.of == 1) return;
  FeatureNames names;
  std::size_t kept = 0;
  for (std::int64_t j = 0; j < block.features(); ++j) {
    if (!shard.has(block.first + j)) continue;
    names.add(block.names[j]);
    const auto from =
        block.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(j) * samples);
    std::copy(from, from + static_cast<std::ptrdiff_t>(samples),
              block.values.begin() + static_cast<std::ptrdiff_t>(kept * samples));
    ++kept;
  }
  block.values.resize(kept * samples);
  block.names = std::move(names);
}

}  // namespace

bool Shard::has(std::int64_t feature) const {
  return feature / kShardBlock % of == number;
}

void write_partial(FeatureSource& source, const Classes& classes, const Transform& transform,
                   const Shard& shard, int threads, const std::filesystem::path& path) {
  const std::vector<SampleScale> scales = sample_scales(source, transform);
  FramedWriter writer(path, kPartialKind, kPartialVersion);
  const std::size_t samples = source.samples().size();
  const std::size_t width = record_size(classes.count());
  std::int64_t features = 0;
  Progress progress("summarising features", 0, "features");
  FeatureBlock block;
  std::vector<double> records;
  while (source.next(block)) {
    if (stop_requested()) throw Error("stopped by a signal; nothing was written");
    progress.add(static_cast<std::uint64_t>(block.features()));
    keep_shard(shard, samples, block);
    const std::int64_t count = block.features();
    if (count == 0) continue;
    apply(transform, scales, block);
    records.resize(static_cast<std::size_t>(count) * width);
    parallel_parts(count, threads, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t j = begin; j < end; ++j) {
        summarise(block.feature(j), classes, {},
                  std::span(records).subspan(static_cast<std::size_t>(j) * width, width));
      }
    });
    std::string text;
    std::vector<std::uint32_t> ends;
    for (std::int64_t j = 0; j < count; ++j) {
      if (!is_utf8(block.names[j])) {
        throw InputError("{}: the name of feature {} is not UTF-8", source.origin(),
                         block.first + j + 1);
      }
      text += block.names[j];
      ends.push_back(static_cast<std::uint32_t>(text.size()));
    }
    writer.section(std::span<const double>(records));
    writer.section(std::span<const std::uint32_t>(ends));
    writer.section(std::span<const char>(text));
    features += count;
  }
  writer.finish({{"classes", classes.names},
                 {"class_samples", classes.samples},
                 {"samples", source.samples()},
                 {"class_of_sample", classes.of_sample},
                 {"transform", to_json(transform)},
                 {"shard", {shard.number, shard.of}},
                 {"features", features}});
}

Record Statistics::Block::record(std::int64_t i) const {
  const std::size_t width = records.size() / static_cast<std::size_t>(features);
  return {records.subspan(static_cast<std::size_t>(i) * width, width)};
}

std::string_view Statistics::Block::name(std::int64_t i) const {
  const auto at = static_cast<std::size_t>(i);
  const std::uint32_t begin = at == 0 ? 0 : ends[at - 1];
  return text.substr(begin, ends[at] - begin);
}

Statistics::Statistics(const std::vector<std::filesystem::path>& files, std::string origin) {
  if (files.empty()) throw InputError("no partial statistics were given");
  origin_ = origin.empty() ? files[0].string() : std::move(origin);
  std::set<std::int64_t> shards;
  std::int64_t of = 1;
  nlohmann::json samples;
  nlohmann::json class_of_sample;
  for (const auto& path : files) {
    files_.push_back(std::make_unique<FramedReader>(path, kPartialKind, kPartialVersion));
    const FramedReader& file = *files_.back();
    try {
      const nlohmann::json& header = file.header();
      auto classes = header.at("classes").get<std::vector<std::string>>();
      auto counts = header.at("class_samples").get<std::vector<std::int64_t>>();
      const Transform transform = transform_from_json(header.at("transform"));
      const auto number = header.at("shard").at(0).get<std::int64_t>();
      const auto shard_count = header.at("shard").at(1).get<std::int64_t>();
      if (files_.size() == 1) {
        classes_ = std::move(classes);
        class_samples_ = std::move(counts);
        transform_ = transform;
        of = shard_count;
        samples = header.at("samples");
        class_of_sample = header.at("class_of_sample");
      } else if (classes != classes_ || counts != class_samples_ || shard_count != of ||
                 header.at("samples") != samples ||
                 header.at("class_of_sample") != class_of_sample ||
                 to_json(transform) != to_json(transform_)) {
        throw InputError("{}: was not made from the same samples in the same way as {}",
                         path.string(), origin_);
      }
      if (classes_.size() < 2 || classes_.size() != class_samples_.size()) {
        file.damaged("its classes are spoilt");
      }
      if (!shards.insert(number).second) {
        throw InputError("{}: shard {} of {} was given twice", path.string(), number + 1, of);
      }
      const std::size_t width = record_size(static_cast<int>(classes_.size()));
      std::int64_t here = 0;
      for (std::size_t i = 0; i < file.sections(); i += 3) {
        const auto records = file.section<double>(i);
        const auto ends = file.section<std::uint32_t>(i + 1);
        const auto text = file.section<char>(i + 2);
        if (ends.empty() || records.size() != ends.size() * width || ends.back() != text.size() ||
            !std::is_sorted(ends.begin(), ends.end())) {
          file.damaged("a block's parts differ in size");
        }
        const auto count = static_cast<std::int64_t>(ends.size());
        blocks_.push_back(
            {features_ + here, count, records, ends, std::string_view(text.data(), text.size())});
        here += count;
      }
      if (here != header.at("features").get<std::int64_t>()) file.damaged("a block is missing");
      features_ += here;
    } catch (const nlohmann::json::exception&) {
      file.damaged("its header is spoilt");
    }
  }
  for (std::int64_t number = 0; number < of; ++number) {
    if (!shards.contains(number)) {
      throw InputError("{}: shard {} of {} is missing; give all of them", origin_, number + 1, of);
    }
  }
  if (features_ == 0) throw InputError("{}: holds no features", origin_);
}

std::pair<const Statistics::Block*, std::int64_t> Statistics::find(std::int64_t number) const {
  const auto after = std::upper_bound(
      blocks_.begin(), blocks_.end(), number,
      [](std::int64_t wanted, const Block& block) { return wanted < block.first; });
  const Block& block = *(after - 1);
  return {&block, number - block.first};
}

void Statistics::release_pages() const {
  for (const auto& file : files_) file->release_pages();
}

}  // namespace limber::screen
