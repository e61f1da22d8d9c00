#include "hotcold/kernels/down_values.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "ggml.h"

namespace hotpath::hotcold {

namespace {

/// To the nearest integer, ties to even, for |x| < 2^22.
int32_t nearest(float x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: the sum's mantissa ends in the integer
  const float sum = x + kMagic;
  int32_t bits;
  std::memcpy(&bits, &sum, sizeof bits);
  return (bits & 0x007fffff) - 0x00400000;
}

/// The value of the largest magnitude, the first of equals; NaN if one is not finite.
float extreme(const float* values, const int32_t* active, int64_t n_active) {
  float result = 0.0f;
  for (int64_t i = 0; i < n_active; ++i) {
    const float value = values[active[i]];
    if (!std::isfinite(value)) return std::numeric_limits<float>::quiet_NaN();
    if (std::fabs(value) > std::fabs(result)) result = value;
  }
  return result;
}

bool poison(QuantisedBlock* blocks, int64_t n_blocks) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int64_t b = 0; b < n_blocks; ++b) {
    blocks[b].scale = blocks[b].scaled_sum = nan;
    blocks[b].active = 1;
  }
  return true;
}

bool quantise(const float* values, const int32_t* active, int64_t n_active, int64_t block, float inverse, float scale,
              QuantisedBlock* blocks, int64_t n_blocks) {
  if (scale == 0.0f) return false;
  for (int64_t i = 0; i < n_active; ++i) {
    const int64_t b = active[i] / block;
    const int64_t j = active[i] % block;
    const int32_t quant = nearest(values[active[i]] * inverse);
    blocks[b].quants[j] = static_cast<int8_t>(quant < 127 ? quant : 127);
    blocks[b].sum += blocks[b].quants[j];
    blocks[b].active |= quant != 0 ? 1u << j : 0u;
  }
  for (int64_t b = 0; b < n_blocks; ++b) {
    blocks[b].scale = scale;
    blocks[b].scaled_sum = scale * static_cast<float>(blocks[b].sum);
  }
  return true;
}

}  // namespace

bool quantise_q8_0(const float* values, const int32_t* active, int64_t n_active, QuantisedBlock* blocks) {
  *blocks = {};
  const float largest = std::fabs(extreme(values, active, n_active));
  if (std::isnan(largest)) return poison(blocks, 1);
  const float scale = largest / 127.0f;
  // ggml rounds the quotient differently per processor; we follow the one we run on.
#if defined(__aarch64__) || defined(_M_ARM64)
  const float inverse = 1.0f / scale;
#else
  const float inverse = 127.0f / largest;
#endif
  const float stored = ggml_fp16_to_fp32(ggml_fp32_to_fp16(scale));
  return quantise(values, active, n_active, 32, inverse, stored, blocks, 1);
}

bool quantise_q8_k(const float* values, const int32_t* active, int64_t n_active, int64_t block, QuantisedBlock* blocks) {
  const int64_t n_blocks = 256 / block;
  std::memset(blocks, 0, static_cast<size_t>(n_blocks) * sizeof *blocks);
  const float largest = extreme(values, active, n_active);
  if (std::isnan(largest)) return poison(blocks, n_blocks);
  if (largest == 0.0f) return false;
  const float inverse = -127.0f / largest;
  return quantise(values, active, n_active, block, inverse, 1.0f / inverse, blocks, n_blocks);
}

}  // namespace hotpath::hotcold
