#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "limber/serving/rows/catalogue.h"
#include "limber/serving/rows/request_schema.h"
#include "limber/serving/runtime/runtime_model.h"

namespace limber {

/// Why a field of a request cannot be used; whoever knows where the row stood adds the place.
class BadField : public BadValue {
 public:
  BadField(std::string column, const std::string& reason)
      : BadValue(reason), column_(std::move(column)) {}
  const std::string& column() const { return column_; }

 private:
  std::string column_;
};

/// Encodes rows of a request as training encoded the log: interaction columns from the row itself,
/// side tables by key from the catalogue. A key that a table lacks gets a row of its own, made of
/// the fields that the request gives, so that an item can be ranked the moment it exists. Keeps its
/// memory from request to request; one per thread.
class RowEncoder {
 public:
  RowEncoder(const RuntimeModel& model, const Catalogue& catalogue, const RequestSchema& schema);

  void restart();
  /// Throws BadField, and keeps nothing of the row.
  void add(const FieldRow& row);
  std::int64_t rows() const { return rows_; }

  /// The member's earlier values of a sequence feature, for all rows alike (candidates).
  void set_sequences(const std::vector<std::vector<std::int32_t>>& latest);
  /// The same from the rows themselves, each from those before it (a member's interactions).
  void chain_sequences();
  /// After chain_sequences: what a row after the last would see, by sequence feature.
  std::vector<std::vector<std::int32_t>> latest_values() const;

  /// All rows. Good until the next restart() or add().
  const RowSet& set();
  /// The last `count` rows. Good as set().
  const RowSet& tail(std::int64_t count);

 private:
  struct Column {
    std::vector<float> numbers;
    std::vector<std::int32_t> indices;
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> lengths;
    std::vector<std::int32_t> values;
  };
  /// Rows that the request brought, of one source.
  struct Source {
    std::int64_t rows = 0;
    std::vector<std::size_t> features;  ///< layout features of this source
    std::vector<Column> columns;        ///< by layout feature
    SourceRows view;
    std::vector<std::int64_t> chosen;  ///< [rows of the set]
  };
  struct Sequence {
    std::size_t feature, of;
    std::int64_t length;
    std::vector<std::int64_t> offsets;
    std::vector<std::int32_t> indices;
  };
  void encode(std::size_t feature, const FieldValue& value, Column& column);
  void store_row(Source& source, const FieldRow& row);
  void add_to_sources(const FieldRow& row);
  void undo(Source& source, std::int64_t rows) const;
  std::int32_t index_of(std::int64_t row, std::size_t feature) const;
  const RowSet& view(std::int64_t first);

  const RuntimeModel& model_;
  const Catalogue& catalogue_;
  const RequestSchema& schema_;
  std::int64_t rows_ = 0;
  std::vector<Source> sources_;
  std::vector<Sequence> sequences_;
  std::string room_;
  std::vector<std::int64_t> before_;
  RowSet set_;
};

}  // namespace limber
