#include "placement/measure.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <functional>
#include <thread>

#include "core/log.h"
#include "core/system.h"
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "ggml.h"
#include "hotcold/memory.h"
#include "llama/library_watch.h"
#include "llama/runtime.h"
#include "placement/reader.h"

namespace hotpath {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Error cancelled() { return {ErrorCode::request_cancelled, "measuring was cancelled", {}}; }

// Far beyond any cache of the last level, and little beside a model.
constexpr size_t kBufferBytes = size_t{512} << 20;
constexpr size_t kSmallestBuffer = size_t{64} << 20;
constexpr size_t kCpuRepeats = 4;
// One record of nine is read: the share of neurons active in the models this is for.
constexpr size_t kGatherStep = 9;

/// Prevents the compiler from leaving out what is only measured.
std::atomic<uint64_t> measured_sink;

uint64_t stream(const uint64_t* words, size_t n, uint32_t) { return stream_words(words, n); }

/// Every ninth record on average, at uneven distances, the next one fetched ahead as our kernels do. Others in each round:
/// what one round reads would stay in a large cache.
template <size_t record_bytes>
uint64_t gather(const uint64_t* words, size_t n, uint32_t round) {
  constexpr size_t kWords = record_bytes / sizeof(uint64_t);
  uint32_t random = round + 1;
  const auto step = [&] {
    random = random * 1664525u + 1013904223u;
    return kWords * (1 + (random >> 16) % (2 * kGatherStep - 1));
  };
  uint64_t total = 0;
  for (size_t at = kWords * (round % kGatherStep); at + kWords <= n;) {
    const size_t next = at + step();
    if (next + kWords <= n) prefetch_words(words + next, kWords);
    total += sum_words(words + at, kWords);
    at = next;
  }
  return total;
}

/// Best of a few rounds in which every thread walks its part of the buffer at the same time. `bytes`: really read. The
/// threads hold the clock: the one that started them may be woken late.
double walk_gbps(const uint64_t* words, size_t n_words, int n_threads, double bytes, uint64_t (*walk)(const uint64_t*, size_t, uint32_t)) {
  struct Span {
    Clock::time_point start, end;
  };
  std::vector<std::array<Span, kCpuRepeats>> spans(static_cast<size_t>(n_threads));
  std::barrier meet(n_threads);
  std::vector<std::thread> threads;
  const size_t part = n_words / spans.size();
  for (size_t t = 0; t < spans.size(); ++t) {
    threads.emplace_back([&, t] {
      uint32_t round = 0;
      for (Span& span : spans[t]) {
        meet.arrive_and_wait();
        span.start = Clock::now();
        measured_sink += walk(words + part * t, part, round++);
        span.end = Clock::now();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  double best = 0;
  for (size_t r = 0; r < kCpuRepeats; ++r) {
    Span whole = spans[0][r];
    for (const auto& of_thread : spans) {
      whole.start = std::min(whole.start, of_thread[r].start);
      whole.end = std::max(whole.end, of_thread[r].end);
    }
    best = std::max(best, bytes / std::chrono::duration<double>(whole.end - whole.start).count() / 1e9);
  }
  return best;
}

std::vector<int> thread_counts() {
  std::vector<int> counts;
  const int cores = physical_core_count();
  for (int n = 1; n < cores; n = n < 4 ? n + 1 : n * 2) counts.push_back(n);
  counts.push_back(cores);
  return counts;
}

Result<std::vector<CpuRate>> measure_cpu(const CancelFlag& cancel) {
  const auto quarter = static_cast<size_t>(available_memory_bytes() / 4);
  if (quarter < kSmallestBuffer) {
    return Error{ErrorCode::device_out_of_memory, "measuring needs " + format_bytes(double{4} * kSmallestBuffer) + " of free memory", {}};
  }
  const size_t n_words = std::min(kBufferBytes, quarter) / sizeof(uint64_t);
  hotcold::AlignedBytes buffer(n_words * sizeof(uint64_t));  // as weights are kept
  auto* const words = reinterpret_cast<uint64_t*>(buffer.data());
  for (size_t i = 0; i < n_words; ++i) words[i] = i;
  const double all = static_cast<double>(n_words) * sizeof(uint64_t);
  std::vector<CpuRate> rates;
  for (const int n : thread_counts()) {
    if (cancel.raised()) return cancelled();
    rates.push_back({n, walk_gbps(words, n_words, n, all, stream),
                     walk_gbps(words, n_words, n, all / kGatherStep, gather<2048>),
                     walk_gbps(words, n_words, n, all / kGatherStep, gather<4096>)});
  }
  return rates;
}

constexpr int64_t kMatrixWidth = 4096;
constexpr int64_t kMatrixRows = 16384;  // 134 MB, above the caches of today's GPUs
constexpr size_t kVectorBytes = 16384;
constexpr int kRepeats = 20;
constexpr double kLongEnough = 0.2;  // seconds, after which a slow device need not repeat itself

/// Least seconds of several runs after a first that is not counted.
double best_seconds(const std::function<void()>& work) {
  work();
  double best = 1e9;
  const auto begin = Clock::now();
  for (int i = 0; i < kRepeats && (i == 0 || seconds_since(begin) < kLongEnough); ++i) {
    const auto start = Clock::now();
    work();
    best = std::min(best, seconds_since(start));
  }
  return best;
}

/// The tensors of a matrix-vector product on one device.
struct Bench {
  ggml_backend_ptr backend;
  ggml_context_ptr context;
  ggml_backend_buffer_ptr buffer;
  ggml_tensor* matrix = nullptr;
  ggml_tensor* vector = nullptr;
  ggml_cgraph* product = nullptr;
  ggml_cgraph* nothing = nullptr;
};

bool make_bench(ggml_backend_dev_t device, Bench& bench) {
  bench.backend.reset(ggml_backend_dev_init(device, nullptr));
  if (!bench.backend) return false;
  const ggml_init_params params = {16 * ggml_tensor_overhead() + 2 * ggml_graph_overhead(), nullptr, true};
  bench.context.reset(ggml_init(params));
  ggml_context* context = bench.context.get();
  bench.matrix = ggml_new_tensor_2d(context, GGML_TYPE_F16, kMatrixWidth, kMatrixRows);
  bench.vector = ggml_new_tensor_2d(context, GGML_TYPE_F32, kMatrixWidth, 1);
  bench.product = ggml_new_graph(context);
  ggml_build_forward_expand(bench.product, ggml_mul_mat(context, bench.matrix, bench.vector));
  bench.nothing = ggml_new_graph(context);
  ggml_build_forward_expand(bench.nothing, ggml_scale(context, bench.vector, 1));
  bench.buffer.reset(ggml_backend_alloc_ctx_tensors(context, bench.backend.get()));
  return bench.buffer != nullptr;
}

GpuRate run_bench(ggml_backend_dev_t device, const Bench& bench) {
  const auto compute = [&](ggml_cgraph* graph) {
    return [&bench, graph] {
      if (ggml_backend_graph_compute(bench.backend.get(), graph) != GGML_STATUS_SUCCESS) throw std::runtime_error("computing failed");
    };
  };
  const size_t matrix_bytes = ggml_nbytes(bench.matrix);
  std::vector<char> host(matrix_bytes);
  const auto transfer = [&](bool to_device, ggml_tensor* tensor, size_t bytes) {
    return [&host, to_device, tensor, bytes] {
      if (to_device) ggml_backend_tensor_set(tensor, host.data(), 0, bytes);
      else ggml_backend_tensor_get(tensor, host.data(), 0, bytes);
    };
  };
  const double bytes = static_cast<double>(matrix_bytes);
  GpuRate rate = {ggml_backend_dev_name(device), ggml_backend_dev_description(device), 0, 0, 0, 0, 0};
  rate.upload_gbps = bytes / best_seconds(transfer(true, bench.matrix, matrix_bytes)) / 1e9;
  rate.download_gbps = bytes / best_seconds(transfer(false, bench.matrix, matrix_bytes)) / 1e9;
  rate.exchange_us = 1e6 * (best_seconds(transfer(true, bench.vector, kVectorBytes)) +
                            best_seconds(transfer(false, bench.vector, kVectorBytes)));
  const double nothing_s = best_seconds(compute(bench.nothing));
  rate.graph_us = 1e6 * nothing_s;
  // The start of a graph is no part of the bandwidth: models run many products in one.
  const double product_s = best_seconds(compute(bench.product));
  rate.matvec_gbps = bytes / std::max(product_s - nothing_s, product_s / 2) / 1e9;
  return rate;
}

void measure_gpu(ggml_backend_dev_t device, std::vector<GpuRate>& rates) {
  LibraryWatch watch;
  const bool done = watch.run([&] {
    Bench bench;
    if (!make_bench(device, bench)) throw std::runtime_error("no memory for the measurement");
    rates.push_back(run_bench(device, bench));
  });
  if (!done) log(LogLevel::warn, std::string("measuring ") + ggml_backend_dev_name(device) + " failed: " + watch.errors());
}

}  // namespace

Result<MachineMeasurement> measure_machine(const CancelFlag& cancel) {
  if (cancel.raised()) return cancelled();
  MachineMeasurement measurement;
  auto cpu = measure_cpu(cancel);
  if (!cpu) return cpu.error();
  measurement.cpu = std::move(*cpu);
  for (const ggml_backend_dev_t device : usable_gpus()) {
    if (cancel.raised()) return cancelled();
    measure_gpu(device, measurement.gpus);
  }
  return measurement;
}

MachineRates rates_of(const MachineMeasurement& measurement) {
  // Kernels that a layer launches for its attention, all of it in one graph.
  constexpr double kLaunchesPerLayer = 12;
  constexpr double kGraphLaunchUs = 2;
  MachineRates rates;
  for (const CpuRate& cpu : measurement.cpu) {
    rates.cpu_stream_gbps = std::max(rates.cpu_stream_gbps, cpu.stream_gbps);
    rates.cpu_gather_2k_gbps = std::max(rates.cpu_gather_2k_gbps, cpu.gather_2k_gbps);
    rates.cpu_gather_4k_gbps = std::max(rates.cpu_gather_4k_gbps, cpu.gather_4k_gbps);
  }
  if (measurement.gpus.empty()) return rates;
  const GpuRate& gpu = measurement.gpus.front();
  rates.gpu_gbps = gpu.matvec_gbps;
  rates.gpu_layer_us = kLaunchesPerLayer * kGraphLaunchUs;
  rates.exchange_us = gpu.exchange_us + gpu.graph_us;
  return rates;
}

}  // namespace hotpath
