// Packing, sizes, prefetching and the last addition: the same for every instruction set.
#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "hotcold/kernels/down_common.h"
#include "hotcold/kernels/down_tile.h"
#include "hotcold/kernels/down_values.h"

#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace hotpath::hotcold {

namespace {

constexpr size_t round_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

void prefetch_lines(const uint8_t* begin, int64_t bytes) {
#if defined(__GNUC__) || defined(__clang__)
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(begin + i);
#elif defined(_M_X64)
  for (int64_t i = 0; i < bytes; i += 64) _mm_prefetch(reinterpret_cast<const char*>(begin + i), _MM_HINT_T0);
#else
  for (int64_t i = 0; i < bytes; i += 64) __prefetch(begin + i);
#endif
}

/// The processor follows a row by itself once it has seen its beginning; asking for more fills the queue of the memory.
constexpr int64_t kPrefetchBytes = 512;

size_t partial_floats(int64_t n_embd) { return static_cast<size_t>(n_embd + 15) / 16 * 16; }

void finish(const float* partials, int64_t n_partials, size_t partial_stride, int64_t, int64_t first, int64_t count,
            float* y) {
  std::fill_n(y + first, count, 0.0f);
  for (int64_t p = 0; p < n_partials; ++p) {
    const float* partial = partials + static_cast<size_t>(p) * partial_stride;
    for (int64_t e = first; e < first + count; ++e) y[e] += partial[e];
  }
}

/// Exchanges the upper half of each field of 2 * `bits` in `a` with the lower half in `b`; `mask` has the lower halves.
void exchange(uint64_t& a, uint64_t& b, int bits, uint64_t mask) {
  const uint64_t differing = (a >> bits ^ b) & mask;
  a ^= differing << bits;
  b ^= differing;
}

/// In squares of 8 x 8 bytes, each in eight registers: a byte at a time, this is most of what loading a model takes.
void transpose(const uint8_t (&from)[kTile][32], uint8_t (&to)[32][kTile]) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t rows[8];
  for (int row = 0; row < kTile; row += 8) {
    for (int column = 0; column < 32; column += 8) {
      for (int i = 0; i < 8; ++i) std::memcpy(&rows[i], &from[row + i][column], 8);
      for (const int i : {0, 1, 2, 3}) exchange(rows[i], rows[i + 4], 32, 0x00000000ffffffff);
      for (const int i : {0, 1, 4, 5}) exchange(rows[i], rows[i + 2], 16, 0x0000ffff0000ffff);
      for (const int i : {0, 2, 4, 6}) exchange(rows[i], rows[i + 1], 8, 0x00ff00ff00ff00ff);
      for (int i = 0; i < 8; ++i) std::memcpy(&to[column + i][row], &rows[i], 8);
    }
  }
}

/// Quants whose scales run across the neurons.
template <class Format>
struct AcrossStorage {
  using File = FileBlock<Format>;

  static size_t group_bytes(int64_t n_embd) { return static_cast<size_t>(quantised_group_bytes<Format>(n_embd)); }

  static void pack(const void* source, size_t stride, int64_t n_embd, int64_t first_group, int64_t n_groups, void* packed) {
    const uint8_t* blocks = static_cast<const uint8_t*>(source) + first_group * File::kBytes;
    for (int64_t tile = 0; tile < n_embd / kTile; ++tile, blocks += kTile * stride) {
      for (int64_t group = 0; group < n_groups; ++group) {
        pack_tile(blocks + group * File::kBytes, stride, n_embd, tile, static_cast<uint8_t*>(packed) + group * group_bytes(n_embd));
      }
    }
  }

  /// `first`: the group's block of the tile's first column.
  static void pack_tile(const uint8_t* first, size_t stride, int64_t n_embd, int64_t tile, uint8_t* planes) {
    uint8_t* rows = planes + Format::planes_bytes(n_embd);
    for (int64_t i = 0; i < kTile; ++i) File::read_scales(first + i * stride, n_embd, tile * kTile + i, planes);
    uint8_t columns[kTile][32], neurons[32][kTile];
    for (int part = 0; part < Format::kGroup; part += 32) {
      for (int i = 0; i < kTile; ++i) File::read(first + (i / 32 * 32 + tile_column(i % 32)) * stride, part, columns[i]);
      transpose(columns, neurons);
      for (int j = 0; j < 32; ++j) Tile<Format>::write(rows + (part + j) * Format::row_bytes(n_embd), n_embd, tile, neurons[j]);
    }
  }

  static void unpack(const void* packed, int64_t n_embd, int64_t group, void* matrix, size_t stride) {
    const auto* planes = static_cast<const uint8_t*>(packed);
    const uint8_t* rows = planes + Format::planes_bytes(n_embd);
    uint8_t* blocks = static_cast<uint8_t*>(matrix) + group * File::kBytes;
    uint8_t quants[kTile][32], column[kTile];
    for (int64_t tile = 0; tile < n_embd / kTile; ++tile) {
      uint8_t* first = blocks + static_cast<size_t>(tile * kTile) * stride;
      for (int64_t i = 0; i < kTile; ++i) {
        File::write_scales(first + static_cast<size_t>(i) * stride, n_embd, tile * kTile + i, planes);
      }
      for (int part = 0; part < Format::kGroup; part += 32) {
        for (int j = 0; j < 32; ++j) {
          Tile<Format>::read(rows + (part + j) * Format::row_bytes(n_embd), n_embd, tile, column);
          for (int64_t i = 0; i < kTile; ++i) quants[i][j] = column[i];
        }
        for (int64_t i = 0; i < kTile; ++i) File::write(first + static_cast<size_t>(i) * stride, part, quants[i]);
      }
    }
  }

  static void prefetch(const DownMatrix& down, int64_t group, const int32_t* active, int64_t n_active) {
    const uint8_t* planes = down.data + static_cast<size_t>(group) * down.group_stride;
    const int64_t row = Format::row_bytes(down.n_embd);
    prefetch_lines(planes, std::min(kPrefetchBytes, Format::planes_bytes(down.n_embd)));
    if (Format::kBlock == Format::kGroup && n_active == Format::kGroup) n_active = kRowsTogether;  // reads on by itself
    for (int64_t i = 0; i < n_active; ++i) {
      prefetch_lines(planes + Format::planes_bytes(down.n_embd) + active[i] * row, std::min(kPrefetchBytes, row));
    }
  }

  static size_t values_bytes(int64_t n_groups) {
    return round_up(static_cast<size_t>(n_groups * (Format::kGroup / Format::kBlock)) * sizeof(QuantisedBlock));
  }

  static void pack_values(const float* values, int64_t n_groups, void* packed) {
    auto* blocks = static_cast<QuantisedBlock*>(packed);
    int32_t active[Format::kGroup];
    for (int64_t g = 0; g < n_groups; ++g, values += Format::kGroup, blocks += Format::kGroup / Format::kBlock) {
      int64_t n_active = 0;
      for (int32_t j = 0; j < Format::kGroup; ++j) {
        active[n_active] = j;
        n_active += values[j] != 0.0f;
      }
      if constexpr (Format::kGroup == 32) {
        quantise_q8_0(values, active, n_active, blocks);
      } else {
        quantise_q8_k(values, active, n_active, Format::kBlock, blocks);
      }
    }
  }

  static constexpr DownKernels kernels() {
    return {.type = Format::kType, .isa = Isa::generic, .scales = DownScales::across_neurons, .group = Format::kGroup,
            .embd_multiple = kTile, .group_bytes = group_bytes, .pack = pack, .unpack = unpack,
            .partial_floats = partial_floats, .accumulate = nullptr, .prefetch = prefetch, .finish = finish,
            .values_bytes = values_bytes, .pack_values = pack_values, .multiply = nullptr,
            .multiply_scratch_bytes = nullptr};
  }
};

/// Rows that are stored as ggml has them, one neuron after the other. `kBits` of a float or of a quant with f16 scales.
template <ggml_type kType, int kBits, bool kScaled>
struct RowStorage {
  static int64_t row_bytes(int64_t n_embd) {
    return kScaled ? along_row_bytes(n_embd, kBits) : n_embd * kBits / 8;
  }
  static size_t group_bytes(int64_t n_embd) { return static_cast<size_t>(kFloatGroup * row_bytes(n_embd)); }

  static void pack(const void* source, size_t stride, int64_t n_embd, int64_t first_group, int64_t n_groups, void* packed) {
    for (int64_t j = 0; j < n_groups * kFloatGroup; ++j) {
      const uint8_t* from = static_cast<const uint8_t*>(source) + static_cast<size_t>(first_group * kFloatGroup + j) * stride;
      uint8_t* row = static_cast<uint8_t*>(packed) + j * row_bytes(n_embd);
      if constexpr (kScaled) {
        uint8_t* quants = row + n_embd / 16;
        std::memset(row, 0, static_cast<size_t>(row_bytes(n_embd)));
        for (int64_t b = 0; b < n_embd / 32; ++b, from += 2 + kBits * 4) {
          std::memcpy(row + 2 * b, from, 2);
          std::memcpy(quants + b * kBits * 4, from + 2, kBits * 4);
        }
      } else {
        std::memcpy(row, from, static_cast<size_t>(row_bytes(n_embd)));
      }
    }
  }

  static void unpack(const void* packed, int64_t n_embd, int64_t group, void* matrix, size_t stride) {
    for (int64_t j = 0; j < kFloatGroup; ++j) {
      const uint8_t* row = static_cast<const uint8_t*>(packed) + j * row_bytes(n_embd);
      uint8_t* to = static_cast<uint8_t*>(matrix) + static_cast<size_t>(group * kFloatGroup + j) * stride;
      if constexpr (kScaled) {
        const uint8_t* quants = row + n_embd / 16;
        for (int64_t b = 0; b < n_embd / 32; ++b, to += 2 + kBits * 4) {
          std::memcpy(to, row + 2 * b, 2);
          std::memcpy(to + 2, quants + b * kBits * 4, kBits * 4);
        }
      } else {
        std::memcpy(to, row, static_cast<size_t>(row_bytes(n_embd)));
      }
    }
  }

  /// Tile by tile, or each value would be written into another line of the cache.
  static void pack_across(const void* source, size_t stride, int64_t n_embd, int64_t first_group, int64_t n_groups, void* packed) {
    using Value = std::conditional_t<kBits == 32, uint32_t, uint16_t>;
    Value column[kFloatGroup], neurons[kFloatGroup][kTile];
    for (int64_t tile = 0; tile < n_embd / kTile; ++tile) {
      for (int64_t group = 0; group < n_groups; ++group) {
        const uint8_t* from = static_cast<const uint8_t*>(source) + tile * kTile * stride + (first_group + group) * sizeof column;
        for (int64_t e = 0; e < kTile; ++e, from += stride) {
          std::memcpy(column, from, sizeof column);
          for (int64_t j = 0; j < kFloatGroup; ++j) neurons[j][e] = column[j];
        }
        uint8_t* to = static_cast<uint8_t*>(packed) + group * group_bytes(n_embd) + tile * sizeof neurons[0];
        for (int64_t j = 0; j < kFloatGroup; ++j) std::memcpy(to + j * row_bytes(n_embd), neurons[j], sizeof neurons[j]);
      }
    }
  }

  static void unpack_across(const void* packed, int64_t n_embd, int64_t group, void* matrix, size_t stride) {
    constexpr int64_t kBytes = kBits / 8;
    uint8_t* to = static_cast<uint8_t*>(matrix) + group * kFloatGroup * kBytes;
    for (int64_t e = 0; e < n_embd; ++e, to += stride) {
      const uint8_t* from = static_cast<const uint8_t*>(packed) + e * kBytes;
      for (int64_t j = 0; j < kFloatGroup; ++j) std::memcpy(to + j * kBytes, from + j * row_bytes(n_embd), kBytes);
    }
  }

  static void prefetch(const DownMatrix& down, int64_t group, const int32_t* active, int64_t n_active) {
    const uint8_t* rows = down.data + static_cast<size_t>(group) * down.group_stride;
    const int64_t row = row_bytes(down.n_embd);
    for (int64_t i = 0; i < n_active; ++i) prefetch_lines(rows + active[i] * row, std::min(kPrefetchBytes, row));
  }

  static size_t values_bytes(int64_t n_groups) { return round_up(static_cast<size_t>(n_groups) * sizeof(FloatBlock)); }

  static void pack_values(const float* values, int64_t n_groups, void* packed) {
    auto* blocks = static_cast<FloatBlock*>(packed);
    for (int64_t g = 0; g < n_groups; ++g, values += kFloatGroup) {
      blocks[g] = {};
      std::memcpy(blocks[g].values, values, sizeof blocks[g].values);
      for (int j = 0; j < kFloatGroup; ++j) blocks[g].active |= values[j] != 0.0f ? 1u << j : 0u;
    }
  }

  static constexpr DownKernels kernels(DownScales scales) {
    const bool across = scales == DownScales::across_neurons;
    return {.type = kType, .isa = Isa::generic, .scales = scales, .group = kFloatGroup, .embd_multiple = kTile,
            .group_bytes = group_bytes, .pack = across ? pack_across : pack,
            .unpack = across ? unpack_across : unpack, .partial_floats = partial_floats, .accumulate = nullptr,
            .prefetch = prefetch, .finish = finish, .values_bytes = values_bytes, .pack_values = pack_values,
            .multiply = nullptr, .multiply_scratch_bytes = nullptr};
  }
};

}  // namespace

std::optional<DownKernels> down_storage(ggml_type type, DownScales scales) {
  const bool across = scales == DownScales::across_neurons;
  switch (type) {
    case GGML_TYPE_F32: return RowStorage<GGML_TYPE_F32, 32, false>::kernels(scales);
    case GGML_TYPE_F16: return RowStorage<GGML_TYPE_F16, 16, false>::kernels(scales);
    case GGML_TYPE_BF16: return RowStorage<GGML_TYPE_BF16, 16, false>::kernels(scales);
    case GGML_TYPE_Q8_0:
      return across ? AcrossStorage<Q8Down>::kernels() : RowStorage<GGML_TYPE_Q8_0, 8, true>::kernels(scales);
    case GGML_TYPE_Q4_0:
      return across ? AcrossStorage<Q4Down>::kernels() : RowStorage<GGML_TYPE_Q4_0, 4, true>::kernels(scales);
    case GGML_TYPE_Q4_K: return across ? std::optional(AcrossStorage<Q4KDown>::kernels()) : std::nullopt;
    case GGML_TYPE_Q6_K: return across ? std::optional(AcrossStorage<Q6KDown>::kernels()) : std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace hotpath::hotcold
