// Few tokens at a time: from gate to down block by block, so that what a block computes stays in the L1 cache and
// what its active neurons read first is on its way before the block ahead of it is done.
#include <algorithm>
#include <cstring>

#include "hotcold/block.h"

#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace hotpath::hotcold {

namespace {

constexpr int64_t kFirstRows = 4;  // those that dot_listed begins with; for the others it asks itself

void prefetch_bytes(const uint8_t* at, size_t n) {
  for (size_t i = 0; i < n; i += 64) {
#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
    _mm_prefetch(reinterpret_cast<const char*>(at + i), _MM_HINT_T1);
#elif defined(_MSC_VER)
    __prefetch(at + i);
#else
    __builtin_prefetch(at + i, 0, 2);
#endif
  }
}

}  // namespace

void Executor::work_few(const Job& job, int64_t chunk) {
  const int64_t begin = (chunk - job.first_chunk) * chunk_neurons_;
  const int64_t end = std::min(begin + chunk_neurons_, n_neurons_);
  for (int64_t i = 0; i < job.n_entries; ++i) {
    std::memset(partial(job, i, chunk), 0, partial_stride_ * sizeof(float));
    if (active_) n_active_[(job.first_entry + i) * chunks_per_job_ + chunk - job.first_chunk] = 0;
  }
  Block blocks[2];
  Block* before = nullptr;
  for (int64_t first = begin; first < end; first += block_neurons_) {
    Block& block = blocks[first / block_neurons_ % 2];
    block.first = first;
    block.n = std::min(block_neurons_, end - first);
    if (predictor_) predict(job, block);
    if (choose_wanted(block)) {
      first_product_of_wanted(job, chunk, block);
    } else {
      first_product(job, chunk, block);
    }
    list_active(job, block);
    if (is_audited_) audit(chunk, block);
    prefetch(job, block);
    if (before) {
      second_product(job, chunk, *before);
      add_down(job, chunk, *before);
    }
    before = &block;
  }
  second_product(job, chunk, *before);
  add_down(job, chunk, *before);
}

/// False when all neurons of the block are.
bool Executor::choose_wanted(Block& block) const {
  const bool is_predicted = predictor_ && !is_audited_;
  if (!is_predicted && hot_.empty()) return false;
  int64_t n = 0;
  for (int64_t k = 0; k < block.n; ++k) {
    block.is_wanted[k] = (!is_predicted || block.is_predicted[k]) && (hot_.empty() || !hot_[block.first + k]);
    n += block.is_wanted[k];
  }
  return n < block.n;
}

void Executor::first_product(const Job& job, int64_t chunk, Block& block) {
  const Rows& rows = first_rows();
  multiply_rows(rows, job.expert, block.first, block.n, activation(rows, job.first_entry), activation_stride(rows), job.n_entries,
         block.values, kMaxBlock);
  (form_.gated ? counts_[chunk].gate_rows : counts_[chunk].up_rows) += block.n;
  for (int64_t i = 0; i < job.n_entries; ++i) {
    float* values = block.values + i * kMaxBlock;
    add_first_bias(block.first, block.n, values);
    activate(values, block.n);
  }
}

void Executor::first_product_of_wanted(const Job& job, int64_t chunk, Block& block) {
  const Rows& rows = first_rows();
  int32_t list[kMaxBlock];
  int64_t n = 0;
  for (int64_t k = 0; k < block.n; ++k) {
    list[n] = static_cast<int32_t>(block.first + k);
    n += block.is_wanted[k];
  }
  float products[kFew * kMaxBlock];
  if (n > 0) {
    multiply_listed_rows(rows, 0, list, n, activation(rows, 0), activation_stride(rows), job.n_entries, products, kMaxBlock);
  }
  (form_.gated ? counts_[chunk].gate_rows : counts_[chunk].up_rows) += n;
  for (int64_t i = 0; i < job.n_entries; ++i) {
    float* values = block.values + i * kMaxBlock;
    std::memset(values, 0, block.n * sizeof(float));
    for (int64_t k = 0; k < n; ++k) values[list[k] - block.first] = products[i * kMaxBlock + k];
    add_first_bias(block.first, block.n, values);
    activate(values, block.n);
    for (int64_t k = 0; k < block.n; ++k) {
      if (!block.is_wanted[k]) values[k] = 0;
    }
  }
}

void Executor::list_active(const Job& job, Block& block) const {
  int64_t n = 0;
  for (int64_t k = 0; k < block.n; ++k) {
    bool is_active = block.values[k] != 0;
    for (int64_t i = 1; i < job.n_entries; ++i) is_active |= block.values[i * kMaxBlock + k] != 0;
    block.listed[n] = static_cast<int32_t>(block.first + k);
    n += is_active;
  }
  block.n_listed = n;
}

/// Only what the kernels do not ask for as they go: the first rows of a list, and none of a whole block, as memory is then
/// read on from the block before. Were all asked for at once, memory would have nothing to do while they are multiplied.
void Executor::prefetch(const Job& job, const Block& block) const {
  const bool is_whole = block.n_listed == block.n;
  if (form_.gated && !is_whole) {
    const RowMatrix up = layer_->up.matrix(job.expert);
    const int64_t n = std::min(kFirstRows, block.n_listed);
    for (int64_t i = 0; i < n; ++i) prefetch_bytes(up.data + block.listed[i] * up.stride, up.stride);
  }
  const DownKernels& kernels = layer_->down.kernels();
  int32_t offsets[kMaxBlock];
  for (int64_t i = 0; i < block.n_listed;) {
    const int64_t group = block.listed[i] / kernels.group;
    int64_t n = 0;
    for (; i < block.n_listed && block.listed[i] / kernels.group == group; ++i) {
      offsets[n++] = static_cast<int32_t>(block.listed[i] - group * kernels.group);
    }
    kernels.prefetch(layer_->down.matrix(job.expert), group, offsets, n);
  }
}

void Executor::second_product(const Job& job, int64_t chunk, Block& block) {
  if (!form_.gated || block.n_listed == 0) return;
  const Rows& up = layer_->up;
  float products[kFew * kMaxBlock];
  // Gathering costs no more than its share of what streaming does, up to the last row: rows of 0.5 to 4 KB, 70 % of
  // them, took 0.77 of the time, 90 % 0.93 (Q8_0 and Q4_0, AVX-512 VNNI, one core of a Sapphire Rapids VM).
  const bool is_whole = block.n_listed == block.n;
  const uint8_t* activations = activation(up, job.first_entry);
  if (is_whole) {
    multiply_rows(up, job.expert, block.first, block.n, activations, activation_stride(up), job.n_entries, products, kMaxBlock);
  } else {
    multiply_listed_rows(up, job.expert, block.listed, block.n_listed, activations, activation_stride(up), job.n_entries, products, kMaxBlock);
  }
  counts_[chunk].up_rows += is_whole ? block.n : block.n_listed;
  for (int64_t i = 0; i < job.n_entries; ++i) {
    for (int64_t k = 0; k < block.n_listed; ++k) {
      const int64_t offset = block.listed[k] - block.first;
      float product = products[i * kMaxBlock + (is_whole ? offset : k)];
      if (ffn_.has_up_bias) product += layer_->up_bias[block.listed[k]];
      if (form_.up_relu && product < 0) product = 0;
      block.values[i * kMaxBlock + offset] *= product;
    }
  }
}

void Executor::add_down(const Job& job, int64_t chunk, Block& block) {
  const Down& down = layer_->down;
  const int64_t group_size = down.kernels().group;
  int32_t offsets[kMaxBlock];
  for (int64_t i = 0; i < job.n_entries; ++i) {
    const float* values = block.values + i * kMaxBlock;
    float* sum = partial(job, i, chunk);
    for (int64_t k = 0; k < block.n_listed;) {
      const int64_t group = block.listed[k] / group_size;
      int64_t n = 0;
      for (; k < block.n_listed && block.listed[k] / group_size == group; ++k) {
        if (values[block.listed[k] - block.first] == 0) continue;
        offsets[n++] = static_cast<int32_t>(block.listed[k] - group * group_size);
      }
      if (n == 0) continue;
      if (active_) observe_active(job, i, chunk, static_cast<int32_t>(group * group_size), offsets, n);
      const float* group_values = values + (group * group_size - block.first);
      down.kernels().accumulate(down.matrix(job.expert), group, group_values, offsets, n, sum);
      counts_[chunk].active += n;
    }
  }
  counts_[chunk].down_rows += block.n_listed;
}

void Executor::observe_active(const Job& job, int64_t entry, int64_t chunk, int32_t first, const int32_t* offsets, int64_t n) {
  const int64_t chunk_of_job = chunk - job.first_chunk;
  int64_t& n_before = n_active_[(job.first_entry + entry) * chunks_per_job_ + chunk_of_job];
  int32_t* active = active_ + (job.first_entry + entry) * n_neurons_ + chunk_of_job * chunk_neurons_ + n_before;
  for (int64_t k = 0; k < n; ++k) active[k] = first + offsets[k];
  n_before += n;
}

float* Executor::partial(const Job& job, int64_t entry, int64_t chunk) const {
  return partials_ + ((job.first_partial + entry) * chunks_per_job_ + (chunk - job.first_chunk)) * partial_stride_;
}

void Executor::finish_few(const Job& job, int64_t first, int64_t n) {
  for (int64_t i = 0; i < job.n_entries; ++i) {
    layer_->down.kernels().finish(partial(job, i, job.first_chunk), chunks_per_job_, partial_stride_, n_embd_, first, n,
                                  entries_[job.first_entry + i].y);
  }
}

}  // namespace hotpath::hotcold
