// How far a way of computing a model is from llama.cpp's own.
#pragma once

#include <functional>
#include <span>

#include "core/cancel.h"
#include "core/error.h"
#include "formats/sidecar.h"
#include "llama/loaded_model.h"

namespace hotpath {

/// Kullback-Leibler divergence of each position's next-token probabilities, and whether the most likely token is the same.
/// Both: n positions of n_vocab logits.
Divergence divergence_between(std::span<const float> expected, std::span<const float> actual, size_t n_vocab);

/// Runs a fixed text of code through both; `fraction` is that of the tokens computed so far.
Result<Divergence> measure_divergence(const ModelSpec& reference, const ModelSpec& measured,
                                      const std::function<void(double fraction)>& on_progress, const CancelFlag& cancel);

}  // namespace hotpath
