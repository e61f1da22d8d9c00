// AVX-512 (F, BW, VL, DQ) as the row kernels see it; meanings as in simd_avx2.h.
#pragma once

#include <immintrin.h>

#include "hotcold/kernels/rows_layout.h"

namespace hotpath::hotcold {
namespace {

struct Avx512 {
  using Floats = __m512;
  using Ints = __m512i;
  static constexpr int kWidth = 16;
  static constexpr int kRowTile = 4, kTokenTile = 4;
  static constexpr bool kUnsignedQ8 = false;

  static HOTPATH_INLINE void prefetch(const void* at) { _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T1); }

  static HOTPATH_INLINE Floats zero() { return _mm512_setzero_ps(); }
  static HOTPATH_INLINE Floats load(const float* at) { return _mm512_loadu_ps(at); }
  static HOTPATH_INLINE Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static HOTPATH_INLINE Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static HOTPATH_INLINE Floats subtract_product(Floats c, Floats a, Floats b) { return _mm512_fnmadd_ps(a, b, c); }
  static HOTPATH_INLINE float sum(Floats v) { return _mm512_reduce_add_ps(v); }

  static HOTPATH_INLINE Floats load_f16(const uint8_t* at) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
  }
  static HOTPATH_INLINE Floats load_bf16(const uint8_t* at) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }
  static HOTPATH_INLINE Floats load_u8(const uint8_t* at) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
  }
  static HOTPATH_INLINE Floats load_i8(const uint8_t* at) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
  }
  static HOTPATH_INLINE Floats broadcast_f16(const uint8_t* at) {
    uint16_t half;
    std::memcpy(&half, at, sizeof half);
    return _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
  }
  static HOTPATH_INLINE Floats broadcast_f16_by_8(const uint8_t* at, int64_t) {
    int32_t halves;
    std::memcpy(&halves, at, sizeof halves);
    const __m512 both = _mm512_castps128_ps512(_mm_cvtph_ps(_mm_cvtsi32_si128(halves)));
    return _mm512_permutexvar_ps(_mm512_set_epi32(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0), both);
  }

  static HOTPATH_INLINE Ints load_ints(const void* at) { return _mm512_loadu_si512(at); }
  static HOTPATH_INLINE Ints zero_ints() { return _mm512_setzero_si512(); }
  static HOTPATH_INLINE Floats to_floats(Ints v) { return _mm512_cvtepi32_ps(v); }
  static HOTPATH_INLINE Ints low_nibbles(Ints v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
  static HOTPATH_INLINE Ints high_nibbles(Ints v) { return low_nibbles(_mm512_srli_epi16(v, 4)); }
  template <int K>
  static HOTPATH_INLINE Ints with_upper_bits(Ints low, Ints v) {
    const Ints moved = K < 2 ? _mm512_slli_epi16(v, K < 2 ? 4 - 2 * K : 0) : _mm512_srli_epi16(v, K < 2 ? 0 : 2 * K - 4);
    return _mm512_or_si512(low, _mm512_and_si512(moved, _mm512_set1_epi8(0x30)));
  }

  static HOTPATH_INLINE Ints add_16_bit_pairs(Ints sums, Ints pairs) {
    return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
  static HOTPATH_INLINE Ints dot_pair(Ints sums, const Ints (&w)[2], const Ints (&x)[2]) {
    return add_16_bit_pairs(sums, _mm512_add_epi16(_mm512_maddubs_epi16(w[0], x[0]), _mm512_maddubs_epi16(w[1], x[1])));
  }
  static HOTPATH_INLINE Ints prepare_q8(Ints w) { return w; }
  static HOTPATH_INLINE Ints dot_q8(Ints sums, Ints w, Ints x) {
    const __mmask64 negative = _mm512_movepi8_mask(w);
    const Ints signed_x = _mm512_mask_sub_epi8(x, negative, _mm512_setzero_si512(), x);
    return add_16_bit_pairs(sums, _mm512_maddubs_epi16(_mm512_abs_epi8(w), signed_x));
  }
};

}  // namespace
}  // namespace hotpath::hotcold
