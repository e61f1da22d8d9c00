// Picks the next token from the logits.
#pragma once

#include <random>
#include <span>
#include <vector>

#include "core/error.h"
#include "llama/vocabulary.h"

namespace hotpath {

/// Index of the largest value, the first of equals.
size_t index_of_largest(std::span<const float> values);

class Sampler {
 public:
  /// Temperature 0 is greedy. Above it, a token is drawn from the likeliest whose probabilities at that temperature add
  /// up to `top_p` (Holtzman et al. 2020, nucleus sampling; 1: from all), repeatable by its seed.
  Sampler(float temperature, float top_p, uint32_t seed) : temperature_(temperature), top_p_(top_p), random_(seed) {}

  /// From the logits of the last decoded token.
  Result<Token> sample(llama_context* context, int n_vocabulary);

  /// model/corrupt when one of the logits is not a number, or the largest not finite.
  Result<Token> pick(std::span<const float> logits);

 private:
  struct Candidate {
    Token token;
    float weight;  // probability, but for a factor
  };

  /// Leaves the likeliest candidates that have `top_p_` of the sum; returns their own sum.
  double keep_nucleus(double sum);

  float temperature_;
  float top_p_;
  std::mt19937_64 random_;
  std::vector<Candidate> candidates_;
};

}  // namespace hotpath
