#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "limber/core/artifact/artifact.h"
#include "limber/core/artifact/half.h"
#include "limber/core/artifact/owned_tensors.h"

/// How rows of embedding tables are stored in fewer bytes: as halves, or as whole numbers of 8 bits
/// with a scale and a middle for each row.
namespace limber {

/// What one number of a table is stored as.
enum class RowType { kFloat32, kFloat16, kInt8 };

/// "float32", "fp16" or "int8", as compress.rows has it. Throws InputError for any other word.
RowType row_type_of(const std::string& word);
/// Bytes of one row of `dim` numbers: 4 dim, 2 dim, or dim and 8 more for scale and middle.
std::int64_t bytes_per_row(RowType type, std::int64_t dim);

/// Middle-max quantisation by rows (LiRank, arXiv 2402.06859, section 5):
///
///     scale  = (max - min) / 255
///     middle = (128 max + 127 min) / 255
///     code   = round((x - middle) / scale)      x' = middle + scale * code
///
/// The largest number of a row becomes 127, the smallest -128, and no number moves by more than
/// half of the scale, but for rounding of floats. A row of one number many times has scale 0, codes
/// 0, and comes back exactly.
struct Int8Rows {
  std::vector<std::int8_t> codes;      ///< [rows, dim]
  std::vector<float> scales, middles;  ///< [rows]
};

/// Quantises values [rows, dim]. Throws Error that names the row for a number that is not finite,
/// and for a row whose numbers lie further apart than floats reach.
Int8Rows quantize_table(std::span<const float> values, std::int64_t rows, std::int64_t dim);

/// The table as the tensor `name` [rows, dim], and for int8 NAME.scale and NAME.middle [rows]
/// beside it. What is not stored as floats needs kCompressedFormat. Throws Error that names table
/// and row for a number that is not finite.
OwnedTensors encode_table(const std::string& name, std::span<const float> values, std::int64_t rows,
                          std::int64_t dim, RowType type);

/// What the numbers [rows, dim] of a table are once they have been stored as `type` and read again.
/// Throws as quantize_table.
std::vector<float> rounded_rows(std::span<const float> values, std::int64_t rows, std::int64_t dim,
                                RowType type);

/// A stored table, read in place. Of the pointers those of its type are set.
struct StoredTable {
  RowType type = RowType::kFloat32;
  const float* floats = nullptr;       ///< [rows, dim]
  const Half* halves = nullptr;        ///< [rows, dim]
  const std::int8_t* codes = nullptr;  ///< [rows, dim]
  const float* scales = nullptr;       ///< [rows]
  const float* middles = nullptr;      ///< [rows]
};

/// The artifact must outlive what is returned. Throws InputError that names manifest and tensor for
/// one that is missing, of another shape or of a type that no table has.
StoredTable stored_table(const Artifact& artifact, const std::string& name, std::int64_t rows,
                         std::int64_t dim);
/// The table's numbers [rows, dim], whatever they are stored as. Throws as stored_table.
std::vector<float> read_rows(const Artifact& artifact, const std::string& name, std::int64_t rows,
                             std::int64_t dim);

}  // namespace limber
