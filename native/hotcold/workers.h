// Our work on ggml's threads: each phase becomes one custom op of a small graph that a CPU backend of our own computes on
// the model's threadpool. So there is one pool, nothing spins against it, and no thread is made per token.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>

#include "ggml-backend.h"
#include "ggml-cpp.h"

namespace hotpath::hotcold {

/// `run` is called once for each chunk, by whichever thread is free; all chunks of a phase are done before the next begins.
struct Phase {
  void (*run)(void* self, int64_t chunk, int thread);
  int64_t n_chunks;
};

class Workers {
 public:
  static constexpr size_t kMaxPhases = 6;

  Workers();

  void set_threads(int n);
  int threads() const { return threads_; }
  void set_threadpool(ggml_threadpool* pool);
  void set_abort_callback(ggml_abort_callback callback, void* data);

  ggml_status run(std::span<const Phase> phases, void* self);
  /// One op by ggml's own code.
  ggml_status compute(ggml_tensor* node);

 private:
  struct Slot {
    Phase phase;
    void* self;
    std::atomic<int64_t> next;
  };
  static void run_slot(ggml_tensor*, int ith, int nth, void* slot);

  ggml_backend_ptr cpu_;
  ggml_context_ptr context_;
  std::array<Slot, kMaxPhases> slots_;
  std::array<ggml_cgraph*, kMaxPhases> graphs_;  // graphs_[i] runs the first i + 1 slots
  ggml_cgraph* single_;
  int threads_ = 0;  // not told yet
  ggml_threadpool* pool_ = nullptr;
};

}  // namespace hotpath::hotcold
