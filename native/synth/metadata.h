// The key-value pairs of a synthetic model: its sizes, and the vocabulary of another model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gguf.h"
#include "synth/plan.h"

namespace hotpath::synth {

using GgufContext = std::unique_ptr<gguf_context, decltype(&gguf_free)>;

struct Vocabulary {
  GgufContext pairs{nullptr, gguf_free};  // tokenizer.* and what the product needs beside it
  std::vector<bool> is_text;              // of each token: ordinary text, neither control nor filler
};

/// Takes the vocabulary of a GGUF file and fills it up to `n_vocab` tokens (0: as it is). Errors as read_gguf_header;
/// request/invalid when the file has more tokens than that.
Result<Vocabulary> read_vocabulary(const std::string& path, uint32_t n_vocab);

/// All pairs and all tensors, ready for gguf_get_meta_data.
GgufContext describe_model(const Spec& spec, const Vocabulary& vocabulary, const std::vector<Tensor>& tensors);

/// In general.* and hotpath.*: how a `llama` model's gate is activated when it is not SiLU.
inline constexpr const char* kFfnActivationKey = "hotpath.ffn_activation";

}  // namespace hotpath::synth
