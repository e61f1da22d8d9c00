#include "placement/cost_model.h"

#include <algorithm>

namespace hotpath {

namespace {

// What kernels reach of the bandwidth that plain reading does; measured on a Sapphire Rapids class cloud CPU: 0.80 to 0.88
// for Q8_0, 0.60 to 0.78 for Q4_0.
constexpr double kCpuKernelShare = 0.8;

double seconds(double bytes, double gbps) { return bytes / (gbps * 1e9); }
double stream_s(double bytes, const MachineRates& rates) { return seconds(bytes, rates.cpu_stream_gbps * kCpuKernelShare); }

void add_attention(const LayerWork& work, bool on_gpu, const MachineRates& rates, Cost& cost) {
  const double bytes = static_cast<double>(work.attention_bytes + work.kv_read_bytes);
  if (on_gpu) {
    cost.attention_s = seconds(bytes, rates.gpu_gbps) + rates.gpu_layer_us * 1e-6;
    cost.gpu_bytes += bytes;
    cost.vram_bytes += work.attention_bytes + work.kv_bytes;
  } else {
    cost.attention_s = stream_s(bytes, rates);
    cost.cpu_bytes += bytes;
  }
}

void add_split(const LayerWork& work, const LayerChoice& choice, const MachineRates& rates, Cost& cost) {
  const auto hot_groups = std::min(choice.hot_groups, work.n_groups());
  const double hot_active = work.hottest_active[hot_groups];
  const double cold_active = work.hottest_active.back() - hot_active;
  const double hot = static_cast<double>(hot_groups) * work.group_neurons;
  const double cold = static_cast<double>(work.n_groups() - hot_groups) * work.group_neurons;
  const double hot_read = hot * work.screen_bytes + (rates.gpu_skips_silent ? hot_active : hot) * work.active_bytes;
  const double screened = cold * work.screen_bytes;
  const double cold_read = cold_active * work.active_bytes;

  if (hot_groups > 0) cost.gpu_s = seconds(hot_read, rates.gpu_gbps) + rates.gpu_layer_us * 1e-6;
  cost.cpu_s = stream_s(screened, rates) + seconds(cold_read, rates.cpu_gather_gbps(work.record_bytes) * kCpuKernelShare);
  if (choice.attention_on_gpu || hot_groups > 0) cost.exchange_s = rates.exchange_us * 1e-6;
  cost.gpu_bytes += hot_read;
  cost.cpu_bytes += screened + cold_read;
  cost.vram_bytes += static_cast<uint64_t>(hot * work.slot_bytes);
}

}  // namespace

double MachineRates::cpu_gather_gbps(double record_bytes) const {
  // Longer reads look more like streaming; at 16 kB nothing is left of the difference.
  if (record_bytes >= 16384) return cpu_stream_gbps;
  const double share = std::clamp((record_bytes - 2048) / 2048, 0.0, 1.0);
  return cpu_gather_2k_gbps + share * (cpu_gather_4k_gbps - cpu_gather_2k_gbps);
}

Cost layer_cost(const LayerWork& work, const LayerChoice& choice, const MachineRates& rates) {
  Cost cost;
  add_attention(work, choice.attention_on_gpu, rates, cost);
  switch (choice.ffn) {
    case FfnPlace::stock_gpu:
      cost.gpu_s = seconds(work.ffn_dense_read_bytes, rates.gpu_gbps);
      cost.gpu_bytes += work.ffn_dense_read_bytes;
      cost.vram_bytes += work.ffn_bytes;
      break;
    case FfnPlace::stock_cpu:
      cost.cpu_s = stream_s(work.ffn_dense_read_bytes, rates);
      cost.cpu_bytes += work.ffn_dense_read_bytes;
      if (choice.attention_on_gpu && work.ffn_bytes > 0) cost.exchange_s = rates.exchange_us * 1e-6;
      break;
    case FfnPlace::split: add_split(work, choice, rates, cost); break;
  }
  return cost;
}

Cost head_cost(const ModelWork& work, bool on_gpu, const MachineRates& rates) {
  Cost cost;
  const double bytes = static_cast<double>(work.head_bytes);
  if (on_gpu) {
    cost.gpu_s = seconds(bytes, rates.gpu_gbps);
    cost.gpu_bytes = bytes;
    cost.vram_bytes = work.head_bytes;
    cost.exchange_s = rates.exchange_us * 1e-6;
  } else {
    cost.cpu_s = stream_s(bytes, rates);
    cost.cpu_bytes = bytes;
  }
  return cost;
}

}  // namespace hotpath
