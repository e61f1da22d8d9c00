// Picks the next token from the logits.
#pragma once

#include <memory>
#include <span>

#include "core/error.h"
#include "llama/vocabulary.h"

namespace hotpath {

/// Index of the largest value, the first of equals.
size_t index_of_largest(std::span<const float> values);

class Sampler {
 public:
  /// Temperature 0 is greedy; above it, top-k 40 and top-p 0.95 are cut first, and the seed makes it repeatable.
  Sampler(float temperature, uint32_t seed);

  /// From the logits of the last decoded token. model/corrupt when they are not numbers.
  Result<Token> sample(llama_context* context, int n_vocabulary);

 private:
  struct Free {
    void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
  };
  std::unique_ptr<llama_sampler, Free> chain_;  // none: greedy
};

}  // namespace hotpath
