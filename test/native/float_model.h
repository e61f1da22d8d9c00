// A model computed in plain float from the bytes of its file, with nothing of llama.cpp or ours between: the oracle of
// everything that claims to be exact. Slow and short; for models of a few million weights.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "formats/gguf_header.h"

namespace hotpath::test {

enum class FfnActivation { silu, relu, relu_squared };

class FloatModel {
 public:
  /// Llama-like, falcon or opt; GGUF or PowerInfer's format. Throws Failure when it cannot be read.
  explicit FloatModel(const std::string& path);

  /// For models whose file does not tell, or tells wrongly.
  void set_activation(FfnActivation activation) { activation_ = activation; }
  /// Leaves out the neurons that the file's predictors take as silent, in this many layers from the first on.
  void use_predictors(uint32_t n_layers) { n_predicted_layers_ = n_layers; }

  /// The logits after the last token.
  std::vector<float> logits(std::span<const int32_t> tokens);

  /// Of the last call: for each layer, how many tokens each neuron was active for.
  const std::vector<std::vector<uint32_t>>& activity() const { return activity_; }
  /// Share of the active neurons of the last call that the predictors found.
  double recall() const { return static_cast<double>(found_) / static_cast<double>(n_active_); }

  uint32_t n_layers() const { return n_layers_; }
  uint32_t n_vocab() const { return n_vocab_; }

 private:
  using Vector = std::vector<float>;

  void read_tensors(const ByteSource& source, const GgufHeader& header);
  const Vector& weights(const std::string& name) const;
  bool has(const std::string& name) const { return tensors_.contains(name); }
  uint64_t key(const char* name, uint64_t fallback) const;

  Vector normed(const Vector& x, const std::string& name) const;
  Vector product(const Vector& x, const std::string& name) const;
  Vector biased(Vector x, const std::string& name) const;
  void rotate(float* head, size_t position) const;
  Vector attention(const Vector& h, size_t position, const std::string& prefix, std::vector<Vector>& keys, std::vector<Vector>& values) const;
  Vector attend(const Vector& q, const std::vector<Vector>& keys, const std::vector<Vector>& values) const;
  Vector ffn(const Vector& h, const Vector& residual, uint32_t layer);
  float neuron(float gate, float up) const;

  GgufHeader header_;
  std::string architecture_;
  std::map<std::string, Vector> tensors_;
  FfnActivation activation_ = FfnActivation::silu;
  uint32_t n_predicted_layers_ = 0;
  bool is_transposed_ = false;
  float threshold_ = 0;
  uint32_t n_layers_ = 0, n_embd_ = 0, n_heads_ = 0, n_kv_heads_ = 0, head_dim_ = 0, n_ff_ = 0, n_vocab_ = 0;
  std::vector<std::vector<uint32_t>> activity_;
  uint64_t n_active_ = 0;
  uint64_t found_ = 0;
};

}  // namespace hotpath::test
