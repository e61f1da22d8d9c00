// What the down kernels need of AVX2 beside simd_avx2.h.
#pragma once

#include "hotcold/kernels/simd_avx2.h"

namespace hotpath::hotcold {

namespace {

struct DownAvx2 : Avx2 {
  /// To the first level: what is asked for is needed soon, the processor itself follows a row further ahead (measured: 15 %
  /// faster than to the second level).
  static HOTPATH_INLINE void prefetch(const void* at) { _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T0); }

  static HOTPATH_INLINE Floats set(float value) { return _mm256_set1_ps(value); }
  static HOTPATH_INLINE Ints set_int(int32_t value) { return _mm256_set1_epi32(value); }
  static HOTPATH_INLINE void store(float* at, Floats v) { _mm256_storeu_ps(at, v); }
  static HOTPATH_INLINE void store_ints(void* at, Ints v) { _mm256_storeu_si256(static_cast<__m256i*>(at), v); }

  /// sums + products of four bytes each: `w` is in 0..127, `x` in -127..127.
  static HOTPATH_INLINE Ints dot(Ints sums, Ints w, Ints x) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)));
  }

  static HOTPATH_INLINE Ints widen_u8(const uint8_t* at) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
  }
  static HOTPATH_INLINE Ints widen_i8(const uint8_t* at) {
    // As 16 bits with zeros above: add_scaled counts on one factor without them.
    const Ints wide = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
    return _mm256_and_si256(wide, _mm256_set1_epi32(0xffff));
  }
  /// totals + sums * scales, of which both fit 16 bits with sign and the scales come from `widen`.
  static HOTPATH_INLINE Ints add_scaled(Ints totals, Ints sums, Ints scales) {
    return _mm256_add_epi32(totals, _mm256_madd_epi16(sums, scales));
  }

  /// 32 bytes of each of four rows, four bytes of a column side by side; see tile_column.
  static HOTPATH_INLINE void interleave_32(const uint8_t* const* rows, int64_t offset, Ints* out) {
    const Ints a = load_ints(rows[0] + offset), b = load_ints(rows[1] + offset);
    const Ints c = load_ints(rows[2] + offset), d = load_ints(rows[3] + offset);
    const Ints ab = _mm256_unpacklo_epi8(a, b), cd = _mm256_unpacklo_epi8(c, d);
    const Ints ab_high = _mm256_unpackhi_epi8(a, b), cd_high = _mm256_unpackhi_epi8(c, d);
    out[0] = _mm256_unpacklo_epi16(ab, cd);
    out[1] = _mm256_unpackhi_epi16(ab, cd);
    out[2] = _mm256_unpacklo_epi16(ab_high, cd_high);
    out[3] = _mm256_unpackhi_epi16(ab_high, cd_high);
  }

  /// 16 bytes of each of four rows, in their order.
  static HOTPATH_INLINE void interleave_16(const uint8_t* const* rows, int64_t offset, Ints* out) {
    const auto load_row = [&](int r) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + offset)); };
    const __m128i a = load_row(0), b = load_row(1), c = load_row(2), d = load_row(3);
    const __m128i ab = _mm_unpacklo_epi8(a, b), cd = _mm_unpacklo_epi8(c, d);
    const __m128i ab_high = _mm_unpackhi_epi8(a, b), cd_high = _mm_unpackhi_epi8(c, d);
    out[0] = _mm256_set_m128i(_mm_unpackhi_epi16(ab, cd), _mm_unpacklo_epi16(ab, cd));
    out[1] = _mm256_set_m128i(_mm_unpackhi_epi16(ab_high, cd_high), _mm_unpacklo_epi16(ab_high, cd_high));
  }

  /// 32 weights of Q4_0, in the order of ggml's block.
  static HOTPATH_INLINE void load_nibbles(const uint8_t* at, Floats* out) {
    const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i mask = _mm_set1_epi8(15), eight = _mm_set1_epi8(8);
    const __m128i low = _mm_sub_epi8(_mm_and_si128(packed, mask), eight);
    const __m128i high = _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(packed, 4), mask), eight);
    out[0] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(low));
    out[1] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(low, 8)));
    out[2] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high));
    out[3] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(high, 8)));
  }
};

}  // namespace

}  // namespace hotpath::hotcold
