// What llama.cpp itself offers for a model that a GPU cannot hold, as its users would tune it by hand: whole layers
// (`--n-gpu-layers`), or every layer but the feed-forward matrices of the first ones (`--n-cpu-ffn`, `--n-cpu-moe`). The most
// that fits of the one or the other is what its `--fit` settles on; which of them is fastest is measured.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "hotcold/plan.h"
#include "llama/layer_placement.h"
#include "llama/model_file.h"

namespace hotpath {

struct StockChoice {
  std::string name;
  int gpu_layers = 0;  // as llama.cpp counts: the output is one more layer
  int n_cpu_ffn = 0;   // the first layers, whose feed-forward matrices stay on the CPU

  /// For tensor_buft_overrides; empty: none.
  std::string cpu_pattern() const {
    hotcold::Plan on_cpu;
    on_cpu.layers.resize(n_cpu_ffn);
    std::iota(on_cpu.layers.begin(), on_cpu.layers.end(), 0);
    return on_cpu.tensor_pattern();
  }
};

/// The most that should fit, and less of it; the same reserve is left to working memory as Hotpath's own plans leave.
inline std::vector<StockChoice> stock_choices(const ModelFile& model, uint32_t context_length, uint64_t vram_bytes) {
  const int n_layers = static_cast<int>(model.metadata.layer_count);
  std::vector<StockChoice> choices;
  const auto add = [&](StockChoice choice) {
    const bool is_new = std::none_of(choices.begin(), choices.end(), [&](const StockChoice& known) { return known.name == choice.name; });
    if (is_new) choices.push_back(std::move(choice));
  };
  const auto whole_layers = place_layers(model, {UINT64_MAX, {vram_bytes}}, {context_length});
  const int most = whole_layers ? std::max(0, whole_layers->gpu_layers - 1) : 0;
  for (const int n : {most, most * 3 / 4, most / 2, 0}) {
    add({format_text("%d of %d layers on the GPU", n, n_layers), n == 0 ? 0 : n + 1, 0});
  }
  const uint64_t reserve = gpu_reserve_bytes(model);
  uint64_t needed = model.shape.other_bytes;
  for (int i = 0; i < n_layers; ++i) needed += model.shape.layer_bytes[i] + model.shape.layer_kv_per_token[i] * context_length;
  int least = 0;
  for (; least < n_layers && needed + reserve > vram_bytes; ++least) needed -= model.shape.ffn[least].bytes();
  if (needed + reserve > vram_bytes) return choices;
  for (const int n : {least, (least + n_layers) / 2, n_layers}) {
    if (n > 0) add({format_text("FFN of the first %d of %d layers on the CPU", n, n_layers), n_layers + 1, n});
  }
  return choices;
}

}  // namespace hotpath
