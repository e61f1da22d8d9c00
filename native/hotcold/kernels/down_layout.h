// How down matrices lie in memory: the groups of kernels.h, byte by byte.
//
// across_neurons, quantised: [planes: one entry per column each][one row of quants per neuron]. The columns of a row come
// in tiles of 64, permuted so that interleaving the bytes of four rows inside 16-byte lanes (the only interleaving that
// SSE, AVX and NEON share) leaves the sums in the order of the columns; so a partial sum needs no reordering.
//   Q8_0  planes: f16 scale.                                rows: bytes
//   Q4_0  planes: f16 scale.                                rows: nibbles
//   Q4_K  planes: f16 d, f16 dmin, 12 x byte (6-bit scales and minima, as in the file). rows: nibbles
//   Q6_K  planes: f16 d, 16 x int8 scale.                   rows: nibbles, then the upper two bits
// Float formats, and quants whose scales run along the output: one row per neuron as ggml has it, in the latter case all
// scales of the row before its quants.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ggml.h"

namespace hotpath::hotcold {

// Without a name, because files compiled for different instruction sets include this: the linker must not choose one
// file's copy of a function for all of them.
namespace {

constexpr int64_t kTile = 64;  // columns
constexpr int64_t kFloatGroup = 32;
constexpr int64_t kRowsTogether = 8;  // quantised rows that are added side by side

/// The column, within 32, of byte `position` of a half tile.
constexpr int tile_column(int position) { return position / 4 % 4 * 8 + position / 16 * 4 + position % 4; }

struct Q8Down {
  static constexpr ggml_type kType = GGML_TYPE_Q8_0;
  static constexpr int64_t kGroup = 32;
  static constexpr int64_t kBlock = 32;  // neurons that share a scale at a column
  static constexpr int kBias = 0;        // what is added to a quant to store it
  using Stored = int8_t;
  static constexpr bool kMinima = false;
  static constexpr int64_t planes_bytes(int64_t n_embd) { return 2 * n_embd; }
  static constexpr int64_t row_bytes(int64_t n_embd) { return n_embd; }
};

struct Q4Down {
  static constexpr ggml_type kType = GGML_TYPE_Q4_0;
  static constexpr int64_t kGroup = 32;
  static constexpr int64_t kBlock = 32;
  static constexpr int kBias = 8;
  using Stored = uint8_t;
  static constexpr bool kMinima = false;
  static constexpr int64_t planes_bytes(int64_t n_embd) { return 2 * n_embd; }
  static constexpr int64_t row_bytes(int64_t n_embd) { return n_embd / 2; }
};

struct Q4KDown {
  static constexpr ggml_type kType = GGML_TYPE_Q4_K;
  static constexpr int64_t kGroup = 256;
  static constexpr int64_t kBlock = 32;
  static constexpr int kBias = 0;
  using Stored = uint8_t;
  static constexpr bool kMinima = true;
  static constexpr int64_t planes_bytes(int64_t n_embd) { return 16 * n_embd; }
  static constexpr int64_t row_bytes(int64_t n_embd) { return n_embd / 2; }
};

struct Q6KDown {
  static constexpr ggml_type kType = GGML_TYPE_Q6_K;
  static constexpr int64_t kGroup = 256;
  static constexpr int64_t kBlock = 16;
  static constexpr int kBias = 32;
  using Stored = uint8_t;
  static constexpr bool kMinima = false;
  static constexpr int64_t planes_bytes(int64_t n_embd) { return 18 * n_embd; }
  static constexpr int64_t row_bytes(int64_t n_embd) { return n_embd / 2 + n_embd / 4; }
};

template <class Format>
constexpr int64_t quantised_group_bytes(int64_t n_embd) {
  return Format::planes_bytes(n_embd) + Format::kGroup * Format::row_bytes(n_embd);
}

/// Of a row whose scales run along it: n_embd / 32 scales, then quants of `bits`, in whole cache lines.
constexpr int64_t along_row_bytes(int64_t n_embd, int bits) {
  return (n_embd / 16 + n_embd * bits / 8 + 63) / 64 * 64;
}

/// The 6-bit scale (or, with `minimum`, minimum) of block `b` at a column, from the 12 bytes that Q4_K packs 16 of them in.
/// `n_embd`: bytes from one of the 12 to the next.
inline uint8_t q4k_scale(const uint8_t* bytes, int64_t n_embd, int b, bool minimum) {
  const int low = b + (minimum ? 4 : 0);
  if (b < 4) return bytes[low * n_embd] & 63;
  const uint8_t nibbles = bytes[(b + 4) * n_embd];
  return static_cast<uint8_t>((minimum ? nibbles >> 4 : nibbles & 15) | (bytes[(low - 4) * n_embd] >> 6 << 4));
}

}  // namespace

}  // namespace hotpath::hotcold
