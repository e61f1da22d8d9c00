// Packing of rows: from the blocks of a GGUF file to the order of rows_layout.h, and back without a bit lost.
#include "hotcold/kernels/rows_layout.h"
#include "hotcold/kernels/rows_table.h"

namespace hotpath::hotcold {

namespace {

/// One block of a file taken apart: unsigned quants in order of columns, and the bytes of its scales as they lie in the
/// record of a chunk. `File<Format>` converts between that and the file's bytes.
template <class Format>
struct File;

/// d, then quants: Q8_0 and Q4_0, of which a chunk's record holds only d.
template <class Format>
struct SmallBlock {
  static constexpr size_t kBytes = 2 + Format::kLaneBytes;

  static void scales_to_record(const uint8_t* block, uint8_t* record, int64_t lane) {
    std::memcpy(record + 2 * lane, block, 2);
  }
  static void scales_from_record(const uint8_t* record, int64_t lane, uint8_t* block) {
    std::memcpy(block, record + 2 * lane, 2);
  }
};

template <>
struct File<Q8_0> : SmallBlock<Q8_0> {
  static void take_apart(const uint8_t* block, uint8_t* values) {
    for (int i = 0; i < 32; ++i) values[i] = block[2 + i] ^ 0x80;
  }
  static void put_together(const uint8_t* values, uint8_t* block) {
    for (int i = 0; i < 32; ++i) block[2 + i] = values[i] ^ 0x80;
  }
};

template <>
struct File<Q4_0> : SmallBlock<Q4_0> {
  static void take_apart(const uint8_t* block, uint8_t* values) {
    for (int i = 0; i < 16; ++i) {
      values[i] = block[2 + i] & 15;
      values[16 + i] = block[2 + i] >> 4;
    }
  }
  static void put_together(const uint8_t* values, uint8_t* block) {
    for (int i = 0; i < 16; ++i) block[2 + i] = static_cast<uint8_t>(values[i] | values[16 + i] << 4);
  }
};

/// d, dmin, 12 bytes with 8 scales and 8 minima of 6 bits, 128 bytes of nibbles.
template <>
struct File<Q4_K> {
  static constexpr size_t kBytes = 144, kPackedScalesAt = 4, kQuantsAt = 16;

  static void take_apart(const uint8_t* block, uint8_t* values) {
    for (int pair = 0; pair < 4; ++pair) {
      for (int i = 0; i < 32; ++i) {
        const uint8_t both = block[kQuantsAt + 32 * pair + i];
        values[64 * pair + i] = both & 15;
        values[64 * pair + 32 + i] = both >> 4;
      }
    }
  }
  static void put_together(const uint8_t* values, uint8_t* block) {
    for (int pair = 0; pair < 4; ++pair) {
      for (int i = 0; i < 32; ++i) {
        block[kQuantsAt + 32 * pair + i] =
            static_cast<uint8_t>(values[64 * pair + i] | values[64 * pair + 32 + i] << 4);
      }
    }
  }

  /// The first four scales and minima fill 6 bits of the bytes 0 to 7; the upper two bits there belong to the last four,
  /// whose lower four share the bytes 8 to 11.
  static void scales_to_record(const uint8_t* block, uint8_t* record, int64_t lane) {
    const uint8_t* packed = block + kPackedScalesAt;
    uint8_t* scales = record + lane;
    uint8_t* minima = record + Q4_K::kMinimaAt + lane;
    for (int i = 0; i < 4; ++i) {
      scales[i] = packed[i] & 63;
      minima[i] = packed[4 + i] & 63;
      scales[4 + i] = static_cast<uint8_t>((packed[8 + i] & 15) | packed[i] >> 6 << 4);
      minima[4 + i] = static_cast<uint8_t>(packed[8 + i] >> 4 | packed[4 + i] >> 6 << 4);
    }
    std::memcpy(record + Q4_K::kDAt + lane / 8 * 2, block, 2);
    std::memcpy(record + Q4_K::kDMinAt + lane / 8 * 2, block + 2, 2);
  }
  static void scales_from_record(const uint8_t* record, int64_t lane, uint8_t* block) {
    uint8_t* packed = block + kPackedScalesAt;
    const uint8_t* scales = record + lane;
    const uint8_t* minima = record + Q4_K::kMinimaAt + lane;
    for (int i = 0; i < 4; ++i) {
      packed[i] = static_cast<uint8_t>(scales[i] | scales[4 + i] >> 4 << 6);
      packed[4 + i] = static_cast<uint8_t>(minima[i] | minima[4 + i] >> 4 << 6);
      packed[8 + i] = static_cast<uint8_t>((scales[4 + i] & 15) | minima[4 + i] << 4);
    }
    std::memcpy(block, record + Q4_K::kDAt + lane / 8 * 2, 2);
    std::memcpy(block + 2, record + Q4_K::kDMinAt + lane / 8 * 2, 2);
  }
};

/// 128 bytes of low nibbles, 64 of upper bits, 16 scales, d. Either half of the block has its four groups of 32 columns
/// in the low and the high nibbles of the same 64 bytes.
template <>
struct File<Q6_K> {
  static constexpr size_t kBytes = 210, kUpperAt = 128, kScalesAt = 192;

  static void take_apart(const uint8_t* block, uint8_t* values) {
    for (int half = 0; half < 2; ++half, values += 128) {
      const uint8_t* nibbles = block + half * 64;
      const uint8_t* upper = block + kUpperAt + half * 32;
      for (int i = 0; i < 32; ++i) {
        values[i] = static_cast<uint8_t>((nibbles[i] & 15) | (upper[i] & 3) << 4);
        values[32 + i] = static_cast<uint8_t>((nibbles[32 + i] & 15) | (upper[i] >> 2 & 3) << 4);
        values[64 + i] = static_cast<uint8_t>(nibbles[i] >> 4 | (upper[i] >> 4 & 3) << 4);
        values[96 + i] = static_cast<uint8_t>(nibbles[32 + i] >> 4 | upper[i] >> 6 << 4);
      }
    }
  }
  static void put_together(const uint8_t* values, uint8_t* block) {
    std::memset(block, 0, kScalesAt);
    for (int col = 0; col < 256; ++col) {
      const Place at(col);
      block[at.nibble] |= static_cast<uint8_t>((values[col] & 15) << at.nibble_shift);
      block[at.upper] |= static_cast<uint8_t>((values[col] >> 4) << at.upper_shift);
    }
  }
  static void scales_to_record(const uint8_t* block, uint8_t* record, int64_t) {
    std::memcpy(record, block + kScalesAt, 18);
  }
  static void scales_from_record(const uint8_t* record, int64_t, uint8_t* block) {
    std::memcpy(block + kScalesAt, record, 18);
  }

 private:
  struct Place {
    int nibble, nibble_shift, upper, upper_shift;
    explicit Place(int col) {
      const int half = col / 128, group = col % 128 / 32, i = col % 32;
      nibble = half * 64 + group % 2 * 32 + i;
      nibble_shift = group / 2 * 4;
      upper = static_cast<int>(kUpperAt) + half * 32 + i;
      upper_shift = group * 2;
    }
  };
};

template <class Format>
struct QuantPacking {
  static constexpr int64_t kLanesPerBlock = Format::kBlock / Format::kLaneCols;

  static size_t row_bytes(int64_t n_cols) { return Layout<Format>(n_cols).row_bytes; }
  static size_t activation_bytes(int64_t n_cols) { return Layout<Format>(n_cols).activation_bytes; }

  static void pack(const void* source, int64_t n_cols, void* packed) {
    const Layout<Format> layout(n_cols);
    const auto* block = static_cast<const uint8_t*>(source);
    auto* row = static_cast<uint8_t*>(packed);
    std::memset(row + layout.row_scales, 0, layout.row_bytes - layout.row_scales);
    for (int64_t lane = 0; lane < n_cols / Format::kLaneCols; lane += kLanesPerBlock, block += File<Format>::kBytes) {
      const int64_t chunk = lane / kLanes;
      uint8_t values[Format::kBlock];
      File<Format>::take_apart(block, values);
      for (int64_t i = 0; i < kLanesPerBlock; ++i) {
        uint8_t* at = row + chunk * layout.kChunkBytes;
        Format::put(at, layout.width(chunk), lane % kLanes + i, values + i * Format::kLaneCols);
      }
      File<Format>::scales_to_record(block, row + layout.row_scales + chunk * Format::kScaleBytes, lane % kLanes);
    }
  }

  static void unpack(const void* packed, int64_t n_cols, void* target) {
    const Layout<Format> layout(n_cols);
    const auto* row = static_cast<const uint8_t*>(packed);
    auto* block = static_cast<uint8_t*>(target);
    for (int64_t lane = 0; lane < n_cols / Format::kLaneCols; lane += kLanesPerBlock, block += File<Format>::kBytes) {
      const int64_t chunk = lane / kLanes;
      uint8_t values[Format::kBlock];
      for (int64_t i = 0; i < kLanesPerBlock; ++i) {
        const uint8_t* at = row + chunk * layout.kChunkBytes;
        Format::get(at, layout.width(chunk), lane % kLanes + i, values + i * Format::kLaneCols);
      }
      File<Format>::put_together(values, block);
      File<Format>::scales_from_record(row + layout.row_scales + chunk * Format::kScaleBytes, lane % kLanes, block);
    }
  }

  static void fill(RowKernels& kernels) {
    kernels.block = Format::kBlock;
    kernels.row_bytes = row_bytes;
    kernels.activation_bytes = activation_bytes;
    kernels.pack = pack;
    kernels.unpack = unpack;
  }
};

template <class Format>
struct FloatPacking {
  static size_t row_bytes(int64_t n_cols) { return static_cast<size_t>(padded_cols<Format>(n_cols) * Format::kBytes); }

  static void pack(const void* source, int64_t n_cols, void* packed) {
    const auto bytes = static_cast<size_t>(n_cols * Format::kBytes);
    std::memcpy(packed, source, bytes);
    std::memset(static_cast<uint8_t*>(packed) + bytes, 0, row_bytes(n_cols) - bytes);
  }

  static void unpack(const void* packed, int64_t n_cols, void* row) {
    std::memcpy(row, packed, static_cast<size_t>(n_cols * Format::kBytes));
  }

  static void fill(RowKernels& kernels) {
    kernels.block = 1;
    kernels.row_bytes = row_bytes;
    kernels.activation_bytes = float_activation_bytes<Format>;
    kernels.pack = pack;
    kernels.unpack = unpack;
  }
};

}  // namespace

void fill_row_packing(RowKernels& kernels) {
  switch (kernels.type) {
    case GGML_TYPE_F32: return FloatPacking<F32>::fill(kernels);
    case GGML_TYPE_F16: return FloatPacking<F16>::fill(kernels);
    case GGML_TYPE_BF16: return FloatPacking<BF16>::fill(kernels);
    case GGML_TYPE_Q8_0: return QuantPacking<Q8_0>::fill(kernels);
    case GGML_TYPE_Q4_0: return QuantPacking<Q4_0>::fill(kernels);
    case GGML_TYPE_Q4_K: return QuantPacking<Q4_K>::fill(kernels);
    case GGML_TYPE_Q6_K: return QuantPacking<Q6_K>::fill(kernels);
    default: return;
  }
}

}  // namespace hotpath::hotcold
