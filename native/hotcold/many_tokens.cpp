// Many tokens at a time: whole rows times all tokens, then down by slices of the output.
#include <algorithm>
#include <cstring>

#include "hotcold/executor.h"

namespace hotpath::hotcold {

void Executor::work_many(const Job& job, int64_t chunk, int thread) {
  const int64_t begin = (chunk - job.first_chunk) * chunk_neurons_;
  const int64_t end = std::min(begin + chunk_neurons_, n_neurons_);
  auto* firsts = reinterpret_cast<float*>(thread_scratch_ + thread * thread_scratch_bytes_);
  float* ups = firsts + job.n_entries * kTile;
  const auto multiply = [&](const Rows& rows, int64_t first, int64_t n, float* out) {
    rows.kernels().multiply(rows.matrix(job.expert), first, n, activation(rows, job.first_entry), activation_stride(rows),
                            job.n_entries, out, kTile);
  };
  for (int64_t first = begin; first < end; first += kTile) {
    const int64_t n = std::min(kTile, end - first);
    multiply(first_rows(), first, n, firsts);
    if (form_.gated) multiply(layer_->up, first, n, ups);
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
      counts_[chunk].active += n - std::count(values, values + n, 0.0f);
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
  const int64_t n = end - begin;
  counts_[chunk].gate_rows = form_.gated ? n : 0;
  counts_[chunk].up_rows = n;
  counts_[chunk].down_rows = n;
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
