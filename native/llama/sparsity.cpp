#include "llama/sparsity.h"

namespace hotpath {

Sparsity sparsity_of(const LoadedInfo& info, const hotcold::Stats& stats) {
  const double elsewhere = static_cast<double>(info.ffn.other_bytes);
  if (info.ffn.neurons_per_token == 0) return {1, 0, elsewhere, elsewhere};
  double neurons = 0;
  double cold_active = 0;
  double hot_active = 0;
  double hot_bytes = 0;
  double dense_bytes = 0;
  for (size_t i = 0; i < stats.layers.size(); ++i) {
    const hotcold::LayerStats& layer = stats.layers[i];
    const double neuron_bytes = info.ffn.neuron_bytes.at(i);
    neurons += static_cast<double>(layer.neurons);
    cold_active += static_cast<double>(layer.active);
    dense_bytes += static_cast<double>(layer.neurons) * neuron_bytes;
    hot_bytes += static_cast<double>(layer.hot) * neuron_bytes;  // a device reads all it has
    if (layer.sampled_hot == 0) continue;
    hot_active += static_cast<double>(layer.hot) * static_cast<double>(layer.sampled_hot_active) / static_cast<double>(layer.sampled_hot);
  }
  if (neurons == 0) return {};
  const double tokens = neurons / static_cast<double>(info.ffn.neurons_per_token);
  const double active = cold_active + hot_active;
  return {active / neurons, active > 0 ? hot_active / active : 0,
          elsewhere + (static_cast<double>(stats.weight_bytes) + hot_bytes) / tokens, elsewhere + dense_bytes / tokens};
}

}  // namespace hotpath
