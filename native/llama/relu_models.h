// Models whose FFNs have another activation than their architecture's: Llamas trained further with ReLU are stored as
// architecture "llama", and llama.cpp computes them with SiLU, without an error and wrongly.
#pragma once

#include <optional>
#include <string>

#include "formats/gguf_header.h"
#include "hotcold/neuron_function.h"

namespace hotpath {

struct KnownForm {
  hotcold::NeuronForm form;
  std::string reason;  // what in the file says so
  bool is_certain;     // if not, the name speaks of ReLU or sparsity and no more: both forms have to be tried
};

/// By what the metadata says: our own key, the activation's name, or the name of a model.
std::optional<KnownForm> known_form(const GgufHeader& header);

}  // namespace hotpath
