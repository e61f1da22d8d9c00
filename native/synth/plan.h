// The tensors of a synthetic model, and what each is filled with.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "synth/planting.h"
#include "synth/shape.h"

namespace hotpath::synth {

enum class Fill {
  norm,             // about 1
  tied_norm,        // 1 or -1 in the second half, 0 in the first
  bias,             // about 0; exactly 0 where the residual stream is fixed
  embedding,        // constants, the token's code, random
  tied_embedding,   // the same, small in the second half; of tokens that are no text constants and code only
  output,           // random; zero for tokens that are no text, so that none is ever chosen
  random,           // reads the residual stream without its constants
  planted,          // one row per neuron or expert, which decides whether it is active
  into_residual,    // rows are dimensions of the residual stream; zero for the fixed ones
  into_residual_t,  // the same transposed
  predictor_in,     // PowerInfer's fc1: reads the code and the constants, each once with either sign
  predictor_out,    // PowerInfer's fc2: combines them as the planted rows do
};

struct Tensor {
  std::string name;
  ggml_type type;
  std::array<int64_t, 3> shape;  // as ggml: the length of a row comes first
  Fill fill;
  double deviation = 0;  // of the random part
  uint32_t layer = 0;
  uint32_t index = 0;  // in the file; tells the random numbers of tensors apart
  Biases biases = {};  // planted and predictor_out

  int64_t n_rows() const { return shape[1] * shape[2]; }
  size_t row_bytes() const { return ggml_row_size(type, shape[0]); }
  uint64_t bytes() const { return row_bytes() * static_cast<uint64_t>(n_rows()); }
};

/// `spec.shape.n_vocab` is the real number of tokens.
std::vector<Tensor> plan_tensors(const Spec& spec);

/// The output matrix of a model of 4 bits has 6, and so has an embedding that is the output matrix, too.
ggml_type embedding_type(const Spec& spec);

/// Bytes a file's data section has, with every tensor aligned.
uint64_t data_bytes(const std::vector<Tensor>& tensors);
uint64_t aligned(uint64_t bytes);

/// Share of the planted signal's variance that comes from the code, which a predictor can read.
double code_share(const Spec& spec);

}  // namespace hotpath::synth
