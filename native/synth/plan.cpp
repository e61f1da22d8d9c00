#include "synth/plan.h"

#include <algorithm>
#include <cmath>

#include "gguf.h"

namespace hotpath::synth {

namespace {

// What a gated FFN's value is, with the gate's signal x and an up projection of deviation 1.
double relu(double x) { return x > 0 ? x : 0; }
double relu_squared(double x) { return x > 0 ? x * x : 0; }
double silu(double x) { return x / (1 + std::exp(-x)); }
// Bamboo also drops what a negative up projection makes, half of the energy.
double relu_half(double x) { return relu(x) * std::sqrt(0.5); }

double (*activation(Arch arch))(double) {
  switch (arch) {
    case Arch::llama:
    case Arch::moe: return silu;
    case Arch::arcee: return relu_squared;
    case Arch::bamboo: return relu_half;
    default: return relu;
  }
}

ggml_type output_type(const Spec& spec) {
  return spec.type == GGML_TYPE_Q4_0 || spec.type == GGML_TYPE_Q4_K ? GGML_TYPE_Q6_K : spec.type;
}

class Planner {
 public:
  explicit Planner(const Spec& spec)
      : spec_(spec), shape_(spec.shape), residual_(spec.shape), fan_in_(1 / std::sqrt(double(spec.shape.n_embd))) {}

  std::vector<Tensor> plan() {
    matrix("token_embd.weight", embedding_type(spec_), shape_.n_embd, shape_.n_vocab,
           shape_.is_tied ? Fill::tied_embedding : Fill::embedding, residual_.rest);
    if (spec_.arch == Arch::opt) {
      // Of the table, position p has row p + 2.
      matrix("position_embd.weight", GGML_TYPE_F32, shape_.n_embd, kContextLength, Fill::into_residual_t, 0.1 * residual_.rest);
    }
    for (uint32_t layer = 0; layer < shape_.n_layers; ++layer) add_layer(layer);
    // Where the embedding is the output, a token's own embedding is likest to it, and it would be followed by itself for
    // ever, or with random signs by one that it follows. So logits see what the layers made of a token: the half of the
    // residual stream where embeddings are small.
    vector("output_norm.weight", shape_.n_embd, shape_.is_tied ? Fill::tied_norm : Fill::norm);
    if (has_norm_biases()) vector("output_norm.bias", shape_.n_embd, Fill::bias);
    // OPT has none of its own: it uses the embedding.
    if (spec_.arch != Arch::opt && !shape_.is_tied) {
      matrix("output.weight", output_type(spec_), shape_.n_embd, shape_.n_vocab, Fill::output, 2 * fan_in_);
    }
    return std::move(tensors_);
  }

 private:
  bool has_norm_biases() const { return spec_.arch == Arch::falcon || spec_.arch == Arch::opt; }

  void add_layer(uint32_t layer) {
    layer_ = layer;
    vector("attn_norm.weight", shape_.n_embd, Fill::norm);
    if (has_norm_biases()) vector("attn_norm.bias", shape_.n_embd, Fill::bias);
    add_attention();
    // Falcon's FFN reads what its attention reads.
    if (spec_.arch != Arch::falcon) vector("ffn_norm.weight", shape_.n_embd, Fill::norm);
    if (spec_.arch == Arch::opt) vector("ffn_norm.bias", shape_.n_embd, Fill::bias);
    if (shape_.n_experts > 0) add_experts();
    else add_ffn();
    layer_ = kNoLayer;
  }

  void add_attention() {
    const int64_t q = int64_t{shape_.n_heads} * shape_.head_dim;
    const int64_t kv = int64_t{shape_.n_kv_heads} * shape_.head_dim;
    if (spec_.arch == Arch::falcon) {
      matrix("attn_qkv.weight", spec_.type, shape_.n_embd, q + 2 * kv, Fill::random, fan_in_);
    } else {
      matrix("attn_q.weight", spec_.type, shape_.n_embd, q, Fill::random, fan_in_);
      matrix("attn_k.weight", spec_.type, shape_.n_embd, kv, Fill::random, fan_in_);
      matrix("attn_v.weight", spec_.type, shape_.n_embd, kv, Fill::random, fan_in_);
    }
    if (spec_.arch == Arch::opt) {
      for (const char* name : {"attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_output.bias"}) {
        vector(name, shape_.n_embd, Fill::bias);
      }
    }
    if (spec_.arch == Arch::moe) {
      vector("attn_q_norm.weight", shape_.head_dim, Fill::norm);
      vector("attn_k_norm.weight", shape_.head_dim, Fill::norm);
    }
    matrix("attn_output.weight", spec_.type, q, shape_.n_embd, Fill::into_residual,
           output_deviation(Residual::kAttentionEnergy, shape_.n_layers, double(q), 1));
  }

  double active() const {
    const double position = shape_.n_layers > 1 ? double(layer_) / (shape_.n_layers - 1) : 0;
    return spec_.active_first + (spec_.active_last - spec_.active_first) * position;
  }

  double planted_deviation() const { return std::sqrt(1 - code_share(spec_)) / residual_.rest_norm; }

  void add_ffn() {
    const Biases biases = solve_biases(active(), spec_.skew);
    const double down = output_deviation(Residual::kFfnEnergy, shape_.n_layers, shape_.n_ff,
                                         mean_square(biases, activation(spec_.arch)));
    if (has_gate(spec_.arch)) {
      matrix("ffn_gate.weight", spec_.type, shape_.n_embd, shape_.n_ff, Fill::planted, planted_deviation());
      tensors_.back().biases = biases;
      matrix("ffn_up.weight", spec_.type, shape_.n_embd, shape_.n_ff, Fill::random, fan_in_);
    } else {
      matrix("ffn_up.weight", spec_.type, shape_.n_embd, shape_.n_ff, Fill::planted, planted_deviation());
      tensors_.back().biases = biases;
    }
    if (spec_.arch == Arch::opt) vector("ffn_up.bias", shape_.n_ff, Fill::bias);
    if (!spec_.powerinfer) {
      matrix("ffn_down.weight", spec_.type, shape_.n_ff, shape_.n_embd, Fill::into_residual, down);
      return;
    }
    matrix("ffn_down_t.weight", spec_.type, shape_.n_embd, shape_.n_ff, Fill::into_residual_t, down);
    if (spec_.arch == Arch::opt) vector("ffn_down_t.bias", shape_.n_embd, Fill::bias);
    const int64_t rank = kPredictorRank + 32 * (layer_ % 3);  // ranks differ between layers, as in real files
    matrix("fc1.weight", spec_.type, shape_.n_embd, rank, Fill::predictor_in, 0);
    matrix("fc2.weight", spec_.type, rank, shape_.n_ff, Fill::predictor_out, 0);
    tensors_.back().biases = biases;
  }

  void add_experts() {
    const double used = shape_.n_experts_used;
    matrix("ffn_gate_inp.weight", GGML_TYPE_F32, shape_.n_embd, shape_.n_experts, Fill::planted, planted_deviation());
    tensors_.back().biases = solve_biases(used / shape_.n_experts, spec_.skew);
    matrix("ffn_gate_exps.weight", spec_.type, shape_.n_embd, shape_.n_ff, Fill::random, fan_in_, shape_.n_experts);
    matrix("ffn_up_exps.weight", spec_.type, shape_.n_embd, shape_.n_ff, Fill::random, fan_in_, shape_.n_experts);
    // The weights of the experts used add up to 1; their squares to about 1 / used.
    matrix("ffn_down_exps.weight", spec_.type, shape_.n_ff, shape_.n_embd, Fill::into_residual,
           output_deviation(Residual::kFfnEnergy, shape_.n_layers, shape_.n_ff / used, mean_square({0, 0}, silu)),
           shape_.n_experts);
  }

  std::string full_name(const char* name) const {
    return layer_ == kNoLayer ? name : "blk." + std::to_string(layer_) + "." + name;
  }

  void matrix(const char* name, ggml_type type, int64_t columns, int64_t rows, Fill fill, double deviation, int64_t slices = 1) {
    tensors_.push_back({full_name(name), type_for_columns(type, columns), {columns, rows, slices}, fill, deviation,
                        layer_ == kNoLayer ? 0 : layer_, static_cast<uint32_t>(tensors_.size())});
  }

  void vector(const char* name, int64_t length, Fill fill) {
    tensors_.push_back({full_name(name), GGML_TYPE_F32, {length, 1, 1}, fill, 0, 0, static_cast<uint32_t>(tensors_.size())});
  }

  static constexpr uint32_t kNoLayer = UINT32_MAX;

  const Spec& spec_;
  const Shape& shape_;
  Residual residual_;
  double fan_in_;  // deviation that keeps the size of what a matrix reads
  uint32_t layer_ = kNoLayer;
  std::vector<Tensor> tensors_;
};

}  // namespace

std::vector<Tensor> plan_tensors(const Spec& spec) { return Planner(spec).plan(); }

ggml_type embedding_type(const Spec& spec) {
  return type_for_columns(spec.shape.is_tied ? output_type(spec) : spec.type, spec.shape.n_embd);
}

uint64_t aligned(uint64_t bytes) {
  return (bytes + GGUF_DEFAULT_ALIGNMENT - 1) / GGUF_DEFAULT_ALIGNMENT * GGUF_DEFAULT_ALIGNMENT;
}

uint64_t data_bytes(const std::vector<Tensor>& tensors) {
  uint64_t total = 0;
  for (const Tensor& tensor : tensors) total += aligned(tensor.bytes());
  return total;
}

// With 0.99 a predictor finds 94 % of the active neurons, as the best of the published ones do (86 to 93 %); what it misses
// is small, so that the likeliest token stays the same nearly always.
double code_share(const Spec& spec) { return spec.powerinfer ? 0.99 : 0.8; }

}  // namespace hotpath::synth
