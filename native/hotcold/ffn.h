// Finds the FFNs in what the scheduler hands us.
#pragma once

#include <span>
#include <string>

#include "hotcold/store.h"

namespace hotpath::hotcold {

/// One layer's FFN as llama.cpp's graph has it, from its input to its output.
struct Ffn {
  Store* store = nullptr;
  int layer_index = 0;
  NeuronForm form;  // as in the graph
  bool has_gate_bias = false;
  bool has_up_bias = false;
  bool has_down_bias = false;
  const ggml_tensor* x = nullptr;    // dense: {n_embd, n_tokens}; experts: {n_embd, 1 or n_used, n_tokens}
  const ggml_tensor* ids = nullptr;  // experts only: {n_used, n_tokens}
  const ggml_tensor* residual = nullptr;  // what was normalised to give x; null when that cannot be told or reached
  ggml_tensor* y = nullptr;          // dense: {n_embd, n_tokens}; experts: {n_embd, n_used, n_tokens}
};

struct Match {
  int end = 0;         // one past the last node; 0 when there is none
  Ffn ffn;
  std::string reason;  // why there is none
};

/// An FFN whose first node is `first`. All its nodes follow one another and nothing else uses what is between, so that
/// x may be read and y written when the last one is due: memory that ggml reuses within them is not touched in between.
Match match_ffn(ggml_cgraph* graph, int first);

/// Whether the op is part of an FFN on our weights, as far as can be told from its sources.
bool is_ffn_op(const ggml_tensor* op);

/// Nodes that compute nothing.
bool is_empty_op(const ggml_tensor* node);

}  // namespace hotpath::hotcold
