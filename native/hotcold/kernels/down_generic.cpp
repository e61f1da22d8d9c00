// The down kernels in plain C++: what all others are compared with.
#include <array>
#include <cstring>

#include "hotcold/kernels/down_common.h"
#include "hotcold/kernels/down_tile.h"
#include "hotcold/kernels/down_values.h"

namespace hotpath::hotcold {

namespace {

float f16_at(const uint8_t* halves, int64_t i) {
  ggml_fp16_t half;
  std::memcpy(&half, halves + 2 * i, sizeof half);
  return ggml_fp16_to_fp32(half);
}

size_t no_scratch(int64_t, int64_t) { return 0; }

template <class Format>
struct Quantised {
  static constexpr int64_t kBlocks = Format::kGroup / Format::kBlock;

  /// y[i] += what the group's blocks add to column tile * 64 + i.
  static void add_tile(const uint8_t* group, int64_t n_embd, int64_t tile, const QuantisedBlock* blocks, float* y) {
    int32_t sums[kTile] = {}, minima[kTile] = {};
    for (int64_t b = 0; b < kBlocks; ++b) {
      int32_t sum[kTile] = {};
      for (int64_t j = 0; j < Format::kBlock; ++j) {
        const int32_t value = blocks[b].quants[j];
        if (value == 0) continue;
        const uint8_t* row = group + Format::planes_bytes(n_embd) + (b * Format::kBlock + j) * Format::row_bytes(n_embd);
        uint8_t quants[kTile];
        Tile<Format>::read(row, n_embd, tile, quants);
        for (int i = 0; i < kTile; ++i) sum[i] += value * (static_cast<typename Format::Stored>(quants[i]) - Format::kBias);
      }
      for (int i = 0; i < kTile; ++i) {
        sums[i] += block_scale(group, n_embd, tile * kTile + i, static_cast<int>(b)) * sum[i];
        if constexpr (Format::kMinima) {
          const uint8_t* packed = group + 4 * n_embd + tile * kTile + i;
          minima[i] += q4k_scale(packed, n_embd, static_cast<int>(b), true) * blocks[b].sum;
        }
      }
    }
    for (int i = 0; i < kTile; ++i) {
      const int64_t e = tile * kTile + i;
      float weighted = f16_at(group, e) * static_cast<float>(sums[i]);
      if constexpr (Format::kMinima) weighted -= f16_at(group, n_embd + e) * static_cast<float>(minima[i]);
      y[i] += blocks->scale * weighted;
    }
  }

  static int32_t block_scale(const uint8_t* group, int64_t n_embd, int64_t e, int b) {
    if constexpr (Format::kType == GGML_TYPE_Q4_K) return q4k_scale(group + 4 * n_embd + e, n_embd, b, false);
    if constexpr (Format::kType == GGML_TYPE_Q6_K) return static_cast<int8_t>(group[(2 + b) * n_embd + e]);
    return 1;
  }

  static void accumulate(const DownMatrix& down, int64_t group, const float* values, const int32_t* active,
                         int64_t n_active, float* partial) {
    QuantisedBlock blocks[kBlocks];
    const bool any = Format::kGroup == 32 ? quantise_q8_0(values, active, n_active, blocks)
                                          : quantise_q8_k(values, active, n_active, Format::kBlock, blocks);
    if (!any) return;
    const uint8_t* data = down.data + static_cast<size_t>(group) * down.group_stride;
    for (int64_t tile = 0; tile < down.n_embd / kTile; ++tile) {
      add_tile(data, down.n_embd, tile, blocks, partial + tile * kTile);
    }
  }

  static void multiply(const DownMatrix& down, int64_t first_group, int64_t n_groups, const void* values,
                       size_t values_stride, int64_t n_tokens, int64_t first, int64_t count, float* y, int64_t y_stride,
                       void*) {
    for (int64_t t = 0; t < n_tokens; ++t) {
      const auto* blocks = reinterpret_cast<const QuantisedBlock*>(static_cast<const uint8_t*>(values) +
                                                                   static_cast<size_t>(t) * values_stride);
      float* out = y + t * y_stride + first;
      std::memset(out, 0, static_cast<size_t>(count) * sizeof(float));
      for (int64_t g = 0; g < n_groups; ++g, blocks += kBlocks) {
        if (blocks->scale == 0.0f) continue;
        const uint8_t* data = down.data + static_cast<size_t>(first_group + g) * down.group_stride;
        for (int64_t e = 0; e < count; e += kTile) add_tile(data, down.n_embd, (first + e) / kTile, blocks, out + e);
      }
    }
  }

  static constexpr DownArithmetic arithmetic() {
    return {Format::kType, DownScales::across_neurons, accumulate, multiply, no_scratch};
  }
};

/// The weight of one neuron at a column, for the formats whose values stay f32.
template <ggml_type kType, DownScales kScales>
float weight(const uint8_t* row, int64_t n_embd, int64_t e) {
  if constexpr (kType == GGML_TYPE_F32) {
    float value;
    std::memcpy(&value, row + 4 * e, sizeof value);
    return value;
  } else if constexpr (kType == GGML_TYPE_F16) {
    return f16_at(row, e);
  } else if constexpr (kType == GGML_TYPE_BF16) {
    ggml_bf16_t value;
    std::memcpy(&value, row + 2 * e, sizeof value);
    return ggml_bf16_to_fp32(value);
  } else if constexpr (kType == GGML_TYPE_Q8_0) {
    return f16_at(row, e / 32) * static_cast<float>(static_cast<int8_t>(row[n_embd / 16 + e]));
  } else {
    const uint8_t byte = row[n_embd / 16 + e / 32 * 16 + e % 16];
    return f16_at(row, e / 32) * static_cast<float>((e % 32 < 16 ? byte & 15 : byte >> 4) - 8);
  }
}

template <ggml_type kType, int kBits, DownScales kScales>
struct Rows {
  static constexpr bool kScaled = kType == GGML_TYPE_Q8_0 || kType == GGML_TYPE_Q4_0;

  static const uint8_t* row(const DownMatrix& down, int64_t group, int64_t j) {
    const int64_t bytes = kScaled ? along_row_bytes(down.n_embd, kBits) : down.n_embd * kBits / 8;
    return down.data + static_cast<size_t>(group) * down.group_stride + j * bytes;
  }

  static void accumulate(const DownMatrix& down, int64_t group, const float* values, const int32_t* active,
                         int64_t n_active, float* partial) {
    for (int64_t i = 0; i < n_active; ++i) {
      const uint8_t* weights = row(down, group, active[i]);
      for (int64_t e = 0; e < down.n_embd; ++e) {
        partial[e] += values[active[i]] * weight<kType, kScales>(weights, down.n_embd, e);
      }
    }
  }

  static void multiply(const DownMatrix& down, int64_t first_group, int64_t n_groups, const void* values,
                       size_t values_stride, int64_t n_tokens, int64_t first, int64_t count, float* y, int64_t y_stride,
                       void*) {
    for (int64_t t = 0; t < n_tokens; ++t) {
      const auto* blocks = reinterpret_cast<const FloatBlock*>(static_cast<const uint8_t*>(values) +
                                                               static_cast<size_t>(t) * values_stride);
      float* out = y + t * y_stride;
      std::memset(out + first, 0, static_cast<size_t>(count) * sizeof(float));
      for (int64_t g = 0; g < n_groups; ++g) {
        for (int j = 0; j < 32; ++j) {
          if ((blocks[g].active >> j & 1) == 0) continue;
          const uint8_t* weights = row(down, first_group + g, j);
          for (int64_t e = first; e < first + count; ++e) {
            out[e] += blocks[g].values[j] * weight<kType, kScales>(weights, down.n_embd, e);
          }
        }
      }
    }
  }

  static constexpr DownArithmetic arithmetic() { return {kType, kScales, accumulate, multiply, no_scratch}; }
};

}  // namespace

DownTable down_generic() {
  constexpr DownScales across = DownScales::across_neurons, along = DownScales::along_output;
  static constexpr std::array kTable = {
      Rows<GGML_TYPE_F32, 32, across>::arithmetic(),  Rows<GGML_TYPE_F16, 16, across>::arithmetic(),
      Rows<GGML_TYPE_BF16, 16, across>::arithmetic(), Rows<GGML_TYPE_F32, 32, along>::arithmetic(),
      Rows<GGML_TYPE_F16, 16, along>::arithmetic(),   Rows<GGML_TYPE_BF16, 16, along>::arithmetic(),
      Rows<GGML_TYPE_Q8_0, 8, along>::arithmetic(),   Rows<GGML_TYPE_Q4_0, 4, along>::arithmetic(),
      Quantised<Q8Down>::arithmetic(),                Quantised<Q4Down>::arithmetic(),
      Quantised<Q4KDown>::arithmetic(),               Quantised<Q6KDown>::arithmetic(),
  };
  return kTable;
}

}  // namespace hotpath::hotcold
