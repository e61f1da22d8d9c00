// NEON as the row kernels see it; meanings as in simd_avx2.h.
#pragma once

#include <arm_neon.h>
#if defined(_MSC_VER)
#include <intrin.h>
#endif

#include "hotcold/kernels/rows_layout.h"

namespace hotpath::hotcold {
namespace {

struct Neon {
  using Floats = float32x4_t;
  using Ints = int32x4_t;
  static constexpr int kWidth = 4;
  static constexpr int kRowTile = 4, kTokenTile = 4;
  static constexpr bool kUnsignedQ8 = false;

  static HOTPATH_INLINE void prefetch(const void* at) {
#if defined(_MSC_VER) && !defined(__clang__)
    __prefetch(at);
#else
    __builtin_prefetch(at);
#endif
  }

  static HOTPATH_INLINE Floats zero() { return vdupq_n_f32(0); }
  static HOTPATH_INLINE Floats load(const float* at) { return vld1q_f32(at); }
  static HOTPATH_INLINE Floats multiply(Floats a, Floats b) { return vmulq_f32(a, b); }
  static HOTPATH_INLINE Floats multiply_add(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
  static HOTPATH_INLINE Floats subtract_product(Floats c, Floats a, Floats b) { return vfmsq_f32(c, a, b); }
  static HOTPATH_INLINE float sum(Floats v) { return vaddvq_f32(v); }

  static HOTPATH_INLINE uint16x4_t load_halves(const uint8_t* at) { return vreinterpret_u16_u8(vld1_u8(at)); }
  static HOTPATH_INLINE Floats load_f16(const uint8_t* at) {
    return vcvt_f32_f16(vreinterpret_f16_u16(load_halves(at)));
  }
  static HOTPATH_INLINE Floats load_bf16(const uint8_t* at) {
    return vreinterpretq_f32_u32(vshll_n_u16(load_halves(at), 16));
  }
  static HOTPATH_INLINE Floats load_u8(const uint8_t* at) {
    uint32_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(bytes)))));
  }
  static HOTPATH_INLINE Floats load_i8(const uint8_t* at) {
    uint32_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(bytes)))));
  }
  static HOTPATH_INLINE Floats broadcast_f16(const uint8_t* at) {
    uint16_t half;
    std::memcpy(&half, at, sizeof half);
    return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half)));
  }
  static HOTPATH_INLINE Floats broadcast_f16_by_8(const uint8_t* at, int64_t lane) {
    return broadcast_f16(at + lane / 8 * 2);
  }

  static HOTPATH_INLINE Ints load_ints(const void* at) {
    return vreinterpretq_s32_u8(vld1q_u8(static_cast<const uint8_t*>(at)));
  }
  static HOTPATH_INLINE Ints zero_ints() { return vdupq_n_s32(0); }
  static HOTPATH_INLINE Floats to_floats(Ints v) { return vcvtq_f32_s32(v); }
  static HOTPATH_INLINE Ints low_nibbles(Ints v) {
    return vreinterpretq_s32_u8(vandq_u8(vreinterpretq_u8_s32(v), vdupq_n_u8(15)));
  }
  static HOTPATH_INLINE Ints high_nibbles(Ints v) {
    return vreinterpretq_s32_u8(vshrq_n_u8(vreinterpretq_u8_s32(v), 4));
  }
  template <int K>
  static HOTPATH_INLINE Ints with_upper_bits(Ints low, Ints v) {
    const uint8x16_t bytes = vreinterpretq_u8_s32(v);
    const uint8x16_t moved = K < 2 ? vshlq_n_u8(bytes, K < 2 ? 4 - 2 * K : 0)
                                   : (K == 2 ? bytes : vshrq_n_u8(bytes, K > 2 ? 2 * K - 4 : 1));
    return vorrq_s32(low, vreinterpretq_s32_u8(vandq_u8(moved, vdupq_n_u8(0x30))));
  }

  static HOTPATH_INLINE Ints prepare_q8(Ints w) { return w; }
  static HOTPATH_INLINE Ints dot_q8(Ints sums, Ints w, Ints x) {
    const int8x16_t a = vreinterpretq_s8_s32(w), b = vreinterpretq_s8_s32(x);
    const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(b)));
    const int32x4_t high = vpaddlq_s16(vmull_s8(vget_high_s8(a), vget_high_s8(b)));
    return vaddq_s32(sums, vpaddq_s32(low, high));
  }
  static HOTPATH_INLINE Ints dot_pair(Ints sums, const Ints (&w)[2], const Ints (&x)[2]) {
    return dot_q8(dot_q8(sums, w[0], x[0]), w[1], x[1]);
  }
};

}  // namespace
}  // namespace hotpath::hotcold
