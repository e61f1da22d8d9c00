// The feed-forward weights of one layer as the tensor table of a model file tells them: what can be split into neurons.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/gguf_header.h"

namespace hotpath {

struct FfnWeights {
  uint32_t n_embd = 0;
  uint32_t n_neurons = 0;  // of one expert, where there are experts
  uint32_t n_experts = 0;  // 0: one dense network
  uint32_t down_width = 0;  // neurons the down matrix takes; another number where gate and up are fused
  // Of all experts together.
  uint64_t gate_bytes = 0;  // 0: not gated
  uint64_t up_bytes = 0;
  uint64_t down_bytes = 0;
  uint64_t predictor_bytes = 0;
  bool is_float = false;   // the down matrix is not quantised
  bool is_relu_file = false;  // of PowerInfer's making: stored transposed, trained for ReLU
  std::string obstacle;       // why our backend cannot compute it on this machine; empty: it can
  uint64_t bytes() const { return gate_bytes + up_bytes + down_bytes; }
  /// What one token reads of them when no neuron is left out.
  uint64_t token_bytes(uint32_t experts_used) const {
    return n_experts == 0 ? bytes() : bytes() / n_experts * std::min(experts_used, n_experts);
  }
  uint32_t all_neurons() const { return n_neurons * (n_experts == 0 ? 1 : n_experts); }
  /// Matrices of one row or column per neuron, not fused with others.
  bool is_splittable() const { return up_bytes > 0 && down_bytes > 0 && n_neurons == down_width; }
};

/// Takes note of the tensor when its name within the layer, such as "ffn_up.weight", makes it one of the network's.
void note_ffn_tensor(std::string_view name_in_layer, const GgufTensor& tensor, FfnWeights& ffn);

}  // namespace hotpath
