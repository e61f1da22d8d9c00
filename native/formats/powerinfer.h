// PowerInfer's model files: GGUF version 3 with a magic of their own, down matrices stored transposed, and for each layer
// a small network that predicts which neurons are active. Of 2023: four architectures, two of which llama.cpp never had.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "formats/gguf_header.h"

namespace hotpath {

enum class PowerInferArch {
  llama,   // ReLU where Llama has SiLU
  bamboo,  // a Llama with grouped heads and ReLU on gate and up
  falcon,  // ReLU where Falcon has GELU; attention and FFN side by side
  opt,     // ReLU, biases, learned positions
};

struct PowerInferLayer {
  GgufTensor down;  // ffn_down_t {n_embd, n_ff}: a row per neuron
  // {n_embd, rank} and {rank, n_ff}: neuron i is taken as active when (fc2 . relu(fc1 . x))[i] >= threshold, with x as it
  // is before the norm. Ranks differ between layers; a file may bring none.
  std::optional<GgufTensor> fc1;
  std::optional<GgufTensor> fc2;
};

struct PowerInferModel {
  PowerInferArch arch;
  uint32_t n_embd;
  uint32_t n_ff;
  uint32_t n_positions;  // tokens it can hold; less than context_length says where positions are learned
  float threshold;
  std::vector<PowerInferLayer> layers;
  bool has_predictors() const;
};

/// In a table of learned positions, position p has row p + 2: OPT's own numbering.
inline constexpr uint32_t kOptUnusedPositions = 2;

/// By the magic, or by the tensors in a file that another tool has saved again.
bool is_powerinfer(const GgufHeader& header);

/// Checks every tensor that is to be computed with against the hyperparameters. model/unsupported for an architecture or
/// a type it cannot have, model/corrupt for shapes that do not fit. `name` is for messages.
Result<PowerInferModel> read_powerinfer(const std::string& name, const GgufHeader& header);

}  // namespace hotpath
