// The down kernels over an instruction set's vectors. `S` is a struct of simd_*.h with what down_*.cpp adds to it.
#pragma once

#include <cstring>

#include "hotcold/kernels/down_common.h"
#include "hotcold/kernels/down_layout.h"
#include "hotcold/kernels/down_values.h"
#include "hotcold/kernels/rows_layout.h"

namespace hotpath::hotcold {

namespace {

constexpr int64_t kChunk = 1024;      // columns whose sums or scales are kept at a time, so that they stay in L1
constexpr int64_t kAheadBytes = 384;  // how far before their use a row and the scales are asked for

inline int32_t dword(const int8_t* quants) {
  int32_t value;
  std::memcpy(&value, quants, sizeof value);
  return value;
}

/// One tile of four rows as bytes, those of a column side by side, in the order of the columns.
template <class S, class Format>
HOTPATH_INLINE void load_quads(const uint8_t* const* rows, int64_t n_embd, int64_t tile, typename S::Ints* quads) {
  constexpr int kHalf = 32 / S::kWidth;
  if constexpr (Format::kType == GGML_TYPE_Q8_0) {
    for (int half = 0; half < 2; ++half) S::interleave_32(rows, tile * 64 + half * 32, quads + half * kHalf);
  } else {
    typename S::Ints nibbles[kHalf];
    S::interleave_32(rows, tile * 32, nibbles);
    for (int k = 0; k < kHalf; ++k) {
      quads[k] = S::low_nibbles(nibbles[k]);
      quads[kHalf + k] = S::high_nibbles(nibbles[k]);
    }
    if constexpr (Format::kType == GGML_TYPE_Q6_K) {
      constexpr int kEighth = 8 / S::kWidth;
      typename S::Ints upper[2 * kEighth];
      S::interleave_16(rows, n_embd / 2 + tile * 16, upper);
      for (int i = 0; i < 2 * kEighth; ++i) {
        typename S::Ints* to = quads + i / kEighth * kHalf + i % kEighth;
        to[0] = S::template with_upper_bits<0>(to[0], upper[i]);
        to[kEighth] = S::template with_upper_bits<1>(to[kEighth], upper[i]);
        to[2 * kEighth] = S::template with_upper_bits<2>(to[2 * kEighth], upper[i]);
        to[3 * kEighth] = S::template with_upper_bits<3>(to[3 * kEighth], upper[i]);
      }
    }
  }
}

/// Once per cache line, as the processor would issue all the others for nothing.
template <class S, class Format>
HOTPATH_INLINE void prefetch_quad(const uint8_t* const* rows, int64_t ahead, int64_t n_embd, int64_t column) {
  constexpr bool kNibbles = Format::kType != GGML_TYPE_Q8_0;
  if (column % (kNibbles ? 128 : 64) == 0) {
    for (int r = 0; r < 4; ++r) S::prefetch(rows[r] + column / (kNibbles ? 2 : 1) + ahead);
  }
  if (Format::kType == GGML_TYPE_Q6_K && column % 256 == 0) {
    for (int r = 0; r < 4; ++r) S::prefetch(rows[r] + n_embd / 2 + column / 4 + ahead);
  }
}

template <class S, class Format>
constexpr int stored_bias() {
  return Format::kType == GGML_TYPE_Q8_0 && S::kUnsignedQ8 ? 128 : Format::kBias;
}

/// As `dot_quads` wants them.
template <class S, class Format>
HOTPATH_INLINE typename S::Ints prepare(typename S::Ints quads) {
  if constexpr (Format::kType == GGML_TYPE_Q8_0) return S::prepare_q8(quads);
  return quads;
}

template <class S, class Format>
HOTPATH_INLINE typename S::Ints dot_quads(typename S::Ints sums, typename S::Ints quads, typename S::Ints values) {
  if constexpr (Format::kType == GGML_TYPE_Q8_0) return S::dot_q8(sums, quads, values);
  return S::dot(sums, quads, values);
}

/// Quants whose scales run across the neurons. `S` adds one token's neurons, `Wide` multiplies for prompts.
template <class S, class Wide, class Format>
struct QuantisedDown {
  static constexpr int64_t kBlocks = Format::kGroup / Format::kBlock;
  static constexpr int kVectors = kTile / S::kWidth;
  // Rows are read in fours, up to two fours side by side: more would be too many streams for the processor to follow, and
  // the sums of eight rows fit 16 bits whatever the quants, which is what add_scaled multiplies.
  struct Quad {
    const uint8_t* rows[4];
    int32_t values;  // four quants
    int32_t offset;  // what the stored bias adds to their sum, negated
    int64_t block;
    int64_t ahead;  // bytes from what is read of its rows to what is asked for meanwhile
  };

  /// The block's scales at `count` columns, as bytes. Null: all are 1.
  static HOTPATH_INLINE const uint8_t* block_scales(const uint8_t* group, int64_t n_embd, int64_t first, int64_t count,
                                                    int b, bool minima, uint8_t* decoded) {
    if constexpr (Format::kType == GGML_TYPE_Q4_K) {
      const uint8_t* packed = group + 4 * n_embd + first;
      for (int64_t i = 0; i < count; ++i) decoded[i] = q4k_scale(packed + i, n_embd, b, minima);
      return decoded;
    } else if constexpr (Format::kType == GGML_TYPE_Q6_K) {
      return group + (2 + b) * n_embd + first;
    } else {
      return nullptr;
    }
  }

  static HOTPATH_INLINE typename S::Ints load_block_scale(const uint8_t* scales) {
    if constexpr (Format::kType == GGML_TYPE_Q6_K) return S::widen_i8(scales);
    return S::widen_u8(scales);
  }

  static HOTPATH_INLINE typename S::Floats load_block_scale_float(const uint8_t* scales) {
    if constexpr (Format::kType == GGML_TYPE_Q6_K) return S::load_i8(scales);
    return S::load_u8(scales);
  }

  /// The active rows in fours of one block each, filled up with rows that count nothing.
  static HOTPATH_INLINE int64_t make_quads(const uint8_t* rows, int64_t row_bytes, const QuantisedBlock* blocks,
                                           const int32_t* active, int64_t n_active, Quad* quads) {
    int64_t n_quads = 0;
    for (int64_t i = 0; i < n_active; ++n_quads) {
      Quad& quad = quads[n_quads];
      quad.block = active[i] / Format::kBlock;
      quad.ahead = kAheadBytes;
      uint32_t values = 0;
      int32_t sum = 0;
      for (int r = 0; r < 4; ++r) {
        const bool counts = i < n_active && active[i] / Format::kBlock == quad.block;
        const int64_t row = active[counts ? i : i - 1];
        const int8_t quant = counts ? blocks[quad.block].quants[row % Format::kBlock] : int8_t{0};
        quad.rows[r] = rows + row * row_bytes;
        values |= static_cast<uint32_t>(static_cast<uint8_t>(quant)) << (8 * r);
        sum += quant;
        i += counts;
      }
      quad.values = static_cast<int32_t>(values);
      quad.offset = -stored_bias<S, Format>() * sum;
    }
    return n_quads;
  }

  /// Where all neurons of a group are active, memory is read from end to end: while rows are added, those after them are asked
  /// for, and beside the last ones the first of the next group.
  static void read_on(int64_t n_embd, Quad* quads) {
    constexpr int64_t kLast = (Format::kGroup - kRowsTogether) / 4;
    for (int64_t q = 0; q < Format::kGroup / 4; ++q) {
      quads[q].ahead = kRowsTogether * Format::row_bytes(n_embd) + (q < kLast ? 0 : Format::planes_bytes(n_embd));
    }
  }

  /// The bytes of the quads' columns [c, c + kTile), multiplied by the values.
  template <int kQuads>
  static HOTPATH_INLINE void sum_quads(const Quad* quads, int64_t n_embd, int64_t c, typename S::Ints* sums) {
    int32_t offset = 0;
    for (int q = 0; q < kQuads; ++q) offset += quads[q].offset;
    for (int k = 0; k < kVectors; ++k) sums[k] = S::set_int(offset);
    for (int q = 0; q < kQuads; ++q) {
      typename S::Ints bytes[kVectors];
      load_quads<S, Format>(quads[q].rows, n_embd, c / kTile, bytes);
      prefetch_quad<S, Format>(quads[q].rows, quads[q].ahead, n_embd, c);
      const typename S::Ints values = S::set_int(quads[q].values);
      for (int k = 0; k < kVectors; ++k) sums[k] = dot_quads<S, Format>(sums[k], prepare<S, Format>(bytes[k]), values);
    }
  }

  /// y[e] += scale * d[e] * the quads' sum at e. For groups of a single block.
  template <int kQuads>
  static void add_quads(const Quad* quads, const uint8_t* group, int64_t n_embd, float scale, float* y) {
    for (int64_t c = 0; c < n_embd; c += kTile) {
      for (int64_t line = 0; line < 2 * kTile; line += kLine) S::prefetch(group + 2 * c + kAheadBytes + line);
      typename S::Ints sums[kVectors];
      sum_quads<kQuads>(quads, n_embd, c, sums);
      for (int k = 0; k < kVectors; ++k) {
        const int64_t e = c + k * S::kWidth;
        const typename S::Floats d = S::multiply(S::load_f16(group + 2 * e), S::set(scale));
        S::store(y + e, S::multiply_add(S::to_floats(sums[k]), d, S::load(y + e)));
      }
    }
  }

  /// totals[i] += the block's scale * the quads' sum at column first + i.
  template <int kQuads>
  static void add_quads_to_totals(const Quad* quads, int64_t n_embd, int64_t first, int64_t count, const uint8_t* scales,
                                  int32_t* totals) {
    for (int64_t c = 0; c < count; c += kTile) {
      typename S::Ints sums[kVectors];
      sum_quads<kQuads>(quads, n_embd, first + c, sums);
      for (int k = 0; k < kVectors; ++k) {
        const int64_t i = c + k * S::kWidth;
        S::store_ints(totals + i, S::add_scaled(S::load_ints(totals + i), sums[k], load_block_scale(scales + i)));
      }
    }
  }

  /// y[i] += scale * (d[i] * totals[i] - dmin[i] * sum over the blocks of their minimum at i times the sum of their values).
  static void add_totals(const uint8_t* group, int64_t n_embd, int64_t first, int64_t count, const QuantisedBlock* blocks,
                         const int32_t* totals, float* y) {
    const typename S::Floats group_scale = S::set(blocks->scale);
    uint8_t minima[Format::kMinima ? kBlocks : 1][kTile];
    for (int64_t c = 0; c < count; c += kTile) {
      if constexpr (Format::kMinima) {
        for (int b = 0; b < kBlocks; ++b) block_scales(group, n_embd, first + c, kTile, b, true, minima[b]);
      }
      for (int64_t i = c; i < c + kTile; i += S::kWidth) {
        const typename S::Floats scale = S::multiply(S::load_f16(group + 2 * (first + i)), group_scale);
        typename S::Floats out = S::multiply_add(S::to_floats(S::load_ints(totals + i)), scale, S::load(y + i));
        if constexpr (Format::kMinima) {
          typename S::Ints minimum = S::zero_ints();
          for (int b = 0; b < kBlocks; ++b) {
            minimum = S::add_scaled(minimum, S::set_int(blocks[b].sum), load_block_scale(minima[b] + i - c));
          }
          const typename S::Floats dmin = S::multiply(S::load_f16(group + 2 * (n_embd + first + i)), group_scale);
          out = S::subtract_product(out, S::to_floats(minimum), dmin);
        }
        S::store(y + i, out);
      }
    }
  }

  static void accumulate_blocks(const uint8_t* group, int64_t n_embd, const QuantisedBlock* blocks, const Quad* quads,
                                int64_t n_quads, float* y) {
    int32_t totals[kChunk];
    uint8_t decoded[kChunk];
    for (int64_t first = 0; first < n_embd; first += kChunk) {
      const int64_t count = n_embd - first < kChunk ? n_embd - first : kChunk;
      for (int64_t i = 0; i < count; i += S::kWidth) S::store_ints(totals + i, S::zero_ints());
      const uint8_t* scales = nullptr;
      for (int64_t q = 0; q < n_quads;) {
        if (q == 0 || quads[q].block != quads[q - 1].block) {
          scales = block_scales(group, n_embd, first, count, static_cast<int>(quads[q].block), false, decoded);
        }
        const bool pair = q + 1 < n_quads && quads[q + 1].block == quads[q].block;
        const auto add = pair ? add_quads_to_totals<2> : add_quads_to_totals<1>;
        add(quads + q, n_embd, first, count, scales, totals);
        q += pair ? 2 : 1;
      }
      add_totals(group, n_embd, first, count, blocks, totals, y + first);
    }
  }

  static void accumulate(const DownMatrix& down, int64_t group_index, const float* values, const int32_t* active,
                         int64_t n_active, float* partial) {
    QuantisedBlock blocks[kBlocks];
    const bool any = kBlocks == 1 ? quantise_q8_0(values, active, n_active, blocks)
                                  : quantise_q8_k(values, active, n_active, Format::kBlock, blocks);
    if (!any) return;
    const int64_t n_embd = down.n_embd;
    const uint8_t* group = down.data + static_cast<size_t>(group_index) * down.group_stride;
    Quad quads[Format::kGroup / 4];
    const int64_t n_quads = make_quads(group + Format::planes_bytes(n_embd), Format::row_bytes(n_embd), blocks, active,
                                       n_active, quads);
    if constexpr (kBlocks > 1) {
      accumulate_blocks(group, n_embd, blocks, quads, n_quads, partial);
    } else {
      if (n_active == Format::kGroup) read_on(n_embd, quads);
      int64_t q = 0;
      for (; q + 2 <= n_quads; q += 2) add_quads<2>(quads + q, group, n_embd, blocks->scale, partial);
      if (q < n_quads) add_quads<1>(quads + q, group, n_embd, blocks->scale, partial);
    }
  }

  // Prompts. A block's rows are interleaved once into scratch, as its tokens want them, with its scales as floats.

  static constexpr int64_t kBlockQuads = Format::kBlock / 4;
  static constexpr int kStep = 4 * Wide::kWidth;  // columns summed in registers

  struct Scratch {
    uint8_t* quads;  // [kBlockQuads][count][4]
    float* scales;   // [count]
    float* minima;   // [count]
    int32_t* tokens;
  };

  static size_t scratch_bytes(int64_t n_tokens, int64_t count) {
    return static_cast<size_t>(count) * (Format::kBlock + 2 * sizeof(float)) + static_cast<size_t>(n_tokens + 15) / 16 * 64;
  }

  static void fill(const uint8_t* group, int64_t n_embd, int64_t first, int64_t count, int b, const Scratch& scratch) {
    const uint8_t* rows[Format::kBlock];
    for (int64_t j = 0; j < Format::kBlock; ++j) {
      rows[j] = group + Format::planes_bytes(n_embd) + (b * Format::kBlock + j) * Format::row_bytes(n_embd);
    }
    for (int64_t c = 0; c < count; c += kTile) {
      for (int64_t q = 0; q < kBlockQuads; ++q) {
        typename S::Ints quads[kVectors];
        load_quads<S, Format>(rows + 4 * q, n_embd, (first + c) / kTile, quads);
        for (int k = 0; k < kVectors; ++k) {
          S::store_ints(scratch.quads + (q * count + c + k * S::kWidth) * 4, prepare<S, Format>(quads[k]));
        }
      }
    }
    for (int64_t c = 0; c < count; c += kTile) {
      uint8_t decoded[kTile];
      const uint8_t* bytes = block_scales(group, n_embd, first + c, kTile, b, false, decoded);
      for (int64_t i = 0; i < kTile; i += S::kWidth) {
        typename S::Floats scale = S::load_f16(group + 2 * (first + c + i));
        if constexpr (Format::kGroup != Format::kBlock) scale = S::multiply(scale, load_block_scale_float(bytes + i));
        S::store(scratch.scales + c + i, scale);
      }
      if constexpr (Format::kMinima) {
        block_scales(group, n_embd, first + c, kTile, b, true, decoded);
        for (int64_t i = 0; i < kTile; i += S::kWidth) {
          const typename S::Floats dmin = S::load_f16(group + 2 * (n_embd + first + c + i));
          S::store(scratch.minima + c + i, S::multiply(dmin, S::load_u8(decoded + i)));
        }
      }
    }
  }

  template <int kTokens>
  static void add_tokens(const Scratch& scratch, int64_t count, const QuantisedBlock* const* blocks, float* const* y) {
    for (int64_t c = 0; c < count; c += kStep) {
      typename Wide::Ints sums[kTokens][4];
      for (int t = 0; t < kTokens; ++t) {
        for (auto& sum : sums[t]) sum = Wide::set_int(-stored_bias<S, Format>() * blocks[t]->sum);
      }
      for (int64_t q = 0; q < kBlockQuads; ++q) {
        typename Wide::Ints w[4];
        for (int k = 0; k < 4; ++k) w[k] = Wide::load_ints(scratch.quads + (q * count + c + k * Wide::kWidth) * 4);
        for (int t = 0; t < kTokens; ++t) {
          const typename Wide::Ints value = Wide::set_int(dword(blocks[t]->quants + 4 * q));
          for (int k = 0; k < 4; ++k) sums[t][k] = dot_quads<Wide, Format>(sums[t][k], w[k], value);
        }
      }
      for (int t = 0; t < kTokens; ++t) {
        for (int k = 0; k < 4; ++k) {
          const int64_t i = c + k * Wide::kWidth;
          const typename Wide::Floats sum = Wide::multiply(Wide::to_floats(sums[t][k]), Wide::load(scratch.scales + i));
          typename Wide::Floats out = Wide::multiply_add(sum, Wide::set(blocks[t]->scale), Wide::load(y[t] + i));
          if constexpr (Format::kMinima) {
            out = Wide::subtract_product(out, Wide::load(scratch.minima + i), Wide::set(blocks[t]->scaled_sum));
          }
          Wide::store(y[t] + i, out);
        }
      }
    }
  }

  static void multiply(const DownMatrix& down, int64_t first_group, int64_t n_groups, const void* values,
                       size_t values_stride, int64_t n_tokens, int64_t first, int64_t count, float* y, int64_t y_stride,
                       void* memory) {
    constexpr int kTokens = Wide::kTokenTile;
    Scratch scratch;
    scratch.quads = static_cast<uint8_t*>(memory);
    scratch.scales = reinterpret_cast<float*>(scratch.quads + count * Format::kBlock);
    scratch.minima = scratch.scales + count;
    scratch.tokens = reinterpret_cast<int32_t*>(scratch.minima + count);
    for (int64_t t = 0; t < n_tokens; ++t) {
      for (int64_t i = 0; i < count; i += S::kWidth) S::store(y + t * y_stride + first + i, S::zero());
    }
    for (int64_t n = 0; n < n_groups * kBlocks; ++n) {
      const auto block = [&](int64_t t) {
        return reinterpret_cast<const QuantisedBlock*>(static_cast<const uint8_t*>(values) +
                                                       static_cast<size_t>(t) * values_stride) + n;
      };
      int64_t n_listed = 0;
      for (int32_t t = 0; t < n_tokens; ++t) {
        scratch.tokens[n_listed] = t;
        n_listed += block(t)->active != 0;
      }
      if (n_listed == 0) continue;
      const uint8_t* group = down.data + static_cast<size_t>(first_group + n / kBlocks) * down.group_stride;
      fill(group, down.n_embd, first, count, static_cast<int>(n % kBlocks), scratch);
      for (int64_t i = 0; i < n_listed;) {
        const int64_t n_together = n_listed - i < kTokens ? 1 : kTokens;
        const QuantisedBlock* blocks[kTokens];
        float* out[kTokens];
        for (int64_t t = 0; t < n_together; ++t) {
          blocks[t] = block(scratch.tokens[i + t]);
          out[t] = y + scratch.tokens[i + t] * y_stride + first;
        }
        if (n_together == 1) {
          add_tokens<1>(scratch, count, blocks, out);
        } else {
          add_tokens<kTokens>(scratch, count, blocks, out);
        }
        i += n_together;
      }
    }
  }

  static constexpr DownArithmetic arithmetic() {
    return {Format::kType, DownScales::across_neurons, accumulate, multiply, scratch_bytes};
  }
};

}  // namespace

}  // namespace hotpath::hotcold
