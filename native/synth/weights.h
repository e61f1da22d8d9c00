// Fills the rows of a synthetic model's tensors. Most of a row is a piece of a pool of random values that were quantised
// once: quantising every value of a large model would take minutes, copying takes as long as the disk.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "synth/plan.h"
#include "synth/random.h"

namespace hotpath::synth {

class Weights {
 public:
  /// `is_text`: for each token, whether the model may produce it.
  Weights(const Spec& spec, std::vector<bool> is_text);

  /// Writes tensor.row_bytes() bytes. Same spec, tensor and row: same bytes.
  void fill_row(const Tensor& tensor, int64_t row, uint8_t* to);

 private:
  struct Gains {
    double constant;
    double code;
  };

  void fill_vector(const Tensor& tensor, uint8_t* to);
  void fill_matrix_row(const Tensor& tensor, int64_t row, uint8_t* to);
  void fill_tied_row(const Tensor& tensor, int64_t row, Random& random, uint8_t* to);
  void fill_predictor_row(const Tensor& tensor, int64_t row, uint8_t* to);
  void write_head(const Tensor& tensor, int64_t row, Random& random);
  void write_planted(const Tensor& tensor, int64_t row, float* to);
  void write_token(int64_t token, float* to);
  void copy_pool(const Tensor& tensor, int64_t first_column, Random& random, uint8_t* to);
  const std::vector<uint8_t>& pool(const Tensor& tensor);
  const Gains& gains(ggml_type type);

  const Spec& spec_;
  Residual residual_;
  std::vector<bool> is_text_;
  ggml_type embedding_type_;
  std::vector<float> normals_;
  // Of embeddings only: a neuron whose row were the very piece that a token has would answer to it with tens of standard
  // deviations. In a 7B shape every token met five such neurons, and with squared ReLU these alone made 15 % active of 11 %.
  std::vector<float> token_normals_;
  std::map<std::tuple<bool, ggml_type, double>, std::vector<uint8_t>> pools_;
  std::map<ggml_type, Gains> gains_;
  std::vector<float> row_;  // scratch
};

}  // namespace hotpath::synth
