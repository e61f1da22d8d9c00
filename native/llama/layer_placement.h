// Which layers go to the GPUs, and whether the rest fits in memory. Decided before anything is loaded: an allocation
// that fails halfway, or a machine that starts to swap, is no way to learn that a model is too large.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "llama/model_file.h"

namespace hotpath {

/// Tokens computed at once.
constexpr uint32_t kMicroBatch = 512;

struct FreeMemory {
  uint64_t cpu_bytes;
  std::vector<uint64_t> gpu_bytes;  // of each GPU the model may use; empty: CPU only
};

struct MemoryNeed {
  uint64_t weight_bytes;
  uint64_t kv_bytes;
  uint64_t compute_bytes;
  uint64_t total() const { return weight_bytes + kv_bytes + compute_bytes; }
};

struct LayerPlacement {
  int gpu_layers;     // as llama.cpp counts: the output is one more layer, and comes last
  MemoryNeed cpu;     // what stays on the CPU
  std::string notice;  // why fewer layers than asked for are on the GPU; empty otherwise
};

/// What a GPU needs beside weights and KV cache: room to compute in, and some for others.
uint64_t gpu_reserve_bytes(const ModelFile& model);
/// The part of it for others, to be left free also when the model is loaded.
uint64_t gpu_reserve_for_others();

/// `n_tokens`: of all sequences together. `requested` as ModelSpec.gpuLayers. model/too-large with all the sizes when
/// the CPU's part does not fit.
Result<LayerPlacement> place_layers(const ModelFile& model, uint64_t n_tokens, const FreeMemory& free, int requested);

/// The same for a placement whose FFNs of `ffn_layers` are in memory whichever device has their layers.
Result<Done> check_memory(const ModelFile& model, const LayerPlacement& placement, const FreeMemory& free, std::span<const int> ffn_layers);

}  // namespace hotpath
