#include "llama/likelihood.h"

#include <algorithm>
#include <cmath>

namespace hotpath {

namespace {

double log_probability(const float* logits, int32_t n, llama_token token) {
  const double highest = *std::max_element(logits, logits + n);
  double sum = 0;
  for (int32_t i = 0; i < n; ++i) sum += std::exp(logits[i] - highest);
  return logits[token] - highest - std::log(sum);
}

}  // namespace

Result<double> mean_log_likelihood(LoadedModel& model, std::span<const llama_token> tokens, const CancelFlag& cancel) {
  CHECK(tokens.size() >= 2);
  llama_context* context = model.context.get();
  const int32_t n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context)));
  double sum = 0;
  int status = 0;
  // One token at a time: the context keeps the logits of few.
  for (size_t i = 0; i + 1 < tokens.size() && status == 0 && !cancel.raised(); ++i) {
    llama_token token = tokens[i];
    status = llama_decode(context, llama_batch_get_one(&token, 1));
    if (status == 0) sum += log_probability(llama_get_logits_ith(context, -1), n_vocab, tokens[i + 1]);
  }
  llama_memory_seq_rm(llama_get_memory(context), 0, -1, -1);
  if (cancel.raised()) return Error{ErrorCode::request_cancelled, "loading was cancelled", {}};
  if (status != 0) {
    if (auto why = model.ffns ? model.ffns->take_failure() : std::nullopt) return *why;
    return Error{ErrorCode::internal_bug, format_text("llama_decode returned %d", status), {}};
  }
  return sum / static_cast<double>(tokens.size() - 1);
}

}  // namespace hotpath
