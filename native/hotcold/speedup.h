// How our kernels compare with ggml's on this processor, measured: nothing is taken from llama.cpp that gets slower.
#pragma once

#include "hotcold/kernels/kernels.h"

namespace hotpath::hotcold {

/// How many times as fast as ggml our kernels multiply a matrix: with one token, for which it comes from memory, and with
/// many as in a prompt.
struct Speedup {
  double one = 0;
  double many = 0;
  bool pays() const;
};

/// Rows of this type. Measured once per process, in about 20 ms. A type without kernels pays nothing.
Speedup rows_speedup(ggml_type type, Isa isa);

}  // namespace hotpath::hotcold
