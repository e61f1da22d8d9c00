// What a synthetic model looks like: its architecture, its sizes and how its neurons behave.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "ggml.h"

namespace hotpath::synth {

enum class Arch {
  llama,       // SiLU-GLU
  llama_relu,  // ReLU-GLU in tensors of the same names, as ReluLLaMA and ProSparse have it
  arcee,       // squared ReLU, no gate
  moe,         // Qwen3-MoE: SiLU-GLU experts
  bamboo,      // ReLU of gate and up; exists as a PowerInfer file only, and so do the next two
  falcon,      // ReLU, no gate; attention and FFN side by side
  opt,         // ReLU with biases, learned positions
};

struct Shape {
  uint32_t n_layers = 0;
  uint32_t n_embd = 0;
  uint32_t n_heads = 0;
  uint32_t n_kv_heads = 0;
  uint32_t head_dim = 0;
  uint32_t n_ff = 0;  // of one expert where there are experts
  uint32_t n_experts = 0;
  uint32_t n_experts_used = 0;
  uint32_t n_vocab = 0;  // 0: as many tokens as the vocabulary file has; more: filled up with tokens that never occur
  bool is_tied = false;  // the embedding is the output matrix, too
};

struct Preset {
  const char* name;
  const char* source;  // whose sizes these are
  Shape shape;
};

std::span<const ggml_type> weight_types();
const Preset* find_preset(std::string_view name);

struct Spec {
  Arch arch = Arch::llama;
  Shape shape;
  ggml_type type = GGML_TYPE_Q8_0;
  /// Fraction of the neurons that are not silent for a token, from the first layer to the last.
  double active_first = 0.11;
  double active_last = 0.11;
  /// Share of all activations that the most active 26 % of a layer's neurons have; 0.26: all are equally active.
  double skew = 0.54;
  uint64_t seed = 1;
  /// PowerInfer's file format: transposed down matrices, predictors.
  bool powerinfer = false;
};

inline constexpr double kHotFraction = 0.26;

/// Dimensions of the residual stream that no layer writes to. The first hold the same values for every token, so that a
/// row can have a bias; the next hold a code of -1 and 1 that tells tokens apart.
inline constexpr uint32_t kConstantDims = 32;
inline constexpr uint32_t kCodeDims = 64;
inline constexpr uint32_t kFixedDims = kConstantDims + kCodeDims;

/// Hidden width of the smallest predictor: both signs of the code and the constant, in whole blocks.
inline constexpr uint32_t kPredictorRank = (2 * kCodeDims + 1 + 31) / 32 * 32;

inline constexpr uint32_t kContextLength = 8192;  // of training, as the file claims

const char* arch_name(Arch arch);
/// The name llama.cpp or PowerInfer knows the architecture by.
const char* gguf_arch(Arch arch);
const Arch* find_arch(std::string_view name);
bool has_gate(Arch arch);
bool only_powerinfer(Arch arch);

/// request/invalid, naming what cannot be made.
Result<Done> check_spec(const Spec& spec);

/// `type` where its blocks fit rows of this many columns, else Q8_0, as llama.cpp's own quantiser falls back.
ggml_type type_for_columns(ggml_type type, int64_t n_columns);

}  // namespace hotpath::synth
