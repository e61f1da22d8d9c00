// ggml's matrix product on the CPU with one thread: what the kernels are compared with.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpp.h"

namespace hotpath::hotcold {

class GgmlMatmul {
 public:
  /// `rows`: n_rows x n_cols as in a file. Repacked by ggml where it has a form for that, as llama.cpp does.
  GgmlMatmul(ggml_type type, const void* rows, int64_t n_rows, int64_t n_cols, const float* x, int64_t n_tokens);

  void compute() { ggml_backend_graph_compute(backend_.get(), graph_); }
  float result(int64_t row, int64_t token) const;
  bool is_repacked() const { return repacked_; }
  /// As they lie in memory.
  std::span<const uint8_t> weights() const;

 private:
  ggml_backend_ptr backend_;
  ggml_context_ptr weights_context_, context_;
  ggml_backend_buffer_ptr weights_buffer_, buffer_;
  ggml_tensor* out_;
  ggml_cgraph* graph_;
  bool repacked_ = false;
};

}  // namespace hotpath::hotcold
