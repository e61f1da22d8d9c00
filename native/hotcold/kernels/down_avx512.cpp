// Floats gain from vectors of 512 bits; interleaving bytes does not, so that quants stay with AVX2 until there is VNNI.
#include "hotcold/kernels/down_avx512.h"

#include "hotcold/kernels/down_simd_rows.h"

namespace hotpath::hotcold {

namespace {
using Vectors = DownAvx512<Avx512>;
}

DownTable down_avx512() {
  constexpr DownScales across = DownScales::across_neurons, along = DownScales::along_output;
  static constexpr DownArithmetic kTable[] = {
      RowsDown<Vectors, GGML_TYPE_F32, across>::arithmetic(),
      RowsDown<Vectors, GGML_TYPE_F16, across>::arithmetic(),
      RowsDown<Vectors, GGML_TYPE_BF16, across>::arithmetic(),
      RowsDown<Vectors, GGML_TYPE_F32, along>::arithmetic(),
      RowsDown<Vectors, GGML_TYPE_F16, along>::arithmetic(),
      RowsDown<Vectors, GGML_TYPE_BF16, along>::arithmetic(),
      RowsDown<Vectors, GGML_TYPE_Q8_0, along>::arithmetic(),
      RowsDown<Vectors, GGML_TYPE_Q4_0, along>::arithmetic(),
  };
  return kTable;
}

}  // namespace hotpath::hotcold
