// The solver against exhaustive search where that is possible, and against a lower bound where it is not.
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "placement/solver.h"
#include "test.h"

namespace hotpath::test {

namespace {

MachineRates workstation() {
  MachineRates rates;
  rates.cpu_stream_gbps = 60;
  rates.cpu_gather_2k_gbps = 45;
  rates.cpu_gather_4k_gbps = 55;
  rates.gpu_gbps = 770;
  rates.gpu_layer_us = 10;
  rates.exchange_us = 25;
  return rates;
}

/// Sizes of a few bytes, so that every budget is exact.
LayerWork random_layer(std::mt19937& random) {
  const auto up_to = [&](unsigned n) { return random() % (n + 1); };
  LayerWork layer;
  layer.attention_bytes = 10 + up_to(60);
  layer.kv_bytes = up_to(20);
  layer.kv_read_bytes = layer.kv_bytes / 2;
  layer.kind = FfnKind::gated_relu;
  layer.group_neurons = 1 + up_to(3);
  layer.screen_bytes = 1 + up_to(9);
  layer.active_bytes = 2 + up_to(19);
  layer.record_bytes = 1000 + up_to(8000);
  layer.slot_bytes = layer.screen_bytes + layer.active_bytes + up_to(4);
  std::vector<double> groups(1 + up_to(3));
  for (double& active : groups) active = layer.group_neurons * static_cast<double>(1 + up_to(99)) / 100;
  std::sort(groups.begin(), groups.end(), std::greater<>());
  layer.set_activity(groups);
  layer.ffn_bytes = static_cast<uint64_t>((layer.screen_bytes + layer.active_bytes) * layer.group_neurons * static_cast<double>(groups.size()));
  layer.ffn_dense_read_bytes = static_cast<double>(layer.ffn_bytes);
  return layer;
}

MachineRates random_rates(std::mt19937& random) {
  // With layers of a hundred bytes, latencies must be nanoseconds to matter as they do in earnest.
  MachineRates rates = workstation();
  rates.gpu_gbps = 60.0 * (1 + random() % 20);
  rates.gpu_layer_us = 1e-3 * (random() % 3) / 10;
  rates.exchange_us = 1e-3 * (random() % 30) / 10;
  rates.gpu_skips_silent = random() % 2 == 0;
  return rates;
}

/// Least seconds over every combination of choices that respects the budget and the order of layers.
double exhaustive(const ModelWork& work, const MachineRates& rates, uint64_t budget, Allowed allowed) {
  double best = INFINITY;
  Placement placement;
  const std::function<void(size_t)> place = [&](size_t left) {
    if (left == 0) {
      if (placement_cost(work, placement, rates).vram_bytes > budget) return;
      best = std::min(best, placement_seconds(work, placement, rates));
      return;
    }
    const size_t i = left - 1;  // from the last layer to the first
    const bool may_be_on_gpu = left == work.layers.size() ? placement.head_on_gpu : placement.layers[left].attention_on_gpu;
    for (const LayerChoice& choice : layer_choices(work.layers[i], rates, allowed)) {
      if (choice.attention_on_gpu && !may_be_on_gpu) continue;
      placement.layers[i] = choice;
      place(i);
    }
  };
  for (const bool head_on_gpu : {false, true}) {
    placement.head_on_gpu = head_on_gpu;
    placement.layers.assign(work.layers.size(), {});
    place(work.layers.size());
  }
  return best;
}

/// 70B: 80 layers of width 8192, Q4_0, gated ReLU.
ModelWork large_model() {
  ModelWork work;
  LayerWork layer;
  const double row = 8192 * 18.0 / 32;
  layer.attention_bytes = 85'000'000;
  layer.kv_bytes = 4 * 4096 * 4096;
  layer.kv_read_bytes = 4096 * 2048;
  layer.kind = FfnKind::gated_relu;
  layer.group_neurons = 32;
  layer.screen_bytes = row;
  layer.active_bytes = 2 * row;
  layer.slot_bytes = 2 * row + 8192 * 34.0 / 32;
  layer.record_bytes = row;
  layer.ffn_bytes = static_cast<uint64_t>(3 * row * 28672);
  layer.ffn_dense_read_bytes = static_cast<double>(layer.ffn_bytes);
  std::mt19937 random(7);
  for (int i = 0; i < 80; ++i) {
    layer.set_activity(default_group_activity(28672, 32, 0.05 + 0.3 * (random() % 100) / 100));
    work.layers.push_back(layer);
  }
  work.head_bytes = 210'000'000;
  return work;
}

/// No placement is faster: the budget is relaxed into a price per byte, the best price found by bisection.
double lower_bound_seconds(const ModelWork& work, const MachineRates& rates, uint64_t budget, Allowed allowed) {
  const auto relaxed = [&](double price) {
    double seconds = head_cost(work, true, rates).total_s() - price * static_cast<double>(budget - work.head_bytes);
    double bytes = 0;
    for (const LayerWork& layer : work.layers) {
      double best = INFINITY;
      double best_bytes = 0;
      for (LayerChoice choice : layer_choices(layer, rates, allowed)) {
        for (const uint32_t hot : {0u, 1u}) {
          choice.hot_groups = choice.ffn == FfnPlace::split ? std::min(choice.hot_groups + hot, layer.n_groups()) : 0;
          const Cost cost = layer_cost(layer, choice, rates);
          const double priced = cost.total_s() + price * static_cast<double>(cost.vram_bytes);
          if (priced < best) best_bytes = static_cast<double>(cost.vram_bytes);
          best = std::min(best, priced);
        }
      }
      seconds += best;
      bytes += best_bytes;
    }
    return std::pair(seconds, bytes);
  };
  double low = 0;
  double high = 1e-6;
  double bound = 0;
  for (int i = 0; i < 60; ++i) {
    const double price = (low + high) / 2;
    const auto [seconds, bytes] = relaxed(price);
    bound = std::max(bound, seconds);
    (bytes > static_cast<double>(budget - work.head_bytes) ? low : high) = price;
  }
  return bound;
}

}  // namespace

TEST(placement, is_as_good_as_exhaustive_search) {
  std::mt19937 random(42);
  for (int round = 0; round < 400; ++round) {
    ModelWork work;
    const size_t n_layers = 1 + random() % 3;
    for (size_t i = 0; i < n_layers; ++i) work.layers.push_back(random_layer(random));
    work.head_bytes = 5 + random() % 40;
    const MachineRates rates = random_rates(random);
    const uint64_t budget = random() % 700;
    const Allowed allowed = {random() % 4 != 0};
    const Placement placement = solve_placement(work, rates, budget, allowed);
    EXPECT(placement.vram_bytes <= budget);
    EXPECT_EQ(placement.vram_bytes, placement_cost(work, placement, rates).vram_bytes);
    const double seconds = placement_seconds(work, placement, rates);
    const double best = exhaustive(work, rates, budget, allowed);
    // Sums of the same numbers in another order.
    EXPECT(std::abs(seconds - best) <= 1e-12 * best);
    EXPECT(std::abs(seconds - placement.seconds) <= 1e-12 * best);
  }
}

TEST(placement, of_a_large_model_is_within_a_hundredth_of_the_best_possible) {
  const ModelWork work = large_model();
  for (const uint64_t gigabytes : {12, 16, 24, 32}) {
    const uint64_t budget = gigabytes * 1'000'000'000;
    const Placement placement = solve_placement(work, workstation(), budget, {});
    EXPECT(placement.vram_bytes <= budget);
    EXPECT(placement.seconds <= 1.01 * lower_bound_seconds(work, workstation(), budget, {}));
  }
}

TEST(placement, puts_all_on_the_gpu_when_all_fits) {
  const ModelWork work = large_model();
  const Placement placement = solve_placement(work, workstation(), 80'000'000'000, {false});
  EXPECT(placement.head_on_gpu);
  for (const LayerChoice& layer : placement.layers) EXPECT(layer == (LayerChoice{true, FfnPlace::stock_gpu, 0}));
}

TEST(placement, keeps_all_on_the_cpu_without_a_gpu) {
  MachineRates rates = workstation();
  rates.gpu_gbps = 0;
  const Placement placement = solve_placement(large_model(), rates, 24'000'000'000, {});
  EXPECT(!placement.head_on_gpu);
  EXPECT_EQ(placement.vram_bytes, 0u);
  for (const LayerChoice& layer : placement.layers) EXPECT(layer == (LayerChoice{false, FfnPlace::split, 0}));
}

TEST(placement, brings_attention_to_the_gpu_before_neurons) {
  // Of a long context the memory of four sequences would weigh against it: a token reads half of one.
  ModelWork work = large_model();
  for (LayerWork& layer : work.layers) layer.kv_bytes = layer.kv_read_bytes;
  const Placement placement = solve_placement(work, workstation(), 8'500'000'000, {});
  size_t hot_groups = 0;
  for (const LayerChoice& layer : placement.layers) {
    EXPECT(layer.attention_on_gpu);
    hot_groups += layer.hot_groups;
  }
  EXPECT(hot_groups > 0);
}

TEST(placement, never_gets_slower_with_more_memory) {
  const ModelWork work = large_model();
  double before = INFINITY;
  for (uint64_t gigabytes = 0; gigabytes <= 48; gigabytes += 4) {
    const double seconds = solve_placement(work, workstation(), gigabytes * 1'000'000'000, {}).seconds;
    // Memory is counted in steps, which costs a little.
    EXPECT(seconds <= before * 1.002);
    before = seconds;
  }
}

TEST(placement, skew_of_the_default_is_mild_and_adds_up) {
  for (const double share : {0.05, 0.11, 0.33, 0.5, 1.0}) {
    const auto groups = default_group_activity(1000, 32, share);
    double sum = 0;
    for (size_t g = 0; g < groups.size(); ++g) {
      EXPECT(groups[g] <= 32 + 1e-9);
      EXPECT(g + 1 == groups.size() || g == 0 || groups[g] <= groups[g - 1] + 1e-9);
      sum += groups[g];
    }
    EXPECT(std::abs(sum - share * 1000) < 1e-6);
  }
}

}  // namespace hotpath::test
