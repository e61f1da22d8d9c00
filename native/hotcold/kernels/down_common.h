// What the down kernels of all instruction sets share, and what each of their files exports.
#pragma once

#include "hotcold/kernels/kernels.h"

namespace hotpath::hotcold {

/// The values of a group of a format whose values stay f32.
struct FloatBlock {
  float values[32];
  uint32_t active;  // bit j: values[j] is not 0
  uint32_t padding[3];
};

/// The part of DownKernels that is worth writing per instruction set.
struct DownArithmetic {
  ggml_type type;
  DownScales scales;
  decltype(DownKernels::accumulate) accumulate;
  decltype(DownKernels::multiply) multiply;
  decltype(DownKernels::multiply_scratch_bytes) multiply_scratch_bytes;
};

/// Everything but the arithmetic. Empty for formats without kernels.
std::optional<DownKernels> down_storage(ggml_type type, DownScales scales);

/// Sorted by nothing; at most one entry for a format.
using DownTable = std::span<const DownArithmetic>;
DownTable down_generic();
DownTable down_avx2();
DownTable down_avx512();
DownTable down_avx512_vnni();
DownTable down_neon();
DownTable down_neon_dotprod();

}  // namespace hotpath::hotcold
