// What is decided before a model runs: how fast the machine is, which neurons are hot, where everything goes. Like the
// engine's other functions, any input gives a result or a coded error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "llama/profile_run.h"
#include "placement/measure.h"
#include "placement/plan.h"

namespace hotpath::engine {

Result<MachineMeasurement> measure(const CancelFlag& cancel);

/// PlanParams of src/protocol/planning.ts.
struct PlanParams {
  std::string path;
  hotcold::Mode mode = hotcold::Mode::automatic;
  uint64_t vram_bytes = 0;
  uint64_t ram_bytes = 0;       // 0: what is free now
  uint32_t context_length = 0;  // 0: as a model is loaded without one
  std::string profile;  // a file; empty: none
  MachineRates rates;
};

struct ModelPlan {
  ModelMetadata metadata;
  Planned planned;
  uint32_t context_length;
  uint32_t sequence_count;
};

Result<ModelPlan> plan(const PlanParams& params);

/// Runs the files through a model of its own and saves the profile.
Result<ActivationProfile> profile(const ModelSpec& spec, const std::vector<std::string>& files, const std::string& out,
                                  const OnProfileProgress& on_progress, const CancelFlag& cancel);

Result<ActivationProfile> read_profile(const std::string& path);

/// Adds up profiles of one model and saves the sum.
Result<ActivationProfile> merge_profiles(const std::vector<std::string>& paths, const std::string& out);

}  // namespace hotpath::engine
