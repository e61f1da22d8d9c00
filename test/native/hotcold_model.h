// Small models with random weights, and llama.cpp running them with and without our backend.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hotcold/store.h"
#include "llama.h"

namespace hotpath::test {

struct TinyShape {
  std::string architecture = "llama";
  ggml_type type = GGML_TYPE_Q8_0;
  int64_t n_embd = 128;
  int64_t n_ff = 352;
  int64_t n_layers = 2;
  int64_t n_experts = 0;
  ggml_type plain_type = GGML_TYPE_F32;  // of attention and the output
};

/// A GGUF file without a vocabulary, removed with the object.
class TinyModel {
 public:
  static constexpr int64_t kVocabulary = 320;

  explicit TinyModel(const TinyShape& shape);
  ~TinyModel();
  TinyModel(const TinyModel&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The floats of an F32 tensor of a file.
std::vector<float> read_floats(const std::string& path, const std::string& tensor);

/// llama.cpp with this file; FFNs, attention and output in the store, where there is one.
class LlamaRun {
 public:
  /// `on_node`: as llama_context_params.cb_eval; makes ggml compute every node by itself.
  LlamaRun(const std::string& path, int threads, hotcold::Store* store, ggml_backend_sched_eval_callback on_node = nullptr);

  /// Logits after each of the tokens, decoded in batches of this size after what was decoded before.
  std::vector<float> logits(std::span<const llama_token> tokens, size_t batch_size);
  std::vector<llama_token> greedy(std::span<const llama_token> prompt, size_t n);
  /// As if nothing was decoded before.
  void forget();
  int n_vocab() const { return n_vocab_; }

 private:
  struct FreePool {
    void operator()(ggml_threadpool* pool) const;
  };
  std::unique_ptr<llama_model, decltype(&llama_model_free)> model_{nullptr, llama_model_free};
  std::unique_ptr<ggml_threadpool, FreePool> pool_;
  std::unique_ptr<llama_context, decltype(&llama_free)> context_{nullptr, llama_free};
  int n_vocab_ = 0;
  llama_pos position_ = 0;
};

/// Tokens that look random, the same every time.
std::vector<llama_token> some_tokens(size_t n, int n_vocab);

/// Root mean square of the difference, relative to that of the expected values.
double relative_difference(std::span<const float> actual, std::span<const float> expected);

}  // namespace hotpath::test
