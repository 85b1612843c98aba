#include "limber/serving/runtime/token_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "limber/serving/runtime/cross_layer.h"

namespace limber {
namespace {

/// Row `query` of the score matrix after its softmax: shares [tokens].
void shares_of(const float* query, const float* keys, std::int64_t tokens, std::int64_t width,
               float scale, float* shares) {
  float most = -INFINITY;
  for (std::int64_t j = 0; j < tokens; ++j) {
    float score = 0;
    for (std::int64_t c = 0; c < width; ++c) score += query[c] * keys[j * width + c];
    shares[j] = score * scale;
    most = std::max(most, shares[j]);
  }
  float total = 0;
  for (std::int64_t j = 0; j < tokens; ++j) total += shares[j] = std::exp(shares[j] - most);
  for (std::int64_t j = 0; j < tokens; ++j) shares[j] /= total;
}

/// Room for a few numbers a token that outlives the call, so that the hot path allocates nothing.
float* scratch(std::int64_t count) {
  thread_local std::vector<float> room;
  if (static_cast<std::int64_t>(room.size()) < count) room.resize(static_cast<std::size_t>(count));
  return room.data();
}

}  // namespace

void token_attention(const FrozenCrossLayer& layer, const float* low, std::int64_t rows,
                     float* to) {
  const std::int64_t rank = layer.rank, tokens = layer.tokens, width = rank / tokens;
  float* shares = scratch(tokens);
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* value = low + i * padded(3 * rank);
    const float *query = value + rank, *key = query + rank;
    float* attended = to + i * padded(rank);
    for (std::int64_t t = 0; t < tokens; ++t) {
      shares_of(query + t * width, key, tokens, width, layer.scale, shares);
      float* sum = attended + t * width;
      for (std::int64_t c = 0; c < width; ++c) sum[c] = layer.skip ? value[t * width + c] : 0.0F;
      for (std::int64_t j = 0; j < tokens; ++j) {
        for (std::int64_t c = 0; c < width; ++c) sum[c] += shares[j] * value[j * width + c];
      }
    }
  }
}

// With G the gradient of S v + v: dv = S' G + G, dS = G v', and through the softmax of a row
// d score_j = S_j (dS_j - sum_m S_m dS_m).
void token_attention_adjoint(const FrozenCrossLayer& layer, const float* low, const float* gradient,
                             std::int64_t rows, float* gradient_low) {
  const std::int64_t rank = layer.rank, tokens = layer.tokens, width = rank / tokens;
  float* shares = scratch(2 * tokens);
  float* slopes = shares + tokens;
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* value = low + i * padded(3 * rank);
    const float *query = value + rank, *key = query + rank;
    const float* above = gradient + i * padded(rank);
    float* dvalue = gradient_low + i * padded(3 * rank);
    float *dquery = dvalue + rank, *dkey = dquery + rank;
    for (std::int64_t c = 0; c < rank; ++c) dvalue[c] = layer.skip ? above[c] : 0.0F;
    std::fill_n(dquery, 2 * rank, 0.0F);
    for (std::int64_t t = 0; t < tokens; ++t) {
      shares_of(query + t * width, key, tokens, width, layer.scale, shares);
      const float* g = above + t * width;
      float mean = 0;
      for (std::int64_t j = 0; j < tokens; ++j) {
        float slope = 0;
        for (std::int64_t c = 0; c < width; ++c) {
          slope += g[c] * value[j * width + c];
          dvalue[j * width + c] += shares[j] * g[c];
        }
        slopes[j] = slope;
        mean += shares[j] * slope;
      }
      for (std::int64_t j = 0; j < tokens; ++j) {
        const float score = shares[j] * (slopes[j] - mean) * layer.scale;
        for (std::int64_t c = 0; c < width; ++c) {
          dquery[t * width + c] += score * key[j * width + c];
          dkey[j * width + c] += score * query[t * width + c];
        }
      }
    }
  }
}

}  // namespace limber
