#include "hotcold/kernels/down_avx2.h"
#include "hotcold/kernels/down_avx512.h"
#include "hotcold/kernels/down_simd.h"
#include "hotcold/kernels/simd_avx512_vnni.h"

namespace hotpath::hotcold {

namespace {

/// 256 bits: two of the ports that interleave bytes and two that multiply them, where 512 bits have one and two.
struct Half : DownAvx2 {
  static constexpr bool kUnsignedQ8 = true;
  static HOTPATH_INLINE Ints dot(Ints sums, Ints w, Ints x) { return _mm256_dpbusd_epi32(sums, w, x); }
  static HOTPATH_INLINE Ints prepare_q8(Ints w) {
    return _mm256_xor_si256(w, _mm256_set1_epi8(static_cast<char>(0x80)));
  }
  static HOTPATH_INLINE Ints dot_q8(Ints sums, Ints w, Ints x) { return dot(sums, w, x); }
  static HOTPATH_INLINE Ints add_scaled(Ints totals, Ints sums, Ints scales) {
    return _mm256_dpwssd_epi32(totals, sums, scales);
  }
};

struct Whole : DownAvx512<Avx512Vnni> {
  static HOTPATH_INLINE Ints dot(Ints sums, Ints w, Ints x) { return _mm512_dpbusd_epi32(sums, w, x); }
};

}  // namespace

DownTable down_avx512_vnni() {
  static constexpr DownArithmetic kTable[] = {
      QuantisedDown<Half, Whole, Q8Down>::arithmetic(),
      QuantisedDown<Half, Whole, Q4Down>::arithmetic(),
      QuantisedDown<Half, Whole, Q4KDown>::arithmetic(),
      QuantisedDown<Half, Whole, Q6KDown>::arithmetic(),
  };
  return kTable;
}

}  // namespace hotpath::hotcold
