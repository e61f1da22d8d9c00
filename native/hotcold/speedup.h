// How our kernels compare with ggml's on this processor, measured: nothing is taken from llama.cpp that gets slower.
#pragma once

#include "hotcold/kernels/kernels.h"

namespace hotpath::hotcold {

/// How many times as fast as ggml our kernels multiply a matrix: with one token, and with many as in a prompt.
struct Speedup {
  double one = 0;
  double many = 0;
  bool pays() const;
};

/// A matrix of this type; for `down`, all neurons active. Measured once per process, in a few milliseconds. A type without
/// kernels pays nothing.
Speedup rows_speedup(ggml_type type, Isa isa);
Speedup down_speedup(ggml_type type, Isa isa);

}  // namespace hotpath::hotcold
