// What a token costs where: seconds, bytes and GPU memory of one layer under one choice. The study of hybrid inference
// calls this a roofline; every term is a number of bytes over a rate, or a latency. `doctor --measure` measures all
// of them but what the launches of a layer cost (gpu_layer_us), which is assumed.
#pragma once

#include "placement/layer_work.h"
#include "placement/rates.h"

namespace hotpath {

enum class FfnPlace {
  stock_cpu,  // all of it on the CPU, by llama.cpp; of experts, by our kernels where the mode is not dense
  stock_gpu,  // llama.cpp runs it on the GPU
  split,      // our backend: hot groups on the GPU (none is possible, too), the rest on the CPU
};

struct LayerChoice {
  bool attention_on_gpu = false;
  FfnPlace ffn = FfnPlace::stock_cpu;
  uint32_t hot_groups = 0;      // split: the hottest this many
  bool operator==(const LayerChoice&) const = default;
};

struct Cost {
  double attention_s = 0;
  double gpu_s = 0;     // the halves of the network, side by side
  double cpu_s = 0;
  double exchange_s = 0;
  double gpu_bytes = 0;  // read per token, by device
  double cpu_bytes = 0;
  uint64_t vram_bytes = 0;
  double total_s() const { return attention_s + (gpu_s > cpu_s ? gpu_s : cpu_s) + exchange_s; }
};

Cost layer_cost(const LayerWork& work, const LayerChoice& choice, const MachineRates& rates);

/// Output matrix, and one exchange where the embedding in RAM feeds a layer on the GPU.
Cost head_cost(const ModelWork& work, bool on_gpu, const MachineRates& rates);

}  // namespace hotpath
