// How well a model explains a text: what tells one activation from another when the file does not say which is right.
#pragma once

#include <span>

#include "core/error.h"
#include "llama/loaded_model.h"

namespace hotpath {

/// Mean logarithm of the probability the model gives to each token but the first. Uses sequence 0 and leaves it empty.
/// model/unsupported when our backend has the FFNs and cannot compute what llama.cpp makes of them.
Result<double> mean_log_likelihood(LoadedModel& model, std::span<const llama_token> tokens, const CancelFlag& cancel = {});

}  // namespace hotpath
