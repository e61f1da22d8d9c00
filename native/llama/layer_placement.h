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
/// Documents whose KV cache a model keeps, where memory allows.
constexpr uint32_t kMaxSequences = 4;

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

struct PlacementWish {
  uint32_t context_length;   // tokens of one sequence
  int gpu_layers = -1;       // as ModelSpec.gpuLayers
  uint32_t n_sequences = 0;  // 0: as many as place_layers finds right
};

struct LayerPlacement {
  int gpu_layers;        // as llama.cpp counts: the output is one more layer, and comes last
  uint32_t n_sequences;  // 1 to kMaxSequences
  MemoryNeed cpu;        // what stays on the CPU
  std::string notice;  // why fewer layers than asked for are on the GPU; empty otherwise
};

/// What a GPU needs beside weights and KV cache: room to compute in, and some for others.
uint64_t gpu_reserve_bytes(const ModelFile& model);
/// The part of it for others, to be left free also when the model is loaded.
uint64_t gpu_reserve_for_others();

/// model/too-large with all the sizes when the CPU's part does not fit with one sequence.
///
/// Each sequence beyond the first spares the prompt of a file the user comes back to from being computed anew. All four are
/// kept as long as they take no more than the weights do, or 1 GB, and as those beyond the first take no more than half of
/// what is left free beside the model with one: the user's other programs want some, too. That holds for the GPUs as for
/// main memory, so no layer leaves a GPU for a cache. A CodeLlama 7B in 4 bits (2.1 GB for 4096 tokens, without grouped-query
/// attention, beside 3.8 GB of weights) keeps one; a Qwen2.5-Coder 7B (0.2 GB) keeps four.
Result<LayerPlacement> place_layers(const ModelFile& model, const FreeMemory& free, const PlacementWish& wish);

/// The same for a placement whose FFNs of `ffn_layers` are in memory whichever device has their layers.
Result<Done> check_memory(const ModelFile& model, const LayerPlacement& placement, const FreeMemory& free, std::span<const int> ffn_layers);

}  // namespace hotpath
