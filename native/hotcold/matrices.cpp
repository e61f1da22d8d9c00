#include "hotcold/matrices.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

namespace hotpath::hotcold {

namespace {

// Enough to hand out, and little enough for many threads and a core's cache.
constexpr int64_t kPieceBytes = 256 * 1024;
// Of each row of a file, whose rows are pages apart, one block of K-quants or several of the others.
constexpr int64_t kPieceNeurons = 256;

/// Threads of its own, which end with it: ggml's would spin while they wait for each other.
template <typename Matrix>
void pack_pieces(Matrix& matrix, const uint8_t* tensor, int n_threads) {
  std::atomic<int64_t> next = 0;
  const auto work = [&] {
    for (int64_t i = next++; i < matrix.n_pieces(); i = next++) matrix.pack_piece(tensor, i);
  };
  std::vector<std::thread> others;
  try {
    while (static_cast<int64_t>(others.size()) + 1 < std::min<int64_t>(n_threads, matrix.n_pieces())) others.emplace_back(work);
  } catch (const std::system_error&) {
    // The system has no more threads to give; those that there are do it.
  }
  work();
  for (std::thread& other : others) other.join();
}

int64_t divide_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

}  // namespace

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

int64_t Rows::piece_rows() const { return std::max<int64_t>(1, kPieceBytes / static_cast<int64_t>(stride_)); }

int64_t Rows::n_pieces() const { return divide_up(n_rows_ * n_experts_, piece_rows()); }

void Rows::pack_piece(const uint8_t* tensor, int64_t piece) {
  const size_t source_stride = ggml_row_size(kernels_->type, n_cols_);
  const int64_t end = std::min((piece + 1) * piece_rows(), n_rows_ * n_experts_);
  for (int64_t row = piece * piece_rows(); row < end; ++row) {
    kernels_->pack(tensor + row * source_stride, n_cols_, bytes_.data() + row * stride_);
  }
}

void Rows::pack(const uint8_t* tensor, int n_threads) {
  CHECK(packed_ == bytes_.data());
  pack_pieces(*this, tensor, n_threads);
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

int64_t Down::piece_groups() const { return kPieceNeurons / kernels_->group; }

int64_t Down::expert_pieces() const { return divide_up(n_groups_, piece_groups()); }

int64_t Down::n_pieces() const { return n_experts_ * expert_pieces(); }

void Down::pack_piece(const uint8_t* tensor, int64_t piece) {
  const int64_t expert = piece / expert_pieces();
  const int64_t first = piece % expert_pieces() * piece_groups();
  kernels_->pack(tensor + expert * source_bytes(), source_stride(), n_embd_, first, std::min(piece_groups(), n_groups_ - first),
                 bytes_.data() + (expert * n_groups_ + first) * group_stride_);
}

void Down::pack(const uint8_t* tensor, int n_threads) {
  CHECK(packed_ == bytes_.data());
  pack_pieces(*this, tensor, n_threads);
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
