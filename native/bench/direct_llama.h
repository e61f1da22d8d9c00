// llama.cpp used directly, with nothing of ours between: what the engine is compared with, in results and in speed.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core/error.h"
#include "ggml-backend.h"
#include "llama.h"

namespace hotpath {

class DirectLlama {
 public:
  /// `cpu_pattern`: of tensors that stay on the CPU whichever device has their layers; empty: none.
  DirectLlama(const std::string& path, uint32_t context_length, int threads, int gpu_layers, const std::string& cpu_pattern = {}) {
    llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = gpu_layers;
    ggml_backend_dev_t no_devices[] = {nullptr};
    if (gpu_layers == 0) model_params.devices = no_devices;  // else a GPU still helps with large batches
    const llama_model_tensor_buft_override overrides[] = {
        {cpu_pattern.c_str(), ggml_backend_dev_buffer_type(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU))}, {nullptr, nullptr}};
    if (!cpu_pattern.empty()) model_params.tensor_buft_overrides = overrides;
    model_.reset(llama_model_load_from_file(path.c_str(), model_params));
    CHECK(model_);
    llama_context_params params = llama_context_default_params();
    params.n_ctx = context_length;
    params.n_batch = context_length;
    params.n_threads = threads;
    params.n_threads_batch = threads;
    context_.reset(llama_init_from_model(model_.get(), params));
    CHECK(context_);
  }

  llama_context* context() const { return context_.get(); }
  const llama_vocab* vocab() const { return llama_model_get_vocab(model_.get()); }

  /// Forgets all but the first tokens.
  void keep(size_t n_tokens) { llama_memory_seq_rm(llama_get_memory(context_.get()), 0, static_cast<llama_pos>(n_tokens), -1); }

  /// The most probable token after these.
  llama_token decode(std::span<const llama_token> tokens) {
    const float* logits = compute(tokens);
    return static_cast<llama_token>(std::max_element(logits, logits + llama_vocab_n_tokens(vocab())) - logits);
  }

  /// The most probable token after these, of those that `allowed` accepts.
  template <typename Allowed>
  llama_token decode(std::span<const llama_token> tokens, Allowed allowed) {
    const float* logits = compute(tokens);
    llama_token best = -1;
    for (llama_token token = 0; token < llama_vocab_n_tokens(vocab()); ++token) {
      if (allowed(token) && (best < 0 || logits[token] > logits[best])) best = token;
    }
    CHECK(best >= 0);
    return best;
  }

 private:
  const float* compute(std::span<const llama_token> tokens) {
    std::vector<llama_token> copy(tokens.begin(), tokens.end());
    CHECK(llama_decode(context_.get(), llama_batch_get_one(copy.data(), static_cast<int32_t>(copy.size()))) == 0);
    return llama_get_logits_ith(context_.get(), -1);
  }

  std::unique_ptr<llama_model, decltype(&llama_model_free)> model_{nullptr, llama_model_free};
  std::unique_ptr<llama_context, decltype(&llama_free)> context_{nullptr, llama_free};
};

}  // namespace hotpath
