// What the down kernels need of AVX-512 beside simd_avx512.h. `Base` is Avx512 or its successor with VNNI.
#pragma once

#include "hotcold/kernels/simd_avx512.h"

namespace hotpath::hotcold {

namespace {

template <class Base>
struct DownAvx512 : Base {
  using Floats = __m512;
  using Ints = __m512i;

  static HOTPATH_INLINE void prefetch(const void* at) { _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T0); }
  static HOTPATH_INLINE Floats set(float value) { return _mm512_set1_ps(value); }
  static HOTPATH_INLINE Ints set_int(int32_t value) { return _mm512_set1_epi32(value); }
  static HOTPATH_INLINE void store(float* at, Floats v) { _mm512_storeu_ps(at, v); }

  /// 32 weights of Q4_0, in the order of ggml's block. The permutation looks at the lowest four bits of its indices only.
  static HOTPATH_INLINE void load_nibbles(const uint8_t* at, Floats* out) {
    const __m512 values = _mm512_set_ps(7, 6, 5, 4, 3, 2, 1, 0, -1, -2, -3, -4, -5, -6, -7, -8);
    const __m512i packed = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    out[0] = _mm512_permutexvar_ps(packed, values);
    out[1] = _mm512_permutexvar_ps(_mm512_srli_epi32(packed, 4), values);
  }
};

}  // namespace

}  // namespace hotpath::hotcold
