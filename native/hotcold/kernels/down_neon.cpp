#include "hotcold/kernels/down_neon.h"

namespace hotpath::hotcold {

namespace {
using Vectors = DownNeon<Neon>;
}

DownTable down_neon() {
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
      QuantisedDown<Vectors, Vectors, Q8Down>::arithmetic(),
      QuantisedDown<Vectors, Vectors, Q4Down>::arithmetic(),
      QuantisedDown<Vectors, Vectors, Q4KDown>::arithmetic(),
      QuantisedDown<Vectors, Vectors, Q6KDown>::arithmetic(),
  };
  return kTable;
}

}  // namespace hotpath::hotcold
