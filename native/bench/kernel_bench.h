// What the cases of hotpath-kernel-bench share: aligned memory, timing, and this machine's read bandwidth.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "hotcold/kernels/kernels.h"

namespace hotpath::kernel_bench {

struct Machine {
  double read_bandwidth;  // bytes per second of one thread
};

struct Choice {
  hotcold::Isa isa;
  std::string format;  // empty: all

  bool wants(ggml_type type) const { return format.empty() || format == ggml_type_name(type); }
};

class Memory {
 public:
  explicit Memory(size_t size)
      : size_(size), bytes_(static_cast<uint8_t*>(::operator new(size, std::align_val_t(4096)))) {}
  uint8_t* at(size_t offset = 0) const { return bytes_.get() + offset; }
  size_t size() const { return size_; }

  /// Repeats the first `period` bytes to the end.
  void repeat(size_t period) const {
    for (size_t offset = period; offset < size_; offset += period) {
      std::memcpy(at(offset), at(), period < size_ - offset ? period : size_ - offset);
    }
  }

 private:
  struct Free {
    void operator()(uint8_t* bytes) const { ::operator delete(bytes, std::align_val_t(4096)); }
  };
  size_t size_;
  std::unique_ptr<uint8_t, Free> bytes_;
};

/// Seconds of the fastest of `runs` calls: what other programs do to the machine only ever adds.
template <class Body>
double fastest(int runs, Body&& body) {
  double best = 1e30;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = seconds < best ? seconds : best;
  }
  return best;
}

/// Each returns false when a result was wrong; nothing is timed then.
bool bench_rows(const Machine& machine, const Choice& choice);
bool bench_down(const Machine& machine, const Choice& choice);

}  // namespace hotpath::kernel_bench
