#include "activation/recorder.h"

#include <algorithm>

namespace hotpath {

ActivationRecorder::ActivationRecorder(const std::vector<uint32_t>& neurons_per_layer, uint32_t sample_every)
    : sample_every_(sample_every) {
  for (const uint32_t n : neurons_per_layer) layers_.push_back({0, 0, std::vector<uint32_t>(n)});
}

bool ActivationRecorder::wants(int layer, int64_t n_tokens) {
  if (!enabled()) return false;
  if (sample_every_ == 1) return true;
  return n_tokens <= hotcold::kFewTokens && layers_[static_cast<size_t>(layer)].runs++ % sample_every_ == 0;
}

void ActivationRecorder::on_active(int layer, std::span<const int32_t> neurons) {
  if (!enabled()) return;
  Counters& counters = layers_[static_cast<size_t>(layer)];
  // No count exceeds the tokens: with these below the limit nothing can wrap. Who moves the counts out once in four
  // billion tokens misses none.
  if (counters.tokens == UINT32_MAX) return;
  ++counters.tokens;
  uint32_t* counts = counters.counts.data();
  for (const int32_t neuron : neurons) ++counts[neuron];
}

void ActivationRecorder::move_to(std::vector<LayerActivity>& layers) {
  if (layers.empty()) layers.resize(layers_.size());
  CHECK(layers.size() == layers_.size());
  for (size_t i = 0; i < layers_.size(); ++i) {
    Counters& from = layers_[i];
    LayerActivity& to = layers[i];
    to.counts.resize(from.counts.size());
    to.tokens += from.tokens;
    for (size_t n = 0; n < from.counts.size(); ++n) to.counts[n] += from.counts[n];
    from.tokens = 0;
    from.runs = 0;  // the first token of what comes next is counted, however short it is
    std::fill(from.counts.begin(), from.counts.end(), 0u);
  }
}

}  // namespace hotpath
