#include "hotcold/kernels/down_neon.h"
#include "hotcold/kernels/simd_neon_dotprod.h"

namespace hotpath::hotcold {

namespace {
using Vectors = DownNeon<NeonDotprod>;
}

DownTable down_neon_dotprod() {
  static constexpr DownArithmetic kTable[] = {
      QuantisedDown<Vectors, Vectors, Q8Down>::arithmetic(),
      QuantisedDown<Vectors, Vectors, Q4Down>::arithmetic(),
      QuantisedDown<Vectors, Vectors, Q4KDown>::arithmetic(),
      QuantisedDown<Vectors, Vectors, Q6KDown>::arithmetic(),
  };
  return kTable;
}

}  // namespace hotpath::hotcold
