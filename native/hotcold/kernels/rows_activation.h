// Packing of activations: quantised as ggml's vec_dot of the weight's format does, in the order of rows_layout.h. Plain
// loops that every instruction set's own compilation turns into its vectors.
#pragma once

#include "hotcold/kernels/rows_layout.h"

namespace hotpath::hotcold {
namespace {

/// To nearest, ties to even, for |x| < 2^22: adding 1.5 * 2^23 leaves no bits for a fraction.
HOTPATH_INLINE float round_to_nearest(float x) {
  constexpr float kNoFraction = 12582912.0f;
  return (x + kNoFraction) - kNoFraction;
}

/// The bits of |x|, which as integers order as the floats do: compilers find the greatest of them in vectors.
HOTPATH_INLINE int32_t magnitude_bits(const float* x) {
  int32_t bits;
  std::memcpy(&bits, x, sizeof bits);
  return bits & 0x7fffffff;
}

template <int64_t N>
HOTPATH_INLINE int32_t greatest_magnitude_bits(const float* x) {
  int32_t greatest = 0;
  for (int64_t i = 0; i < N; ++i) {
    const int32_t bits = magnitude_bits(x + i);
    greatest = bits > greatest ? bits : greatest;
  }
  return greatest;
}

/// Factor that quants were made with, and the scale that turns them back.
struct ActivationScale {
  float factor;
  float scale;
};

/// A Q8_0 block. ggml divides differently on Arm; both are kept, so that quants equal those of the machine's own ggml.
HOTPATH_INLINE ActivationScale scale_of_32(const float* x) {
  const int32_t bits = greatest_magnitude_bits<32>(x);
  float magnitude;
  std::memcpy(&magnitude, &bits, sizeof magnitude);
  const float d = magnitude / 127.0f;
#if defined(__aarch64__) || defined(_M_ARM64)
  const float factor = d != 0 ? 1.0f / d : 0.0f;
#else
  const float factor = magnitude != 0 ? 127.0f / magnitude : 0.0f;
#endif
  return {factor, ggml_fp16_to_fp32(ggml_fp32_to_fp16(d))};
}

/// A Q8_K block: the first value of greatest magnitude becomes -127.
HOTPATH_INLINE ActivationScale scale_of_256(const float* x) {
  const int32_t greatest = greatest_magnitude_bits<256>(x);
  if (greatest == 0) return {0.0f, 0.0f};
  int64_t first = 0;
  while (magnitude_bits(x + first) != greatest) ++first;
  const float factor = -127.0f / x[first];
  return {factor, 1.0f / factor};
}

template <class Format>
void pack_activation(const float* x, int64_t n_cols, void* activation) {
  constexpr int64_t kBlock = Format::kBlock, kCols = Format::kLaneCols;
  const Layout<Format> layout(n_cols);
  auto* quants = static_cast<uint8_t*>(activation);
  auto* scales = reinterpret_cast<float*>(quants + layout.activation_scales);
  auto* offsets = reinterpret_cast<int32_t*>(quants + layout.activation_offsets);
  if (layout.rest > 0) {
    std::memset(scales + layout.n_full * kLanes, 0, kLanes * sizeof(float));
    std::memset(offsets + layout.n_full * kLanes, 0, kLanes * sizeof(int32_t));
  }
  for (int64_t block = 0; block < n_cols / kBlock; ++block, x += kBlock) {
    const ActivationScale scale = kBlock == 32 ? scale_of_32(x) : scale_of_256(x);
    int8_t q[kBlock];
    for (int64_t i = 0; i < kBlock; ++i) q[i] = static_cast<int8_t>(round_to_nearest(x[i] * scale.factor));
    for (int64_t part = 0; part < kBlock / kCols; ++part) {
      const int64_t lane = block * (kBlock / kCols) + part;
      const int64_t chunk = lane / kLanes, width = layout.width(chunk);
      uint8_t* at = quants + chunk * layout.kChunkCols + lane % kLanes * 4;
      for (int64_t k = 0; k < kCols / 4; ++k) std::memcpy(at + k * width * 4, q + part * kCols + k * 4, 4);
      int32_t sum = 0;
      for (int64_t i = 0; i < kCols; ++i) sum += q[part * kCols + i];
      scales[lane] = scale.scale;
      offsets[lane] = Format::kOffset * sum;
    }
  }
}

template <class Format>
void pack_float_activation(const float* x, int64_t n_cols, void* activation) {
  const size_t bytes = static_cast<size_t>(n_cols) * sizeof(float);
  std::memcpy(activation, x, bytes);
  std::memset(static_cast<uint8_t*>(activation) + bytes, 0, float_activation_bytes<Format>(n_cols) - bytes);
}

}  // namespace
}  // namespace hotpath::hotcold
