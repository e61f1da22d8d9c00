// The kernels behind hotpath_cuda.h, launched one by one: the library runs them, the bench times them.
#pragma once

#include <cuda_runtime.h>

#include "neuron.h"

namespace hotpath::cuda {

constexpr int kGroup = 32;
constexpr int kMaxTokens = 16;  // per launch; more come in pieces
constexpr int kMaxPartials = 16;

/// One layer in device memory. Rows begin at multiples of 16 bytes.
struct DeviceLayer {
  int n_embd;
  int n_slots;
  int form;
  int type;
  int down_type;
  const uint8_t* gate;  // null when ungated
  const uint8_t* up;
  const uint8_t* down;  // by neuron, blocks along n_embd
  const float* gate_bias;  // null: zero
  const float* up_bias;
};

/// How many sums the down kernel leaves for the last one to add: by the size of the layer alone, so that results never
/// depend on which neurons are active.
int partials_of(const DeviceLayer& layer);

/// activations[t * n_slots + slot] for n_tokens <= kMaxTokens, x (n_tokens, n_embd), each token arranged by arrange_inputs.
/// Moves: all gate rows, and the up rows of neurons that are not silent for every token; ungated: all up rows.
void launch_neurons(const DeviceLayer& layer, const float* x, int n_tokens, float* activations, cudaStream_t stream);

/// partials[(p * n_tokens + t) * n_embd + e]. Moves: the down rows of neurons active for any token.
void launch_down(const DeviceLayer& layer, const float* activations, int n_tokens, float* partials, cudaStream_t stream);

/// y[t * n_embd + e], the partials added in their order. Moves: partials_of(layer) * n_tokens * n_embd floats.
void launch_sum(const DeviceLayer& layer, const float* partials, int n_tokens, float* y, cudaStream_t stream);

}  // namespace hotpath::cuda
