// The neurons a device computes while a model serves: put there as planned, exchanged between completions as the work
// changes, handed back at once when the device's memory is wanted elsewhere. The CPU keeps every neuron, so none of this
// changes what a model answers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "activation/profile.h"
#include "activation/recorder.h"
#include "core/cancel.h"
#include "hotcold/hot_half.h"
#include "placement/adaptation.h"

namespace hotpath {

/// What is seen of it.
struct HotState {
  std::string device;       // "Vulkan0, ggml"; empty: there is none, or it was given up
  uint32_t layers = 0;      // with neurons there
  uint64_t neurons = 0;
  uint64_t vram_bytes = 0;  // they take
  uint64_t swaps = 0;       // neurons that took another's place since the model was loaded
};

class HotSet {
 public:
  using Interrupt = std::function<bool()>;

  struct Spec {
    std::vector<uint32_t> n_hot;            // neurons by layer, as planned: the hottest
    std::vector<LayerActivity> activity;    // of the profile; empty: none
    uint64_t reserve_bytes = 0;             // of the device's memory, left to others; what the model itself needs is taken
    std::function<uint64_t()> free_bytes;   // of the device's memory
    AdaptationRules rules;
  };

  /// Fills the unit, whose layers are the store's and empty, unless `cancel` is raised. The store outlives this.
  HotSet(hotcold::Store& store, std::unique_ptr<hotcold::HotUnit> unit, Spec spec, const CancelFlag& cancel = {});

  /// What stays on the CPU, as the device had no memory for it or was given up; empty when all is there.
  const std::string& notice() const { return notice_; }

  /// What a completion made active.
  void observe(const ActivationRecorder& recorder);

  /// Between completions: hands back or takes memory, exchanges neurons. Takes some 20 ms at most and ends early when
  /// `must_stop`, but after one group of neurons at the earliest: a model that is never idle learns, too. What is left
  /// undone is done the next time.
  void adapt(const Interrupt& must_stop);

  /// Hands memory back that the device lacks elsewhere; costs a question when it lacks none.
  void make_room();

  HotState state() const;

 private:
  hotcold::HotHalf* half() const { return store_.hot_half(); }
  Result<Done> resize(uint32_t layer, uint32_t n_slots);
  void take_room();
  Result<Done> upload(uint32_t layer, uint32_t group);
  /// Brings the device to what `adaptation_` has.
  void upload_changes(const Interrupt& must_stop);
  void give_up(const Error& why);
  double usefulness(uint32_t layer) const;
  uint64_t bytes_of(uint32_t layer, uint32_t n_slots) const;

  hotcold::Store& store_;
  Spec spec_;
  Adaptation adaptation_;
  std::set<std::pair<uint32_t, uint32_t>> changed_;  // layer and group, still to be uploaded
  uint64_t swaps_ = 0;
  std::string notice_;
};

/// A unit of the device for the layers of the store, all empty. `form`: of the neurons, their gates apart.
Result<std::unique_ptr<hotcold::HotUnit>> make_empty_unit(hotcold::Store& store, const hotcold::NeuronForm& form,
                                                          ggml_backend_dev_t device, const std::string& cuda_library = {});

}  // namespace hotpath
