#include "llama/sparsity.h"

namespace hotpath {

Sparsity sparsity_of(const LoadedInfo& info, const hotcold::Stats& stats) {
  double neurons = 0;
  double active = 0;
  double dense_bytes = 0;
  for (size_t i = 0; i < stats.layers.size(); ++i) {
    const hotcold::LayerStats& layer = stats.layers[i];
    neurons += static_cast<double>(layer.neurons);
    active += static_cast<double>(layer.active);
    dense_bytes += static_cast<double>(layer.neurons) * info.ffn.neuron_bytes.at(i);
  }
  if (neurons == 0) return {};
  const double tokens = neurons / static_cast<double>(info.ffn.neurons_per_token);
  const double elsewhere = static_cast<double>(info.ffn.other_bytes);
  return {active / neurons, 0, elsewhere + static_cast<double>(stats.weight_bytes) / tokens,
          elsewhere + dense_bytes / tokens};
}

}  // namespace hotpath
