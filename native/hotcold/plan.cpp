#include "hotcold/plan.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <regex>

namespace hotpath::hotcold {

namespace {

// Of a token, below which what we gain is lost again between the parts of the graph: 4 layers of 256 took 1.04 times as
// long on a Sapphire Rapids VM, 24 layers of 896 (360 MB) 0.8 times without any silent neuron.
constexpr uint64_t kMinBytes = 16 << 20;

struct LayerTensors {
  const GgufTensor* matrices[3] = {};  // by Part
  const GgufTensor* biases[3] = {};
  bool has_experts = false;
  bool has_expert_biases = false;
};

const GgufTensor* matrix(const LayerTensors& layer, Part part) { return layer.matrices[static_cast<size_t>(part)]; }

std::vector<LayerTensors> by_layer(const PlanInput& input) {
  std::vector<LayerTensors> layers(input.n_layers);
  for (const GgufTensor& tensor : input.tensors) {
    const auto name = parse_weight_name(tensor.name);
    if (!name || name->layer >= input.n_layers) continue;
    LayerTensors& layer = layers[name->layer];
    (name->bias ? layer.biases : layer.matrices)[static_cast<size_t>(name->part)] = &tensor;
    layer.has_experts |= name->experts;
    layer.has_expert_biases |= name->experts && name->bias;
  }
  return layers;
}

std::string describe(const GgufTensor& tensor) {
  return tensor.name + format_text(" (%s, %lld x %lld)", ggml_type_name(tensor.type), static_cast<long long>(tensor.shape[0]),
                                   static_cast<long long>(tensor.shape[1]));
}

/// Empty when the layer can come to us.
std::string obstacle(const LayerTensors& layer, const PlanInput& input) {
  const GgufTensor* up = matrix(layer, Part::up);
  const GgufTensor* down = matrix(layer, Part::down);
  if (!up || !down) return "it has no ffn_up and ffn_down";
  if (layer.has_expert_biases) return "its experts have biases";
  for (const Part part : {Part::gate, Part::up}) {
    const GgufTensor* rows = matrix(layer, part);
    if (!rows) continue;
    const RowKernels* kernels = row_kernels(rows->type, input.isa);
    if (!kernels || rows->shape[0] % kernels->block != 0) return describe(*rows) + " has no kernel";
    if (rows->shape[1] != down->shape[0] || rows->shape[2] != down->shape[2]) return describe(*rows) + " is no plain matrix";
  }
  for (const GgufTensor* bias : layer.biases) {
    if (bias && bias->type != GGML_TYPE_F32) return describe(*bias) + " is no bias of floats";
  }
  const DownKernels* kernels = down_kernels(down->type, DownScales::across_neurons, input.isa);
  if (!kernels || down->shape[0] % kernels->group != 0 || down->shape[1] % kernels->embd_multiple != 0) {
    return describe(*down) + " has no kernel";
  }
  return "";
}

std::string joined(const std::vector<int>& layers) {
  std::string text;
  for (const int layer : layers) text.append(text.empty() ? "" : "|").append(std::to_string(layer));
  return text;
}

bool is_ffn_matrix(const std::string& name) {
  const auto parsed = parse_weight_name(name);
  return parsed && !parsed->bias && !parsed->experts;
}

/// Of a weight's name: its layer, where it is in one, and what it is called there.
std::pair<std::optional<int>, std::string> place_of(const std::string& tensor) {
  int layer = 0;
  char name[32];
  if (std::sscanf(tensor.c_str(), "blk.%d.%31[^.]", &layer, name) == 2) return {layer, name};
  return {std::nullopt, tensor.substr(0, tensor.find('.'))};
}

/// Those outside the FFNs, or all, that are on the CPU and that our kernels are faster for.
std::vector<PlainMatrices> plan_plain(const PlanInput& input, bool takes_ffns) {
  std::map<std::string, std::vector<int>> found;
  for (const GgufTensor& tensor : input.tensors) {
    if (!is_plain_matrix(tensor.name) && !(takes_ffns && is_ffn_matrix(tensor.name))) continue;
    if (tensor.shape[2] != 1 || tensor.shape[3] != 1) continue;
    const RowKernels* kernels = row_kernels(tensor.type, input.isa);
    if (!kernels || tensor.shape[0] % kernels->block != 0 || !input.rows_speedup || !input.rows_speedup(tensor.type).pays()) continue;
    const auto [layer, name] = place_of(tensor.name);
    if (layer) {
      if (*layer < input.first_gpu_layer) found[name].push_back(*layer);
    } else if (!input.is_output_on_gpu) {
      found[name];
    }
  }
  std::vector<PlainMatrices> plain;
  for (auto& [name, layers] : found) plain.push_back({name, std::move(layers)});
  return plain;
}

/// What a token may read of the plan's matrices.
uint64_t planned_bytes(const PlanInput& input, const Plan& plan) {
  const std::regex pattern(plan.tensor_pattern());
  uint64_t bytes = 0;
  for (const GgufTensor& tensor : input.tensors) bytes += std::regex_search(tensor.name, pattern) ? tensor.bytes : 0;
  return bytes;
}

/// Of the format that most of the plan's bytes have.
std::string speed_text(const PlanInput& input, const Plan& plan) {
  const std::regex pattern(plan.tensor_pattern());
  std::map<ggml_type, uint64_t> bytes;
  for (const GgufTensor& tensor : input.tensors) {
    if (std::regex_search(tensor.name, pattern)) bytes[tensor.type] += tensor.bytes;
  }
  const auto most = std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const Speedup speedup = input.rows_speedup(most->first);
  return format_text("no neuron is silent, but for %s our kernels have %.1f times llama.cpp's speed on this processor, %.1f with prompts",
                     ggml_type_name(most->first), speedup.one, speedup.many);
}

Error impossible(Mode wanted, const std::string& why) {
  return {ErrorCode::request_invalid, std::string("mode ") + mode_name(wanted) + " is not possible: " + why, {}};
}

std::string form_text(const NeuronForm& form) {
  return std::string(neuron_function_name(form.function)) + (form.gated ? " with gates" : "") + (form.up_relu ? " on both" : "");
}

}  // namespace

std::optional<NeuronForm> relu_form_of(const std::string& architecture) {
  for (const char* squared : {"arcee", "nemotron", "nemotron_h", "nemotron_h_moe", "plm", "jais2"}) {
    if (architecture == squared) return NeuronForm{NeuronFunction::relu_squared};
  }
  if (architecture == "smallthinker") return NeuronForm{NeuronFunction::relu, true};
  return {};
}

std::string Plan::tensor_pattern() const {
  std::string pattern;
  if (!layers.empty()) pattern = "^blk\\.(" + joined(layers) + ")\\.ffn_(gate|up|down)(_exps)?\\.(weight|bias)$";
  // llama.cpp compiles it anew for every tensor, so matrices that the same layers have share a part.
  std::map<std::vector<int>, std::string> names;
  for (const PlainMatrices& matrices : plain) {
    std::string& together = names[matrices.layers];
    together.append(together.empty() ? "" : "|").append(matrices.name);
  }
  for (const auto& [in_layers, together] : names) {
    if (!pattern.empty()) pattern += "|";
    pattern += in_layers.empty() ? "^" : "^blk\\.(" + joined(in_layers) + ")\\.";
    pattern += "(" + together + ")\\.weight$";
  }
  return pattern;
}

bool Plan::has_plain(const std::string& tensor) const {
  const auto [layer, name] = place_of(tensor);
  const auto matrices = std::find_if(plain.begin(), plain.end(), [&](const PlainMatrices& one) { return one.name == name; });
  if (matrices == plain.end() || !tensor.ends_with(".weight")) return false;
  return layer ? std::find(matrices->layers.begin(), matrices->layers.end(), *layer) != matrices->layers.end() : matrices->layers.empty();
}

std::vector<std::string> ffn_obstacles(const PlanInput& input) {
  std::vector<std::string> found;
  for (const LayerTensors& layer : by_layer(input)) found.push_back(obstacle(layer, input));
  return found;
}

namespace {

Plan plan_automatically(const PlanInput& input, Plan plan, const std::optional<NeuronForm>& form, const std::string& obstacle) {
  const auto dense = [](std::string why) { return Plan{Mode::dense, std::move(why), {}, {}}; };
  if (input.isa == Isa::generic) return dense("there are no fast kernels for this processor");
  plan.is_plain = !form || !is_relu_like(form->function);
  if (plan.is_plain) {
    plan.layers.clear();
  } else if (plan.layers.empty()) {
    return dense(obstacle.empty() ? "its FFNs are on the GPU" : obstacle);
  }
  plan.mode = Mode::exact;
  plan.plain = plan_plain(input, plan.is_plain);
  if (plan.is_plain && plan.plain.empty()) return dense(input.architecture + " has no ReLU: no neuron is silent, and llama.cpp is as fast");
  if (planned_bytes(input, plan) < kMinBytes) return dense("what would be computed here is so small that llama.cpp is as fast");
  plan.reason = plan.is_plain ? speed_text(input, plan) : form_text(*form) + ": silent neurons are left out";
  return plan;
}

}  // namespace

Result<Plan> plan_ffns(const PlanInput& input, Mode wanted) {
  if (wanted == Mode::dense) {
    if (input.form) return impossible(wanted, "llama.cpp computes this model with another activation than it has");
    return Plan{Mode::dense, "asked for", {}, {}};
  }
  const auto form = input.form ? input.form : relu_form_of(input.architecture);
  const bool is_sparse = form && is_relu_like(form->function);
  const bool is_forced = wanted != Mode::automatic || input.form;

  Plan plan;
  std::string first_obstacle;
  const auto layers = by_layer(input);
  for (int i = 0; i < input.n_layers; ++i) {
    if (!is_forced && i >= input.first_gpu_layer) break;
    const std::string found = obstacle(layers[i], input);
    if (found.empty()) {
      plan.layers.push_back(i);
    } else if (first_obstacle.empty()) {
      first_obstacle = format_text("layer %d: ", i) + found;
    }
  }

  if (input.form && static_cast<int>(plan.layers.size()) < input.n_layers) {
    return Error{ErrorCode::model_unsupported, "llama.cpp computes it with another activation, and not all of its FFNs can be computed here: " + first_obstacle, {}};
  }
  if (!is_forced) return plan_automatically(input, std::move(plan), form, first_obstacle);
  if (plan.layers.empty()) return impossible(wanted, first_obstacle.empty() ? "the model has no layers" : first_obstacle);
  if (wanted == Mode::predicted && !input.has_predictors) return impossible(wanted, "the model brings no predictors");
  if (wanted == Mode::threshold) {
    if (is_sparse) return impossible(wanted, form_text(*form) + " is silent by itself; exact loses nothing");
    if (std::none_of(plan.layers.begin(), plan.layers.end(), [&](int i) { return matrix(layers[i], Part::gate) != nullptr; })) {
      return impossible(wanted, input.architecture + " has no gates");
    }
  }
  plan.mode = wanted == Mode::automatic ? Mode::exact : wanted;
  plan.reason = wanted == Mode::automatic ? form_text(*form) + ", not what llama.cpp would compute" : "asked for";
  plan.plain = plan_plain(input, false);
  return plan;
}

void limit_prediction(Plan& plan, int first_gpu_attention) {
  if (plan.mode != Mode::predicted) return;
  const auto n_exact = std::count_if(plan.layers.begin(), plan.layers.end(), [&](int layer) { return layer >= first_gpu_attention; });
  if (n_exact == 0) return;
  plan.reason += format_text("; %d of %zu layers are computed exactly, their attention is on the GPU", static_cast<int>(n_exact), plan.layers.size());
  if (n_exact == std::ssize(plan.layers)) plan.mode = Mode::exact;
}

}  // namespace hotpath::hotcold
