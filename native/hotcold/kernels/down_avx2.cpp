#include "hotcold/kernels/down_avx2.h"

#include "hotcold/kernels/down_simd.h"
#include "hotcold/kernels/down_simd_rows.h"

namespace hotpath::hotcold {

DownTable down_avx2() {
  constexpr DownScales across = DownScales::across_neurons, along = DownScales::along_output;
  static constexpr DownArithmetic kTable[] = {
      RowsDown<DownAvx2, GGML_TYPE_F32, across>::arithmetic(),
      RowsDown<DownAvx2, GGML_TYPE_F16, across>::arithmetic(),
      RowsDown<DownAvx2, GGML_TYPE_BF16, across>::arithmetic(),
      RowsDown<DownAvx2, GGML_TYPE_F32, along>::arithmetic(),
      RowsDown<DownAvx2, GGML_TYPE_F16, along>::arithmetic(),
      RowsDown<DownAvx2, GGML_TYPE_BF16, along>::arithmetic(),
      RowsDown<DownAvx2, GGML_TYPE_Q8_0, along>::arithmetic(),
      RowsDown<DownAvx2, GGML_TYPE_Q4_0, along>::arithmetic(),
      QuantisedDown<DownAvx2, DownAvx2, Q8Down>::arithmetic(),
      QuantisedDown<DownAvx2, DownAvx2, Q4Down>::arithmetic(),
      QuantisedDown<DownAvx2, DownAvx2, Q4KDown>::arithmetic(),
      QuantisedDown<DownAvx2, DownAvx2, Q6KDown>::arithmetic(),
  };
  return kTable;
}

}  // namespace hotpath::hotcold
