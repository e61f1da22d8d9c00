// How rows of weights lie in device memory, and how a thread reads its part of one. Packing only moves bytes: where ggml
// puts a scale beside each block of quants, we put all quants of a row first and its scales behind, so that a thread's 16
// bytes of quants are aligned. Compiles as CUDA and as plain C++: the everyday tests run these functions on the host.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define HOTPATH_HD __host__ __device__ __forceinline__
#else
#define HOTPATH_HD inline
#endif

#if defined(__CUDA_ARCH__)
#include <cuda_fp16.h>
#endif

namespace hotpath::cuda {

/// ggml's numbers.
enum Type { kF16 = 1, kQ4_0 = 2, kQ8_0 = 8, kQ4_K = 12, kQ6_K = 14, kBF16 = 30 };

struct Bytes16 {
  uint32_t word[4];
};

HOTPATH_HD Bytes16 load16(const uint8_t* address) {
#if defined(__CUDA_ARCH__)
  const uint4 value = __ldg(reinterpret_cast<const uint4*>(address));
  return {{value.x, value.y, value.z, value.w}};
#else
  Bytes16 value;
  std::memcpy(&value, address, sizeof value);
  return value;
#endif
}

HOTPATH_HD uint32_t load2(const uint8_t* address) {
#if defined(__CUDA_ARCH__)
  return __ldg(reinterpret_cast<const uint16_t*>(address));
#else
  uint16_t value;
  std::memcpy(&value, address, sizeof value);
  return value;
#endif
}

HOTPATH_HD uint32_t byte_of(uint32_t word, int index) { return (word >> (8 * index)) & 0xffu; }

HOTPATH_HD float float_from_bits(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
#endif
}

HOTPATH_HD float float_from_half(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __half2float(__ushort_as_half(static_cast<unsigned short>(bits)));
#else
  const uint32_t sign = (bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 31;
  const uint32_t fraction = bits & 0x3ffu;
  if (exponent == 31) return float_from_bits(sign | 0x7f800000u | fraction << 13);
  if (exponent > 0) return float_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
  const float subnormal = static_cast<float>(fraction) * 5.9604644775390625e-8f;  // 2^-24
  return sign ? -subnormal : subnormal;
#endif
}

/// value - offset for a small integer, by its place in the fraction of 2^23: GPUs convert integers at an eighth of the
/// rate at which they add.
HOTPATH_HD float float_from_small(uint32_t value, int offset) {
  return float_from_bits(0x4b000000u | value) - static_cast<float>(8388608 + offset);
}

// A format says: a thread's step is one *chunk*, kRuns runs of kRun neighbouring weights; run 0 begins at `column(chunk)`,
// run 1 kGap columns further. `decode` writes the weights of both. n_cols is a multiple of kRun * kRuns and of `kBlock`.

struct F16Rows {
  static constexpr int kRun = 8, kRuns = 1, kGap = 0, kBlock = 8;
  HOTPATH_HD static int64_t bytes(int64_t n_cols) { return 2 * n_cols; }
  HOTPATH_HD static int column(int chunk) { return 8 * chunk; }
  HOTPATH_HD static void decode(const uint8_t* row, int /*n_cols*/, int chunk, float* w) {
    const Bytes16 b = load16(row + 16 * chunk);
    for (int i = 0; i < 8; ++i) w[i] = float_from_half((b.word[i / 2] >> (16 * (i % 2))) & 0xffffu);
  }
};

struct BF16Rows {
  static constexpr int kRun = 8, kRuns = 1, kGap = 0, kBlock = 8;
  HOTPATH_HD static int64_t bytes(int64_t n_cols) { return 2 * n_cols; }
  HOTPATH_HD static int column(int chunk) { return 8 * chunk; }
  HOTPATH_HD static void decode(const uint8_t* row, int /*n_cols*/, int chunk, float* w) {
    const Bytes16 b = load16(row + 16 * chunk);
    for (int i = 0; i < 8; ++i) w[i] = float_from_bits((b.word[i / 2] >> (16 * (i % 2))) << 16);
  }
};

struct Q8_0Rows {  // n_cols quants, then a scale per 32
  static constexpr int kRun = 16, kRuns = 1, kGap = 0, kBlock = 32;
  HOTPATH_HD static int64_t bytes(int64_t n_cols) { return n_cols + n_cols / 16; }
  HOTPATH_HD static int column(int chunk) { return 16 * chunk; }
  HOTPATH_HD static void decode(const uint8_t* row, int n_cols, int chunk, float* w) {
    const Bytes16 b = load16(row + 16 * chunk);
    const float scale = float_from_half(load2(row + n_cols + 2 * (chunk / 2)));
    for (int i = 0; i < 16; ++i) w[i] = scale * float_from_small(byte_of(b.word[i / 4], i % 4) ^ 0x80u, 128);
  }
};

struct Q4_0Rows {  // n_cols / 2 bytes of quants, then a scale per 32
  static constexpr int kRun = 16, kRuns = 2, kGap = 16, kBlock = 32;
  HOTPATH_HD static int64_t bytes(int64_t n_cols) { return n_cols / 2 + n_cols / 16; }
  HOTPATH_HD static int column(int chunk) { return 32 * chunk; }
  HOTPATH_HD static void decode(const uint8_t* row, int n_cols, int chunk, float* w) {
    const Bytes16 b = load16(row + 16 * chunk);
    const float scale = float_from_half(load2(row + n_cols / 2 + 2 * chunk));
    for (int i = 0; i < 16; ++i) {
      const uint32_t pair = byte_of(b.word[i / 4], i % 4);
      w[i] = scale * float_from_small(pair & 15u, 8);
      w[16 + i] = scale * float_from_small(pair >> 4, 8);
    }
  }
};

struct Q4_KRows {  // ggml's blocks of 144 bytes as they are: two scales, 8 scales and 8 minima of 6 bit, 128 bytes of quants
  static constexpr int kRun = 16, kRuns = 2, kGap = 32, kBlock = 256;
  HOTPATH_HD static int64_t bytes(int64_t n_cols) { return n_cols / 256 * 144; }
  HOTPATH_HD static int column(int chunk) { return chunk / 8 * 256 + chunk / 2 % 4 * 64 + chunk % 2 * 16; }

  /// The 6-bit scale (or minimum, `low` of 4 bytes further) of the 32 weights `index`.
  HOTPATH_HD static uint32_t packed6(const Bytes16& head, int index, int is_minimum) {
    const uint32_t low = head.word[1 + is_minimum];
    const uint32_t high = head.word[3];
    if (index < 4) return byte_of(low, index) & 63u;
    const uint32_t nibble = is_minimum ? byte_of(high, index - 4) >> 4 : byte_of(high, index - 4) & 15u;
    return nibble | (byte_of(low, index - 4) >> 6) << 4;
  }

  HOTPATH_HD static void decode(const uint8_t* row, int /*n_cols*/, int chunk, float* w) {
    const uint8_t* block = row + 144 * (chunk / 8);
    const int pair_of_32 = chunk / 2 % 4;
    const Bytes16 head = load16(block);
    const Bytes16 b = load16(block + 16 + 32 * pair_of_32 + 16 * (chunk % 2));
    const float d = float_from_half(head.word[0] & 0xffffu);
    const float d_min = float_from_half(head.word[0] >> 16);
    for (int run = 0; run < 2; ++run) {
      const int index = 2 * pair_of_32 + run;
      const float scale = d * static_cast<float>(packed6(head, index, 0));
      const float minimum = d_min * static_cast<float>(packed6(head, index, 1));
      for (int i = 0; i < 16; ++i) {
        w[16 * run + i] = scale * float_from_small((byte_of(b.word[i / 4], i % 4) >> (4 * run)) & 15u, 0) - minimum;
      }
    }
  }
};

struct Q6_KRows {  // per row: the low 4 bits (128 bytes per block of 256), the high 2 bits (64), 16 scales, one scale of them
  static constexpr int kRun = 16, kRuns = 2, kGap = 64, kBlock = 256;
  HOTPATH_HD static int64_t bytes(int64_t n_cols) { return n_cols / 256 * 210; }
  HOTPATH_HD static int column(int chunk) { return chunk / 4 * 128 + chunk / 2 % 2 * 32 + chunk % 2 * 16; }

  HOTPATH_HD static void decode(const uint8_t* row, int n_cols, int chunk, float* w) {
    const int half = chunk / 4;        // of a block: 128 weights, in whose bytes those at l, l + 32, l + 64, l + 96 meet
    const int second = chunk / 2 % 2;  // the runs in the columns from 32 and 96, else from 0 and 64
    const int sixteen = chunk % 2;
    const Bytes16 low = load16(row + 16 * chunk);
    const Bytes16 high = load16(row + n_cols / 2 + 32 * half + 16 * sixteen);
    const uint8_t* scales = row + n_cols / 4 * 3 + 8 * half + 2 * second + sixteen;
    const float d = float_from_half(load2(row + n_cols / 4 * 3 + n_cols / 16 + 2 * (chunk / 8)));
    for (int run = 0; run < 2; ++run) {
      const float scale = d * static_cast<float>(static_cast<int8_t>(scales[4 * run]));
      for (int i = 0; i < 16; ++i) {
        const uint32_t four = (byte_of(low.word[i / 4], i % 4) >> (4 * run)) & 15u;
        const uint32_t two = (byte_of(high.word[i / 4], i % 4) >> (4 * run + 2 * second)) & 3u;
        w[16 * run + i] = scale * float_from_small(four | two << 4, 32);
      }
    }
  }
};

/// Calls use(Format{}) with the format of the type; false when there is none.
template <typename Use>
bool with_format(int type, Use use) {
  switch (type) {
    case kF16: use(F16Rows{}); return true;
    case kBF16: use(BF16Rows{}); return true;
    case kQ8_0: use(Q8_0Rows{}); return true;
    case kQ4_0: use(Q4_0Rows{}); return true;
    case kQ4_K: use(Q4_KRows{}); return true;
    case kQ6_K: use(Q6_KRows{}); return true;
    default: return false;
  }
}

/// From one row to the next: each begins at a multiple of 16. 0 when the type or width has no kernels.
inline int64_t row_stride(int type, int64_t n_cols) {
  int64_t stride = 0;
  with_format(type, [&](auto format) {
    if (n_cols % format.kBlock == 0 && n_cols % 32 == 0) stride = (format.bytes(n_cols) + 15) / 16 * 16;
  });
  return stride;
}

/// Bytes of the row in ggml's layout: the same, without our padding.
inline int64_t source_bytes(int type, int64_t n_cols) {
  int64_t bytes = 0;
  with_format(type, [&](auto format) { bytes = format.bytes(n_cols); });
  return bytes;
}

/// x in the order in which the threads of a warp read it: the first four inputs of every chunk, then the next four, so that
/// neighbouring threads read neighbouring memory.
inline void arrange_inputs(int type, const float* x, int64_t n_cols, float* arranged) {
  with_format(type, [&](auto format) {
    constexpr int kWeights = format.kRun * format.kRuns;
    const int n_chunks = static_cast<int>(n_cols) / kWeights;
    for (int chunk = 0; chunk < n_chunks; ++chunk) {
      for (int i = 0; i < kWeights; i += 4) {
        const float* from = x + format.column(chunk) + i / format.kRun * format.kGap + i % format.kRun;
        std::memcpy(arranged + (i / 4 * n_chunks + chunk) * 4, from, 4 * sizeof(float));
      }
    }
  });
}

inline void pack_row(int type, const uint8_t* source, int64_t n_cols, uint8_t* packed) {
  if (type == kQ8_0 || type == kQ4_0) {
    const int64_t quants = type == kQ8_0 ? 32 : 16;
    uint8_t* scales = packed + n_cols / 32 * quants;
    for (int64_t i = 0; i < n_cols / 32; ++i) {
      std::memcpy(scales + 2 * i, source + i * (2 + quants), 2);
      std::memcpy(packed + i * quants, source + i * (2 + quants) + 2, quants);
    }
  } else if (type == kQ6_K) {
    const int64_t n_blocks = n_cols / 256;
    for (int64_t i = 0; i < n_blocks; ++i) {
      const uint8_t* block = source + 210 * i;
      std::memcpy(packed + 128 * i, block, 128);
      std::memcpy(packed + n_blocks * 128 + 64 * i, block + 128, 64);
      std::memcpy(packed + n_blocks * 192 + 16 * i, block + 192, 16);
      std::memcpy(packed + n_blocks * 208 + 2 * i, block + 208, 2);
    }
  } else {
    std::memcpy(packed, source, static_cast<size_t>(source_bytes(type, n_cols)));
  }
}

}  // namespace hotpath::cuda
