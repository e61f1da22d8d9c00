#include "placement/plan.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "llama/layer_placement.h"

namespace hotpath {

namespace {

// Predictions are not better than this: less of a gain is not worth leaving the path everybody uses.
constexpr double kWorthwhile = 1.05;

std::vector<uint32_t> hot_neurons(const LayerWork& work, uint32_t n_neurons, const LayerChoice& choice, const LayerActivity* activity) {
  if (choice.ffn != FfnPlace::split || choice.hot_groups == 0) return {};
  std::vector<uint32_t> neurons;
  if (activity && activity->tokens > 0 && !activity->counts.empty()) neurons = hottest_first(*activity);
  if (neurons.empty()) {
    neurons.resize(n_neurons);
    std::iota(neurons.begin(), neurons.end(), 0u);
  }
  neurons.resize(std::min(n_neurons, choice.hot_groups * work.group_neurons));
  std::sort(neurons.begin(), neurons.end());
  return neurons;
}

PlanReport::Layer report_layer(const LayerWork& work, const FfnWeights& ffn, const LayerChoice& choice, const MachineRates& rates) {
  PlanReport::Layer layer = {layer_cost(work, choice, rates), work.kind, 0, 0, 0};
  if (work.kind == FfnKind::unsplit) return layer;
  if (work.kind == FfnKind::experts) {
    layer.n_units = ffn.n_experts;
    layer.active_share = work.ffn_dense_read_bytes / static_cast<double>(work.ffn_bytes);
    return layer;
  }
  layer.n_units = ffn.n_neurons;
  layer.active_share = work.hottest_active.back() / ffn.all_neurons();
  if (choice.ffn == FfnPlace::split && work.hottest_active.back() > 0) {
    layer.hot_activity = work.hottest_active[choice.hot_groups] / work.hottest_active.back();
  }
  return layer;
}

/// Hot neurons stay in RAM as well: that is what makes handing memory of the GPU back instant.
uint64_t ram_needed(const ModelWork& work, const Placement& placement) {
  uint64_t bytes = work.input_bytes + (placement.head_on_gpu ? 0 : work.head_bytes);
  for (size_t i = 0; i < work.layers.size(); ++i) {
    const LayerWork& layer = work.layers[i];
    if (!placement.layers[i].attention_on_gpu) bytes += layer.attention_bytes + layer.kv_bytes;
    if (placement.layers[i].ffn != FfnPlace::stock_gpu) bytes += layer.ffn_bytes;
  }
  return bytes;
}

/// Everything on the GPU, where it fits.
std::optional<Placement> all_on_gpu(const ModelWork& work, const MachineRates& rates, uint64_t budget) {
  if (!rates.has_gpu()) return std::nullopt;
  Placement placement = {std::vector<LayerChoice>(work.layers.size(), {true, FfnPlace::stock_gpu, 0}), true, 0, 0};
  placement.vram_bytes = placement_cost(work, placement, rates).vram_bytes;
  if (placement.vram_bytes > budget) return std::nullopt;
  placement.seconds = placement_seconds(work, placement, rates);
  return placement;
}

struct Decision {
  Placement placement;
  bool is_stock;
  double stock_seconds;
  std::string reason;
};

bool has_experts(const ModelWork& work) {
  return std::any_of(work.layers.begin(), work.layers.end(), [](const auto& layer) { return layer.kind == FfnKind::experts; });
}

/// What is used for every token comes to the GPU before what is used for some; the solver finds that by itself.
std::string where_experts_are(const ModelWork& work, const Placement& placement) {
  size_t n = 0;
  size_t n_apart = 0;  // their attention is elsewhere
  for (size_t i = 0; i < work.layers.size(); ++i) {
    const LayerChoice& choice = placement.layers[i];
    if (work.layers[i].kind != FfnKind::experts || choice.ffn == FfnPlace::stock_gpu) continue;
    ++n;
    n_apart += choice.attention_on_gpu;
  }
  std::string text = format_text("the experts of %zu of %zu layers are on the CPU", n, work.layers.size());
  if (n_apart > 0) text += format_text(", the attention of %zu of these is on the GPU", n_apart);
  return text;
}

/// Where llama.cpp alone is out of the question.
Decision decide_without_stock(const ModelWork& work, const PlanRequest& request, uint64_t budget, std::string reason) {
  Allowed allowed = request.allowed;
  allowed.stock = false;
  const double stock_seconds = solve_placement(work, request.rates, budget, {false}).seconds;
  return {solve_placement(work, request.rates, budget, allowed), false, stock_seconds,
          std::move(reason)};
}

Decision decide(ModelWork& work, const PlanRequest& request, uint64_t budget) {
  if (!work.is_right_in_stock) {
    return decide_without_stock(work, request, budget, "llama.cpp alone would compute this model with another activation than it has");
  }
  if (!request.allowed.stock && work.mode != hotcold::Mode::dense) {
    return decide_without_stock(work, request, budget, "hot/cold was asked for");
  }
  if (auto whole = all_on_gpu(work, request.rates, budget)) {
    work.notes.clear();  // nothing that was assumed mattered
    const double seconds = whole->seconds;
    return {std::move(*whole), true, seconds, "the whole model fits on the GPU: llama.cpp alone is fastest"};
  }
  Placement stock = solve_placement(work, request.rates, budget, {false});
  const double stock_seconds = stock.seconds;
  if (has_experts(work)) {
    std::string reason = where_experts_are(work, stock);
    return {std::move(stock), work.mode == hotcold::Mode::dense, stock_seconds, std::move(reason)};
  }
  if (work.mode == hotcold::Mode::dense) {
    return {std::move(stock), true, stock_seconds, "no neuron can be skipped: llama.cpp alone, placed as well as it can be"};
  }
  Placement split = solve_placement(work, request.rates, budget, request.allowed);
  const double gain = stock_seconds / split.seconds;
  if (gain < kWorthwhile) {
    return {std::move(stock), true, stock_seconds,
            format_text("hot/cold would be %.2f times as fast as llama.cpp alone, which is not worth it", gain)};
  }
  return {std::move(split), false, stock_seconds,
          format_text("hot/cold should be %.2f times as fast as llama.cpp alone at its best", gain)};
}

}  // namespace

Result<Planned> make_plan(const ModelFile& model, const ModelIdentity& identity, const PlanRequest& request) {
  const ActivationProfile* profile = request.work.profile;
  if (profile && !(profile->model == identity)) {
    return Error{ErrorCode::request_invalid, "the profile is of another model: " + profile->model_name + ", not " + model.metadata.name,
                 {{"path", model.metadata.path}}};
  }
  auto work = describe_work(model, request.work);
  if (!work) return work.error();
  const uint64_t reserve = gpu_reserve_bytes(model);
  const uint64_t budget = request.rates.has_gpu() && request.vram_bytes > reserve ? request.vram_bytes - reserve : 0;
  const Decision decision = decide(*work, request, budget);

  Planned planned;
  planned.plan = {work->mode, decision.is_stock, decision.placement.head_on_gpu, {}};
  PlanReport& report = planned.report;
  for (size_t i = 0; i < work->layers.size(); ++i) {
    const LayerChoice& choice = decision.placement.layers[i];
    const FfnWeights& ffn = model.shape.ffn[i];
    planned.plan.layers.push_back({choice, hot_neurons(work->layers[i], ffn.n_neurons, choice, profile ? &profile->layers[i] : nullptr)});
    report.layers.push_back(report_layer(work->layers[i], ffn, choice, request.rates));
  }
  report.head = head_cost(*work, decision.placement.head_on_gpu, request.rates);
  report.seconds = decision.placement.seconds;
  report.stock_seconds = decision.stock_seconds;
  report.budget_bytes = budget;
  report.vram_used_bytes = decision.placement.vram_bytes;
  report.ram_needed_bytes = ram_needed(*work, decision.placement);
  report.reason = decision.reason;
  report.notes = std::move(work->notes);
  return planned;
}

}  // namespace hotpath
