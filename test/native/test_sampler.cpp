#include "llama/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "test.h"

namespace hotpath::test {

namespace {

std::vector<float> random_logits(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> logits(n);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

/// The probabilities that nucleus sampling draws with, by its definition.
std::vector<double> nucleus(const std::vector<float>& logits, double temperature, double top_p) {
  std::vector<double> probabilities;
  for (const float logit : logits) probabilities.push_back(std::exp(logit / temperature));
  const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& probability : probabilities) probability /= sum;
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return probabilities[a] > probabilities[b]; });
  double kept = 0;
  for (const size_t token : order) {
    if (kept >= top_p) probabilities[token] = 0;
    kept += probabilities[token];
  }
  for (double& probability : probabilities) probability /= kept;
  return probabilities;
}

void draws_as_defined(double temperature, double top_p) {
  const std::vector<float> logits = random_logits(200, 3);
  const std::vector<double> expected = nucleus(logits, temperature, top_p);
  constexpr int kDraws = 40000;
  Sampler sampler(static_cast<float>(temperature), static_cast<float>(top_p), 11);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(*sampler.pick(logits))];
  for (size_t token = 0; token < logits.size(); ++token) {
    if (expected[token] == 0) EXPECT_EQ(counts[token], 0);
    // Five standard deviations of a binomial: a fault in a million runs of all tokens.
    const double deviation = std::sqrt(kDraws * expected[token] * (1 - expected[token]));
    EXPECT(std::abs(counts[token] - kDraws * expected[token]) <= 5 * deviation + 1);
  }
}

}  // namespace

TEST(sampler, draws_from_the_nucleus_with_its_probabilities) {
  draws_as_defined(0.8, 0.95);
  draws_as_defined(0.2, 0.95);
  draws_as_defined(1.5, 0.3);
  draws_as_defined(1, 1);
}

TEST(sampler, draws_the_same_for_the_same_seed) {
  const auto draws = [](uint32_t seed) {
    Sampler sampler(1, 0.9f, seed);
    std::vector<Token> tokens;
    for (uint32_t i = 0; i < 50; ++i) tokens.push_back(*sampler.pick(random_logits(100, i)));
    return tokens;
  };
  EXPECT_EQ(draws(1), draws(1));
  EXPECT(draws(1) != draws(2));
}

TEST(sampler, takes_the_likeliest_when_the_temperature_is_0_or_the_nucleus_holds_one) {
  const std::vector<float> logits = {0, 3, 9, 3, -1};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(*Sampler(0, 0.5f, 1).pick(logits), 2);
    EXPECT_EQ(*Sampler(1, 0.5f, static_cast<uint32_t>(i)).pick(logits), 2);
  }
}

TEST(sampler, refuses_what_is_no_number) {
  EXPECT(!Sampler(1, 0.9f, 1).pick(std::vector<float>{0, NAN, 1}));
  EXPECT(!Sampler(0, 1, 1).pick(std::vector<float>{-INFINITY, -INFINITY}));
  // Greedy would find the largest number beside it.
  for (const size_t size : {size_t{3}, size_t{100}}) {
    std::vector<float> logits = random_logits(size, 5);
    logits[size / 2] = NAN;
    EXPECT(!Sampler(0, 1, 1).pick(logits));
  }
}

TEST(sampler, finds_the_first_largest_as_the_plain_loop_does) {
  std::mt19937 random(1);
  for (int size = 1; size < 200; ++size) {
    std::vector<float> values(static_cast<size_t>(size));
    for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 20) - 10);
    size_t plain = 0;
    for (size_t i = 1; i < values.size(); ++i) {
      if (values[i] > values[plain]) plain = i;
    }
    EXPECT_EQ(index_of_largest(values), plain);
  }
}

}  // namespace hotpath::test
