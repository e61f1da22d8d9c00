// Where each layer's parts go: the choices of least total time under the GPU memory budget.
#pragma once

#include <cstdint>
#include <vector>

#include "placement/cost_model.h"

namespace hotpath {

/// What may be chosen. Stock llama.cpp alone is `{false}`.
struct Allowed {
  bool split = true;
  bool stock = true;  // false: no layer that can be split is left to llama.cpp
};

struct Placement {
  std::vector<LayerChoice> layers;
  bool head_on_gpu = false;
  double seconds = 0;  // per token
  uint64_t vram_bytes = 0;
};

/// Choices for one layer, before any budget.
std::vector<LayerChoice> layer_choices(const LayerWork& work, const MachineRates& rates, Allowed allowed);

/// Layers with their attention on the GPU are the last ones, and only with the output there, as llama.cpp has it. Never
/// above the budget. Exact when the budget is at most 2048 units of memory and layers have at most 32 groups; else memory
/// is counted in 2048 steps and hot groups in 32, and what is left over is filled up.
Placement solve_placement(const ModelWork& work, const MachineRates& rates, uint64_t vram_budget, Allowed allowed);

/// Time per token and memory of given choices.
Cost placement_cost(const ModelWork& work, const Placement& placement, const MachineRates& rates);
double placement_seconds(const ModelWork& work, const Placement& placement, const MachineRates& rates);

}  // namespace hotpath
