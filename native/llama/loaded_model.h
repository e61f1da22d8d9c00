// A model in memory: weights, context and threads, loaded where they fit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "activation/profile_keeper.h"
#include "core/cancel.h"
#include "core/error.h"
#include "hotcold/store.h"
#include "llama.h"
#include "llama/device_memory.h"
#include "llama/model_file.h"
#include "llama/runtime.h"
#include "placement/hot_set.h"
#include "placement/rates.h"

namespace hotpath {

/// Tokens that one sequence holds unless another number is asked for.
constexpr uint32_t kDefaultContext = 4096;
/// Of one batch, the tokens that can have logits.
constexpr uint32_t kMaxOutputs = 4;

/// `wanted`: 0 for the default, one core less than there are.
int served_threads(int wanted);
/// `wanted`: 0 for the default.
uint32_t served_context(uint32_t wanted, const ModelMetadata& metadata);

enum class DeviceChoice { automatic, cpu };

/// ModelSpec of src/protocol/model.ts.
struct ModelSpec {
  std::string path;
  DeviceChoice device = DeviceChoice::automatic;
  int gpu_layers = -1;
  uint32_t context_length = 0;
  uint32_t n_sequences = 0;  // 0: as many as memory allows; see place_layers
  int threads = 0;
  hotcold::Mode mode = hotcold::Mode::automatic;
  double silent_share = 0.5;     // mode threshold: of the gates, the smallest, that are taken as silent
  std::string calibration_text;  // on which that is measured, of which some hundred tokens count; empty: a little Python
  std::vector<std::string> sidecars;  // where one may be; the first that belongs to the model is used
  std::string profile;                // the file in which what the model makes active is kept; empty: none
  std::optional<MachineRates> rates;  // as measured on this machine
  std::string cuda_library;           // with Hotpath's own kernels; empty: none
  std::string hot_device;             // that gets hot neurons; empty: the GPU, where there is one
  uint64_t vram_bytes = 0;            // of it that may be used; 0: what is free
};

struct DeviceShare {
  std::string name;
  std::string description;
  DeviceKind kind;
  uint32_t layers;
  std::optional<DeviceMemory> memory;  // when the model was loaded; of what computes in the CPU's memory: none
};

/// How the FFNs are computed, and why so.
struct FfnInfo {
  hotcold::Mode mode = hotcold::Mode::dense;
  std::string reason;
  uint32_t layers = 0;  // that the hot/cold backend has
  std::string kernels;  // their instruction set; empty when dense
  std::vector<double> neuron_bytes;  // weights of one neuron, by layer
  uint64_t neurons_per_token = 0;    // of all these layers; of experts, those used; 0: all are computed whatever the token
  uint64_t other_bytes = 0;          // weights that every token reads beside these FFNs; of experts elsewhere, those used
  HotState hot;                // when the model was loaded
  std::string profile_notice;  // why the profile that is there is not used; else empty
  std::string sidecar;  // the file their weights are mapped from; empty: they were packed while loading
  std::string sidecar_notice;  // why a sidecar that is there is not used, or lacks something, and what to do; else empty
};

/// LoadedModel of src/protocol/model.ts.
struct LoadedInfo {
  ModelMetadata metadata;
  ModelSpec spec;
  uint32_t context_length = 0;
  uint32_t sequence_count = 0;
  int threads = 0;
  std::vector<DeviceShare> devices;
  std::string fallback;  // empty: it runs where it was asked to
  double load_ms = 0;
  uint64_t kv_bytes = 0;
  FfnInfo ffn;
};

struct FreeThreadpool {
  void operator()(ggml_threadpool* pool) const;
};

/// Declared in the order they depend on each other, so that they are freed in the opposite one.
struct LoadedModel {
  LoadedInfo info;
  std::unique_ptr<hotcold::Store> ffns;  // null when llama.cpp computes them all
  std::unique_ptr<ProfileKeeper> profile;  // null like `ffns`
  std::unique_ptr<HotSet> hot_set;         // null when no neuron is on a device
  std::unique_ptr<llama_model, decltype(&llama_model_free)> model{nullptr, llama_model_free};
  std::unique_ptr<ggml_threadpool, FreeThreadpool> threadpool;
  std::unique_ptr<llama_context, decltype(&llama_free)> context{nullptr, llama_free};
};

using OnProgress = std::function<void(float fraction)>;

/// model/no-fim when it cannot fill in.
Result<Done> require_fim(const ModelMetadata& metadata);

/// Loads to the GPUs what fits there; when that fails, all to the CPU, and says so in `fallback`.
Result<LoadedModel> load_model(const ModelSpec& spec, const OnProgress& on_progress, const CancelFlag& cancel);

}  // namespace hotpath
