// The row kernels, written once over a type that stands for an instruction set (simd_*.h). All four entry points add up
// tiles of rows times tokens, each sum in the same order, so that a result does not depend on which of them computed it.
#pragma once

#include "hotcold/kernels/kernels.h"
#include "hotcold/kernels/rows_activation.h"
#include "hotcold/kernels/rows_layout.h"

namespace hotpath::hotcold {
namespace {

/// The rows of one tile, and those to prefetch meanwhile.
template <int R>
struct TileRows {
  const uint8_t* row[R];
  const uint8_t* next[R];
  bool prefetches;
};

struct Tokens {
  const uint8_t* activations;
  size_t stride;  // bytes
  float* out;
  int64_t out_stride;  // floats

  Tokens from(int64_t token) const {
    return {activations + static_cast<size_t>(token) * stride, stride, out + token * out_stride, out_stride};
  }
  Tokens at_row(int64_t row) const { return {activations, stride, out + row, out_stride}; }
};

// --- what differs between quantised formats: how a register of quants is loaded, and one of scales

/// One load of `step` gives kPerStep registers of quants; register i holds dword step + i * kSteps.
template <class S, class Format>
struct Quants;

template <class S>
struct Quants<S, Q8_0> {
  static constexpr int kSteps = 8, kPerStep = 1;
  static constexpr bool kNeedsOffset = S::kUnsignedQ8;
  template <int Step>
  static HOTPATH_INLINE void load(const uint8_t* at, int64_t width, typename S::Ints (&w)[1]) {
    w[0] = S::prepare_q8(S::load_ints(at + Step * width * 4));
  }
  static HOTPATH_INLINE typename S::Ints dot(typename S::Ints sums, const typename S::Ints (&w)[1],
                                             const typename S::Ints (&x)[1]) {
    return S::dot_q8(sums, w[0], x[0]);
  }
  static HOTPATH_INLINE typename S::Floats scale(const uint8_t* record, int64_t lane) {
    return S::load_f16(record + 2 * lane);
  }
};

template <class S>
struct NibbleQuants {
  static constexpr int kSteps = 4, kPerStep = 2;
  template <int Step>
  static HOTPATH_INLINE void load(const uint8_t* at, int64_t width, typename S::Ints (&w)[2]) {
    const typename S::Ints both = S::load_ints(at + Step * width * 4);
    w[0] = S::low_nibbles(both);
    w[1] = S::high_nibbles(both);
  }
  static HOTPATH_INLINE typename S::Ints dot(typename S::Ints sums, const typename S::Ints (&w)[2],
                                             const typename S::Ints (&x)[2]) {
    return S::dot_pair(sums, w, x);
  }
};

template <class S>
struct Quants<S, Q4_0> : NibbleQuants<S> {
  static constexpr bool kNeedsOffset = true;
  static HOTPATH_INLINE typename S::Floats scale(const uint8_t* record, int64_t lane) {
    return S::load_f16(record + 2 * lane);
  }
};

template <class S>
struct Quants<S, Q4_K> : NibbleQuants<S> {
  static constexpr bool kNeedsOffset = false;
  static HOTPATH_INLINE typename S::Floats scale(const uint8_t* record, int64_t lane) {
    return S::multiply(S::load_u8(record + lane), S::broadcast_f16_by_8(record + Q4_K::kDAt, lane));
  }
  static HOTPATH_INLINE typename S::Floats minimum(const uint8_t* record, int64_t lane) {
    return S::multiply(S::load_u8(record + Q4_K::kMinimaAt + lane), S::broadcast_f16_by_8(record + Q4_K::kDMinAt, lane));
  }
};

template <class S>
struct Quants<S, Q6_K> {
  static constexpr int kSteps = 2, kPerStep = 2;
  static constexpr bool kNeedsOffset = true;
  template <int Step>
  static HOTPATH_INLINE void load(const uint8_t* at, int64_t width, typename S::Ints (&w)[2]) {
    const typename S::Ints both = S::load_ints(at + Step * width * 4), upper = S::load_ints(at + Q6_K::kUpperAt);
    w[0] = S::template with_upper_bits<Step>(S::low_nibbles(both), upper);
    w[1] = S::template with_upper_bits<Step + 2>(S::high_nibbles(both), upper);
  }
  static HOTPATH_INLINE typename S::Ints dot(typename S::Ints sums, const typename S::Ints (&w)[2],
                                             const typename S::Ints (&x)[2]) {
    return S::dot_pair(sums, w, x);
  }
  static HOTPATH_INLINE typename S::Floats scale(const uint8_t* record, int64_t lane) {
    return S::multiply(S::load_i8(record + lane), S::broadcast_f16(record + Q6_K::kDAt));
  }
};

// --- tiles: what R rows and T tokens give, in registers or, between columns, in memory

template <class S, int R, int T>
struct Sums {
  typename S::Floats of[R][T];

  HOTPATH_INLINE void clear() {
    for (int r = 0; r < R; ++r) {
      for (int t = 0; t < T; ++t) of[r][t] = S::zero();
    }
  }
  HOTPATH_INLINE void store(const Tokens& tokens) const {
    for (int t = 0; t < T; ++t) {
      for (int r = 0; r < R; ++r) tokens.out[t * tokens.out_stride + r] = S::sum(of[r][t]);
    }
  }
};

template <class S, int R>
HOTPATH_INLINE void prefetch_bytes(const TileRows<R>& rows, size_t begin, size_t end) {
  if (!rows.prefetches) return;
  for (size_t at = round_up(begin, kLine); at < end; at += kLine) {
    for (int r = 0; r < R; ++r) S::prefetch(rows.next[r] + at);
  }
}

template <class S, class Format, int R, int T>
struct QuantTile {
  using Ints = typename S::Ints;
  using Floats = typename S::Floats;
  using Q = Quants<S, Format>;

  const Layout<Format> layout;
  const TileRows<R> rows;
  const Tokens tokens;
  Sums<S, R, T> sums;

  template <int Step>
  HOTPATH_INLINE void steps(size_t row_at, size_t activation_at, int64_t width, Ints (&dots)[R][T]) const {
    if constexpr (Step < Q::kSteps) {
      Ints w[R][Q::kPerStep];
      for (int r = 0; r < R; ++r) Q::template load<Step>(rows.row[r] + row_at, width, w[r]);
      for (int t = 0; t < T; ++t) {
        const uint8_t* at = tokens.activations + t * tokens.stride + activation_at;
        Ints x[Q::kPerStep];
        for (int i = 0; i < Q::kPerStep; ++i) x[i] = S::load_ints(at + (Step + i * Q::kSteps) * width * 4);
        for (int r = 0; r < R; ++r) dots[r][t] = Q::dot(dots[r][t], w[r], x);
      }
      steps<Step + 1>(row_at, activation_at, width, dots);
    }
  }

  HOTPATH_INLINE void chunk(int64_t index, int64_t width) {
    for (int64_t lane = 0; lane < width; lane += S::kWidth) {
      const int64_t column = index * kLanes + lane;
      const size_t offsets_at = layout.activation_offsets + static_cast<size_t>(column) * sizeof(int32_t);
      const size_t scales_at = layout.activation_scales + static_cast<size_t>(column) * sizeof(float);
      Ints dots[R][T];
      for (int t = 0; t < T; ++t) {
        const Ints first = Q::kNeedsOffset ? S::load_ints(tokens.activations + t * tokens.stride + offsets_at)
                                           : S::zero_ints();
        for (int r = 0; r < R; ++r) dots[r][t] = first;
      }
      steps<0>(static_cast<size_t>(index * layout.kChunkBytes + lane * 4),
               static_cast<size_t>(index * layout.kChunkCols + lane * 4), width, dots);
      for (int r = 0; r < R; ++r) {
        const uint8_t* record = rows.row[r] + layout.row_scales + index * Format::kScaleBytes;
        const Floats scale = Q::scale(record, lane);
        for (int t = 0; t < T; ++t) {
          const uint8_t* activation = tokens.activations + t * tokens.stride;
          const Floats x_scale = S::load(reinterpret_cast<const float*>(activation + scales_at));
          const Floats dot = S::to_floats(dots[r][t]);
          if constexpr (Format::kHasMinimum) {
            const Floats sum = S::to_floats(S::load_ints(activation + offsets_at));
            const Floats value = S::subtract_product(S::multiply(dot, scale), sum, Q::minimum(record, lane));
            sums.of[r][t] = S::multiply_add(value, x_scale, sums.of[r][t]);
          } else {
            sums.of[r][t] = S::multiply_add(dot, S::multiply(scale, x_scale), sums.of[r][t]);
          }
        }
      }
    }
  }
};

/// A step is a chunk. Prompts need no blocks of columns: activations are a byte per value, and with whole rows one dot
/// product starts per cycle already (measured: 315 GFLOP/s for Q8_0 on a Sapphire Rapids core, 285 in blocks).
template <class S, class Format>
struct QuantRows {
  using Shape = Layout<Format>;
  static constexpr int64_t kBlockSteps = 0;
  static int64_t n_steps(const Shape& shape) { return shape.n_chunks; }

  template <int R, int T>
  static void add(const Shape& shape, const TileRows<R>& rows, const Tokens& tokens, int64_t begin, int64_t end,
                  Sums<S, R, T>& sums) {
    constexpr auto kStepBytes = static_cast<size_t>(Shape::kChunkBytes + Format::kScaleBytes);
    // Copies, because vectors may alias anything: a store to `sums` would have all pointers read again.
    QuantTile<S, Format, R, T> tile{shape, rows, tokens, sums};
    for (int64_t c = begin; c < end; ++c) {
      prefetch_bytes<S>(rows, static_cast<size_t>(c) * kStepBytes, static_cast<size_t>(c + 1) * kStepBytes);
      if (c < shape.n_full) {
        tile.chunk(c, kLanes);
      } else {
        tile.chunk(c, shape.rest);
      }
    }
    sums = tile.sums;
  }
};

template <class S>
HOTPATH_INLINE typename S::Floats load_values(F32, const uint8_t* at) {
  return S::load(reinterpret_cast<const float*>(at));
}
template <class S>
HOTPATH_INLINE typename S::Floats load_values(F16, const uint8_t* at) {
  return S::load_f16(at);
}
template <class S>
HOTPATH_INLINE typename S::Floats load_values(BF16, const uint8_t* at) {
  return S::load_bf16(at);
}

/// A step is a cache line of weights. Blocks of columns: 85 GFLOP/s for F16 on a Sapphire Rapids core, 72 without.
template <class S, class Format>
struct FloatRows {
  static constexpr int64_t kStepCols = static_cast<int64_t>(kLine) / Format::kBytes;
  static constexpr int64_t kBlockSteps = 256 / kStepCols;
  struct Shape {
    int64_t n_lines;
    explicit Shape(int64_t n_cols) : n_lines(padded_cols<Format>(n_cols) / kStepCols) {}
  };
  static int64_t n_steps(const Shape& shape) { return shape.n_lines; }

  template <int R, int T>
  static void add(const Shape&, const TileRows<R>& rows, const Tokens& tokens, int64_t begin, int64_t end,
                  Sums<S, R, T>& sums) {
    using Floats = typename S::Floats;
    Sums<S, R, T> in_registers = sums;
    for (int64_t line = begin; line < end; ++line) {
      const size_t at = static_cast<size_t>(line) * kLine;
      prefetch_bytes<S>(rows, at, at + kLine);
      for (int64_t col = 0; col < kStepCols; col += S::kWidth) {
        Floats w[R];
        for (int r = 0; r < R; ++r) w[r] = load_values<S>(Format{}, rows.row[r] + at + col * Format::kBytes);
        for (int t = 0; t < T; ++t) {
          const auto* x = reinterpret_cast<const float*>(tokens.activations + t * tokens.stride);
          const Floats values = S::load(x + line * kStepCols + col);
          for (int r = 0; r < R; ++r) in_registers.of[r][t] = S::multiply_add(w[r], values, in_registers.of[r][t]);
        }
      }
    }
    sums = in_registers;
  }
};

// --- all rows and tokens, tile by tile

struct Neighbours {
  const RowMatrix& rows;
  int64_t first;
  const uint8_t* operator()(int64_t i) const { return rows.data + static_cast<size_t>(first + i) * rows.stride; }
  /// Whoever asks for some neighbours will ask for the next ones: prefetching goes on beyond the last of these.
  int64_t reach(int64_t) const { return rows.n_rows - first; }
};

struct Listed {
  const RowMatrix& rows;
  const int32_t* list;
  const uint8_t* operator()(int64_t i) const { return rows.data + static_cast<size_t>(list[i]) * rows.stride; }
  int64_t reach(int64_t count) const { return count; }
};

/// The rows [i, i + R), and those `ahead` of them to prefetch, as far as the source reaches.
template <int R, class Source>
TileRows<R> tile_rows(const Source& source, int64_t i, int64_t reach, int64_t ahead) {
  TileRows<R> rows;
  for (int r = 0; r < R; ++r) {
    const int64_t next = i + ahead + r;
    rows.row[r] = source(i + r);
    rows.next[r] = source(next < reach ? next : reach - 1);
  }
  rows.prefetches = i + ahead < reach;
  return rows;
}

template <class S, class Kernels, int R, int T>
void token_tiles(const typename Kernels::Shape& shape, TileRows<R>& rows, const Tokens& tokens, int64_t n_tokens) {
  int64_t t = 0;
  for (; t + T <= n_tokens; t += T, rows.prefetches = false) {
    Sums<S, R, T> sums;
    sums.clear();
    Kernels::add(shape, rows, tokens.from(t), 0, Kernels::n_steps(shape), sums);
    sums.store(tokens.from(t));
  }
  if constexpr (T > 1) token_tiles<S, Kernels, R, T / 2>(shape, rows, tokens.from(t), n_tokens - t);
}

/// Few tokens: memory is the limit, rows are read from end to end.
template <class S, class Kernels, class Source>
void row_tiles(const typename Kernels::Shape& shape, const Source& source, int64_t begin, int64_t end, int64_t reach,
               const Tokens& tokens, int64_t n_tokens) {
  constexpr int R = S::kRowTile, T = S::kTokenTile;
  int64_t i = begin;
  for (; i + R <= end; i += R) {
    TileRows<R> rows = tile_rows<R>(source, i, reach, R);
    token_tiles<S, Kernels, R, T>(shape, rows, tokens.at_row(i), n_tokens);
  }
  for (; i < end; ++i) {
    TileRows<1> rows = tile_rows<1>(source, i, reach, 1);
    token_tiles<S, Kernels, 1, T>(shape, rows, tokens.at_row(i), n_tokens);
  }
}

/// Many tokens whose activations are too large for the first-level cache: sixteen rows and sixteen tokens are multiplied
/// kBlockSteps of columns at a time.
constexpr int64_t kGroup = 16;

template <class S, class Kernels, class Source>
void multiply_group(const typename Kernels::Shape& shape, const Source& source, int64_t begin, int64_t reach,
                    const Tokens& tokens, bool prefetches) {
  constexpr int R = S::kRowTile, T = S::kTokenTile, kRowTiles = kGroup / R, kTokenTiles = kGroup / T;
  TileRows<R> rows[kRowTiles];
  Sums<S, R, T> sums[kRowTiles][kTokenTiles];
  for (int i = 0; i < kRowTiles; ++i) {
    rows[i] = tile_rows<R>(source, begin + i * R, reach, kGroup);
    rows[i].prefetches = rows[i].prefetches && prefetches;
    for (int t = 0; t < kTokenTiles; ++t) sums[i][t].clear();
  }
  const int64_t n_steps = Kernels::n_steps(shape);
  for (int64_t step = 0; step < n_steps; step += Kernels::kBlockSteps) {
    const int64_t end = step + Kernels::kBlockSteps < n_steps ? step + Kernels::kBlockSteps : n_steps;
    for (int i = 0; i < kRowTiles; ++i) {
      TileRows<R> tile = rows[i];
      for (int t = 0; t < kTokenTiles; ++t, tile.prefetches = false) {
        Kernels::add(shape, tile, tokens.from(t * T), step, end, sums[i][t]);
      }
    }
  }
  for (int i = 0; i < kRowTiles; ++i) {
    for (int t = 0; t < kTokenTiles; ++t) sums[i][t].store(tokens.from(t * T).at_row(begin + i * R));
  }
}

template <class S, class Kernels, class Source>
void multiply_rows(int64_t n_cols, const Source& source, int64_t count, const Tokens& tokens, int64_t n_tokens) {
  const typename Kernels::Shape shape(n_cols);
  const int64_t reach = source.reach(count);
  int64_t i = 0;
  if constexpr (Kernels::kBlockSteps > 0) {
    const int64_t grouped = n_tokens / kGroup * kGroup;
    for (; grouped > 0 && i + kGroup <= count; i += kGroup) {
      for (int64_t t = 0; t < grouped; t += kGroup) {
        multiply_group<S, Kernels>(shape, source, i, reach, tokens.from(t), t == 0);
      }
      row_tiles<S, Kernels>(shape, source, i, i + kGroup, reach, tokens.from(grouped), n_tokens - grouped);
    }
  }
  row_tiles<S, Kernels>(shape, source, i, count, reach, tokens, n_tokens);
}

template <class S, class Kernels>
struct Entries {
  static void multiply(const RowMatrix& rows, int64_t first, int64_t count, const void* activations,
                       size_t activation_stride, int64_t n_tokens, float* out, int64_t out_stride) {
    const Tokens tokens{static_cast<const uint8_t*>(activations), activation_stride, out, out_stride};
    multiply_rows<S, Kernels>(rows.n_cols, Neighbours{rows, first}, count, tokens, n_tokens);
  }
  static void multiply_listed(const RowMatrix& rows, const int32_t* list, int64_t count, const void* activations,
                              size_t activation_stride, int64_t n_tokens, float* out, int64_t out_stride) {
    const Tokens tokens{static_cast<const uint8_t*>(activations), activation_stride, out, out_stride};
    multiply_rows<S, Kernels>(rows.n_cols, Listed{rows, list}, count, tokens, n_tokens);
  }
  static void dot(const RowMatrix& rows, int64_t first, int64_t count, const void* activation, float* out) {
    multiply(rows, first, count, activation, 0, 1, out, 0);
  }
  static void dot_listed(const RowMatrix& rows, const int32_t* list, int64_t count, const void* activation, float* out) {
    multiply_listed(rows, list, count, activation, 0, 1, out, 0);
  }

  static void fill(RowKernels& kernels) {
    kernels.dot = dot;
    kernels.dot_listed = dot_listed;
    kernels.multiply = multiply;
    kernels.multiply_listed = multiply_listed;
  }
};

template <class S, class Format>
void fill_quantised(RowKernels& kernels) {
  kernels.pack_activation = pack_activation<Format>;
  Entries<S, QuantRows<S, Format>>::fill(kernels);
}

template <class S, class Format>
void fill_floats(RowKernels& kernels) {
  kernels.pack_activation = pack_float_activation<Format>;
  Entries<S, FloatRows<S, Format>>::fill(kernels);
}

template <class S>
void fill_for(RowKernels& kernels) {
  switch (kernels.type) {
    case GGML_TYPE_F32: return fill_floats<S, F32>(kernels);
    case GGML_TYPE_F16: return fill_floats<S, F16>(kernels);
    case GGML_TYPE_BF16: return fill_floats<S, BF16>(kernels);
    case GGML_TYPE_Q8_0: return fill_quantised<S, Q8_0>(kernels);
    case GGML_TYPE_Q4_0: return fill_quantised<S, Q4_0>(kernels);
    case GGML_TYPE_Q4_K: return fill_quantised<S, Q4_K>(kernels);
    case GGML_TYPE_Q6_K: return fill_quantised<S, Q6_K>(kernels);
    default: return;
  }
}

}  // namespace
}  // namespace hotpath::hotcold
