#include "kernels.cuh"

#include <type_traits>

namespace hotpath::cuda {

namespace {

constexpr int kWarp = 32;
constexpr int kWarpsPerBlock = 8;
constexpr int kDownRun = 8;  // columns a thread of the down kernel owns
constexpr int kDownTile = kWarp * kDownRun;
constexpr int kDownAhead = 4;  // rows a warp reads before it uses the first

__device__ float sum_over_warp(float value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
  return value;
}

/// sums[r][t] = row r . x[t], complete in every lane. Rows share the reading of x, which comes from the L1 cache: read in
/// the order of the columns it would cost up to eight times as many accesses as there are bytes for.
template <typename Format, int kRows, int kTokens>
__device__ void dot_rows(const uint8_t* const (&rows)[kRows], const float* x, int n_embd, int n_tokens,
                         float (&sums)[kRows][kTokens]) {
  for (int r = 0; r < kRows; ++r) {
    for (int t = 0; t < kTokens; ++t) sums[r][t] = 0.0f;
  }
  const int n_chunks = n_embd / (Format::kRun * Format::kRuns);
  for (int chunk = threadIdx.x % kWarp; chunk < n_chunks; chunk += kWarp) {
    float w[kRows][Format::kRun * Format::kRuns];
#pragma unroll
    for (int r = 0; r < kRows; ++r) Format::decode(rows[r], n_embd, chunk, w[r]);
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
      // Beyond the last token the last is computed again, and not stored.
      const float4* x_t = reinterpret_cast<const float4*>(x + static_cast<int64_t>(min(t, n_tokens - 1)) * n_embd) + chunk;
#pragma unroll
      for (int i = 0; i < Format::kRun * Format::kRuns; i += 4) {
        const float4 v = __ldg(x_t + i / 4 * n_chunks);
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          sums[r][t] += w[r][i] * v.x + w[r][i + 1] * v.y + w[r][i + 2] * v.z + w[r][i + 3] * v.w;
        }
      }
    }
  }
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
#pragma unroll
    for (int t = 0; t < kTokens; ++t) sums[r][t] = sum_over_warp(sums[r][t]);
  }
}

/// One warp computes kRows neighbouring neurons: gate rows, then at once the up row of each that is not silent. So there is
/// no list of active neurons to build and no second launch to wait for.
template <typename Format, int kRows, int kTokens>
__global__ void __launch_bounds__(kWarp * kWarpsPerBlock)
neurons_kernel(const DeviceLayer layer, const float* __restrict__ x, int n_tokens, float* __restrict__ activations,
               int64_t stride) {
  const int warp = blockIdx.x * kWarpsPerBlock + threadIdx.x / kWarp;
  const int first_slot = warp * kRows;
  if (first_slot >= layer.n_slots) return;
  const bool gated = layer.gate != nullptr;
  const float* first_bias = gated ? layer.gate_bias : layer.up_bias;
  const uint8_t* rows[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) rows[r] = (gated ? layer.gate : layer.up) + (first_slot + r) * stride;
  float first[kRows][kTokens];
  dot_rows<Format, kRows, kTokens>(rows, x, layer.n_embd, n_tokens, first);

#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    const int slot = first_slot + r;
    bool silent = gated;
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
      if (first_bias) first[r][t] += first_bias[slot];
      silent = silent && is_silent(layer.form, first[r][t]);
    }
    float up[1][kTokens] = {};
    if (gated && !silent) {
      const uint8_t* const up_row[1] = {layer.up + slot * stride};
      dot_rows<Format, 1, kTokens>(up_row, x, layer.n_embd, n_tokens, up);
    }
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
      const float u = gated ? up[0][t] + (layer.up_bias ? layer.up_bias[slot] : 0.0f) : first[r][t];
      if (threadIdx.x % kWarp == 0 && t < n_tokens) {
        activations[static_cast<int64_t>(t) * layer.n_slots + slot] = silent ? 0.0f : activate(layer.form, first[r][t], u);
      }
    }
  }
}

/// The kDownRun weights of a down row that begin at a multiple of kDownRun.
__device__ void decode_down(F16Rows, const uint8_t* row, int n_embd, int column, float (&w)[kDownRun]) {
  F16Rows::decode(row, n_embd, column / kDownRun, w);
}

__device__ void decode_down(Q8_0Rows, const uint8_t* row, int n_embd, int column, float (&w)[kDownRun]) {
  const uint2 b = __ldg(reinterpret_cast<const uint2*>(row + column));
  const float scale = float_from_half(load2(row + n_embd + column / 32 * 2));
#pragma unroll
  for (int i = 0; i < kDownRun; ++i) w[i] = scale * float_from_small(byte_of(i < 4 ? b.x : b.y, i % 4) ^ 0x80u, 128);
}

/// A warp owns kDownTile columns and walks over groups of slots; a ballot finds the active ones, whose rows alone are read.
/// The block's warps add up through shared memory, in order.
template <typename Format, int kTokens>
__global__ void __launch_bounds__(kWarp * kWarpsPerBlock)
down_kernel(const DeviceLayer layer, const float* __restrict__ activations, int n_tokens, float* __restrict__ partials,
            int64_t stride) {
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const int column = blockIdx.x * kDownTile + lane * kDownRun;
  float sums[kTokens][kDownRun] = {};
  for (int group = blockIdx.y * kWarpsPerBlock + warp; group < layer.n_slots / kGroup; group += gridDim.y * kWarpsPerBlock) {
    float mine[kTokens];
    bool active = false;
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
      mine[t] = t < n_tokens ? activations[static_cast<int64_t>(t) * layer.n_slots + group * kGroup + lane] : 0.0f;
      active = active || mine[t] != 0.0f;
    }
    for (uint32_t left = __ballot_sync(0xffffffffu, active); left != 0;) {
      int offsets[kDownAhead];
      float w[kDownAhead][kDownRun] = {};
#pragma unroll
      for (int j = 0; j < kDownAhead; ++j) {
        offsets[j] = __ffs(static_cast<int>(left)) - 1;  // -1 when none is left
        left &= left - 1;
        if (offsets[j] >= 0 && column < layer.n_embd) {
          decode_down(Format{}, layer.down + (group * kGroup + offsets[j]) * stride, layer.n_embd, column, w[j]);
        }
      }
#pragma unroll
      for (int j = 0; j < kDownAhead; ++j) {
        if (offsets[j] < 0) break;
#pragma unroll
        for (int t = 0; t < kTokens; ++t) {
          const float a = __shfl_sync(0xffffffffu, mine[t], offsets[j]);
#pragma unroll
          for (int i = 0; i < kDownRun; ++i) sums[t][i] += a * w[j][i];
        }
      }
    }
  }

  __shared__ float shared[kWarpsPerBlock][kDownTile];
#pragma unroll
  for (int t = 0; t < kTokens; ++t) {
    if (t >= n_tokens) break;
#pragma unroll
    for (int i = 0; i < kDownRun; ++i) shared[warp][i * kWarp + lane] = sums[t][i];
    __syncthreads();
    const int own = blockIdx.x * kDownTile + lane * kDownRun + warp;
    float sum = 0.0f;
    for (int w = 0; w < kWarpsPerBlock; ++w) sum += shared[w][warp * kWarp + lane];
    if (own < layer.n_embd) partials[(static_cast<int64_t>(blockIdx.y) * n_tokens + t) * layer.n_embd + own] = sum;
    __syncthreads();
  }
}
static_assert(kDownRun == kWarpsPerBlock, "each warp ends the sums of one column of every thread's run");

__global__ void sum_kernel(const float* __restrict__ partials, int n_partials, int n_values, float* __restrict__ y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n_values) return;
  float sum = 0.0f;
  for (int p = 0; p < n_partials; ++p) sum += partials[static_cast<int64_t>(p) * n_values + i];
  y[i] = sum;
}

/// kernel<<<...>>> as a function: the everyday tests compile this file without CUDA and run the same kernels on the host.
template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 blocks, int n_threads, cudaStream_t stream, Arguments... arguments) {
#if defined(__CUDACC__)
  kernel<<<blocks, n_threads, 0, stream>>>(arguments...);
#else
  (void)stream;
  host::run_grid(blocks, n_threads, [=] { kernel(arguments...); });
#endif
}

/// Calls use(integral constant) with the smallest compiled number of tokens that holds n_tokens.
template <typename Use>
void with_tokens(int n_tokens, Use use) {
  if (n_tokens == 1) {
    use(std::integral_constant<int, 1>{});
  } else if (n_tokens <= 4) {
    use(std::integral_constant<int, 4>{});
  } else {
    use(std::integral_constant<int, kMaxTokens>{});
  }
}

}  // namespace

int partials_of(const DeviceLayer& layer) {
  const int n_groups = layer.n_slots / kGroup;
  return min(kMaxPartials, (n_groups + kWarpsPerBlock - 1) / kWarpsPerBlock);
}

void launch_neurons(const DeviceLayer& layer, const float* x, int n_tokens, float* activations, cudaStream_t stream) {
  const int64_t stride = row_stride(layer.type, layer.n_embd);
  with_format(layer.type, [&](auto format) {
    with_tokens(n_tokens, [&](auto tokens) {
      constexpr int kRows = tokens.value == kMaxTokens ? 1 : 2;  // what the registers hold
      const int n_blocks = (layer.n_slots + kRows * kWarpsPerBlock - 1) / (kRows * kWarpsPerBlock);
      launch(neurons_kernel<decltype(format), kRows, tokens.value>, n_blocks, kWarp * kWarpsPerBlock, stream, layer, x, n_tokens,
             activations, stride);
    });
  });
}

void launch_down(const DeviceLayer& layer, const float* activations, int n_tokens, float* partials, cudaStream_t stream) {
  const int64_t stride = row_stride(layer.down_type, layer.n_embd);
  const dim3 blocks((layer.n_embd + kDownTile - 1) / kDownTile, partials_of(layer));
  with_tokens(n_tokens, [&](auto tokens) {
    const auto kernel = layer.down_type == kF16 ? down_kernel<F16Rows, tokens.value> : down_kernel<Q8_0Rows, tokens.value>;
    launch(kernel, blocks, kWarp * kWarpsPerBlock, stream, layer, activations, n_tokens, partials, stride);
  });
}

void launch_sum(const DeviceLayer& layer, const float* partials, int n_tokens, float* y, cudaStream_t stream) {
  constexpr int kThreads = 128;
  const int n_values = n_tokens * layer.n_embd;
  launch(sum_kernel, (n_values + kThreads - 1) / kThreads, kThreads, stream, partials, partials_of(layer), n_values, y);
}

}  // namespace hotpath::cuda
