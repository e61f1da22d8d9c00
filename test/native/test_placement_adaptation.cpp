// Simulated traces: what stays hot stays put, what shifts is followed, noise moves little.
#include "placement/adaptation.h"

#include <algorithm>
#include <random>
#include <set>

#include "test.h"

namespace hotpath::test {

namespace {

constexpr uint32_t kUnits = 200;
constexpr uint32_t kSlots = 40;
constexpr uint32_t kTokens = 40;  // of one completion

/// Units of the hot range fire often, the others seldom.
std::vector<uint32_t> completion(std::mt19937& random, uint32_t first_hot) {
  std::vector<uint32_t> counts(kUnits);
  for (uint32_t unit = 0; unit < kUnits; ++unit) {
    const bool is_hot = unit >= first_hot && unit < first_hot + kSlots;
    for (uint32_t t = 0; t < kTokens; ++t) counts[unit] += random() % 100 < (is_hot ? 70 : 5);
  }
  return counts;
}

std::vector<uint32_t> range(uint32_t first, uint32_t n) {
  std::vector<uint32_t> units(n);
  for (uint32_t i = 0; i < n; ++i) units[i] = first + i;
  return units;
}

std::vector<double> activity_of(uint32_t first_hot) {
  std::vector<double> activity(kUnits, 0.05);
  for (uint32_t i = 0; i < kSlots; ++i) activity[first_hot + i] = 0.7;
  return activity;
}

size_t count_in(const std::vector<uint32_t>& slots, uint32_t first, uint32_t n) {
  return static_cast<size_t>(std::count_if(slots.begin(), slots.end(), [&](uint32_t u) { return u >= first && u < first + n; }));
}

/// Every unit is in one slot at most.
void expect_distinct(const std::vector<uint32_t>& slots) {
  EXPECT_EQ((std::set<uint32_t>(slots.begin(), slots.end()).size()), slots.size());
}

}  // namespace

TEST(placement_adaptation, leaves_a_stable_hot_set_alone) {
  std::mt19937 random(1);
  Adaptation adaptation({}, {{kUnits, range(0, kSlots), activity_of(0)}});
  for (int i = 0; i < 500; ++i) {
    adaptation.observe(0, completion(random, 0), kTokens);
    EXPECT(adaptation.end_completion().empty());
  }
}

TEST(placement_adaptation, follows_a_shift) {
  std::mt19937 random(2);
  Adaptation adaptation({}, {{kUnits, range(0, kSlots), activity_of(0)}});
  int completions = 0;
  for (; completions < 400 && count_in(adaptation.slots(0), 100, kSlots) < kSlots; ++completions) {
    adaptation.observe(0, completion(random, 100), kTokens);
    adaptation.end_completion();
    expect_distinct(adaptation.slots(0));
  }
  // Averages cross when 43 % of the slow one's 20000 tokens are of the new kind, after 280 completions of 40; chance
  // decides how much earlier or later single neurons do.
  EXPECT(completions > 150 && completions < 350);
  for (int i = 0; i < 100; ++i) {
    adaptation.observe(0, completion(random, 100), kTokens);
    EXPECT(adaptation.end_completion().empty());
  }
}

TEST(placement_adaptation, learns_quickly_where_nothing_was_known) {
  std::mt19937 random(3);
  Adaptation adaptation({}, {{kUnits, range(0, kSlots), {}}});
  for (int i = 0; i < 3; ++i) {
    adaptation.observe(0, completion(random, 100), kTokens);
    adaptation.end_completion();
  }
  EXPECT_EQ(count_in(adaptation.slots(0), 100, kSlots), size_t{kSlots});
}

TEST(placement_adaptation, moves_little_for_noise) {
  std::mt19937 random(4);
  Adaptation adaptation({}, {{kUnits, range(0, kSlots), std::vector<double>(kUnits, 0.3)}});
  size_t swaps = 0;
  for (int i = 0; i < 500; ++i) {
    std::vector<uint32_t> counts(kUnits);
    for (uint32_t& count : counts) {
      for (uint32_t t = 0; t < kTokens; ++t) count += random() % 10 < 3;
    }
    adaptation.observe(0, counts, kTokens);
    swaps += adaptation.end_completion().size();
  }
  // All are equally active: every swap is a mistake. Without hysteresis it is dozens per completion.
  EXPECT(swaps < 50);
}

TEST(placement_adaptation, touches_no_more_groups_than_the_bus_is_given) {
  AdaptationRules rules;
  rules.group_slots = 8;
  rules.most_groups = 3;
  Adaptation adaptation(rules, {{kUnits, range(0, kSlots), {}}, {kUnits, range(0, kSlots), {}}});
  std::mt19937 random(5);
  adaptation.observe(0, completion(random, 100), kTokens);
  adaptation.observe(1, completion(random, 100), kTokens);
  std::set<std::pair<uint32_t, uint32_t>> groups;
  const auto swaps = adaptation.end_completion();
  for (const Replacement& swap : swaps) groups.insert({swap.layer, swap.slot / 8});
  EXPECT_EQ(groups.size(), 3u);
  EXPECT(swaps.size() > 3 && swaps.size() <= 24);
}

TEST(placement_adaptation, gives_the_same_swaps_for_the_same_trace) {
  const auto run = [] {
    std::mt19937 random(6);
    Adaptation adaptation({}, {{kUnits, range(0, kSlots), {}}});
    std::vector<Replacement> all;
    for (int i = 0; i < 200; ++i) {
      adaptation.observe(0, completion(random, static_cast<uint32_t>(i) / 2), kTokens);
      const auto swaps = adaptation.end_completion();
      all.insert(all.end(), swaps.begin(), swaps.end());
    }
    return all;
  };
  const auto first = run();
  EXPECT(!first.empty());
  EXPECT(first == run());
}

TEST(placement_adaptation, hands_back_the_coldest_slots_at_once) {
  std::vector<double> activity(kUnits);
  for (uint32_t unit = 0; unit < kUnits; ++unit) activity[unit] = unit / 200.0;
  Adaptation adaptation({}, {{kUnits, range(10, 10), activity}});
  adaptation.resize(0, 4);
  EXPECT_EQ(adaptation.slots(0), (std::vector<uint32_t>{19, 18, 17, 16}));
  adaptation.resize(0, 0);
  EXPECT(adaptation.slots(0).empty());
  EXPECT(adaptation.end_completion().empty());
}

TEST(placement_adaptation, fills_new_slots_with_the_hottest) {
  Adaptation adaptation({}, {{kUnits, range(0, 2), activity_of(100)}});
  adaptation.resize(0, 4);
  EXPECT_EQ(adaptation.slots(0), (std::vector<uint32_t>{0, 1, 100, 101}));
  adaptation.resize(0, kUnits + 10);
  EXPECT_EQ(adaptation.slots(0).size(), size_t{kUnits});
  expect_distinct(adaptation.slots(0));
}

}  // namespace hotpath::test
