#include "hotcold/linear.h"

#include <algorithm>
#include <array>

#include "hotcold/buffer.h"

namespace hotpath::hotcold {

namespace {

constexpr int64_t kChunks = 64;
constexpr int64_t kMinChunkBytes = 32 * 1024;  // smaller ones cost more to hand out than they level
constexpr int64_t kTile = 64;                  // rows multiplied with all tokens at a time

float* row_of(const ggml_tensor* t, int64_t i) {
  return reinterpret_cast<float*>(static_cast<char*>(t->data) + i * t->nb[1]);
}

bool is_float_matrix(const ggml_tensor* t) {
  return t->type == GGML_TYPE_F32 && t->nb[0] == sizeof(float) && t->nb[1] % sizeof(float) == 0 && t->ne[2] == 1 && t->ne[3] == 1;
}

}  // namespace

bool has_plain_matrix(const ggml_tensor* op) {
  if (op->op != GGML_OP_MUL_MAT) return false;
  const Store::Weight* weight = weight_of(op->src[0]);
  return weight && weight->plain;
}

bool is_plain_product(const ggml_tensor* op) {
  return has_plain_matrix(op) && op->src[0]->ne[2] == 1 && is_float_matrix(op->src[1]) && is_float_matrix(op);
}

ggml_status Linear::run(const ggml_tensor* product) {
  rows_ = &weight_of(product->src[0])->plain;
  x_ = product->src[1];
  y_ = product;
  const int64_t n_tokens = x_->ne[1];
  activation_stride_ = rows_->kernels().activation_bytes(rows_->n_cols());
  if (n_tokens * activation_stride_ > activations_.size()) activations_ = AlignedBytes(n_tokens * activation_stride_);
  chunk_rows_ = std::max(rows_->n_rows() / kChunks, kMinChunkBytes / static_cast<int64_t>(rows_->row_bytes()));
  chunk_rows_ = (chunk_rows_ / kTile + 1) * kTile;
  const int64_t n_chunks = (rows_->n_rows() + chunk_rows_ - 1) / chunk_rows_;

  std::array<Phase, 2> phases;
  size_t n = 0;
  if (n_tokens > kFewTokens) {
    phases[n++] = {[](void* self, int64_t i, int) { static_cast<Linear*>(self)->pack(i); }, n_tokens};
  } else {
    for (int64_t i = 0; i < n_tokens; ++i) pack(i);
  }
  phases[n++] = {[](void* self, int64_t i, int) { static_cast<Linear*>(self)->multiply(i); }, n_chunks};
  return workers_.run(std::span(phases).first(n), this);
}

void Linear::pack(int64_t token) {
  rows_->kernels().pack_activation(row_of(x_, token), rows_->n_cols(), activations_.data() + token * activation_stride_);
}

void Linear::multiply(int64_t chunk) {
  const RowKernels& kernels = rows_->kernels();
  const int64_t begin = chunk * chunk_rows_;
  const int64_t end = std::min(begin + chunk_rows_, rows_->n_rows());
  float* y = row_of(y_, 0);
  if (x_->ne[1] == 1) return kernels.dot(rows_->matrix(), begin, end - begin, activations_.data(), y + begin);
  const auto stride = static_cast<int64_t>(y_->nb[1] / sizeof(float));
  for (int64_t first = begin; first < end; first += kTile) {
    kernels.multiply(rows_->matrix(), first, std::min(kTile, end - first), activations_.data(), activation_stride_, x_->ne[1],
                     y + first, stride);
  }
}

}  // namespace hotpath::hotcold
