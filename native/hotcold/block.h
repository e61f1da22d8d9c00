// What the few-token path works on: neighbouring neurons, small enough for the L1 cache.
#pragma once

#include "hotcold/executor.h"

namespace hotpath::hotcold {

/// Neighbouring neurons on their way from gate to down.
struct Executor::Block {
  int64_t first;
  int64_t n;
  int64_t n_listed;
  int32_t listed[kMaxBlock];       // neurons that are active for any of the tokens
  bool is_predicted[kMaxBlock];    // by offset; predicted mode only
  bool is_wanted[kMaxBlock];       // by offset; only where not all are: neither predicted as silent nor hot
  float values[kFew * kMaxBlock];  // (entries, kMaxBlock)
};

/// out (n_entries, stride) = rows [first, first + n) . activations.
inline void multiply_rows(const Rows& rows, int64_t expert, int64_t first, int64_t n, const uint8_t* activations,
                          size_t activation_stride, int64_t n_entries, float* out, int64_t stride) {
  if (n_entries == 1) return rows.kernels().dot(rows.matrix(expert), first, n, activations, out);
  rows.kernels().multiply(rows.matrix(expert), first, n, activations, activation_stride, n_entries, out, stride);
}

inline void multiply_listed_rows(const Rows& rows, int64_t expert, const int32_t* list, int64_t n, const uint8_t* activations,
                                 size_t activation_stride, int64_t n_entries, float* out, int64_t stride) {
  if (n_entries == 1) return rows.kernels().dot_listed(rows.matrix(expert), list, n, activations, out);
  rows.kernels().multiply_listed(rows.matrix(expert), list, n, activations, activation_stride, n_entries, out, stride);
}

}  // namespace hotpath::hotcold
