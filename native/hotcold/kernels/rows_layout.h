// How rows lie in memory, for all instruction sets alike.
//
// A quantised row is cut into lanes: neighbouring values that share a scale. Sixteen lanes make a chunk, in which the
// lanes' groups of four values ("dwords") are interleaved: dword k of lane j lies at (k * width + j) * 4, `width` being
// the number of lanes, 16 or the rest in the last chunk. A register then holds the same dword of many lanes, integer dot
// products add up lane by lane, and only one multiplication by a vector of scales is left per chunk. Activations lie in
// the same order.
//
//   row         quants of all chunks | one record of scales per chunk | padding
//   activation  quants of all chunks | float scale per lane           | integer offset per lane
//
// Unused lanes of the last chunk have the scale 0. Their quants are whatever follows, within the row.
//
// Everything has internal linkage: these functions are compiled once per instruction set, and the linker must not take
// one set's copy for all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ggml.h"

#ifdef _MSC_VER
#define HOTPATH_INLINE __forceinline
#else
#define HOTPATH_INLINE inline __attribute__((always_inline))
#endif

namespace hotpath::hotcold {
namespace {

constexpr int64_t kLanes = 16;
constexpr size_t kLine = 64;

constexpr size_t round_up(size_t bytes, size_t multiple) { return (bytes + multiple - 1) / multiple * multiple; }

HOTPATH_INLINE float half_to_float(const void* half) {
  ggml_fp16_t bits;
  std::memcpy(&bits, half, sizeof bits);
  return ggml_fp16_to_fp32(bits);
}

inline uint32_t load_dword(const uint8_t* from) {
  uint32_t dword;
  std::memcpy(&dword, from, sizeof dword);
  return dword;
}

inline void store_dword(uint8_t* to, uint32_t dword) { std::memcpy(to, &dword, sizeof dword); }

/// Two nibbles per byte; the high one belongs to the dword half a lane further.
struct NibbleLanes {
  static void put(uint8_t* chunk, int64_t width, int64_t lane, const uint8_t* values) {
    for (int k = 0; k < 4; ++k) {
      store_dword(chunk + (k * width + lane) * 4, load_dword(values + 4 * k) | load_dword(values + 16 + 4 * k) << 4);
    }
  }
  static void get(const uint8_t* chunk, int64_t width, int64_t lane, uint8_t* values) {
    for (int k = 0; k < 4; ++k) {
      const uint8_t* dword = chunk + (k * width + lane) * 4;
      for (int i = 0; i < 4; ++i) {
        values[4 * k + i] = dword[i] & 15;
        values[16 + 4 * k + i] = dword[i] >> 4;
      }
    }
  }
};

// Each format: a value is scale * (quant - zero_point) - minimum, where quants are unsigned. The activation's offset is
// kOffset times the sum of the lane's activations: what turns a product of unsigned quants into that of signed ones, or
// for Q4_K the sum alone, which its minimum multiplies.

struct Q8_0 {
  static constexpr ggml_type kType = GGML_TYPE_Q8_0;
  static constexpr int64_t kBlock = 32, kLaneCols = 32;
  static constexpr int64_t kLaneBytes = 32, kScaleBytes = 2 * kLanes;
  static constexpr int32_t kZeroPoint = 128, kOffset = -128;
  static constexpr bool kHasMinimum = false;

  /// Stored signed, as in the file.
  static void put(uint8_t* chunk, int64_t width, int64_t lane, const uint8_t* values) {
    for (int k = 0; k < 8; ++k) store_dword(chunk + (k * width + lane) * 4, load_dword(values + 4 * k) ^ 0x80808080);
  }
  static void get(const uint8_t* chunk, int64_t width, int64_t lane, uint8_t* values) {
    for (int k = 0; k < 8; ++k) {
      for (int i = 0; i < 4; ++i) values[4 * k + i] = chunk[(k * width + lane) * 4 + i] ^ 0x80;
    }
  }
  static float scale(const uint8_t* record, int64_t lane) { return half_to_float(record + 2 * lane); }
};

struct Q4_0 : NibbleLanes {
  static constexpr ggml_type kType = GGML_TYPE_Q4_0;
  static constexpr int64_t kBlock = 32, kLaneCols = 32;
  static constexpr int64_t kLaneBytes = 16, kScaleBytes = 2 * kLanes;
  static constexpr int32_t kZeroPoint = 8, kOffset = -8;
  static constexpr bool kHasMinimum = false;

  static float scale(const uint8_t* record, int64_t lane) { return half_to_float(record + 2 * lane); }
};

/// Record of a chunk (two super-blocks): 16 scales and 16 minima, unpacked from 6 bits to a byte; both d; both dmin.
struct Q4_K : NibbleLanes {
  static constexpr ggml_type kType = GGML_TYPE_Q4_K;
  static constexpr int64_t kBlock = 256, kLaneCols = 32;
  static constexpr int64_t kLaneBytes = 16, kScaleBytes = 2 * kLanes + 8;
  static constexpr int32_t kZeroPoint = 0, kOffset = 1;
  static constexpr bool kHasMinimum = true;
  static constexpr int64_t kMinimaAt = 16, kDAt = 32, kDMinAt = 36;

  static float scale(const uint8_t* record, int64_t lane) {
    return static_cast<float>(record[lane]) * half_to_float(record + kDAt + lane / 8 * 2);
  }
  static float minimum(const uint8_t* record, int64_t lane) {
    return static_cast<float>(record[kMinimaAt + lane]) * half_to_float(record + kDMinAt + lane / 8 * 2);
  }
};

/// A chunk is one super-block: low nibbles of the dwords 0 and 1, high nibbles 2 and 3, then the upper bits of all four,
/// two each. Record: 16 signed scales, d.
struct Q6_K {
  static constexpr ggml_type kType = GGML_TYPE_Q6_K;
  static constexpr int64_t kBlock = 256, kLaneCols = 16;
  static constexpr int64_t kLaneBytes = 12, kScaleBytes = kLanes + 2;
  static constexpr int32_t kZeroPoint = 32, kOffset = -32;
  static constexpr bool kHasMinimum = false;
  static constexpr int64_t kUpperAt = 8 * kLanes, kDAt = 16;

  static void put(uint8_t* chunk, int64_t width, int64_t lane, const uint8_t* values) {
    uint32_t lower[4], upper = 0;
    for (int k = 0; k < 4; ++k) {
      const uint32_t dword = load_dword(values + 4 * k);
      lower[k] = dword & 0x0f0f0f0f;
      upper |= (dword >> 4 & 0x03030303) << (2 * k);
    }
    store_dword(chunk + lane * 4, lower[0] | lower[2] << 4);
    store_dword(chunk + (width + lane) * 4, lower[1] | lower[3] << 4);
    store_dword(chunk + kUpperAt + lane * 4, upper);
  }
  static void get(const uint8_t* chunk, int64_t width, int64_t lane, uint8_t* values) {
    for (int i = 0; i < 4; ++i) {
      const uint8_t first = chunk[lane * 4 + i], second = chunk[(width + lane) * 4 + i];
      const uint8_t upper = chunk[kUpperAt + lane * 4 + i];
      values[i] = static_cast<uint8_t>((first & 15) | (upper & 3) << 4);
      values[4 + i] = static_cast<uint8_t>((second & 15) | (upper >> 2 & 3) << 4);
      values[8 + i] = static_cast<uint8_t>(first >> 4 | (upper >> 4 & 3) << 4);
      values[12 + i] = static_cast<uint8_t>(second >> 4 | (upper >> 6) << 4);
    }
  }
  static float scale(const uint8_t* record, int64_t lane) {
    return static_cast<float>(static_cast<int8_t>(record[lane])) * half_to_float(record + kDAt);
  }
};

/// Where the parts of a row and of an activation begin, in bytes.
template <class Format>
struct Layout {
  static constexpr int64_t kChunkBytes = kLanes * Format::kLaneBytes;
  static constexpr int64_t kChunkCols = kLanes * Format::kLaneCols;

  int64_t n_full;  // chunks of 16 lanes
  int64_t rest;    // lanes of the chunk after them; 0: there is none
  int64_t n_chunks;
  size_t row_scales;
  size_t row_bytes;
  size_t activation_scales;
  size_t activation_offsets;
  size_t activation_bytes;

  explicit Layout(int64_t n_cols) {
    const int64_t n_lanes = n_cols / Format::kLaneCols;
    n_full = n_lanes / kLanes;
    rest = n_lanes % kLanes;
    n_chunks = n_full + (rest > 0);
    row_scales = static_cast<size_t>(n_lanes * Format::kLaneBytes);
    // Whole registers are loaded even where the last chunk is narrow: they must end within the row.
    const size_t read_end = row_scales + static_cast<size_t>(rest > 0 ? (kLanes - rest) * 4 : 0);
    const size_t end = row_scales + static_cast<size_t>(n_chunks * Format::kScaleBytes);
    row_bytes = round_up(end > read_end ? end : read_end, kLine);
    activation_scales = round_up(static_cast<size_t>(n_cols), kLine);
    activation_offsets = activation_scales + static_cast<size_t>(n_chunks * kLanes) * sizeof(float);
    activation_bytes = activation_offsets + static_cast<size_t>(n_chunks * kLanes) * sizeof(int32_t);
  }

  int64_t width(int64_t chunk) const { return chunk < n_full ? kLanes : rest; }
};

/// Rows of floats stay as they are, padded with zeros to whole lines, and so do activations to as many values.
struct F32 {
  static constexpr ggml_type kType = GGML_TYPE_F32;
  static constexpr int64_t kBytes = 4;
  static float value(const uint8_t* at) {
    float value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
};

struct F16 {
  static constexpr ggml_type kType = GGML_TYPE_F16;
  static constexpr int64_t kBytes = 2;
  static float value(const uint8_t* at) { return half_to_float(at); }
};

struct BF16 {
  static constexpr ggml_type kType = GGML_TYPE_BF16;
  static constexpr int64_t kBytes = 2;
  static float value(const uint8_t* at) {
    uint16_t bits;
    std::memcpy(&bits, at, sizeof bits);
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
  }
};

template <class Format>
int64_t padded_cols(int64_t n_cols) {
  return static_cast<int64_t>(round_up(static_cast<size_t>(n_cols * Format::kBytes), kLine)) / Format::kBytes;
}

template <class Format>
size_t float_activation_bytes(int64_t n_cols) {
  return static_cast<size_t>(padded_cols<Format>(n_cols)) * sizeof(float);
}

}  // namespace
}  // namespace hotpath::hotcold
