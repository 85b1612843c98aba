#pragma once

#include <cstdint>
#include <string>

/// Products of matrices.
///
/// Each function is compiled for several instruction sets, and the best that the processor has is
/// chosen at the first call. Matrices are row-major; their rows are a multiple of kRowPadding
/// floats apart unless said otherwise, and what lies between their last column and the next row is
/// written freely.
namespace limber {

/// What is done with a product before it is stored.
enum class Finish {
  kNone,
  kRelu,   ///< max(v, 0)
  kCross,  ///< left o v + right: a cross layer's outer half
  kMask    ///< v where left > 0, else 0: back through a relu whose output was `left`
};

/// Rows that a B with gaps keeps or leaves out together.
inline constexpr std::int64_t kKeptRun = 4;

/// Rows of a B that has many zeros which are left: in each slice of the inner dimension and each
/// panel, runs of rows that are not all zero. B holds these rows alone, in the order of the runs.
struct KeptRows {
  struct Run {
    std::int32_t first, count;  ///< rows
  };
  const Run* runs = nullptr;
  /// [slices * panels + 1] of slice s and panel p, at s * panels + p: the first run; [slices *
  /// panels]: where its rows begin in B, in rows.
  const std::int32_t* first_run = nullptr;
  const std::int64_t* first_row = nullptr;
  std::int64_t slices = 0, panels = 0;
};

/// C = finish(start + scale * A B), with A [rows, inner], B [inner, columns], C [rows, columns].
struct Product {
  std::int64_t rows = 0, inner = 0, columns = 0;

  /// A(i, k) = a[i * a_row + k * a_inner]; any strides, so A may be a transposed matrix.
  const float* a = nullptr;
  std::int64_t a_row = 0, a_inner = 1;

  /// B(k, j) = b[(j / panel) * b_panel + k * b_row + j % panel], where panel is panel_width().
  /// A row-major matrix has b_row its stride and b_panel panel_width(); for a packed one see
  /// PackedMatrix.
  const float* b = nullptr;
  std::int64_t b_row = 0, b_panel = 0;
  /// Where B holds some of its rows only; b_row is then panel_width(), b_panel without a meaning.
  const KeptRows* kept = nullptr;

  /// start(i, j) = start[i * start_row + j]: a bias with start_row 0; null is nothing. May be C.
  const float* start = nullptr;
  std::int64_t start_row = 0;
  float scale = 1;

  float* c = nullptr;
  std::int64_t c_row = 0;

  Finish finish = Finish::kNone;
  const float* left = nullptr;
  std::int64_t left_row = 0;
  const float* right = nullptr;
  std::int64_t right_row = 0;
};

void multiply(const Product& product);

/// Columns of B that a kernel handles together: two vectors.
std::int64_t panel_width();
/// The instruction set in use, such as "AVX2".
std::string instruction_set();

}  // namespace limber
