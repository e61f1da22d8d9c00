#include "placement/solver.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

namespace hotpath {

namespace {

constexpr uint64_t kMemorySteps = 2048;
constexpr uint32_t kGroupSteps = 32;
constexpr double kNever = std::numeric_limits<double>::infinity();

struct Option {
  LayerChoice choice;
  double seconds;
  uint64_t vram_bytes;
};

/// Without those that another beats in time and memory.
std::vector<Option> options_of(const LayerWork& work, const MachineRates& rates, Allowed allowed) {
  std::vector<Option> options;
  for (const LayerChoice& choice : layer_choices(work, rates, allowed)) {
    const Cost cost = layer_cost(work, choice, rates);
    options.push_back({choice, cost.total_s(), cost.vram_bytes});
  }
  std::stable_sort(options.begin(), options.end(), [](const Option& a, const Option& b) {
    return std::tie(a.vram_bytes, a.seconds) < std::tie(b.vram_bytes, b.seconds);
  });
  double best[2] = {kNever, kNever};  // by where the attention is: the layers before depend on it
  std::erase_if(options, [&](const Option& option) {
    double& best_here = best[option.choice.attention_on_gpu];
    if (option.seconds >= best_here) return true;
    best_here = option.seconds;
    return false;
  });
  return options;
}

/// The best way to have placed some last layers within one step of memory.
struct State {
  double seconds = kNever;
  uint64_t vram_bytes = 0;
  uint32_t parent = 0;
  uint32_t option = 0;
};

/// States of one layer: first those in which its attention is on the GPU, then those in which it is not.
using Row = std::vector<State>;

/// A multiple-choice knapsack by dynamic programming, from the last layer to the first.
class Solver {
 public:
  Solver(const ModelWork& work, const MachineRates& rates, uint64_t budget, Allowed allowed, bool attention_on_gpu)
      : budget_(budget), step_(std::max<uint64_t>(1, (budget + kMemorySteps - 1) / kMemorySteps)) {
    for (const LayerWork& layer : work.layers) options_.push_back(options_of(layer, rates, allowed));
    const size_t half = static_cast<size_t>(budget / step_) + 1;
    Row start(2 * half);
    start[attention_on_gpu ? 0 : half] = {0, 0, 0, 0};
    rows_.push_back(std::move(start));
    for (size_t i = options_.size(); i-- > 0;) rows_.push_back(next_row(rows_.back(), options_[i]));
  }

  std::vector<LayerChoice> best() const {
    const Row& last = rows_.back();
    const auto best = std::min_element(last.begin(), last.end(), [](const State& a, const State& b) { return a.seconds < b.seconds; });
    std::vector<LayerChoice> choices;
    auto at = static_cast<size_t>(best - last.begin());
    for (size_t row = rows_.size() - 1; row > 0; --row) {
      const State& state = rows_[row][at];
      choices.push_back(options_[choices.size()][state.option].choice);
      at = state.parent;
    }
    return choices;
  }

 private:
  Row next_row(const Row& from, const std::vector<Option>& options) const {
    const size_t half = from.size() / 2;
    Row to(from.size());
    for (uint32_t i = 0; i < from.size(); ++i) {
      const State& state = from[i];
      if (state.seconds == kNever) continue;
      for (uint32_t o = 0; o < options.size(); ++o) {
        const Option& option = options[o];
        const bool on_gpu = option.choice.attention_on_gpu;
        if (on_gpu && i >= half) continue;  // a later layer has its attention on the CPU
        const uint64_t vram_bytes = state.vram_bytes + option.vram_bytes;
        if (vram_bytes > budget_) continue;
        State& target = to[static_cast<size_t>(vram_bytes / step_) + (on_gpu ? 0 : half)];
        const double seconds = state.seconds + option.seconds;
        if (seconds < target.seconds || (seconds == target.seconds && vram_bytes < target.vram_bytes)) {
          target = {seconds, vram_bytes, i, o};
        }
      }
    }
    return to;
  }

  uint64_t budget_;
  uint64_t step_;
  std::vector<std::vector<Option>> options_;
  std::vector<Row> rows_;  // (n_layers + 1), the last layer's after the start
};

/// Gives memory left over by the steps to the layers where a group more saves most per byte.
void fill_up(const ModelWork& work, const MachineRates& rates, uint64_t budget, Placement& placement) {
  const auto grown = [&](size_t i) -> std::optional<Option> {
    LayerChoice choice = placement.layers[i];
    if (choice.ffn != FfnPlace::split || choice.hot_groups == 0 || choice.hot_groups >= work.layers[i].n_groups()) return std::nullopt;
    ++choice.hot_groups;
    const Cost cost = layer_cost(work.layers[i], choice, rates);
    return Option{choice, cost.total_s(), cost.vram_bytes};
  };
  while (true) {
    double best_rate = 0;
    size_t best_layer = 0;
    Option best = {};
    for (size_t i = 0; i < placement.layers.size(); ++i) {
      const auto option = grown(i);
      if (!option) continue;
      const Cost now = layer_cost(work.layers[i], placement.layers[i], rates);
      const uint64_t more = option->vram_bytes - now.vram_bytes;
      const double rate = (now.total_s() - option->seconds) / static_cast<double>(std::max<uint64_t>(1, more));
      if (placement.vram_bytes + more > budget || rate <= best_rate) continue;
      best_rate = rate;
      best_layer = i;
      best = *option;
    }
    if (best_rate <= 0) return;
    const Cost now = layer_cost(work.layers[best_layer], placement.layers[best_layer], rates);
    placement.vram_bytes += best.vram_bytes - now.vram_bytes;
    placement.seconds += best.seconds - now.total_s();
    placement.layers[best_layer] = best.choice;
  }
}

Placement solve_with_head(const ModelWork& work, const MachineRates& rates, uint64_t budget, Allowed allowed, bool head_on_gpu) {
  const uint64_t head_bytes = head_on_gpu ? work.head_bytes : 0;
  Placement placement;
  placement.head_on_gpu = head_on_gpu;
  placement.layers = Solver(work, rates, budget - head_bytes, allowed, head_on_gpu).best();
  const Cost cost = placement_cost(work, placement, rates);
  placement.seconds = placement_seconds(work, placement, rates);
  placement.vram_bytes = cost.vram_bytes;
  fill_up(work, rates, budget, placement);
  return placement;
}

}  // namespace

std::vector<LayerChoice> layer_choices(const LayerWork& work, const MachineRates& rates, Allowed allowed) {
  std::vector<LayerChoice> choices;
  const bool splits = allowed.split && work.is_splittable();
  const uint32_t n_groups = rates.has_gpu() ? work.n_groups() : 0;
  const uint32_t stride = std::max(1u, (n_groups + kGroupSteps - 1) / kGroupSteps);
  for (const bool on_gpu : {false, true}) {
    if (on_gpu && !rates.has_gpu()) break;
    const bool stock = allowed.stock || !splits;
    if (stock) choices.push_back({on_gpu, FfnPlace::stock_cpu, 0});
    if (stock && on_gpu) choices.push_back({on_gpu, FfnPlace::stock_gpu, 0});
    if (!splits) continue;
    for (uint32_t hot = 0;; hot = std::min(n_groups, hot + stride)) {
      choices.push_back({on_gpu, FfnPlace::split, hot});
      if (hot == n_groups) break;
    }
  }
  return choices;
}

Placement solve_placement(const ModelWork& work, const MachineRates& rates, uint64_t vram_budget, Allowed allowed) {
  const uint64_t budget = rates.has_gpu() ? vram_budget : 0;
  Placement best = solve_with_head(work, rates, budget, allowed, false);
  if (rates.has_gpu() && work.head_bytes <= budget) {
    Placement other = solve_with_head(work, rates, budget, allowed, true);
    if (other.seconds < best.seconds) best = std::move(other);
  }
  return best;
}

Cost placement_cost(const ModelWork& work, const Placement& placement, const MachineRates& rates) {
  Cost sum = head_cost(work, placement.head_on_gpu, rates);
  for (size_t i = 0; i < work.layers.size(); ++i) {
    const Cost cost = layer_cost(work.layers[i], placement.layers[i], rates);
    sum.attention_s += cost.attention_s;
    sum.gpu_s += cost.gpu_s;
    sum.cpu_s += cost.cpu_s;
    sum.exchange_s += cost.exchange_s;
    sum.gpu_bytes += cost.gpu_bytes;
    sum.cpu_bytes += cost.cpu_bytes;
    sum.vram_bytes += cost.vram_bytes;
  }
  return sum;
}

double placement_seconds(const ModelWork& work, const Placement& placement, const MachineRates& rates) {
  double seconds = head_cost(work, placement.head_on_gpu, rates).total_s();
  for (size_t i = 0; i < work.layers.size(); ++i) seconds += layer_cost(work.layers[i], placement.layers[i], rates).total_s();
  return seconds;
}

}  // namespace hotpath
