#include "limber/core/data/source_builder.h"

#include <algorithm>

#include "limber/core/data/source_reader.h"

namespace limber {

std::size_t SourceBuilder::use(const std::string& column) {
  const auto place = std::find(columns.begin(), columns.end(), column);
  if (place != columns.end()) return static_cast<std::size_t>(place - columns.begin());
  columns.push_back(column);
  return columns.size() - 1;
}

void SourceBuilder::add(int feature, const FeatureEncoder& encoder, Fit fit,
                        const std::filesystem::path& stem) {
  features.push_back(feature);
  view_of.push_back(use(encoder.column));
  raw.emplace_back(encoder, fit, stem);
}

void SourceBuilder::read(const std::vector<ColumnView>& views, std::int64_t i, std::size_t& at) {
  for (std::size_t k = 0; k < raw.size(); ++k) {
    at = view_of[k];
    raw[k].read(views[at], i);
  }
}

void SourceBuilder::store() {
  for (RawFeature& feature : raw) feature.store();
}

void read_side_table(const SourceFiles& files, bool skip_bad_rows, SourceBuilder& builder,
                     std::int64_t& bad_rows) {
  const std::size_t key_view = builder.use(files.key);
  for_each_row(files.files, builder.columns, skip_bad_rows, "reading " + files.name, bad_rows,
               [&](std::vector<ColumnView>& views, std::int64_t i, std::size_t& at) {
                 at = key_view;
                 if (views[at].is_null(i)) throw BadValue("the key is missing");
                 if (builder.keys.find(views[at].key(i)) != Vocabulary::unknown) {
                   throw BadValue("the key occurs twice");
                 }
                 builder.read(views, i, at);
                 builder.keys.add(views[key_view].key(i));
                 builder.store();
               });
}

void add_unlisted_keys(SourceBuilder& builder, const std::string& key_column,
                       const std::vector<FeatureEncoder>& encoders) {
  for (std::size_t k = 0; k < builder.raw.size(); ++k) {
    const FeatureEncoder& encoder = encoders[static_cast<std::size_t>(builder.features[k])];
    RawFeature& raw = builder.raw[k];
    for (std::int64_t row = raw.stored(); row < builder.keys.size() - 1; ++row) {
      if (encoder.column == key_column) {
        raw.read_key(builder.keys.key(static_cast<std::int32_t>(row + 1)));
      } else {
        raw.read_missing();
      }
      raw.store();
    }
  }
}

}  // namespace limber
