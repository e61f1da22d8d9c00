// One weight matrix (or one per expert) in the layout of its kernels.
#pragma once

#include <cstdint>
#include <span>

#include "core/error.h"
#include "hotcold/kernels/kernels.h"
#include "hotcold/memory.h"

namespace hotpath::hotcold {

/// Gate or up: a row per neuron. Also what is plainly multiplied: predictors, attention, output.
class Rows {
 public:
  Rows() = default;
  /// `packed`: such a matrix that is packed already and outlives this; then nothing is allocated, and nothing can be packed.
  Rows(const RowKernels& kernels, int64_t n_cols, int64_t n_rows, int64_t n_experts, const uint8_t* packed = nullptr);

  explicit operator bool() const { return kernels_ != nullptr; }
  const RowKernels& kernels() const { return *kernels_; }
  int64_t n_rows() const { return n_rows_; }
  int64_t n_cols() const { return n_cols_; }
  int64_t n_experts() const { return n_experts_; }
  size_t row_bytes() const { return stride_; }
  std::span<const uint8_t> packed() const { return {packed_, stride_ * n_rows_ * n_experts_}; }
  RowMatrix matrix(int64_t expert = 0) const { return {packed_ + expert * n_rows_ * stride_, stride_, n_cols_, n_rows_}; }

  /// From and to the bytes of the whole ggml tensor.
  void pack(const uint8_t* tensor, int n_threads = 1);
  void unpack(uint8_t* tensor) const;
  /// Packing is all of these, in any order, side by side if need be.
  int64_t n_pieces() const;
  void pack_piece(const uint8_t* tensor, int64_t piece);

 private:
  int64_t piece_rows() const;

  const RowKernels* kernels_ = nullptr;
  int64_t n_cols_ = 0;
  int64_t n_rows_ = 0;  // per expert
  int64_t n_experts_ = 0;
  size_t stride_ = 0;
  AlignedBytes bytes_;  // empty when `packed_` is someone else's
  const uint8_t* packed_ = nullptr;
};

/// Down, by neuron.
class Down {
 public:
  Down() = default;
  Down(const DownKernels& kernels, int64_t n_ff, int64_t n_embd, int64_t n_experts, const uint8_t* packed = nullptr);

  explicit operator bool() const { return kernels_ != nullptr; }
  const DownKernels& kernels() const { return *kernels_; }
  int64_t n_neurons() const { return n_groups_ * kernels_->group; }
  int64_t n_groups() const { return n_groups_; }
  int64_t n_embd() const { return n_embd_; }
  int64_t n_experts() const { return n_experts_; }
  size_t neuron_bytes() const { return group_stride_ / kernels_->group; }
  std::span<const uint8_t> packed() const { return {packed_, group_stride_ * n_groups_ * n_experts_}; }
  DownMatrix matrix(int64_t expert = 0) const {
    return {packed_ + expert * n_groups_ * group_stride_, group_stride_, n_embd_};
  }

  void pack(const uint8_t* tensor, int n_threads = 1);
  void unpack(uint8_t* tensor) const;
  int64_t n_pieces() const;
  void pack_piece(const uint8_t* tensor, int64_t piece);
  /// What one neuron weighs in each output, dequantised. Of a matrix without experts.
  void copy_column(int64_t neuron, float* column) const;

 private:
  int64_t piece_groups() const;
  int64_t expert_pieces() const;
  /// Of a ggml row, and of one expert's matrix.
  size_t source_stride() const;
  size_t source_bytes() const;

  const DownKernels* kernels_ = nullptr;
  int64_t n_groups_ = 0;  // per expert
  int64_t n_embd_ = 0;
  int64_t n_experts_ = 0;
  size_t group_stride_ = 0;
  AlignedBytes bytes_;  // empty when `packed_` is someone else's
  const uint8_t* packed_ = nullptr;
};

}  // namespace hotpath::hotcold
