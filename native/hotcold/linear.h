// Products with plain matrices (attention, output): on a sparse model they are most of what a token costs.
#pragma once

#include "hotcold/matrices.h"
#include "hotcold/memory.h"
#include "hotcold/workers.h"

namespace hotpath::hotcold {

/// Whether the op multiplies one of these matrices.
bool has_plain_matrix(const ggml_tensor* op);

/// Whether it does so with float vectors, in two dimensions: what `Linear` computes.
bool is_plain_product(const ggml_tensor* op);

/// Each output is one row times one activation, so results do not depend on how rows are cut into chunks.
class Linear {
 public:
  explicit Linear(Workers& workers) : workers_(workers) {}

  ggml_status run(const ggml_tensor* product);

 private:
  void pack(int64_t token);
  void multiply(int64_t chunk);

  Workers& workers_;
  AlignedBytes activations_;

  // Of the product that runs.
  const Rows* rows_ = nullptr;
  const ggml_tensor* x_ = nullptr;
  const ggml_tensor* y_ = nullptr;
  int64_t chunk_rows_ = 0;
  size_t activation_stride_ = 0;
};

}  // namespace hotpath::hotcold
