// How well a model explains a text: what tells one activation from another when the file does not say which is right.
#pragma once

#include <span>

#include "core/error.h"
#include "llama.h"

namespace hotpath {

/// Mean logarithm of the probability the model gives to each token but the first. Uses sequence 0 and leaves it empty.
Result<double> mean_log_likelihood(llama_context* context, std::span<const llama_token> tokens);

}  // namespace hotpath
