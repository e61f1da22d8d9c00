// AVX-512 with VNNI: one instruction for the integer dot product, which wants unsigned weights.
#pragma once

#include "hotcold/kernels/simd_avx512.h"

namespace hotpath::hotcold {
namespace {

struct Avx512Vnni : Avx512 {
  static constexpr bool kUnsignedQ8 = true;

  static HOTPATH_INLINE Ints dot_pair(Ints sums, const Ints (&w)[2], const Ints (&x)[2]) {
    return _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sums, w[0], x[0]), w[1], x[1]);
  }
  /// Adds 128, which the activation's offset takes away again.
  static HOTPATH_INLINE Ints prepare_q8(Ints w) {
    return _mm512_xor_si512(w, _mm512_set1_epi8(static_cast<char>(0x80)));
  }
  static HOTPATH_INLINE Ints dot_q8(Ints sums, Ints w, Ints x) { return _mm512_dpbusd_epi32(sums, w, x); }
};

}  // namespace
}  // namespace hotpath::hotcold
