// NEON with the dot product instructions of Armv8.2.
#pragma once

#include "hotcold/kernels/simd_neon.h"

namespace hotpath::hotcold {
namespace {

struct NeonDotprod : Neon {
  static HOTPATH_INLINE Ints dot(Ints sums, Ints w, Ints x) {
    return vdotq_s32(sums, vreinterpretq_s8_s32(w), vreinterpretq_s8_s32(x));
  }
  static HOTPATH_INLINE Ints dot_q8(Ints sums, Ints w, Ints x) { return dot(sums, w, x); }
};

}  // namespace
}  // namespace hotpath::hotcold
