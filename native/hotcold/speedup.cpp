#include "hotcold/speedup.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <span>

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#endif

#include "core/error.h"
#include "core/log.h"
#include "hotcold/ggml_matmul.h"
#include "hotcold/matrices.h"

namespace hotpath::hotcold {

namespace {

// About 1 MB: with many tokens it is read once and then from the L2 cache.
constexpr int64_t kCols = 2048;
constexpr int64_t kRows = 512;
constexpr int64_t kTokens = 32;
constexpr int kRepeats = 4;
// What a measurement of milliseconds can be wrong by, and more graph splits cost.
constexpr double kMinGain = 1.1;

/// The next reads of these come from memory, as all weights of a model do for the next token: there a kernel that asks
/// for lines ahead is faster than one that is its equal in the cache. Where programs cannot empty caches, nothing is done.
void leave_caches([[maybe_unused]] std::span<const uint8_t> bytes) {
#if defined(__x86_64__) || defined(_M_X64)
  constexpr size_t kLine = 64;
  for (size_t i = 0; i < bytes.size(); i += kLine) _mm_clflush(bytes.data() + i);
  _mm_mfence();
#endif
}

struct Contestant {
  std::function<void()> work;
  std::span<const uint8_t> from_memory;  // what is not in a cache when it begins
};

double seconds_of(const Contestant& contestant) {
  leave_caches(contestant.from_memory);
  const auto start = std::chrono::steady_clock::now();
  contestant.work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// ggml's shortest time over ours, turn by turn.
double time_ratio(const Contestant& theirs, const Contestant& ours) {
  double best_theirs = std::numeric_limits<double>::infinity();
  double best_ours = best_theirs;
  for (int i = 0; i <= kRepeats; ++i) {
    const double their_seconds = seconds_of(theirs);
    const double our_seconds = seconds_of(ours);
    if (i == 0) continue;  // warms up
    best_theirs = std::min(best_theirs, their_seconds);
    best_ours = std::min(best_ours, our_seconds);
  }
  return best_theirs / best_ours;
}

std::vector<float> some_floats(int64_t n) {
  std::vector<float> floats(n);
  uint32_t state = 1;
  for (float& value : floats) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-31f;
  }
  return floats;
}

/// The same row again and again: speed does not depend on values, and quantising is slow.
std::vector<uint8_t> some_matrix(ggml_type type) {
  const size_t row_bytes = ggml_row_size(type, kCols);
  std::vector<uint8_t> matrix(row_bytes * kRows);
  ggml_quantize_chunk(type, some_floats(kCols).data(), matrix.data(), 0, 1, kCols, nullptr);
  for (int64_t row = 1; row < kRows; ++row) std::copy_n(matrix.begin(), row_bytes, matrix.begin() + row * row_bytes);
  return matrix;
}

struct Problem {
  std::vector<uint8_t> matrix;
  std::vector<float> x = some_floats(kCols * kTokens);
  std::vector<float> y = std::vector<float>(kRows * kTokens);
  GgmlMatmul ggml_one;
  GgmlMatmul ggml_many;

  explicit Problem(ggml_type type)
      : matrix(some_matrix(type)),
        ggml_one(type, matrix.data(), kRows, kCols, x.data(), 1),
        ggml_many(type, matrix.data(), kRows, kCols, x.data(), kTokens) {}
};

Speedup measure_rows(const RowKernels& kernels) {
  Problem problem(kernels.type);
  Rows rows(kernels, kCols, kRows, 1);
  rows.pack(problem.matrix.data());
  const size_t stride = kernels.activation_bytes(kCols);
  AlignedBytes activations(stride * kTokens);
  const auto pack = [&](int64_t n_tokens) {
    for (int64_t t = 0; t < n_tokens; ++t) kernels.pack_activation(&problem.x[t * kCols], kCols, activations.data() + t * stride);
  };
  const auto one = [&] {
    pack(1);
    kernels.dot(rows.matrix(), 0, kRows, activations.data(), problem.y.data());
  };
  const auto many = [&] {
    pack(kTokens);
    kernels.multiply(rows.matrix(), 0, kRows, activations.data(), stride, kTokens, problem.y.data(), kRows);
  };
  const std::span packed(rows.matrix().data, rows.row_bytes() * kRows);
  return {time_ratio({[&] { problem.ggml_one.compute(); }, problem.ggml_one.weights()}, {one, packed}),
          time_ratio({[&] { problem.ggml_many.compute(); }, {}}, {many, {}})};
}

Speedup once(ggml_type type, Isa isa, const std::function<Speedup()>& measure) {
  static std::mutex mutex;
  static std::map<std::pair<ggml_type, Isa>, Speedup> known;
  const std::lock_guard lock(mutex);
  const auto [found, is_new] = known.try_emplace({type, isa});
  if (is_new) {
    found->second = measure();
    log(LogLevel::info, format_text("hot/cold: %s with %s: %.2f times ggml's speed, %.2f with %d tokens", ggml_type_name(type),
                                    isa_name(isa), found->second.one, found->second.many, static_cast<int>(kTokens)));
  }
  return found->second;
}

}  // namespace

bool Speedup::pays() const { return one >= kMinGain && many >= kMinGain; }

Speedup rows_speedup(ggml_type type, Isa isa) {
  const RowKernels* kernels = row_kernels(type, isa);
  if (!kernels || isa == Isa::generic) return {};
  return once(type, isa, [&] { return measure_rows(*kernels); });
}

}  // namespace hotpath::hotcold
