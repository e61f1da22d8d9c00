// Counts active neurons while a model runs. Adding one token of one layer costs an increment per active neuron: no lock,
// no allocation, no sharing between threads. What a token is, nobody is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "activation/profile.h"
#include "hotcold/store.h"

namespace hotpath {

class ActivationRecorder : public hotcold::ActivityObserver {
 public:
  /// Neurons of each layer; those of a layer with experts are numbered expert by expert.
  /// While serving, one run of the model in `sample_every` is enough, and only those of few tokens: these are what decoding
  /// is. 1: all that is told.
  explicit ActivationRecorder(const std::vector<uint32_t>& neurons_per_layer, uint32_t sample_every = 1);

  /// Callable from any thread; takes effect with the next token.
  void enable(bool on) { enabled_.store(on, std::memory_order_relaxed); }
  bool enabled() const { return enabled_.load(std::memory_order_relaxed); }

  // From here on: on the thread that runs the model.

  bool wants(int layer, int64_t n_tokens) override;

  /// One token of one layer. The executor guarantees that layer and neurons exist.
  void on_active(int layer, std::span<const int32_t> neurons) override;

  size_t n_layers() const { return layers_.size(); }
  /// Counted since the last `move_to`.
  uint32_t tokens(size_t layer) const { return layers_[layer].tokens; }
  std::span<const uint32_t> counts(size_t layer) const { return layers_[layer].counts; }

  /// What was counted since the last call, added to a profile of the same shape; counting begins anew.
  void move_to(std::vector<LayerActivity>& layers);

 private:
  struct Counters {
    uint32_t tokens = 0;
    uint32_t runs = 0;
    std::vector<uint32_t> counts;
  };

  std::atomic<bool> enabled_ = true;
  const uint32_t sample_every_;
  std::vector<Counters> layers_;
};

}  // namespace hotpath
