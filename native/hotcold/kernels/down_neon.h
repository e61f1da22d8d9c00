// What the down kernels need of NEON beside simd_neon.h. `Base` is Neon or its successor with dot products.
#pragma once

#include "hotcold/kernels/down_simd.h"
#include "hotcold/kernels/down_simd_rows.h"
#include "hotcold/kernels/simd_neon.h"

namespace hotpath::hotcold {

namespace {

template <class Base>
struct DownNeon : Base {
  using Floats = float32x4_t;
  using Ints = int32x4_t;

  static HOTPATH_INLINE Ints dot(Ints sums, Ints w, Ints x) { return Base::dot_q8(sums, w, x); }

  static HOTPATH_INLINE Floats set(float value) { return vdupq_n_f32(value); }
  static HOTPATH_INLINE Ints set_int(int32_t value) { return vdupq_n_s32(value); }
  static HOTPATH_INLINE void store(float* at, Floats v) { vst1q_f32(at, v); }
  static HOTPATH_INLINE void store_ints(void* at, Ints v) { vst1q_s32(static_cast<int32_t*>(at), v); }

  static HOTPATH_INLINE Ints widen_u8(const uint8_t* at) {
    uint32_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(bytes)))));
  }
  static HOTPATH_INLINE Ints widen_i8(const uint8_t* at) {
    uint32_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(bytes))));
  }
  static HOTPATH_INLINE Ints add_scaled(Ints totals, Ints sums, Ints scales) { return vmlaq_s32(totals, sums, scales); }

  /// 16 bytes of each of four rows, four bytes of a column side by side. `step`: from one vector of the result to the next.
  static HOTPATH_INLINE void interleave(const uint8_t* const* rows, int64_t offset, Ints* out, int step) {
    const uint8x16_t a = vld1q_u8(rows[0] + offset), b = vld1q_u8(rows[1] + offset);
    const uint8x16_t c = vld1q_u8(rows[2] + offset), d = vld1q_u8(rows[3] + offset);
    const uint16x8_t ab = vreinterpretq_u16_u8(vzip1q_u8(a, b)), cd = vreinterpretq_u16_u8(vzip1q_u8(c, d));
    const uint16x8_t ab_high = vreinterpretq_u16_u8(vzip2q_u8(a, b)), cd_high = vreinterpretq_u16_u8(vzip2q_u8(c, d));
    out[0] = vreinterpretq_s32_u16(vzip1q_u16(ab, cd));
    out[step] = vreinterpretq_s32_u16(vzip2q_u16(ab, cd));
    out[2 * step] = vreinterpretq_s32_u16(vzip1q_u16(ab_high, cd_high));
    out[3 * step] = vreinterpretq_s32_u16(vzip2q_u16(ab_high, cd_high));
  }
  static HOTPATH_INLINE void interleave_32(const uint8_t* const* rows, int64_t offset, Ints* out) {
    interleave(rows, offset, out, 2);
    interleave(rows, offset + 16, out + 1, 2);
  }
  static HOTPATH_INLINE void interleave_16(const uint8_t* const* rows, int64_t offset, Ints* out) {
    interleave(rows, offset, out, 1);
  }

  /// 32 weights of Q4_0, in the order of ggml's block.
  static HOTPATH_INLINE void load_nibbles(const uint8_t* at, Floats* out) {
    const uint8x16_t packed = vld1q_u8(at);
    const int8x16_t halves[2] = {vsubq_s8(vreinterpretq_s8_u8(vandq_u8(packed, vdupq_n_u8(15))), vdupq_n_s8(8)),
                                 vsubq_s8(vreinterpretq_s8_u8(vshrq_n_u8(packed, 4)), vdupq_n_s8(8))};
    for (const int8x16_t half : halves) {
      const int16x8_t low = vmovl_s8(vget_low_s8(half)), high = vmovl_s8(vget_high_s8(half));
      *out++ = vcvtq_f32_s32(vmovl_s16(vget_low_s16(low)));
      *out++ = vcvtq_f32_s32(vmovl_s16(vget_high_s16(low)));
      *out++ = vcvtq_f32_s32(vmovl_s16(vget_low_s16(high)));
      *out++ = vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)));
    }
  }
};

}  // namespace

}  // namespace hotpath::hotcold
