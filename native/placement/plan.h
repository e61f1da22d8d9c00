// The plan of one model on one machine: where everything goes, what that should give, and why.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "activation/profile.h"
#include "placement/solver.h"

namespace hotpath {

struct PlanLayer {
  LayerChoice choice;
  std::vector<uint32_t> hot;  // split: neurons on the GPU, ascending
};

/// What the engine carries out.
struct Plan {
  hotcold::Mode mode = hotcold::Mode::dense;
  bool is_stock = true;  // nothing of ours takes part; where the parts are counts all the same
  bool head_on_gpu = false;
  std::vector<PlanLayer> layers;
};

/// What people are told about a plan.
struct PlanReport {
  struct Layer {
    Cost cost;
    FfnKind kind;
    uint32_t n_units;      // neurons, or experts
    double active_share;   // of the neurons, per token; of experts, those that the router chooses
    double hot_activity;   // share of the activations that the hot neurons have
  };
  std::vector<Layer> layers;
  Cost head;
  double seconds = 0;        // per token
  double stock_seconds = 0;  // of llama.cpp at its best under the same budget
  uint64_t budget_bytes = 0;  // GPU memory for weights and KV cache
  uint64_t vram_used_bytes = 0;
  uint64_t ram_needed_bytes = 0;
  std::string reason;  // why it is, or is not, the stock path
  std::vector<std::string> notes;
};

struct PlanRequest {
  WorkRequest work;
  MachineRates rates;
  uint64_t vram_bytes = 0;  // of the card, free
  Allowed allowed;
};

struct Planned {
  Plan plan;
  PlanReport report;
};

/// Costs milliseconds; needs the header only. request/invalid when the profile or the mode does not suit the model.
Result<Planned> make_plan(const ModelFile& model, const ModelIdentity& identity, const PlanRequest& request);

}  // namespace hotpath
