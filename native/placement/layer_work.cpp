#include "placement/layer_work.h"

#include <algorithm>
#include <utility>

#include "ggml.h"
#include "hotcold/plan.h"

namespace hotpath {

namespace {

using hotcold::Mode;

constexpr uint32_t kGroupNeurons = 32;
// Active shares assumed without a profile, from the upper end of what is published, so that plans promise too little:
// ReluLLaMA-7B 0.33 (PowerInfer, 2023), squared ReLU below 0.1 (Primer-like models), CATS-like thresholds 0.5.
constexpr double kGatedReluShare = 0.33;
constexpr double kReluShare = 0.15;
constexpr double kThresholdShare = 0.5;
// Predictors keep neurons that turn out silent: measured on PowerInfer's models.
constexpr double kPredictedExcess = 1.3;
constexpr double kHalfQ8Bytes = 34.0 / 32.0;

/// A ReLU where llama.cpp's graph of the architecture has another activation.
bool is_relu_against_architecture(const ModelFile& model, const FfnWeights& ffn) {
  return model.shape.is_relu_by_metadata || ffn.is_relu_file;
}

FfnKind kind_of(const ModelFile& model, const FfnWeights& ffn) {
  if (!ffn.is_splittable() || !ffn.obstacle.empty()) return FfnKind::unsplit;
  if (ffn.n_experts > 0) return FfnKind::experts;
  if (!is_relu_against_architecture(model, ffn) && !hotcold::relu_form_of(model.metadata.architecture)) return FfnKind::dense;
  return ffn.gate_bytes > 0 ? FfnKind::gated_relu : FfnKind::relu;
}

double default_active_share(FfnKind kind, Mode mode) {
  if (mode == Mode::threshold) return kThresholdShare;
  if (kind == FfnKind::gated_relu) return kGatedReluShare;
  if (kind == FfnKind::relu) return kReluShare;
  return 1;
}

/// Cumulative activity of the hottest neurons of ReluLLaMA-7B, mean of its layers.
double measured_skew(double share) {
  static constexpr std::pair<double, double> kCurve[] = {{0, 0},     {.05, .20}, {.10, .31}, {.20, .46}, {.26, .54}, {.30, .59},
                                                         {.40, .70}, {.50, .78}, {.60, .86}, {.80, .96}, {1, 1}};
  const auto* right = std::find_if(std::begin(kCurve) + 1, std::end(kCurve) - 1, [&](const auto& p) { return p.first >= share; });
  const auto* left = right - 1;
  return left->second + (right->second - left->second) * (share - left->first) / (right->first - left->first);
}

struct Rows {
  double gate, up, down;          // bytes per neuron in RAM
  double down_slot;               // in GPU memory
};

Rows rows_of(const FfnWeights& ffn) {
  const auto per_neuron = [&](uint64_t bytes) { return static_cast<double>(bytes) / ffn.all_neurons(); };
  Rows rows = {per_neuron(ffn.gate_bytes), per_neuron(ffn.up_bytes), per_neuron(ffn.down_bytes), 0};
  // A row of its own, transposed from blocks that run across neurons.
  const double transposed = ffn.n_embd * (ffn.is_float ? double{sizeof(ggml_fp16_t)} : kHalfQ8Bytes);
  rows.down_slot = ffn.is_relu_file ? rows.down : transposed;
  return rows;
}

void set_rows(LayerWork& work, const FfnWeights& ffn, Mode mode) {
  const Rows rows = rows_of(ffn);
  work.slot_bytes = rows.gate + rows.up + rows.down_slot;
  const bool screens_by_up = work.kind == FfnKind::relu && mode == Mode::exact;
  const bool screens_by_gate = (work.kind == FfnKind::gated_relu && mode == Mode::exact) || mode == Mode::threshold;
  if (screens_by_up) {
    work.screen_bytes = rows.up;
    work.active_bytes = rows.down;
    work.record_bytes = rows.down;
  } else if (screens_by_gate) {
    work.screen_bytes = rows.gate;
    work.active_bytes = rows.up + rows.down;
    work.record_bytes = std::min(rows.up, rows.down);
  } else {
    work.active_bytes = rows.gate + rows.up + rows.down;
    work.record_bytes = work.active_bytes;
    if (mode == Mode::predicted) {
      work.screen_bytes = static_cast<double>(ffn.predictor_bytes) / ffn.all_neurons();
      work.record_bytes /= ffn.gate_bytes > 0 ? 3 : 2;
    }
  }
}

std::vector<double> neuron_activity(const LayerActivity& activity) {
  const std::vector<uint32_t> order = hottest_first(activity);
  std::vector<double> groups((order.size() + kGroupNeurons - 1) / kGroupNeurons);
  for (size_t i = 0; i < order.size(); ++i) {
    groups[i / kGroupNeurons] += static_cast<double>(activity.counts[order[i]]) / static_cast<double>(activity.tokens);
  }
  return groups;
}

void set_groups(LayerWork& work, const FfnWeights& ffn, Mode mode, const LayerActivity* activity) {
  const bool skips = mode != Mode::dense && (work.kind != FfnKind::dense || mode == Mode::threshold);
  auto groups = default_group_activity(ffn.n_neurons, kGroupNeurons, skips ? default_active_share(work.kind, mode) : 1);
  if (activity && skips) groups = neuron_activity(*activity);
  if (mode == Mode::predicted) {
    for (double& active : groups) active = std::min<double>(kGroupNeurons, active * kPredictedExcess);
  }
  work.set_activity(groups);
}

Error cannot(const ModelFile& model, const std::string& what) {
  return {ErrorCode::request_invalid, model.metadata.name + " " + what, {{"path", model.metadata.path}}};
}

Result<Mode> choose_mode(const ModelFile& model, Mode requested, const std::vector<FfnKind>& kinds) {
  const auto has = [&](FfnKind kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); };
  // Of experts with a ReLU the CPU leaves silent neurons out; of others it reads all of those the router chose, as llama.cpp does.
  const bool is_sparse = has(FfnKind::relu) || has(FfnKind::gated_relu) || (has(FfnKind::experts) && hotcold::relu_form_of(model.metadata.architecture));
  switch (requested) {
    case Mode::automatic: return is_sparse ? Mode::exact : Mode::dense;
    case Mode::dense:
      if (std::none_of(model.shape.ffn.begin(), model.shape.ffn.end(), [&](const auto& f) { return is_relu_against_architecture(model, f); })) break;
      return cannot(model, "is computed wrongly by llama.cpp, which has another activation for it; it needs mode exact");
    case Mode::predicted:
      if (std::any_of(model.shape.ffn.begin(), model.shape.ffn.end(), [](const auto& f) { return f.predictor_bytes > 0; })) break;
      return cannot(model, "brings no predictors (fc1, fc2), which predicted mode needs");
    case Mode::threshold:
      if (has(FfnKind::dense)) break;
      return cannot(model, "has no gate that a threshold could be put to");
    default: break;
  }
  return requested;
}

Result<Done> check_profile(const ModelFile& model, const ActivationProfile& profile) {
  const size_t n = model.shape.ffn.size();
  if (profile.layers.size() != n) {
    return cannot(model, format_text("has %zu layers, the profile of %s has %zu", n, profile.model_name.c_str(), profile.layers.size()));
  }
  for (size_t i = 0; i < n; ++i) {
    const size_t counted = profile.layers[i].counts.size();
    if (counted != 0 && counted != model.shape.ffn[i].all_neurons()) {
      return cannot(model, format_text("has %u neurons in layer %zu, the profile of %s has %zu", model.shape.ffn[i].all_neurons(),
                                       i, profile.model_name.c_str(), counted));
    }
  }
  return Done{};
}

LayerWork describe_layer(const ModelFile& model, size_t i, FfnKind kind, Mode mode, const WorkRequest& request) {
  const FfnWeights& ffn = model.shape.ffn[i];
  LayerWork work;
  work.kind = kind;
  work.ffn_bytes = kind == FfnKind::unsplit ? 0 : ffn.bytes();
  work.attention_bytes = model.shape.layer_bytes[i] - work.ffn_bytes - ffn.predictor_bytes;
  work.kv_bytes = model.shape.layer_kv_per_token[i] * request.context_tokens * request.n_sequences;
  work.kv_read_bytes = model.shape.layer_kv_per_token[i] * request.context_tokens / 2;
  if (kind == FfnKind::unsplit) return work;
  const double used = kind == FfnKind::experts ? std::min(1.0, double(model.shape.experts_used) / ffn.n_experts) : 1;
  work.ffn_dense_read_bytes = used * static_cast<double>(work.ffn_bytes);
  if (kind == FfnKind::experts) return work;
  work.group_neurons = kGroupNeurons;
  const LayerActivity* activity = request.profile ? &request.profile->layers[i] : nullptr;
  if (activity && (activity->tokens == 0 || activity->counts.empty())) activity = nullptr;
  set_groups(work, ffn, mode, activity);
  set_rows(work, ffn, mode);
  return work;
}

void note_assumptions(const ModelFile& model, const WorkRequest& request, ModelWork& work) {
  const bool skips = work.mode != Mode::dense;
  const auto split = std::find_if(work.layers.begin(), work.layers.end(), [](const auto& l) { return l.is_splittable(); });
  if (skips && !request.profile && split != work.layers.end()) {
    work.notes.push_back(format_text("no profile: %.0f %% of the neurons are taken to be active, unevenly (a mild default)",
                                     100 * default_active_share(split->kind, work.mode)));
  }
  if (work.mode == Mode::threshold) work.notes.push_back("threshold mode changes results");
  if (work.mode == Mode::predicted) work.notes.push_back("predicted mode changes results: predictors miss active neurons");
  for (size_t i = 0; i < work.layers.size(); ++i) {
    if (work.layers[i].kind != FfnKind::unsplit) continue;
    const std::string& obstacle = model.shape.ffn[i].obstacle;
    work.notes.push_back(format_text("layer %zu runs as stock llama.cpp does, and so may others: ", i) +
                         (obstacle.empty() ? "its feed-forward matrices cannot be split" : obstacle));
    break;
  }
}

}  // namespace

const char* ffn_kind_text(FfnKind kind) {
  switch (kind) {
    case FfnKind::dense: return "dense";
    case FfnKind::gated_relu: return "gated ReLU";
    case FfnKind::relu: return "ReLU";
    case FfnKind::experts: return "experts";
    default: return "not splittable";
  }
}

void LayerWork::set_activity(const std::vector<double>& groups) {
  hottest_active.assign(1, 0.0);
  for (const double active : groups) hottest_active.push_back(hottest_active.back() + active);
}

std::vector<double> default_group_activity(uint32_t n_neurons, uint32_t group_neurons, double active_share) {
  std::vector<double> groups((n_neurons + group_neurons - 1) / group_neurons);
  // No neuron is active more often than always: the hottest are 1 + 3 * blend times as active as the mean.
  const double blend = std::clamp((1 / active_share - 1) / 3, 0.0, 0.5);
  const auto cumulative = [&](double share) { return blend * measured_skew(share) + (1 - blend) * share; };
  for (size_t g = 0; g < groups.size(); ++g) {
    const double from = static_cast<double>(g) * group_neurons / n_neurons;
    const double to = std::min(1.0, static_cast<double>(g + 1) * group_neurons / n_neurons);
    groups[g] = active_share * n_neurons * (cumulative(to) - cumulative(from));
  }
  return groups;
}

Result<ModelWork> describe_work(const ModelFile& model, const WorkRequest& request) {
  if (request.profile) {
    if (auto checked = check_profile(model, *request.profile); !checked) return checked.error();
  }
  std::vector<FfnKind> kinds;
  for (const FfnWeights& ffn : model.shape.ffn) kinds.push_back(kind_of(model, ffn));
  const auto mode = choose_mode(model, request.mode, kinds);
  if (!mode) return mode.error();
  ModelWork work;
  work.mode = *mode;
  for (size_t i = 0; i < kinds.size(); ++i) work.layers.push_back(describe_layer(model, i, kinds[i], *mode, request));
  work.head_bytes = model.shape.head_bytes();
  work.input_bytes = model.shape.input_bytes;
  work.is_right_in_stock = std::none_of(model.shape.ffn.begin(), model.shape.ffn.end(),
                                        [&](const FfnWeights& ffn) { return is_relu_against_architecture(model, ffn); });
  note_assumptions(model, request, work);
  return work;
}

}  // namespace hotpath
