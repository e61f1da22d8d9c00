// Many tokens at a time: whole rows times all tokens, then down by slices of the output.
#include <algorithm>
#include <cstring>

#include "hotcold/executor.h"

namespace hotpath::hotcold {

/// Neighbouring neurons, and which of them the CPU computes.
struct Executor::Tile {
  int64_t first;
  int64_t n;
  int64_t n_cold;
  int32_t cold[kTile];

  bool is_whole() const { return n_cold == n; }
};

Executor::Tile Executor::cold_tile(int64_t first, int64_t n) const {
  Tile tile = {first, n, n, {}};
  if (hot_.empty()) return tile;
  tile.n_cold = 0;
  for (int64_t k = 0; k < n; ++k) {
    tile.cold[tile.n_cold] = static_cast<int32_t>(first + k);
    tile.n_cold += !hot_[first + k];
  }
  return tile;
}

/// out (entries, kTile) = the rows of the tile times all tokens of the job; 0 for those that are not cold.
void Executor::multiply_tile(const Job& job, const Rows& rows, const Tile& tile, float* out) const {
  const RowMatrix matrix = rows.matrix(job.expert);
  const uint8_t* activations = activation(rows, job.first_entry);
  const RowKernels& kernels = rows.kernels();
  if (tile.is_whole()) {
    kernels.multiply(matrix, tile.first, tile.n, activations, activation_stride(rows), job.n_entries, out, kTile);
    return;
  }
  if (tile.n_cold > 0) {
    kernels.multiply_listed(matrix, tile.cold, tile.n_cold, activations, activation_stride(rows), job.n_entries, out, kTile);
  }
  for (int64_t i = 0; i < job.n_entries; ++i) {
    float* values = out + i * kTile;
    // From the last on, every product moves to a place that was read already.
    for (int64_t k = tile.n, next = tile.n_cold; k-- > 0;) values[k] = hot_[tile.first + k] ? 0 : values[--next];
  }
}

void Executor::work_many(const Job& job, int64_t chunk, int thread) {
  const int64_t begin = (chunk - job.first_chunk) * chunk_neurons_;
  const int64_t end = std::min(begin + chunk_neurons_, n_neurons_);
  auto* firsts = reinterpret_cast<float*>(thread_scratch_ + thread * thread_scratch_bytes_);
  float* ups = firsts + job.n_entries * kTile;
  ChunkCount& count = counts_[chunk];
  for (int64_t first = begin; first < end; first += kTile) {
    const int64_t n = std::min(kTile, end - first);
    const Tile tile = cold_tile(first, n);
    multiply_tile(job, first_rows(), tile, firsts);
    if (form_.gated) multiply_tile(job, layer_->up, tile, ups);
    count.gate_rows += form_.gated ? tile.n_cold : 0;
    count.up_rows += tile.n_cold;
    for (int64_t i = 0; i < job.n_entries; ++i) {
      float* values = firsts + i * kTile;
      float* products = ups + i * kTile;
      add_first_bias(first, n, values);
      activate(values, n);
      if (form_.gated) {
        for (int64_t k = 0; ffn_.has_up_bias && k < n; ++k) products[k] += layer_->up_bias[first + k];
        if (form_.up_relu) apply(NeuronFunction::relu, products, n);
        for (int64_t k = 0; k < n; ++k) values[k] *= products[k];
      }
      // With biases, an empty product gives something.
      for (int64_t k = 0; !tile.is_whole() && k < n; ++k) values[k] = hot_[first + k] ? 0 : values[k];
      count.active += n - std::count(values, values + n, 0.0f);
      std::memcpy(values_ + (job.first_entry + i) * n_neurons_ + first, values, n * sizeof(float));
    }
  }
  for (int64_t i = 0; active_ && i < job.n_entries; ++i) {
    n_active_[(job.first_entry + i) * chunks_per_job_ + chunk - job.first_chunk] = 0;
    const float* values = values_ + (job.first_entry + i) * n_neurons_;
    for (auto k = static_cast<int32_t>(begin); k < end; ++k) {
      constexpr int32_t kItself = 0;
      if (values[k] != 0) observe_active(job, i, chunk, k, &kItself, 1);
    }
  }
  count.down_rows = end - begin;
}

void Executor::pack_values(int64_t entry) {
  if (jobs_[entries_[entry].job].is_few) return;
  layer_->down.kernels().pack_values(values_ + entry * n_neurons_, layer_->down.n_groups(), packed_values_ + entry * packed_stride_);
}

void Executor::finish_many(const Job& job, int64_t first, int64_t n, int thread) {
  float* y = ffn_.ids ? outputs_ + job.first_entry * n_embd_ : entries_[0].y;
  const int64_t y_stride = ffn_.ids ? n_embd_ : static_cast<int64_t>(ffn_.y->nb[1] / sizeof(float));
  layer_->down.kernels().multiply(layer_->down.matrix(job.expert), 0, layer_->down.n_groups(),
                                  packed_values_ + job.first_entry * packed_stride_, packed_stride_, job.n_entries, first, n, y,
                                  y_stride, thread_scratch_ + thread * thread_scratch_bytes_);
  if (!ffn_.ids) return;
  for (int64_t i = 0; i < job.n_entries; ++i) {
    std::memcpy(entries_[job.first_entry + i].y + first, y + i * y_stride + first, n * sizeof(float));
  }
}

}  // namespace hotpath::hotcold
