// What decoding read of a model's weights, from what the hot/cold backend counted.
#pragma once

#include "llama/loaded_model.h"

namespace hotpath {

/// Sparsity of src/protocol/model.ts.
struct Sparsity {
  double active_share;           // of the neurons
  double hot_share;              // of the active ones, computed on a device, by a sample of the tokens
  double bytes_per_token;        // of weights, those outside the FFNs included
  double dense_bytes_per_token;  // if no neuron was left out
};

/// All 0 when no token was counted. Where no FFN leaves neurons out, nothing has to be counted: every token reads the same.
Sparsity sparsity_of(const LoadedInfo& info, const hotcold::Stats& stats);

}  // namespace hotpath
