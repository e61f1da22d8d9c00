// The down kernels of the formats whose values stay f32, over an instruction set's vectors.
#pragma once

#include "hotcold/kernels/down_simd.h"

namespace hotpath::hotcold {

namespace {

/// How 32 columns of a row become floats. The scaled formats still want their factor.
template <class S, ggml_type kType>
struct Row {
  static constexpr bool kScaled = kType == GGML_TYPE_Q8_0 || kType == GGML_TYPE_Q4_0;
  static constexpr int kBits = kType == GGML_TYPE_F32 ? 32 : kType == GGML_TYPE_Q8_0 ? 8 : kType == GGML_TYPE_Q4_0 ? 4 : 16;
  static constexpr int kVectors = 32 / S::kWidth;
  static constexpr int kLine = kBits < 16 ? 512 / kBits : 32;  // columns in a cache line, or in what is loaded at once

  static constexpr int64_t bytes(int64_t n_embd) {
    return kScaled ? along_row_bytes(n_embd, kBits) : n_embd * kBits / 8;
  }

  static HOTPATH_INLINE const uint8_t* weights(const uint8_t* row, int64_t n_embd) {
    return row + (kScaled ? n_embd / 16 : 0);
  }

  static HOTPATH_INLINE void load(const uint8_t* at, typename S::Floats* out) {
    if constexpr (kType == GGML_TYPE_Q4_0) {
      S::load_nibbles(at, out);
    } else {
      for (int k = 0; k < kVectors; ++k, at += S::kWidth * kBits / 8) {
        if constexpr (kType == GGML_TYPE_F32) out[k] = S::load(reinterpret_cast<const float*>(at));
        if constexpr (kType == GGML_TYPE_F16) out[k] = S::load_f16(at);
        if constexpr (kType == GGML_TYPE_BF16) out[k] = S::load_bf16(at);
        if constexpr (kType == GGML_TYPE_Q8_0) out[k] = S::load_i8(at);
      }
    }
  }
};

template <class S, ggml_type kType, DownScales kScales>
struct RowsDown {
  using Format = Row<S, kType>;
  static constexpr int64_t kFactors = kChunk / 32;
  static constexpr int kMaxRows = 4;

  /// factors[f] = value * scale f of the row, for the 32 columns each that begin at `first`.
  static HOTPATH_INLINE void load_factors(const uint8_t* row, int64_t first, int64_t count, float value, float* factors) {
    // May read past the scales, never past the row: its quants follow.
    for (int64_t f = 0; f < count / 32; f += S::kWidth) {
      S::store(factors + f, S::multiply(S::load_f16(row + first / 16 + 2 * f), S::set(value)));
    }
  }

  template <int kRows>
  static void add_rows(const uint8_t* const* rows, const float* values, int64_t n_embd, float* y) {
    float factors[kRows][kFactors + S::kWidth];
    const uint8_t* quants[kRows];
    for (int r = 0; r < kRows; ++r) quants[r] = Format::weights(rows[r], n_embd);
    for (int64_t first = 0; first < n_embd; first += kChunk) {
      const int64_t count = n_embd - first < kChunk ? n_embd - first : kChunk;
      if constexpr (Format::kScaled) {
        for (int r = 0; r < kRows; ++r) load_factors(rows[r], first, count, values[r], factors[r]);
      }
      for (int64_t e = first; e < first + count; e += 32) {
        typename S::Floats sums[Format::kVectors], weights[Format::kVectors];
        for (int k = 0; k < Format::kVectors; ++k) sums[k] = S::load(y + e + k * S::kWidth);
        if (e % Format::kLine == 0) {
          for (int r = 0; r < kRows; ++r) {
            S::prefetch(quants[r] + e * Format::kBits / 8 + kAheadBytes);
            if constexpr (kType == GGML_TYPE_F32) S::prefetch(quants[r] + e * 4 + kAheadBytes + 64);
          }
        }
        for (int r = 0; r < kRows; ++r) {
          Format::load(quants[r] + e * Format::kBits / 8, weights);
          const typename S::Floats factor = S::set(Format::kScaled ? factors[r][(e - first) / 32] : values[r]);
          for (int k = 0; k < Format::kVectors; ++k) sums[k] = S::multiply_add(weights[k], factor, sums[k]);
        }
        for (int k = 0; k < Format::kVectors; ++k) S::store(y + e + k * S::kWidth, sums[k]);
      }
    }
  }

  static void accumulate(const DownMatrix& down, int64_t group, const float* values, const int32_t* active,
                         int64_t n_active, float* partial) {
    const uint8_t* data = down.data + static_cast<size_t>(group) * down.group_stride;
    for (int64_t i = 0; i < n_active; i += kMaxRows) {
      const int64_t n_rows = n_active - i < kMaxRows ? n_active - i : kMaxRows;
      const uint8_t* rows[kMaxRows];
      float row_values[kMaxRows];
      for (int64_t r = 0; r < n_rows; ++r) {
        rows[r] = data + active[i + r] * Format::bytes(down.n_embd);
        row_values[r] = values[active[i + r]];
      }
      switch (n_rows) {
        case 1: add_rows<1>(rows, row_values, down.n_embd, partial); break;
        case 2: add_rows<2>(rows, row_values, down.n_embd, partial); break;
        case 3: add_rows<3>(rows, row_values, down.n_embd, partial); break;
        default: add_rows<4>(rows, row_values, down.n_embd, partial); break;
      }
    }
  }

  // Prompts. A group's rows become floats in scratch, [32][count]; then each few tokens pass over those that one needs.

  static constexpr int kStep = 4 * S::kWidth;

  static size_t scratch_bytes(int64_t n_tokens, int64_t count) {
    return static_cast<size_t>(kFloatGroup * count) * sizeof(float) + static_cast<size_t>(n_tokens + 15) / 16 * 64;
  }

  static void fill(const uint8_t* group, int64_t n_embd, int64_t first, int64_t count, float* weights) {
    float factors[kFactors + S::kWidth];
    for (int64_t j = 0; j < kFloatGroup; ++j) {
      const uint8_t* row = group + j * Format::bytes(n_embd);
      for (int64_t e = 0; e < count; e += 32, weights += 32) {
        typename S::Floats loaded[Format::kVectors];
        Format::load(Format::weights(row, n_embd) + (first + e) * Format::kBits / 8, loaded);
        if constexpr (Format::kScaled) {
          if (e % kChunk == 0) {
            load_factors(row, first + e, count - e < kChunk ? count - e : kChunk, 1.0f, factors);
          }
          const typename S::Floats factor = S::set(factors[e % kChunk / 32]);
          for (auto& vector : loaded) vector = S::multiply(vector, factor);
        }
        for (int k = 0; k < Format::kVectors; ++k) S::store(weights + k * S::kWidth, loaded[k]);
      }
    }
  }

  template <int kTokens>
  static void add_tokens(const float* weights, int64_t count, const FloatBlock* const* blocks, float* const* y) {
    uint32_t active = 0;
    for (int t = 0; t < kTokens; ++t) active |= blocks[t]->active;
    int64_t rows[kFloatGroup];
    int64_t n_rows = 0;
    for (int64_t j = 0; j < kFloatGroup; ++j) {
      rows[n_rows] = j;
      n_rows += active >> j & 1;
    }
    for (int64_t c = 0; c < count; c += kStep) {
      typename S::Floats sums[kTokens][4];
      for (int t = 0; t < kTokens; ++t) {
        for (int k = 0; k < 4; ++k) sums[t][k] = S::load(y[t] + c + k * S::kWidth);
      }
      for (int64_t i = 0; i < n_rows; ++i) {
        const float* row = weights + rows[i] * count + c;
        typename S::Floats w[4];
        for (int k = 0; k < 4; ++k) w[k] = S::load(row + k * S::kWidth);
        for (int t = 0; t < kTokens; ++t) {
          const typename S::Floats value = S::set(blocks[t]->values[rows[i]]);
          for (int k = 0; k < 4; ++k) sums[t][k] = S::multiply_add(w[k], value, sums[t][k]);
        }
      }
      for (int t = 0; t < kTokens; ++t) {
        for (int k = 0; k < 4; ++k) S::store(y[t] + c + k * S::kWidth, sums[t][k]);
      }
    }
  }

  static void multiply(const DownMatrix& down, int64_t first_group, int64_t n_groups, const void* values,
                       size_t values_stride, int64_t n_tokens, int64_t first, int64_t count, float* y, int64_t y_stride,
                       void* memory) {
    constexpr int kTokens = S::kTokenTile;
    auto* weights = static_cast<float*>(memory);
    auto* tokens = reinterpret_cast<int32_t*>(weights + kFloatGroup * count);
    for (int64_t t = 0; t < n_tokens; ++t) {
      for (int64_t i = 0; i < count; i += S::kWidth) S::store(y + t * y_stride + first + i, S::zero());
    }
    for (int64_t g = 0; g < n_groups; ++g) {
      const auto block = [&](int64_t t) {
        return reinterpret_cast<const FloatBlock*>(static_cast<const uint8_t*>(values) +
                                                   static_cast<size_t>(t) * values_stride) + g;
      };
      int64_t n_listed = 0;
      for (int32_t t = 0; t < n_tokens; ++t) {
        tokens[n_listed] = t;
        n_listed += block(t)->active != 0;
      }
      if (n_listed == 0) continue;
      fill(down.data + static_cast<size_t>(first_group + g) * down.group_stride, down.n_embd, first, count, weights);
      for (int64_t i = 0; i < n_listed;) {
        const int64_t n_together = n_listed - i < kTokens ? 1 : kTokens;
        const FloatBlock* blocks[kTokens];
        float* out[kTokens];
        for (int64_t t = 0; t < n_together; ++t) {
          blocks[t] = block(tokens[i + t]);
          out[t] = y + tokens[i + t] * y_stride + first;
        }
        if (n_together == 1) {
          add_tokens<1>(weights, count, blocks, out);
        } else {
          add_tokens<kTokens>(weights, count, blocks, out);
        }
        i += n_together;
      }
    }
  }

  static constexpr DownArithmetic arithmetic() { return {kType, kScales, accumulate, multiply, scratch_bytes}; }
};

}  // namespace

}  // namespace hotpath::hotcold
