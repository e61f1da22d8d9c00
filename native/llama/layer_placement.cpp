#include "llama/layer_placement.h"

#include <algorithm>
#include <numeric>

namespace hotpath {

namespace {

constexpr uint64_t kFixedComputeBytes = 64 * 1000 * 1000;
// Left free on each GPU: the desktop draws there too, and a driver that runs out takes the display with it.
constexpr uint64_t kGpuReserveBytes = 400 * 1000 * 1000;
// KV caches that nobody misses the memory of.
constexpr uint64_t kSmallKvBytes = 1000 * 1000 * 1000;

/// Activations of one micro-batch: about eight vectors of the model's width and three of its feed-forward width alive at
/// once. Measured against llama.cpp's own report: within a factor of 1.5 above it for models of 0.005 B to 1.5 B.
uint64_t compute_bytes(const ModelFile& model) {
  const uint64_t floats = uint64_t{kMicroBatch} * (8 * uint64_t{model.metadata.embedding_length} + 3 * model.shape.feed_forward_length);
  return kFixedComputeBytes + floats * sizeof(float);
}

uint64_t layer_bytes(const ModelFile& model, size_t layer, uint64_t n_tokens) {
  return model.shape.layer_bytes[layer] + model.shape.layer_kv_per_token[layer] * n_tokens;
}

uint64_t left_of(uint64_t bytes, uint64_t taken) { return bytes > taken ? bytes - taken : 0; }

uint64_t gpu_room(const ModelFile& model, const FreeMemory& free) {
  const uint64_t reserve = gpu_reserve_bytes(model);
  uint64_t room = 0;
  for (const uint64_t bytes : free.gpu_bytes) room += left_of(bytes, reserve);
  return room;
}

/// Layers go to the GPUs from the last on, the output first.
int layers_that_fit(const ModelFile& model, uint64_t n_tokens, const FreeMemory& free) {
  uint64_t room = gpu_room(model, free);
  if (room < model.shape.other_bytes) return 0;
  room -= model.shape.other_bytes;
  int n = 1;
  for (size_t layer = model.shape.layer_bytes.size(); layer-- > 0; ++n) {
    const uint64_t bytes = layer_bytes(model, layer, n_tokens);
    if (bytes > room) break;
    room -= bytes;
  }
  return n;
}

size_t layers_on_cpu(const ModelFile& model, int gpu_layers) {
  const size_t n_layers = model.shape.layer_bytes.size();
  return n_layers - std::min(n_layers, static_cast<size_t>(std::max(0, gpu_layers - 1)));
}

MemoryNeed cpu_need(const ModelFile& model, uint64_t n_tokens, int gpu_layers) {
  const size_t on_cpu = layers_on_cpu(model, gpu_layers);
  MemoryNeed need = {model.shape.other_bytes, 0, compute_bytes(model)};
  for (size_t layer = 0; layer < on_cpu; ++layer) {
    need.weight_bytes += model.shape.layer_bytes[layer];
    need.kv_bytes += model.shape.layer_kv_per_token[layer] * n_tokens;
  }
  return need;
}

/// See place_layers.
uint32_t choose_sequences(const ModelFile& model, uint64_t context_length, const FreeMemory& free, int gpu_layers) {
  const MemoryNeed cpu = cpu_need(model, context_length, gpu_layers);
  const uint64_t kv_bytes = model.shape.kv_bytes_per_token() * context_length;
  const uint64_t gpu_kv_bytes = kv_bytes - cpu.kv_bytes;
  // Embeddings and output count on both sides, as in layers_that_fit.
  const uint64_t gpu_weight_bytes = model.shape.weight_bytes() - cpu.weight_bytes + model.shape.other_bytes;
  const uint64_t cpu_left = left_of(free.cpu_bytes, cpu.total());
  const uint64_t gpu_left = left_of(gpu_room(model, free), gpu_weight_bytes + gpu_kv_bytes);
  const uint64_t most = std::max(kSmallKvBytes, model.shape.weight_bytes());
  uint32_t n = kMaxSequences;
  for (; n > 1; --n) {
    const uint64_t n_more = n - 1;
    if (n * kv_bytes <= most && n_more * cpu.kv_bytes <= cpu_left / 2 && n_more * gpu_kv_bytes <= gpu_left / 2) break;
  }
  return n;
}

Error too_large(const ModelFile& model, const MemoryNeed& need, const FreeMemory& free) {
  const uint64_t gpu_bytes = std::accumulate(free.gpu_bytes.begin(), free.gpu_bytes.end(), uint64_t{0});
  const auto number = [](uint64_t bytes) { return static_cast<double>(bytes); };
  std::string message = model.metadata.name + " needs " + format_bytes(number(need.total())) + " of memory (weights " +
                        format_bytes(number(need.weight_bytes)) + ", KV cache " + format_bytes(number(need.kv_bytes)) +
                        ", working memory " + format_bytes(number(need.compute_bytes)) + "), " +
                        format_bytes(number(free.cpu_bytes)) + " are free";
  if (!free.gpu_bytes.empty()) message += ", and " + format_bytes(number(gpu_bytes)) + " on the GPU";
  return {ErrorCode::model_too_large,
          std::move(message),
          {{"path", model.metadata.path},
           {"fileBytes", number(model.metadata.file_bytes)},
           {"weightBytes", number(need.weight_bytes)},
           {"kvBytes", number(need.kv_bytes)},
           {"computeBytes", number(need.compute_bytes)},
           {"neededBytes", number(need.total())},
           {"freeBytes", number(free.cpu_bytes)},
           {"gpuFreeBytes", number(gpu_bytes)}}};
}

}  // namespace

uint64_t gpu_reserve_bytes(const ModelFile& model) { return kGpuReserveBytes + compute_bytes(model); }

uint64_t gpu_reserve_for_others() { return kGpuReserveBytes; }

Result<LayerPlacement> place_layers(const ModelFile& model, const FreeMemory& free, const PlacementWish& wish) {
  const int all = static_cast<int>(model.metadata.layer_count) + 1;
  LayerPlacement placement = {0, wish.n_sequences, {}, ""};
  if (free.gpu_bytes.empty()) {
    if (wish.gpu_layers > 0) placement.notice = "no GPU was found";
  } else if (wish.gpu_layers >= 0) {
    placement.gpu_layers = wish.gpu_layers == 0 ? 0 : std::min(wish.gpu_layers, all - 1) + 1;
  } else {
    placement.gpu_layers = layers_that_fit(model, uint64_t{wish.context_length} * std::max(1u, wish.n_sequences), free);
    if (placement.gpu_layers < all) {
      const uint64_t bytes = std::accumulate(free.gpu_bytes.begin(), free.gpu_bytes.end(), uint64_t{0});
      placement.notice = format_text("%d of %d layers fit into the free memory of the GPU (%s)",
                                     std::max(0, placement.gpu_layers - 1), all - 1,
                                     format_bytes(static_cast<double>(bytes)).c_str());
    }
  }
  if (wish.n_sequences == 0) placement.n_sequences = choose_sequences(model, wish.context_length, free, placement.gpu_layers);
  placement.cpu = cpu_need(model, uint64_t{wish.context_length} * placement.n_sequences, placement.gpu_layers);
  if (placement.cpu.total() > free.cpu_bytes) return too_large(model, placement.cpu, free);
  return placement;
}

Result<Done> check_memory(const ModelFile& model, const LayerPlacement& placement, const FreeMemory& free, std::span<const int> ffn_layers) {
  MemoryNeed need = placement.cpu;
  const size_t on_cpu = layers_on_cpu(model, placement.gpu_layers);
  for (const int layer : ffn_layers) {
    if (static_cast<size_t>(layer) >= on_cpu) need.weight_bytes += model.shape.ffn[layer].bytes();
  }
  if (need.total() > free.cpu_bytes) return too_large(model, need, free);
  return Done{};
}

}  // namespace hotpath
