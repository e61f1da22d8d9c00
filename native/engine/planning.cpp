#include "engine/planning.h"

#include "core/system.h"
#include "core/whole_file.h"
#include "engine/guarded.h"
#include "llama/layer_placement.h"

namespace hotpath::engine {

namespace {

/// As loading chooses; of a model that does not fit, the least.
uint32_t sequences_of(const ModelFile& model, uint32_t context_length, const PlanParams& params) {
  FreeMemory free = {params.ram_bytes > 0 ? params.ram_bytes : available_memory_bytes(), {}};
  if (params.vram_bytes > 0) free.gpu_bytes.push_back(params.vram_bytes);
  const auto placement = place_layers(model, free, {context_length});
  return placement ? placement->n_sequences : 1;
}

Result<ModelPlan> make_model_plan(const PlanParams& params) {
  auto model = read_model_file(params.path);
  if (!model) return model.error();
  const auto identity = identify_model_file(params.path);
  if (!identity) return identity.error();
  std::optional<ActivationProfile> profile;
  if (!params.profile.empty()) {
    auto loaded = load_profile(params.profile);
    if (!loaded) return loaded.error();
    profile = std::move(*loaded);
  }
  const uint32_t context_length = served_context(params.context_length, model->metadata);
  const uint32_t n_sequences = sequences_of(*model, context_length, params);
  PlanRequest request;
  request.work = {params.mode, context_length, n_sequences, profile ? &*profile : nullptr};
  request.rates = params.rates;
  request.vram_bytes = params.vram_bytes;
  auto planned = make_plan(*model, *identity, request);
  if (!planned) return planned.error();
  return ModelPlan{std::move(model->metadata), std::move(*planned), context_length, n_sequences};
}

}  // namespace

Result<MachineMeasurement> measure(const CancelFlag& cancel) {
  return guarded([&] { return measure_machine(cancel); });
}

Result<ModelPlan> plan(const PlanParams& params) {
  return guarded([&] { return make_model_plan(params); });
}

Result<ActivationProfile> profile(const ModelSpec& spec, const std::vector<std::string>& files, const std::string& out,
                                  const OnProfileProgress& on_progress, const CancelFlag& cancel) {
  return guarded([&]() -> Result<ActivationProfile> {
    // A run may take an hour; that its result cannot be kept is to be known before.
    if (auto writable = check_writable(out); !writable) return writable.error();
    auto profile = profile_files(spec, files, on_progress, cancel);
    if (!profile) return profile;
    if (auto saved = save_profile(*profile, out); !saved) return saved.error();
    return profile;
  });
}

Result<ActivationProfile> read_profile(const std::string& path) {
  return guarded([&] { return load_profile(path); });
}

Result<ActivationProfile> merge_profiles(const std::vector<std::string>& paths, const std::string& out) {
  return guarded([&]() -> Result<ActivationProfile> {
    if (paths.empty()) return Error{ErrorCode::request_invalid, "no profiles to merge", {}};
    auto merged = load_profile(paths.front());
    if (!merged) return merged;
    for (size_t i = 1; i < paths.size(); ++i) {
      const auto other = load_profile(paths[i]);
      if (!other) return other.error();
      if (auto done = merge_profile(*merged, *other); !done) return done.error();
    }
    if (auto saved = save_profile(*merged, out); !saved) return saved.error();
    return merged;
  });
}

}  // namespace hotpath::engine
