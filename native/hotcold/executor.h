// Computes an FFN on the CPU, leaving out what silent neurons would multiply with 0.
//
// Neurons are cut into chunks whose number does not depend on that of the threads. Threads take chunks as they get
// free; what each chunk adds to the output is summed in the order of the chunks. So results are bit-identical for every
// number of threads. Few tokens: a chunk goes from gate to down block by block, reading only rows of active neurons.
// Many tokens: nearly every neuron is active for one of them, so rows are multiplied with all tokens.
//
// Neurons that a device computes are left out in both, and what it gives is added at the end.
#pragma once

#include <vector>

#include "hotcold/ffn.h"
#include "hotcold/workers.h"

namespace hotpath::hotcold {

/// A token that goes through one set of neurons.
struct Entry {
  const float* x;
  float* y;
  const float* residual;
  int64_t token;
  size_t job;
};

/// The tokens that go through one set of neurons: the FFN, or an expert of it.
struct Job {
  int64_t expert = 0;
  int64_t first_entry = 0;
  int64_t n_entries = 0;
  int64_t first_chunk = 0;
  bool is_few = true;
  int64_t first_partial = 0;  // few only: of its first entry
};

/// What the chunks of one job did, each for itself.
struct ChunkCount {
  int64_t active = 0;  // over the tokens
  int64_t gate_rows = 0;
  int64_t up_rows = 0;
  int64_t down_rows = 0;
  int64_t audited = 0;
  int64_t recalled = 0;
};

class Executor {
 public:
  explicit Executor(Workers& workers) : workers_(workers) {}

  ggml_status run(const Ffn& ffn);

 private:
  static constexpr int64_t kFew = kFewTokens;
  static constexpr int64_t kMaxBlock = 256;   // neurons; the largest group that shares scales
  static constexpr int64_t kTile = 64;        // neurons multiplied with all tokens at a time
  static constexpr int64_t kSlice = 256;      // outputs summed up at a time
  struct Block;

  void gather_entries();
  void plan_chunks();
  void lay_out_memory();
  ggml_status run_phases();
  ggml_status run_beside_device(HotHalf& device);
  void count();
  void observe();
  double spared_share() const;
  void give_up_device(const Error& why);

  void prepare(int64_t entry);
  void work(int64_t chunk, int thread);
  void pack_values(int64_t entry);
  void reduce(int64_t chunk, int thread);

  // few_tokens.cpp
  void work_few(const Job& job, int64_t chunk);
  void first_product(const Job& job, int64_t chunk, Block& block);
  bool choose_wanted(Block& block) const;
  void first_product_of_wanted(const Job& job, int64_t chunk, Block& block);
  void list_active(const Job& job, Block& block) const;
  void prefetch(const Job& job, const Block& block) const;
  void second_product(const Job& job, int64_t chunk, Block& block);
  void add_down(const Job& job, int64_t chunk, Block& block);
  void observe_active(const Job& job, int64_t entry, int64_t chunk, int32_t first, const int32_t* offsets, int64_t n);
  float* partial(const Job& job, int64_t entry, int64_t chunk) const;
  void finish_few(const Job& job, int64_t first, int64_t n);

  // predict.cpp
  void choose_prediction();
  void note_unpredicted();
  void prepare_prediction(int64_t entry);
  void predict_hidden(int64_t chunk);
  void pack_hidden(int64_t entry);
  int64_t hidden_chunks() const;
  void predict(const Job& job, Block& block) const;
  void audit(int64_t chunk, const Block& block);
  void judge_predictor(int64_t audited, int64_t recalled);

  // many_tokens.cpp
  struct Tile;
  Tile cold_tile(int64_t first, int64_t n) const;
  void multiply_tile(const Job& job, const Rows& rows, const Tile& tile, float* out) const;
  void work_many(const Job& job, int64_t chunk, int thread);
  void finish_many(const Job& job, int64_t first, int64_t n, int thread);

  /// The function applied, and what counts as silent made 0.
  void activate(float* values, int64_t n);
  void add_first_bias(int64_t first, int64_t n, float* values) const;
  const Rows& first_rows() const { return form_.gated ? layer_->gate : layer_->up; }
  const uint8_t* activation(const Rows& rows, int64_t entry) const;
  size_t activation_stride(const Rows& rows) const { return rows.kernels().activation_bytes(n_embd_); }
  const Job& job_of_chunk(int64_t chunk) const;

  Workers& workers_;

  // Of the FFN that runs.
  Ffn ffn_;
  Layer* layer_ = nullptr;
  NeuronForm form_;
  int64_t n_embd_ = 0;
  int64_t n_neurons_ = 0;  // of one job
  int64_t chunk_neurons_ = 0;
  int64_t chunks_per_job_ = 0;
  int64_t block_neurons_ = 0;
  int64_t n_slices_ = 0;
  bool has_many_ = false;
  bool is_prepared_ = false;  // the inputs are packed
  int64_t n_partial_ = 0;  // entries that have partial sums
  const Predictor* predictor_ = nullptr;  // null: all neurons are computed
  std::span<const uint8_t> hot_;          // by neuron: a device computes it; empty when none
  ActivityObserver* observer_ = nullptr;  // null: this run is of no interest
  bool is_audited_ = false;               // all are computed, and compared with what is predicted
  std::vector<Entry> entries_;
  std::vector<Job> jobs_;
  std::vector<ChunkCount> counts_;

  // Places in memory_.
  AlignedBytes memory_;
  uint8_t* gate_activations_ = nullptr;
  uint8_t* up_activations_ = nullptr;
  float* partials_ = nullptr;
  size_t partial_stride_ = 0;  // floats
  float* values_ = nullptr;    // (entries, n_neurons), many tokens only
  uint8_t* packed_values_ = nullptr;
  size_t packed_stride_ = 0;
  uint8_t* residual_activations_ = nullptr;
  float* hidden_ = nullptr;  // (entries, rank)
  uint8_t* hidden_activations_ = nullptr;
  int32_t* active_ = nullptr;  // (entries, n_neurons), when observed: each chunk's from where the chunk begins
  int64_t* n_active_ = nullptr;  // (entries, chunks)
  float* outputs_ = nullptr;  // (entries, n_embd), many tokens of experts only
  uint8_t* thread_scratch_ = nullptr;
  size_t thread_scratch_bytes_ = 0;
};

}  // namespace hotpath::hotcold
