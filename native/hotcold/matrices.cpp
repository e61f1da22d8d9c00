#include "hotcold/matrices.h"

#include <cstring>
#include <vector>

namespace hotpath::hotcold {

Rows::Rows(const RowKernels& kernels, int64_t n_cols, int64_t n_rows, int64_t n_experts, const uint8_t* packed)
    : kernels_(&kernels),
      n_cols_(n_cols),
      n_rows_(n_rows),
      n_experts_(n_experts),
      stride_(kernels.row_bytes(n_cols)),
      bytes_(packed ? 0 : stride_ * n_rows * n_experts),
      packed_(packed ? packed : bytes_.data()) {
  CHECK(n_cols % kernels.block == 0);
}

void Rows::pack(const uint8_t* tensor) {
  CHECK(packed_ == bytes_.data());
  const size_t source_stride = ggml_row_size(kernels_->type, n_cols_);
  for (int64_t row = 0; row < n_rows_ * n_experts_; ++row) {
    kernels_->pack(tensor + row * source_stride, n_cols_, bytes_.data() + row * stride_);
  }
}

void Rows::unpack(uint8_t* tensor) const {
  const size_t source_stride = ggml_row_size(kernels_->type, n_cols_);
  for (int64_t row = 0; row < n_rows_ * n_experts_; ++row) {
    kernels_->unpack(packed_ + row * stride_, n_cols_, tensor + row * source_stride);
  }
}

Down::Down(const DownKernels& kernels, int64_t n_ff, int64_t n_embd, int64_t n_experts, const uint8_t* packed)
    : kernels_(&kernels),
      n_groups_(n_ff / kernels.group),
      n_embd_(n_embd),
      n_experts_(n_experts),
      group_stride_(kernels.group_bytes(n_embd)),
      bytes_(packed ? 0 : group_stride_ * n_groups_ * n_experts),
      packed_(packed ? packed : bytes_.data()) {
  CHECK(n_ff % kernels.group == 0 && n_embd % kernels.embd_multiple == 0);
}

size_t Down::source_stride() const {
  return ggml_row_size(kernels_->type, kernels_->scales == DownScales::across_neurons ? n_neurons() : n_embd_);
}

size_t Down::source_bytes() const {
  return source_stride() * (kernels_->scales == DownScales::across_neurons ? n_embd_ : n_neurons());
}

void Down::pack(const uint8_t* tensor) {
  CHECK(packed_ == bytes_.data());
  for (int64_t i = 0; i < n_experts_ * n_groups_; ++i) {
    const uint8_t* matrix = tensor + i / n_groups_ * source_bytes();
    kernels_->pack(matrix, source_stride(), n_embd_, i % n_groups_, bytes_.data() + i * group_stride_);
  }
}

void Down::copy_column(int64_t neuron, float* column) const {
  const int64_t group = kernels_->group;
  const uint8_t* packed = packed_ + neuron / group * group_stride_;
  const auto to_floats = [type = kernels_->type](const uint8_t* from, float* to, int64_t n) {
    if (type == GGML_TYPE_F32) {
      std::memcpy(to, from, n * sizeof(float));
    } else {
      ggml_get_type_traits(type)->to_float(from, to, n);
    }
  };
  const bool is_transposed = kernels_->scales == DownScales::along_output;
  const size_t stride = ggml_row_size(kernels_->type, is_transposed ? n_embd_ : group);
  std::vector<uint8_t> block(stride * (is_transposed ? group : n_embd_));
  kernels_->unpack(packed, n_embd_, 0, block.data(), stride);
  if (is_transposed) return to_floats(block.data() + neuron % group * stride, column, n_embd_);
  std::vector<float> weights(group);
  for (int64_t e = 0; e < n_embd_; ++e) {
    to_floats(block.data() + e * stride, weights.data(), group);
    column[e] = weights[neuron % group];
  }
}

void Down::unpack(uint8_t* tensor) const {
  for (int64_t i = 0; i < n_experts_ * n_groups_; ++i) {
    uint8_t* matrix = tensor + i / n_groups_ * source_bytes();
    kernels_->unpack(packed_ + i * group_stride_, n_embd_, i % n_groups_, matrix, source_stride());
  }
}

}  // namespace hotpath::hotcold
