// Which neurons should be on the GPU as the work changes: slow and fast averages of how often each is active, and swaps
// between completions. Pure and deterministic: it decides, others move bytes. Units are neurons, or experts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hotpath {

/// Slot `slot` of layer `layer` gets this unit instead of the one it holds.
struct Replacement {
  uint32_t layer;
  uint32_t slot;
  uint32_t unit;
  bool operator==(const Replacement&) const = default;
};

struct AdaptationRules {
  double fast_tokens = 64;       // tokens after which an average has forgotten most
  double slow_tokens = 20000;
  double fast_weight = 0.25;     // of the fast average in what decides; experts of a router want more, neurons less
  double advantage = 1.3;        // a newcomer must be this much more active than who leaves ...
  double least_difference = 0.02;  // ... and by this share of the tokens, or noise among the silent would move bytes
  // A device replaces whole groups of slots; experts have a slot of their own. Bytes cross a bus that decoding uses, too.
  uint32_t group_slots = 32;
  size_t most_groups = 16;  // touched per completion, of all layers together
};

class Adaptation {
 public:
  struct Layer {
    uint32_t n_units;
    std::vector<uint32_t> slots;  // unit in each slot
    std::vector<double> activity;  // share of tokens each unit is active for, as a profile has it; empty: unknown
  };

  Adaptation(AdaptationRules rules, std::vector<Layer> layers);

  /// What one completion made active: counts per unit over `tokens` tokens. No allocation.
  void observe(uint32_t layer, std::span<const uint32_t> counts, uint32_t tokens);

  /// After a completion: the swaps worth making, the most useful first. They are taken as made.
  std::vector<Replacement> end_completion();

  /// Another number of slots for a layer, such as fewer when the memory is wanted elsewhere. The hottest units stay or
  /// come; which sits where may change, as a device that changes its capacity forgets what it held.
  void resize(uint32_t layer, uint32_t n_slots);

  const std::vector<uint32_t>& slots(uint32_t layer) const { return layers_[layer].slots; }
  /// Units in the slots that are active for a token, on average.
  double hot_activity(uint32_t layer) const;

 private:
  struct State {
    std::vector<float> fast;  // share of tokens, (n_units)
    std::vector<float> slow;
    double tokens_seen;        // those `slow` stands for, while fewer than its length
    std::vector<uint32_t> slots;
    std::vector<bool> is_hot;  // (n_units)
  };
  struct Swap {
    double gain;
    Replacement replacement;
  };

  double activity(const State& state, uint32_t unit) const;
  bool is_hotter(const State& state, uint32_t a, uint32_t b) const;
  static std::vector<uint32_t> cold_units(const State& state);
  void find_swaps(uint32_t layer, std::vector<Swap>& swaps) const;

  AdaptationRules rules_;
  std::vector<State> layers_;
};

}  // namespace hotpath
