// As much of CUDA as cuda/kernels.cu uses, on the host: the everyday tests run the very kernels without a GPU. The threads of
// a block are coroutines that take turns and meet where CUDA says they do: at shuffles, ballots and barriers. Blocks run one
// after the other, so a static variable serves as shared memory. Reads through __ldg check their alignment.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/error.h"

#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(threads)

using std::min;
using cudaStream_t = void*;

struct dim3 {
  unsigned x, y;
  dim3(unsigned x = 1, unsigned y = 1) : x(x), y(y) {}
};

struct alignas(8) uint2 {
  uint32_t x, y;
};

struct alignas(16) float4 {
  float x, y, z, w;
};

namespace hotpath::cuda::host {

class Block {
 public:
  Block(int n_threads, std::function<void()> body) : threads_(n_threads), body_(std::move(body)) {}

  void run(dim3 index) {
    running_block = this;
    index_ = index;
    for (Thread& thread : threads_) prepare(thread);
    for (bool any = true; any;) {
      any = false;
      for (current_ = 0; current_ < threads_.size(); ++current_) {
        if (threads_[current_].ended) continue;
        any = true;
        swapcontext(&scheduler_, &threads_[current_].context);
      }
    }
  }

  /// Leaves a value and waits for the other threads of the warp; `of_lane` then gives what each of them left.
  void leave(float value) {
    Thread& me = threads_[current_];
    ++me.warp_turn;
    me.values[me.warp_turn % 2] = value;  // the slowest may still read those of the turn before
    const size_t first = current_ / 32 * 32;
    wait_for(first, first + 32, &Thread::warp_turn, me.warp_turn);
  }

  float of_lane(int lane) const {
    return threads_[current_ / 32 * 32 + static_cast<size_t>(lane)].values[threads_[current_].warp_turn % 2];
  }

  void meet() { wait_for(0, threads_.size(), &Thread::block_turn, ++threads_[current_].block_turn); }

  dim3 thread() const { return dim3(static_cast<unsigned>(current_)); }
  dim3 index() const { return index_; }
  dim3 size() const { return dim3(static_cast<unsigned>(threads_.size())); }

  static inline Block* running_block = nullptr;
  static inline dim3 grid;

 private:
  struct Thread {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool ended = false;
    uint64_t warp_turn = 0;
    uint64_t block_turn = 0;
    float values[2] = {};
  };

  static constexpr size_t kStack = 64 << 10;

  void prepare(Thread& thread) {
    if (!thread.stack) thread.stack = std::make_unique<char[]>(kStack);
    thread.ended = false;
    thread.warp_turn = thread.block_turn = 0;
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = thread.stack.get();
    thread.context.uc_stack.ss_size = kStack;
    thread.context.uc_link = &scheduler_;
    makecontext(&thread.context, enter, 0);
  }

  static void enter() {
    running_block->body_();
    running_block->threads_[running_block->current_].ended = true;
  }

  void wait_for(size_t first, size_t end, uint64_t Thread::* turn, uint64_t reached) {
    const size_t me = current_;
    const auto arrived = [&](const Thread& thread) { return thread.ended || thread.*turn >= reached; };
    while (!std::all_of(threads_.begin() + first, threads_.begin() + end, arrived)) {
      swapcontext(&threads_[me].context, &scheduler_);
    }
  }

  std::vector<Thread> threads_;
  std::function<void()> body_;
  ucontext_t scheduler_;
  size_t current_ = 0;
  dim3 index_;
};

inline void run_grid(dim3 blocks, int n_threads, std::function<void()> body) {
  Block block(n_threads, std::move(body));
  Block::grid = blocks;
  for (unsigned y = 0; y < blocks.y; ++y) {
    for (unsigned x = 0; x < blocks.x; ++x) block.run(dim3(x, y));
  }
}

}  // namespace hotpath::cuda::host

#define threadIdx (hotpath::cuda::host::Block::running_block->thread())
#define blockIdx (hotpath::cuda::host::Block::running_block->index())
#define blockDim (hotpath::cuda::host::Block::running_block->size())
#define gridDim (hotpath::cuda::host::Block::grid)

template <typename T>
T __ldg(const T* address) {
  CHECK(reinterpret_cast<uintptr_t>(address) % sizeof(T) == 0);
  return *address;
}

inline int __ffs(int value) { return value == 0 ? 0 : __builtin_ctz(static_cast<unsigned>(value)) + 1; }

inline float __shfl_sync(unsigned, float value, int lane) {
  auto& block = *hotpath::cuda::host::Block::running_block;
  block.leave(value);
  return block.of_lane(lane);
}

inline float __shfl_xor_sync(unsigned, float value, int mask) {
  return __shfl_sync(0, value, static_cast<int>(threadIdx.x % 32) ^ mask);
}

inline uint32_t __ballot_sync(unsigned, bool vote) {
  auto& block = *hotpath::cuda::host::Block::running_block;
  block.leave(vote);
  uint32_t votes = 0;
  for (int lane = 0; lane < 32; ++lane) votes |= (block.of_lane(lane) != 0.0f ? 1u : 0u) << lane;
  return votes;
}

inline void __syncthreads() { hotpath::cuda::host::Block::running_block->meet(); }
