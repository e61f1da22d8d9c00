// Decides, before a model is loaded, what a GPU that cannot hold it all is to have: layers, their FFNs or hot neurons.
#pragma once

#include <optional>

#include "llama/loaded_model.h"
#include "placement/plan.h"

namespace hotpath {

struct HybridPlacement {
  Planned planned;
  ggml_backend_dev_t device = nullptr;
  hotcold::NeuronForm form;  // of the hot neurons
  std::string assumption;    // what the plan rests on that nobody measured; empty: nothing

  /// As llama.cpp counts: the output is one more layer.
  int gpu_layers() const;
  /// Layers whose FFN is ours, and those whose FFN llama.cpp computes on the CPU while their attention is not there.
  std::vector<int> split_layers() const;
  std::vector<int> cpu_ffn_layers() const;
  std::vector<uint32_t> hot_neurons() const;  // by layer
  bool has_hot_neurons() const;
};

struct HybridInput {
  const ModelFile& file;
  const ModelSpec& spec;
  ModelIdentity identity;
  const ActivationProfile* profile = nullptr;
  uint64_t context_length = 0;
  uint64_t n_sequences = 0;
  std::vector<ggml_backend_dev_t> gpus;  // that the model may use
  bool fits = false;                     // wholly into the memory of these
};

/// Nothing where llama.cpp alone, as it is loaded without a plan, is as fast or the only way.
std::optional<HybridPlacement> place_hybrid(const HybridInput& input);

/// What the device has left; `budget_bytes` (0: no limit) stands for its memory.
uint64_t free_device_bytes(ggml_backend_dev_t device, uint64_t budget_bytes);

}  // namespace hotpath
