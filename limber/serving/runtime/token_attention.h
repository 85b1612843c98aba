#pragma once

#include <cstdint>

namespace limber {

struct FrozenCrossLayer;

/// The attention in a cross layer's bottleneck: low [rows, 3 rank] as value, query and key side by
/// side, padded -> to [rows, rank], padded.
void token_attention(const FrozenCrossLayer& layer, const float* low, std::int64_t rows, float* to);

/// Its adjoint: the gradient of low, from that of the output; layouts as above.
void token_attention_adjoint(const FrozenCrossLayer& layer, const float* low, const float* gradient,
                             std::int64_t rows, float* gradient_low);

}  // namespace limber
