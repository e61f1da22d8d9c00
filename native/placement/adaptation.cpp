#include "placement/adaptation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "core/error.h"

namespace hotpath {

Adaptation::Adaptation(AdaptationRules rules, std::vector<Layer> layers) : rules_(rules) {
  for (Layer& layer : layers) {
    CHECK(layer.activity.empty() || layer.activity.size() == layer.n_units);
    State state;
    state.slow.assign(layer.activity.begin(), layer.activity.end());
    state.slow.resize(layer.n_units);
    state.fast = state.slow;
    state.tokens_seen = layer.activity.empty() ? 0 : rules_.slow_tokens;
    state.is_hot.resize(layer.n_units);
    for (const uint32_t unit : layer.slots) state.is_hot[unit] = true;
    state.slots = std::move(layer.slots);
    layers_.push_back(std::move(state));
  }
}

void Adaptation::observe(uint32_t layer, std::span<const uint32_t> counts, uint32_t tokens) {
  State& state = layers_[layer];
  CHECK(counts.size() == state.slow.size());
  if (tokens == 0) return;
  // While little was seen the slow average is a plain mean, so that its first completion does not pass for all there is.
  state.tokens_seen = std::min(state.tokens_seen + tokens, rules_.slow_tokens);
  const auto fast = static_cast<float>(-std::expm1(-double(tokens) / rules_.fast_tokens));
  const auto slow = static_cast<float>(std::min(1.0, tokens / state.tokens_seen));
  for (size_t i = 0; i < counts.size(); ++i) {
    const float share = static_cast<float>(counts[i]) / static_cast<float>(tokens);
    state.fast[i] += fast * (share - state.fast[i]);
    state.slow[i] += slow * (share - state.slow[i]);
  }
}

double Adaptation::activity(const State& state, uint32_t unit) const {
  return rules_.fast_weight * state.fast[unit] + (1 - rules_.fast_weight) * state.slow[unit];
}

/// Ties go to the lower number, so that equal traces give equal swaps on every machine.
bool Adaptation::is_hotter(const State& state, uint32_t a, uint32_t b) const {
  const double x = activity(state, a);
  const double y = activity(state, b);
  return x != y ? x > y : a < b;
}

double Adaptation::hot_activity(uint32_t layer) const {
  const State& state = layers_[layer];
  return std::accumulate(state.slots.begin(), state.slots.end(), 0.0,
                         [&](double sum, uint32_t unit) { return sum + activity(state, unit); });
}

std::vector<uint32_t> Adaptation::cold_units(const State& state) {
  std::vector<uint32_t> units;
  for (uint32_t unit = 0; unit < state.slow.size(); ++unit) {
    if (!state.is_hot[unit]) units.push_back(unit);
  }
  return units;
}

void Adaptation::find_swaps(uint32_t layer, std::vector<Swap>& swaps) const {
  const State& state = layers_[layer];
  std::vector<uint32_t> newcomers = cold_units(state);
  std::vector<uint32_t> leaving(state.slots.size());
  std::iota(leaving.begin(), leaving.end(), 0u);
  const size_t n = std::min({newcomers.size(), leaving.size(), rules_.most_groups * rules_.group_slots});
  const auto middle = static_cast<ptrdiff_t>(n);
  std::partial_sort(newcomers.begin(), newcomers.begin() + middle, newcomers.end(),
                    [&](uint32_t a, uint32_t b) { return is_hotter(state, a, b); });
  std::partial_sort(leaving.begin(), leaving.begin() + middle, leaving.end(),
                    [&](uint32_t a, uint32_t b) { return is_hotter(state, state.slots[b], state.slots[a]); });
  for (size_t i = 0; i < n; ++i) {
    const double coming = activity(state, newcomers[i]);
    const double going = activity(state, state.slots[leaving[i]]);
    if (coming < going * rules_.advantage || coming < going + rules_.least_difference) return;
    swaps.push_back({coming - going, {layer, leaving[i], newcomers[i]}});
  }
}

std::vector<Replacement> Adaptation::end_completion() {
  std::vector<Swap> swaps;
  for (uint32_t layer = 0; layer < layers_.size(); ++layer) find_swaps(layer, swaps);
  std::stable_sort(swaps.begin(), swaps.end(), [](const Swap& a, const Swap& b) { return a.gain > b.gain; });
  std::vector<Replacement> made;
  std::set<std::pair<uint32_t, uint32_t>> groups;
  for (const Swap& swap : swaps) {
    const auto [layer, slot, unit] = swap.replacement;
    const std::pair group(layer, slot / rules_.group_slots);
    if (groups.size() == rules_.most_groups && !groups.contains(group)) continue;
    groups.insert(group);
    State& state = layers_[layer];
    state.is_hot[state.slots[slot]] = false;
    state.is_hot[unit] = true;
    state.slots[slot] = unit;
    made.push_back(swap.replacement);
  }
  return made;
}

void Adaptation::resize(uint32_t layer, uint32_t n_slots) {
  State& state = layers_[layer];
  std::vector<uint32_t> units = state.slots;
  if (n_slots > units.size()) {
    // Those already there stay: growing brings others beside them.
    std::vector<uint32_t> newcomers = cold_units(state);
    std::sort(newcomers.begin(), newcomers.end(), [&](uint32_t a, uint32_t b) { return is_hotter(state, a, b); });
    newcomers.resize(std::min<size_t>(newcomers.size(), n_slots - units.size()));
    units.insert(units.end(), newcomers.begin(), newcomers.end());
  } else {
    std::sort(units.begin(), units.end(), [&](uint32_t a, uint32_t b) { return is_hotter(state, a, b); });
    units.resize(n_slots);
  }
  state.is_hot.assign(state.slow.size(), false);
  for (const uint32_t unit : units) state.is_hot[unit] = true;
  state.slots = std::move(units);
}

}  // namespace hotpath
