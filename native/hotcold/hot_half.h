// Which neurons a device computes in place of the CPU, and the exchange with it: one vector each way per layer.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hotcold/gpu/hot_unit.h"
#include "hotcold/store.h"

namespace hotpath::hotcold {

/// How the device is to know a layer of the store with this many groups of slots; nothing where it cannot compute it:
/// experts, a function it does not have. `form`: as llama.cpp's graph or the store's own has it.
std::optional<HotLayer> hot_layer_for(const Layer& layer, const NeuronForm& form, int64_t n_groups);

/// Whether a device earns its place beside the CPU while prompts are computed. A token costs n_embd floats each way, which is
/// soon less than what its hot neurons cost the CPU (see ARCHITECTURE.md), but some devices are slower than any CPU.
class PromptBalance {
 public:
  /// Of one run of a layer. `cpu_s`: what the CPU took for its part; `device_s`: how long it was held up by the device, to
  /// start it and to wait for it afterwards; `spared`: what the CPU left to the device, of its part.
  void note(double cpu_s, double device_s, double spared);

  /// False once the device has cost more than it spared by `kMostLostS`.
  bool pays() const { return lost_s_ < kMostLostS; }

  static constexpr double kMostLostS = 0.25;
  // Counted of one run: at its first use a device compiles programs, a few for each range of token counts, and that says
  // nothing of later.
  static constexpr double kMostLostByRunS = 0.05;

 private:
  double lost_s_ = 0;  // never below 0: what was gained once excuses no loss now
};

class HotHalf {
 public:
  /// Most tokens at a time: a micro-batch as the engine has it. Inputs and outputs of so many wait in host memory.
  static constexpr int64_t kMaxTokens = 512;

  /// The unit's layers are the store's, by index; those without slots have capacity 0.
  HotHalf(Store& store, std::unique_ptr<HotUnit> unit, int64_t max_tokens);

  /// From now on the device computes these neurons, kHotGroup at most and each in one group only, in place of those the
  /// group had. The CPU keeps all, so a neuron that leaves costs nothing. When that fails, the CPU computes the whole layer
  /// until it succeeds.
  Result<Done> assign(int layer, int64_t group, std::span<const int32_t> neurons);

  /// Another capacity, in groups; all slots are empty afterwards. Where the device has not enough, it is 0.
  Result<Done> resize(int layer, int64_t n_groups);

  /// One entry per neuron; empty when none is hot, when there are too many tokens for the device or when more than a few
  /// do not pay there.
  std::span<const uint8_t> hot_neurons(int layer, int64_t n_tokens) const;

  /// Begins what `add_to` ends. `x`: pointers to the rows of the tokens.
  Result<Done> start(int layer, std::span<const float* const> x, int64_t n_embd);
  Result<Done> add_to(std::span<float* const> y);

  /// Of runs of more than a few tokens.
  void note_prompt(double cpu_s, double device_s, double spared);

  /// Of the run that `add_to` ended, a list per token: adds the neurons here that were active, keeping it ascending.
  /// How many these are. Costs a copy from the device.
  Result<uint64_t> append_active(int layer, std::span<std::vector<int32_t>> active);

  const HotUnit& unit() const { return *unit_; }

 private:
  struct Group {
    std::vector<int32_t> neurons;
    bool is_known = true;  // false after an upload that failed: nobody can tell what the device would add for it
  };
  struct Assigned {
    std::vector<uint8_t> is_hot;
    std::vector<Group> groups;
    int64_t n_hot = 0;
    int64_t n_unknown = 0;  // groups; while there are any, the device has no part in the layer
  };

  Store& store_;
  std::unique_ptr<HotUnit> unit_;
  int64_t max_tokens_;
  std::vector<Assigned> layers_;
  int64_t n_embd_ = 0;
  std::vector<float> exchange_;  // (tokens, n_embd)
  std::vector<float> activations_;  // (tokens, slots)
  PromptBalance prompts_;
};

}  // namespace hotpath::hotcold
