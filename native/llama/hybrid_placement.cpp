#include "llama/hybrid_placement.h"

#include <algorithm>

#include "core/log.h"
#include "core/system.h"
#include "hotcold/gpu/cuda_hot_unit.h"
#include "hotcold/plan.h"
#include "llama/layer_placement.h"

namespace hotpath {

namespace {

using hotcold::Mode;

// Of a desktop with two channels of DDR5 and a graphics card of the middle class, until `doctor --measure` knows better.
constexpr MachineRates kUsualRates = {45, 30, 36, 350, 12, 25, false};

MachineRates usual_rates(ggml_backend_dev_t device) {
  MachineRates rates = kUsualRates;
  // It reads the memory that the CPU reads.
  if (ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_IGPU) rates.gpu_gbps = rates.cpu_stream_gbps;
  return rates;
}

/// Whether neurons there are likely to be computed by Hotpath's kernels, which read the rows of active ones only.
bool has_own_kernels(ggml_backend_dev_t device, const std::string& cuda_library) {
  if (cuda_library.empty() || ggml_backend_dev_type(device) != GGML_BACKEND_DEVICE_TYPE_GPU) return false;
  return hotcold::cuda_library(cuda_library).state == hotcold::CudaState::ok;
}

ggml_backend_dev_t choose_device(const HybridInput& input) {
  if (!input.spec.hot_device.empty()) return ggml_backend_dev_by_name(input.spec.hot_device.c_str());
  // Several cards hold more than one plan covers: llama.cpp spreads layers over them.
  return input.gpus.size() == 1 ? input.gpus.front() : nullptr;
}

/// Whether a plan could do better than what is done without one.
bool is_question(const HybridInput& input) {
  const ModelSpec& spec = input.spec;
  const ModelFile& file = input.file;
  if (spec.device == DeviceChoice::cpu || spec.gpu_layers != -1) return false;
  if (spec.mode == Mode::dense || spec.mode == Mode::threshold) return false;
  if (file.form && !file.form->is_certain) return false;
  if (hotcold::usable_isas().front() == hotcold::Isa::generic) return false;
  return !input.fits || spec.mode != Mode::automatic || file.form;
}

bool has_experts(const ModelFile& file) {
  return std::any_of(file.shape.ffn.begin(), file.shape.ffn.end(), [](const FfnWeights& ffn) { return ffn.n_experts > 0; });
}

template <typename IsWanted>
std::vector<int> layers_where(const HybridPlacement& placement, IsWanted is_wanted) {
  std::vector<int> layers;
  for (size_t i = 0; i < placement.planned.plan.layers.size(); ++i) {
    if (is_wanted(placement.planned.plan.layers[i].choice, placement.planned.report.layers[i].kind)) layers.push_back(static_cast<int>(i));
  }
  return layers;
}

}  // namespace

int HybridPlacement::gpu_layers() const {
  // A CPU in the place of a GPU has hot neurons only.
  if (ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU) return 0;
  const Plan& plan = planned.plan;
  const auto n = std::count_if(plan.layers.begin(), plan.layers.end(), [](const auto& layer) { return layer.choice.attention_on_gpu; });
  return static_cast<int>(n) + (plan.head_on_gpu ? 1 : 0);
}

std::vector<int> HybridPlacement::split_layers() const {
  const bool are_experts_ours = !planned.plan.is_stock;
  return layers_where(*this, [&](const LayerChoice& choice, FfnKind kind) {
    return choice.ffn == FfnPlace::split || (are_experts_ours && kind == FfnKind::experts && choice.ffn == FfnPlace::stock_cpu);
  });
}

std::vector<int> HybridPlacement::cpu_ffn_layers() const {
  const bool are_experts_ours = !planned.plan.is_stock;
  return layers_where(*this, [&](const LayerChoice& choice, FfnKind kind) {
    if (!choice.attention_on_gpu || choice.ffn != FfnPlace::stock_cpu) return false;
    return kind != FfnKind::unsplit && !(are_experts_ours && kind == FfnKind::experts);
  });
}

std::vector<uint32_t> HybridPlacement::hot_neurons() const {
  std::vector<uint32_t> n;
  for (const PlanLayer& layer : planned.plan.layers) n.push_back(static_cast<uint32_t>(layer.hot.size()));
  return n;
}

bool HybridPlacement::has_hot_neurons() const {
  return std::any_of(planned.plan.layers.begin(), planned.plan.layers.end(), [](const PlanLayer& layer) { return !layer.hot.empty(); });
}

std::optional<HybridPlacement> place_hybrid(const HybridInput& input) {
  HybridPlacement placement;
  placement.device = choose_device(input);
  if (!placement.device || !is_question(input)) return std::nullopt;
  const std::string& architecture = input.file.metadata.architecture;
  const auto form = input.file.form ? input.file.form->form : hotcold::relu_form_of(architecture);
  if (!form && !has_experts(input.file)) {
    log(LogLevel::info, "no plan for hot/cold: " + architecture + " has no ReLU, none of its neurons is hotter than another");
    return std::nullopt;
  }
  placement.form = form.value_or(hotcold::NeuronForm{});
  PlanRequest request;
  request.work = {input.spec.mode, input.context_length, input.n_sequences, input.profile};
  request.rates = input.spec.rates.value_or(usual_rates(placement.device));
  if (!input.spec.rates) placement.assumption = "planned for a usual machine, as `hotpath doctor --measure` has not measured this one";
  request.rates.gpu_skips_silent = has_own_kernels(placement.device, input.spec.cuda_library);
  request.vram_bytes = free_device_bytes(placement.device, input.spec.vram_bytes);
  request.allowed.stock = input.spec.mode == Mode::automatic;
  request.allowed.split = form.has_value();
  auto planned = make_plan(input.file, input.identity, request);
  if (!planned) {
    log(LogLevel::warn, "no plan for hot/cold: " + planned.error().message);
    return std::nullopt;
  }
  placement.planned = std::move(*planned);
  const PlanReport& report = placement.planned.report;
  log(LogLevel::info, "plan: " + report.reason + (placement.assumption.empty() ? "" : "; " + placement.assumption));
  // Whole layers llama.cpp is given without a plan as well.
  if (placement.planned.plan.is_stock && placement.cpu_ffn_layers().empty()) return std::nullopt;
  if (report.ram_needed_bytes > available_memory_bytes()) {
    log(LogLevel::info, "plan: needs " + format_bytes(static_cast<double>(report.ram_needed_bytes)) + " of memory, not so much is free");
    return std::nullopt;
  }
  return placement;
}

uint64_t free_device_bytes(ggml_backend_dev_t device, uint64_t budget_bytes) {
  size_t free = 0;
  size_t total = 0;
  ggml_backend_dev_memory(device, &free, &total);
  return budget_bytes > 0 ? std::min<uint64_t>(budget_bytes, free) : free;
}

}  // namespace hotpath
