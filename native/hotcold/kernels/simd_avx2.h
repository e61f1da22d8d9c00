// AVX2 with FMA and F16C as the row kernels see it. `Ints` holds bytes or 32-bit integers.
#pragma once

#include <immintrin.h>

#include "hotcold/kernels/rows_layout.h"

namespace hotpath::hotcold {
namespace {

struct Avx2 {
  using Floats = __m256;
  using Ints = __m256i;
  static constexpr int kWidth = 8;  // of 32 bits
  static constexpr int kRowTile = 4, kTokenTile = 2;
  static constexpr bool kUnsignedQ8 = false;

  /// To the second level, which has room for more lines on their way: 99 % of the read bandwidth of a Sapphire Rapids core
  /// instead of 95 % with the first.
  static HOTPATH_INLINE void prefetch(const void* at) { _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T1); }

  static HOTPATH_INLINE Floats zero() { return _mm256_setzero_ps(); }
  static HOTPATH_INLINE Floats load(const float* at) { return _mm256_loadu_ps(at); }
  static HOTPATH_INLINE Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static HOTPATH_INLINE Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static HOTPATH_INLINE Floats subtract_product(Floats c, Floats a, Floats b) { return _mm256_fnmadd_ps(a, b, c); }
  static HOTPATH_INLINE float sum(Floats v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
  }

  static HOTPATH_INLINE Floats load_f16(const uint8_t* at) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
  }
  static HOTPATH_INLINE Floats load_bf16(const uint8_t* at) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  static HOTPATH_INLINE Floats load_u8(const uint8_t* at) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at))));
  }
  static HOTPATH_INLINE Floats load_i8(const uint8_t* at) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at))));
  }
  static HOTPATH_INLINE Floats broadcast_f16(const uint8_t* at) {
    uint16_t half;
    std::memcpy(&half, at, sizeof half);
    return _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
  }
  /// Of two F16 values, the first for the lanes 0 to 7 of a chunk, the second for 8 to 15.
  static HOTPATH_INLINE Floats broadcast_f16_by_8(const uint8_t* at, int64_t lane) {
    return broadcast_f16(at + lane / 8 * 2);
  }

  static HOTPATH_INLINE Ints load_ints(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
  static HOTPATH_INLINE Ints zero_ints() { return _mm256_setzero_si256(); }
  static HOTPATH_INLINE Floats to_floats(Ints v) { return _mm256_cvtepi32_ps(v); }
  static HOTPATH_INLINE Ints low_nibbles(Ints v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
  static HOTPATH_INLINE Ints high_nibbles(Ints v) { return low_nibbles(_mm256_srli_epi16(v, 4)); }
  /// Bits 2 * K and 2 * K + 1 of each byte as bits 4 and 5, added to `low`.
  template <int K>
  static HOTPATH_INLINE Ints with_upper_bits(Ints low, Ints v) {
    const Ints moved = K < 2 ? _mm256_slli_epi16(v, K < 2 ? 4 - 2 * K : 0) : _mm256_srli_epi16(v, K < 2 ? 0 : 2 * K - 4);
    return _mm256_or_si256(low, _mm256_and_si256(moved, _mm256_set1_epi8(0x30)));
  }

  static HOTPATH_INLINE Ints add_16_bit_pairs(Ints sums, Ints pairs) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  /// sums + products of four bytes each, of two registers: `w` is in 0..63, so that four products fit 16 bits (the largest
  /// sum is 4 * 63 * 127); `x` is in -127..127.
  static HOTPATH_INLINE Ints dot_pair(Ints sums, const Ints (&w)[2], const Ints (&x)[2]) {
    return add_16_bit_pairs(sums, _mm256_add_epi16(_mm256_maddubs_epi16(w[0], x[0]), _mm256_maddubs_epi16(w[1], x[1])));
  }
  static HOTPATH_INLINE Ints prepare_q8(Ints w) { return w; }
  /// One register of signed `w`: |w| is what maddubs wants, its sign goes to `x`. No pair exceeds 2 * 128 * 127.
  static HOTPATH_INLINE Ints dot_q8(Ints sums, Ints w, Ints x) {
    return add_16_bit_pairs(sums, _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w)));
  }
};

}  // namespace
}  // namespace hotpath::hotcold
