// NEON with the dot product instructions of Armv8.2.
#pragma once

#include "hotcold/kernels/simd_neon.h"

namespace hotpath::hotcold {
namespace {

struct NeonDotprod : Neon {
  static HOTPATH_INLINE Ints dot_q8(Ints sums, Ints w, Ints x) {
    return vdotq_s32(sums, vreinterpretq_s8_s32(w), vreinterpretq_s8_s32(x));
  }
  static HOTPATH_INLINE Ints dot_pair(Ints sums, const Ints (&w)[2], const Ints (&x)[2]) {
    return dot_q8(dot_q8(sums, w[0], x[0]), w[1], x[1]);
  }
};

}  // namespace
}  // namespace hotpath::hotcold
