#include "placement/hot_set.h"

#include <algorithm>

#include "core/log.h"

namespace hotpath {

namespace {

using Clock = std::chrono::steady_clock;
using hotcold::HotHalf;
using hotcold::kHotGroup;

// The user types meanwhile: a request that arrives waits for one group of neurons, and the core is soon free.
constexpr auto kLongestAdaptation = std::chrono::milliseconds(20);
// Memory is taken again only when so much more than needed is free, or two programs at the edge would push it to and fro.
constexpr double kRoomToReturn = 1.5;
// Loading may end with less free than is to be left, as plans estimate: that is no sign that somebody wants the memory,
// but a fall well below it is.
constexpr double kShareOfLoaded = 0.75;

uint32_t groups_of(size_t n_slots) { return static_cast<uint32_t>((n_slots + kHotGroup - 1) / kHotGroup); }

std::vector<Adaptation::Layer> adaptation_layers(hotcold::Store& store, const HotSet::Spec& spec) {
  std::vector<Adaptation::Layer> layers(store.n_layers());
  for (size_t i = 0; i < layers.size(); ++i) {
    layers[i].n_units = static_cast<uint32_t>(store.layer(static_cast<int>(i)).up.n_rows());
    if (i >= spec.activity.size() || spec.activity[i].tokens == 0 || spec.activity[i].counts.size() != layers[i].n_units) continue;
    const LayerActivity& seen = spec.activity[i];
    for (const uint64_t count : seen.counts) layers[i].activity.push_back(static_cast<double>(count) / static_cast<double>(seen.tokens));
  }
  return layers;
}

}  // namespace

Result<std::unique_ptr<hotcold::HotUnit>> make_empty_unit(hotcold::Store& store, const hotcold::NeuronForm& form,
                                                          ggml_backend_dev_t device, const std::string& cuda_library) {
  hotcold::HotUnitSpec spec = {{}, HotHalf::kMaxTokens};
  for (size_t i = 0; i < store.n_layers(); ++i) {
    const hotcold::Layer& layer = store.layer(static_cast<int>(i));
    hotcold::NeuronForm own = form;
    own.gated = bool(layer.gate);
    const auto hot = hotcold::hot_layer_for(layer, own, 0);
    // A layer between ours that llama.cpp computes has no weights here.
    if (!hot && layer.up) return Error{ErrorCode::device_unavailable, format_text("no device computes neurons as layer %zu has", i), {}};
    spec.layers.push_back(hot.value_or(hotcold::HotLayer{}));
  }
  auto made = hotcold::make_hot_unit(device, spec, cuda_library);
  if (!made) return made.error();
  return std::move(made->unit);
}

HotSet::HotSet(hotcold::Store& store, std::unique_ptr<hotcold::HotUnit> unit, Spec spec, const CancelFlag& cancel)
    : store_(store), spec_(std::move(spec)), adaptation_(spec_.rules, adaptation_layers(store, spec_)) {
  spec_.n_hot.resize(store.n_layers());
  store.set_hot_half(std::make_unique<HotHalf>(store, std::move(unit), HotHalf::kMaxTokens));
  size_t n_wanted = 0;
  size_t n_left = 0;
  std::string why;
  for (uint32_t i = 0; i < spec_.n_hot.size(); ++i) {
    if (spec_.n_hot[i] == 0) continue;
    ++n_wanted;
    // One that does not fit says nothing about a smaller one.
    if (auto done = resize(i, spec_.n_hot[i]); !done) {
      ++n_left;
      why = done.error().message;
    }
  }
  if (n_left > 0) {
    notice_ = format_text("the neurons of %zu of %zu layers stay on the CPU: ", n_left, n_wanted) + why;
    log(LogLevel::warn, "hot/cold: " + notice_);
  }
  upload_changes([&] { return cancel.raised(); });
  spec_.reserve_bytes = std::min(spec_.reserve_bytes, static_cast<uint64_t>(kShareOfLoaded * static_cast<double>(spec_.free_bytes())));
}

void HotSet::observe(const ActivationRecorder& recorder) {
  for (uint32_t i = 0; i < spec_.n_hot.size(); ++i) {
    if (spec_.n_hot[i] > 0) adaptation_.observe(i, recorder.counts(i), recorder.tokens(i));
  }
}

void HotSet::adapt(const Interrupt& must_stop) {
  if (!half()) return;
  make_room();
  take_room();
  // A neuron on its way from one group to another must have left before it comes: first end what was begun.
  if (changed_.empty()) {
    for (const Replacement& swap : adaptation_.end_completion()) {
      changed_.emplace(swap.layer, swap.slot / static_cast<uint32_t>(kHotGroup));
      ++swaps_;
    }
  }
  const auto deadline = Clock::now() + kLongestAdaptation;
  upload_changes([&] { return must_stop() || Clock::now() >= deadline; });
}

void HotSet::make_room() {
  while (half() && spec_.free_bytes() < spec_.reserve_bytes) {
    uint32_t least = 0;
    for (uint32_t i = 0; i < spec_.n_hot.size(); ++i) {
      const bool is_there = !adaptation_.slots(i).empty();
      if (is_there && (adaptation_.slots(least).empty() || usefulness(i) < usefulness(least))) least = i;
    }
    if (adaptation_.slots(least).empty()) return;
    const uint64_t before = spec_.free_bytes();
    if (auto done = resize(least, 0); !done) return give_up(done.error());
    log(LogLevel::info, format_text("hot/cold: layer %u leaves the device, where %s were free", least,
                                    format_bytes(static_cast<double>(before)).c_str()));
  }
}

void HotSet::take_room() {
  for (uint32_t i = 0; half() && i < spec_.n_hot.size(); ++i) {
    const uint32_t n_slots = spec_.n_hot[i];
    if (n_slots == 0 || !adaptation_.slots(i).empty()) continue;
    const auto needed = static_cast<double>(spec_.reserve_bytes + bytes_of(i, n_slots));
    if (static_cast<double>(spec_.free_bytes()) < kRoomToReturn * needed) return;
    if (!resize(i, n_slots)) return;  // no more than on loading is promised; the layer stays on the CPU
  }
}

Result<Done> HotSet::resize(uint32_t layer, uint32_t n_slots) {
  for (uint32_t group = 0; group < groups_of(adaptation_.slots(layer).size()); ++group) changed_.erase({layer, group});
  auto done = half()->resize(static_cast<int>(layer), groups_of(n_slots));
  adaptation_.resize(layer, done ? n_slots : 0);
  for (uint32_t group = 0; group < groups_of(adaptation_.slots(layer).size()); ++group) changed_.emplace(layer, group);
  return done;
}

void HotSet::upload_changes(const Interrupt& must_stop) {
  while (!changed_.empty()) {
    const auto [layer, group] = *changed_.begin();
    if (auto done = upload(layer, group); !done) return give_up(done.error());
    changed_.erase(changed_.begin());
    if (must_stop()) return;
  }
}

Result<Done> HotSet::upload(uint32_t layer, uint32_t group) {
  const std::vector<uint32_t>& slots = adaptation_.slots(layer);
  const size_t first = size_t{group} * kHotGroup;
  const size_t end = std::min(slots.size(), first + kHotGroup);
  const std::vector<int32_t> neurons(slots.begin() + static_cast<ptrdiff_t>(first), slots.begin() + static_cast<ptrdiff_t>(end));
  return half()->assign(static_cast<int>(layer), group, neurons);
}

void HotSet::give_up(const Error& why) {
  notice_ = half()->unit().name() + " is given up, the CPU computes all neurons: " + why.message;
  log(LogLevel::warn, "hot/cold: " + notice_);
  store_.set_hot_half(nullptr);
  changed_.clear();
}

double HotSet::usefulness(uint32_t layer) const {
  const auto bytes = static_cast<double>(bytes_of(layer, static_cast<uint32_t>(adaptation_.slots(layer).size())));
  return adaptation_.hot_activity(layer) / bytes;
}

uint64_t HotSet::bytes_of(uint32_t layer, uint32_t n_slots) const {
  hotcold::HotLayer shape = half()->unit().layer(layer);
  shape.n_groups = groups_of(n_slots);
  return hotcold::hot_layer_bytes(shape);
}

HotState HotSet::state() const {
  HotState state;
  state.swaps = swaps_;
  if (!half()) return state;
  state.device = half()->unit().name();
  for (uint32_t i = 0; i < spec_.n_hot.size(); ++i) {
    state.layers += !adaptation_.slots(i).empty();
    state.neurons += adaptation_.slots(i).size();
  }
  state.vram_bytes = half()->unit().memory_bytes();
  return state;
}

}  // namespace hotpath
