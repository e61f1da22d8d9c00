// The 8-bit form of the values that a group of neurons passes to the down matrix.
#pragma once

#include <cstdint>

namespace hotpath::hotcold {

/// Values of up to 32 neurons that share a scale at each column.
struct QuantisedBlock {
  float scale;       // one for all blocks of a group
  float scaled_sum;  // scale * sum
  int32_t sum;       // of the quants
  uint32_t active;   // bit j: neuron j contributes
  int8_t quants[32];
};

/// As ggml's quantize_row_q8_0 (x86 and NEON) and quantize_row_q8_K, from the values that are not 0 alone. `blocks`: one,
/// or 256 / block. Where a value is not finite, everything the group adds to becomes NaN. False when nothing is left.
bool quantise_q8_0(const float* values, const int32_t* active, int64_t n_active, QuantisedBlock* blocks);
bool quantise_q8_k(const float* values, const int32_t* active, int64_t n_active, int64_t block, QuantisedBlock* blocks);

}  // namespace hotpath::hotcold
