// Decides, before a model is loaded, whether its FFNs come to our backend and in which mode; says why.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/gguf_header.h"
#include "hotcold/speedup.h"
#include "hotcold/store.h"

namespace hotpath::hotcold {

struct PlanInput {
  std::string architecture;
  std::span<const GgufTensor> tensors;  // all of the model's, or those of its FFNs
  int n_layers;
  int first_gpu_layer;  // n_layers when all are on the CPU
  std::optional<NeuronForm> form;  // where the model is known to need another than llama.cpp computes
  bool has_predictors = false;
  Isa isa;
  bool is_output_on_gpu = false;
  /// How our kernels compare with ggml's; null: nothing is taken for their speed alone.
  std::function<Speedup(ggml_type)> rows_speedup;
};

/// Plain matrices of one name.
struct PlainMatrices {
  std::string name;         // as in `blk.<layer>.<name>.weight`
  std::vector<int> layers;  // that have one; empty: it is `<name>.weight`, outside the layers
};

struct Plan {
  Mode mode = Mode::dense;  // never automatic
  std::string reason;
  std::vector<int> layers;  // those whose FFNs come to us as a whole; empty when dense
  std::vector<PlainMatrices> plain;
  bool is_plain = false;  // no neuron is silent: the FFNs' matrices are plain ones, too, and `layers` is empty

  /// For tensor_buft_overrides.
  std::string tensor_pattern() const;
  /// Whether the tensor of this name is one of `plain`.
  bool has_plain(const std::string& tensor) const;
};

/// By layer, why its FFN cannot come to our backend; empty where it can.
std::vector<std::string> ffn_obstacles(const PlanInput& input);

/// request/invalid, with the reason, when the wanted mode is none for this model.
Result<Plan> plan_ffns(const PlanInput& input, Mode wanted);

/// Predictors read what comes before the norm of an FFN, which a GPU keeps to itself: layers from this one on, whose
/// attention is there, are computed exactly. The plan says so, and where it leaves none to predict, its mode is exact.
void limit_prediction(Plan& plan, int first_gpu_attention);

/// What llama.cpp computes for an architecture, where that is a ReLU.
std::optional<NeuronForm> relu_form_of(const std::string& architecture);

}  // namespace hotpath::hotcold
