#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/artifact/owned_tensors.h"
#include "limber/core/artifact/tensor.h"

/// How a dense weight is stored in fewer bytes: what is zero is left out, and numbers that lie on
/// the levels of one scale are stored as small whole numbers (Yuan et al., arXiv 1908.11691).
///
/// A weight NAME of any shape is seen as a matrix [rows, columns] of its first size and the product
/// of the others, cut into tiles; those at the lower and the right edge may be smaller. In its
/// place stand these tensors:
///
///     NAME.packed  I64 [3 + sizes]: bits, rows and columns of a tile (0, 0: all numbers are
///                  stored), the shape. This type and ending make it a packed weight.
///     NAME.tiles   I32, a bit for each tile, row by row: whether it is stored. Where there are
///                  tiles.
///     NAME.lines   I32, for each stored tile a bit for each of its rows, then one for each of its
///                  columns: whether that line is stored. Without it all lines are.
///     NAME.values  F32: the numbers of stored lines, tile by tile, row by row; bits is 32. Or
///     NAME.codes   I8, or U8 with two codes a byte, the lower half first; bits is 8 or 4.
///     NAME.scale   F32 [1], beside codes: a number is scale * code.
///
/// Bits of the maps fill words from the lowest one on; what is left of the last word is 0.
namespace limber {

inline constexpr std::string_view kPackedEnding = ".packed";

struct PackOptions {
  /// Bits of a code with its sign, 1 to 8; 0 stores floats.
  std::int64_t bits = 0;
  /// The scale of the codes; positive.
  float scale = 0;
  /// Tiles that may be zero as a whole, or in whole rows or columns; 0 where nothing was pruned.
  std::int64_t tile_rows = 0, tile_columns = 0;
};

/// The weight in the fewest bytes that these options allow; as the plain tensor `name` where that
/// is no more. What is packed needs kCompressedFormat. A negative zero comes back as zero, every
/// other number exactly; with codes, as scale * code in float. Throws Error that names the weight
/// for values that do not fill the shape, and for one that is on no level of the scale.
OwnedTensors pack_weight(const std::string& name, std::span<const float> values,
                         const std::vector<std::int64_t>& shape, const PackOptions& options);

/// What a packed weight is, as `limber inspect` tells.
struct PackedWeight {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t bits = 32;  ///< 32, 8 or 4 of a stored number
  std::int64_t tile_rows = 0, tile_columns = 0;
  std::int64_t stored = 0;  ///< numbers that are stored; the others are zero
  std::int64_t bytes = 0;   ///< of all tensors that it is made of
};

/// A packed weight with its numbers.
struct UnpackedWeight {
  PackedWeight what;
  std::vector<float> values;
};

/// Whether the tensor says that it heads a packed weight.
bool is_packed_weight(const Tensor& tensor);

/// The weight that `head` heads, its other tensors found by name. Throws InputError that begins
/// with `origin` and names the tensor where they do not fit one another. A weight may not be larger
/// than kMostExpansion times the bytes that it is made of, so that a small file cannot ask for all
/// memory; pack_weight keeps to it.
UnpackedWeight unpack_weight(const Tensor& head,
                             const std::map<std::string, Tensor, std::less<>>& tensors,
                             const std::string& origin);
inline constexpr std::int64_t kMostExpansion = 1024;

}  // namespace limber
