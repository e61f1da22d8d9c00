// One generation after another on one llama.cpp context: prompt, prefix reuse, decode loop, stop rules.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "hotcold/store.h"
#include "llama/sampler.h"
#include "llama/sequences.h"
#include "llama/stop_rules.h"
#include "llama/token_healing.h"
#include "llama/vocabulary.h"
#include "placement/hot_set.h"

namespace hotpath {

enum class PromptForm { fim, text };

/// GenerateParams of src/protocol/model.ts.
struct GenerateParams {
  PromptForm form = PromptForm::fim;
  std::string prefix;
  std::string suffix;
  size_t max_prompt_tokens = 0;
  size_t max_tokens = 0;
  size_t max_lines = 0;
  std::vector<std::string> stop;
  float temperature = 0;
  float top_p = 1;
  uint32_t seed = 0;
  double time_limit_ms = 0;
  std::string sequence_key;
  bool ignore_end = false;   // goes on after the end of the text
  bool fresh_cache = false;  // computes the whole prompt
  bool time_tokens = false;
};

struct GenerateStats {
  size_t prompt_tokens = 0;
  size_t reused_tokens = 0;
  size_t cut_tokens = 0;
  size_t generated_tokens = 0;
  double ttft_ms = 0;
  double total_ms = 0;
  double prefill_tokens_per_second = 0;
  double decode_tokens_per_second = 0;
  std::optional<std::vector<double>> token_times_ms;  // from the start of the work; nothing: nobody asked
  hotcold::Stats ffn;  // of the tokens decoded one by one; empty where llama.cpp computes the FFNs
  HotState hot;        // as it was meanwhile
};

struct GenerateResult {
  std::string text;
  StopReason stop_reason;
  GenerateStats stats;
};

using OnText = std::function<void(const std::string&)>;

/// How a request ends that an unloaded model can no longer serve.
Error model_unloaded();

/// request/invalid when a value is out of range for a model of this context length.
Result<Done> check_params(const GenerateParams& params, size_t context_length);

class Generator {
 public:
  /// The context must have n_sequences of context_length each, and outlive this; nobody else may decode with it.
  /// `ffns`: those of the context's model that the hot/cold backend has; may be null.
  Generator(llama_context* context, hotcold::Store* ffns, Vocabulary vocabulary, size_t n_sequences, size_t context_length);
  ~Generator();
  Generator(const Generator&) = delete;

  /// Two flags: the request's own and one that ends whatever runs.
  /// Form fim is for models that have a format for it.
  Result<GenerateResult> generate(const GenerateParams& params, const CancelFlag& cancel, const CancelFlag& closing,
                                  const OnText& on_text);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  size_t context_length() const { return context_length_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Decoded { ok, interrupted };
  struct Run;

  /// Brings the sequence to the first `n` of its tokens, or to none where the model's memory cannot be cut.
  size_t keep_tokens(int sequence, size_t n);
  Result<Decoded> decode(int sequence, std::span<const Token> tokens);
  Result<Decoded> prefill(int sequence, std::span<const Token> prompt);
  Result<StopReason> decode_text(Run& run);
  /// False when no token goes on with the text that is to be healed.
  bool constrain(const TokenHealing& healing);
  bool interrupted() const;
  static bool on_abort_query(void* self);

  llama_context* context_;
  hotcold::Store* ffns_;
  Vocabulary vocabulary_;
  TokenBytes token_bytes_;
  SequenceTable sequences_;
  size_t context_length_;
  llama_batch batch_;
  int32_t batch_capacity_;

  // Of the generation that runs; read by llama.cpp's abort callback on this thread and on ggml's.
  CancelFlag cancel_;
  CancelFlag closing_;
  Clock::time_point deadline_ = Clock::time_point::max();
};

}  // namespace hotpath
