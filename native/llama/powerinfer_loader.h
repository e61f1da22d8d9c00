// Gives llama.cpp a PowerInfer file as a model it knows: metadata under names of today, tensors one after another from
// the file. The FFNs go to our backend, which alone can compute them: llama.cpp has neither their layout nor their ReLU.
#pragma once

#include <string>

#include "core/file.h"
#include "formats/powerinfer.h"
#include "hotcold/neuron_function.h"
#include "llama.h"

namespace hotpath {

namespace hotcold {
class Store;
}

/// How the neurons of the architecture come to their values.
hotcold::NeuronForm powerinfer_form(PowerInferArch arch);

/// FFN tensors as llama.cpp will create them, for what plans with them.
std::vector<GgufTensor> powerinfer_ffn_tensors(const GgufHeader& header);

/// Fills the store with down matrices and predictors, then loads the rest. `params` must send the FFN tensors of all
/// layers to the store, which knows the form of the neurons. No more than one tensor's bytes (of a predictor, two) are in
/// memory beside the model. Called within LibraryWatch::run; null when llama.cpp fails, with its reason in the log.
Result<llama_model*> load_powerinfer(const std::string& path, const llama_model_params& params, hotcold::Store& store);

}  // namespace hotpath
