// Tiles of packed down rows and blocks of GGUF files, as plain bytes: one stored quant per byte, in order.
#pragma once

#include <cstring>

#include "hotcold/kernels/down_layout.h"

namespace hotpath::hotcold {

namespace {

inline uint32_t load_dword(const uint8_t* from) {
  uint32_t dword;
  std::memcpy(&dword, from, sizeof dword);
  return dword;
}

/// One tile of a packed row: 64 neighbouring columns of one neuron. `read` gives them in order; `write` takes them as they
/// are stored, column tile_column(i) of a half at i, which is for the caller to have done on the way.
template <class Format>
struct Tile;

template <>
struct Tile<Q8Down> {
  static void read(const uint8_t* row, int64_t, int64_t tile, uint8_t* quants) {
    for (int i = 0; i < 64; ++i) quants[i / 32 * 32 + tile_column(i % 32)] = row[tile * 64 + i];
  }
  static void write(uint8_t* row, int64_t, int64_t tile, const uint8_t* stored) { std::memcpy(row + tile * 64, stored, 64); }
};

/// The lower halves of the bytes hold 32 columns, the upper ones the next 32.
template <>
struct Tile<Q4Down> {
  static void read(const uint8_t* row, int64_t, int64_t tile, uint8_t* quants) {
    for (int i = 0; i < 32; ++i) {
      const uint8_t byte = row[tile * 32 + i];
      quants[tile_column(i)] = byte & 15;
      quants[32 + tile_column(i)] = byte >> 4;
    }
  }
  static void write(uint8_t* row, int64_t, int64_t tile, const uint8_t* stored) {
    for (int i = 0; i < 32; ++i) row[tile * 32 + i] = static_cast<uint8_t>(stored[i] | stored[32 + i] << 4);
  }
};

template <>
struct Tile<Q4KDown> : Tile<Q4Down> {};

/// Behind the nibbles, 16 bytes per tile: bits 2k of byte i are the upper ones of column 32 (i / 8) + 8k + i % 8.
template <>
struct Tile<Q6KDown> {
  static void read(const uint8_t* row, int64_t n_embd, int64_t tile, uint8_t* quants) {
    Tile<Q4Down>::read(row, n_embd, tile, quants);
    const uint8_t* upper = row + n_embd / 2 + tile * 16;
    for (int e = 0; e < 64; ++e) quants[e] |= (upper[e / 32 * 8 + e % 8] >> (e % 32 / 8 * 2) & 3) << 4;
  }
  static void write(uint8_t* row, int64_t n_embd, int64_t tile, const uint8_t* stored) {
    uint8_t lower[64];
    for (int i = 0; i < 64; ++i) lower[i] = stored[i] & 15;
    Tile<Q4Down>::write(row, n_embd, tile, lower);
    uint8_t* upper = row + n_embd / 2 + tile * 16;
    for (int i = 0; i < 4; ++i, stored += 16) {
      uint32_t bits = 0;
      for (int k = 0; k < 4; ++k) bits |= (load_dword(stored + 4 * k) >> 4 & 0x03030303) << (2 * k);
      std::memcpy(upper + 4 * i, &bits, sizeof bits);
    }
  }
};

/// One block of a row of the file: kGroup neighbouring neurons at one column. `first` is a multiple of 32.
template <class Format>
struct FileBlock;

template <>
struct FileBlock<Q8Down> {  // f16 d; int8 quants[32]
  static constexpr int64_t kBytes = 34;
  static void read(const uint8_t* block, int, uint8_t* quants) {
    std::memcpy(quants, block + 2, 32);
  }
  static void write(uint8_t* block, int, const uint8_t* quants) {
    std::memcpy(block + 2, quants, 32);
  }
  static void read_scales(const uint8_t* block, int64_t, int64_t column, uint8_t* planes) {
    std::memcpy(planes + 2 * column, block, 2);
  }
  static void write_scales(uint8_t* block, int64_t, int64_t column, const uint8_t* planes) {
    std::memcpy(block, planes + 2 * column, 2);
  }
};

template <>
struct FileBlock<Q4Down> {  // f16 d; nibbles[16]
  static constexpr int64_t kBytes = 18;
  static void read(const uint8_t* block, int, uint8_t* quants) {
    for (int j = 0; j < 16; ++j) {
      quants[j] = block[2 + j] & 15;
      quants[16 + j] = block[2 + j] >> 4;
    }
  }
  static void write(uint8_t* block, int, const uint8_t* quants) {
    for (int j = 0; j < 16; ++j) block[2 + j] = static_cast<uint8_t>(quants[j] | quants[16 + j] << 4);
  }
  static void read_scales(const uint8_t* block, int64_t, int64_t column, uint8_t* planes) {
    std::memcpy(planes + 2 * column, block, 2);
  }
  static void write_scales(uint8_t* block, int64_t, int64_t column, const uint8_t* planes) {
    std::memcpy(block, planes + 2 * column, 2);
  }
};

template <>
struct FileBlock<Q4KDown> {  // f16 d, dmin; scales[12]; nibbles[4][32]
  static constexpr int64_t kBytes = 144;
  static void read(const uint8_t* block, int first, uint8_t* quants) {
    const uint8_t* nibbles = block + 16 + first / 64 * 32;
    for (int j = 0; j < 32; ++j) quants[j] = first % 64 == 0 ? nibbles[j] & 15 : nibbles[j] >> 4;
  }
  static void write(uint8_t* block, int first, const uint8_t* quants) {
    uint8_t* nibbles = block + 16 + first / 64 * 32;
    for (int j = 0; j < 32; ++j) {
      const int both = first % 64 == 0 ? (nibbles[j] & 0xf0) | quants[j] : (nibbles[j] & 15) | quants[j] << 4;
      nibbles[j] = static_cast<uint8_t>(both);
    }
  }
  static void read_scales(const uint8_t* block, int64_t n_embd, int64_t column, uint8_t* planes) {
    std::memcpy(planes + 2 * column, block, 2);
    std::memcpy(planes + 2 * (n_embd + column), block + 2, 2);
    for (int i = 0; i < 12; ++i) planes[(4 + i) * n_embd + column] = block[4 + i];
  }
  static void write_scales(uint8_t* block, int64_t n_embd, int64_t column, const uint8_t* planes) {
    std::memcpy(block, planes + 2 * column, 2);
    std::memcpy(block + 2, planes + 2 * (n_embd + column), 2);
    for (int i = 0; i < 12; ++i) block[4 + i] = planes[(4 + i) * n_embd + column];
  }
};

template <>
struct FileBlock<Q6KDown> {  // nibbles[2][64], upper bits[2][32], int8 scales[16], f16 d
  static constexpr int64_t kBytes = 210;
  static void read(const uint8_t* block, int first, uint8_t* quants) {
    const int part = first % 128 / 32;
    const uint8_t* nibbles = block + first / 128 * 64 + part % 2 * 32;
    const uint8_t* upper = block + 128 + first / 128 * 32;
    for (int j = 0; j < 32; ++j) {
      const int lower = part < 2 ? nibbles[j] & 15 : nibbles[j] >> 4;
      quants[j] = static_cast<uint8_t>(lower | (upper[j] >> (2 * part) & 3) << 4);
    }
  }
  static void write(uint8_t* block, int first, const uint8_t* quants) {
    const int part = first % 128 / 32;
    uint8_t* nibbles = block + first / 128 * 64 + part % 2 * 32;
    uint8_t* upper = block + 128 + first / 128 * 32;
    for (int j = 0; j < 32; ++j) {
      const int lower = quants[j] & 15;
      nibbles[j] = static_cast<uint8_t>(part < 2 ? (nibbles[j] & 0xf0) | lower : (nibbles[j] & 15) | lower << 4);
      upper[j] = static_cast<uint8_t>((upper[j] & ~(3 << (2 * part))) | quants[j] >> 4 << (2 * part));
    }
  }
  static void read_scales(const uint8_t* block, int64_t n_embd, int64_t column, uint8_t* planes) {
    std::memcpy(planes + 2 * column, block + 208, 2);
    for (int i = 0; i < 16; ++i) planes[(2 + i) * n_embd + column] = block[192 + i];
  }
  static void write_scales(uint8_t* block, int64_t n_embd, int64_t column, const uint8_t* planes) {
    std::memcpy(block + 208, planes + 2 * column, 2);
    for (int i = 0; i < 16; ++i) block[192 + i] = planes[(2 + i) * n_embd + column];
  }
};

}  // namespace

}  // namespace hotpath::hotcold
