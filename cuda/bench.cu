// Times the kernels on device 0: hotpath-cuda-bench [slots]. Each line names the bytes a kernel must move and the share of the
// device's measured copy bandwidth that is. A kernel whose result is wrong is not timed. Layers take turns so that weights
// come from memory and not from the cache.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "host_layer.h"
#include "kernels.cuh"

namespace hotpath::cuda {

namespace {

constexpr double kTolerance = 2e-5;
constexpr size_t kWorkingSet = size_t{1} << 30;  // many times the largest L2 cache
constexpr int kRounds = 7;

void need(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::printf("%s\n", cudaGetErrorString(error));
  std::exit(1);
}

uint8_t* allocate(size_t bytes) {
  void* data = nullptr;
  need(cudaMalloc(&data, bytes));
  need(cudaMemset(data, 0, bytes));
  return static_cast<uint8_t*>(data);
}

template <typename T>
T* copy_to_device(const std::vector<T>& values) {
  auto* data = reinterpret_cast<T*>(allocate(values.size() * sizeof(T)));
  need(cudaMemcpy(data, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  return data;
}

template <typename T>
std::vector<T> copy_to_host(const T* data, size_t count) {
  std::vector<T> values(count);
  need(cudaMemcpy(values.data(), data, count * sizeof(T), cudaMemcpyDeviceToHost));
  return values;
}

/// Milliseconds of `work`, the median of several rounds.
double time_of(const std::function<void()>& work) {
  cudaEvent_t begin, end;
  need(cudaEventCreate(&begin));
  need(cudaEventCreate(&end));
  std::vector<float> times;
  work();
  for (int i = 0; i < kRounds; ++i) {
    need(cudaEventRecord(begin));
    work();
    need(cudaEventRecord(end));
    need(cudaEventSynchronize(end));
    float ms = 0;
    need(cudaEventElapsedTime(&ms, begin, end));
    times.push_back(ms);
  }
  need(cudaEventDestroy(begin));
  need(cudaEventDestroy(end));
  std::sort(times.begin(), times.end());
  return times[kRounds / 2];
}

double copy_bandwidth() {
  uint8_t* from = allocate(kWorkingSet);
  uint8_t* to = allocate(kWorkingSet);
  const double ms = time_of([&] { need(cudaMemcpyAsync(to, from, kWorkingSet, cudaMemcpyDeviceToDevice)); });
  need(cudaFree(from));
  need(cudaFree(to));
  return 2.0 * kWorkingSet / (ms * 1e6);
}

struct Bench {
  HostLayer host;
  int n_tokens;
  std::vector<DeviceLayer> layers;
  std::vector<uint8_t*> memory;
  std::vector<float> host_x;
  float *x, *activations, *partials, *y;

  Bench(const hotpath_cuda_layer& shape, double active, int tokens, std::mt19937& random)
      : host(shape, active, random), n_tokens(tokens), host_x(random_inputs(tokens, shape.n_embd, random)) {
    const size_t one = pack(shape.type, host.gate).size() * 2 + pack(shape.down_type, host.down).size();
    for (size_t i = 0; i < std::max<size_t>(2, kWorkingSet / one); ++i) add_layer();
    std::vector<float> arranged(host_x.size());
    for (int t = 0; t < tokens; ++t) {
      arrange_inputs(shape.type, host_x.data() + t * shape.n_embd, shape.n_embd, arranged.data() + t * shape.n_embd);
    }
    x = copy_to_device(arranged);
    activations = reinterpret_cast<float*>(allocate(sizeof(float) * n_tokens * shape.n_slots));
    partials = reinterpret_cast<float*>(allocate(sizeof(float) * kMaxPartials * n_tokens * shape.n_embd));
    y = reinterpret_cast<float*>(allocate(sizeof(float) * n_tokens * shape.n_embd));
    memory.insert(memory.end(), {reinterpret_cast<uint8_t*>(x), reinterpret_cast<uint8_t*>(activations),
                                 reinterpret_cast<uint8_t*>(partials), reinterpret_cast<uint8_t*>(y)});
  }
  Bench(const Bench&) = delete;
  ~Bench() {
    for (uint8_t* data : memory) (void)cudaFree(data);
  }

  std::vector<uint8_t> pack(int type, const std::vector<uint8_t>& rows) const {
    const int64_t stride = row_stride(type, host.shape.n_embd);
    std::vector<uint8_t> packed(host.shape.n_slots * stride);
    for (int64_t i = 0; i < host.shape.n_slots; ++i) {
      pack_row(type, rows.data() + i * source_bytes(type, host.shape.n_embd), host.shape.n_embd, packed.data() + i * stride);
    }
    return packed;
  }

  template <typename T>
  T* keep(T* data) {
    memory.push_back(reinterpret_cast<uint8_t*>(data));
    return data;
  }

  void add_layer() {
    const hotpath_cuda_layer& shape = host.shape;
    const bool gated = is_gated(shape.form);
    layers.push_back({static_cast<int>(shape.n_embd), static_cast<int>(shape.n_slots), shape.form, shape.type, shape.down_type,
                      gated ? keep(copy_to_device(pack(shape.type, host.gate))) : nullptr,
                      keep(copy_to_device(pack(shape.type, host.up))), keep(copy_to_device(pack(shape.down_type, host.down))),
                      gated ? keep(copy_to_device(host.gate_bias)) : nullptr, keep(copy_to_device(host.up_bias))});
  }

  void run(const DeviceLayer& layer) const {
    launch_neurons(layer, x, n_tokens, activations, nullptr);
    launch_down(layer, activations, n_tokens, partials, nullptr);
    launch_sum(layer, partials, n_tokens, y, nullptr);
  }

  bool is_right() const {
    std::vector<double> expected_activations, expected_y;
    host.compute(host_x, expected_activations, expected_y);
    run(layers.back());
    need(cudaGetLastError());
    return relative_error(copy_to_host(activations, expected_activations.size()), expected_activations) < kTolerance &&
           relative_error(copy_to_host(y, expected_y.size()), expected_y) < kTolerance;
  }

  void report(const char* name, double bytes, double copy_gbps, const std::function<void(const DeviceLayer&)>& launch) const {
    const double ms = time_of([&] {
      for (const DeviceLayer& layer : layers) launch(layer);
    }) / static_cast<double>(layers.size());
    const double gbps = bytes / (ms * 1e6);
    std::printf("  %-8s %9.3f MB  %8.2f us  %7.0f GB/s  %5.1f %% of copy\n", name, bytes / 1e6, ms * 1e3, gbps,
                100 * gbps / copy_gbps);
  }
};

void bench(const hotpath_cuda_layer& shape, double active, int n_tokens, double copy_gbps, std::mt19937& random) {
  Bench bench(shape, active, n_tokens, random);
  std::printf("%lld x %lld, form %d, type %d, down %d, %.0f %% active, %d tokens\n", static_cast<long long>(shape.n_embd),
              static_cast<long long>(shape.n_slots), shape.form, shape.type, shape.down_type, 100 * active, n_tokens);
  if (!bench.is_right()) {
    std::printf("  WRONG RESULT, not timed\n");
    std::exit(1);
  }
  double n_active = 0;
  for (const float bias : is_gated(shape.form) ? bench.host.gate_bias : bench.host.up_bias) n_active += bias > 0;
  const double row = static_cast<double>(source_bytes(shape.type, shape.n_embd));
  const double down_row = static_cast<double>(source_bytes(shape.down_type, shape.n_embd));
  const double n_first = static_cast<double>(shape.n_slots);
  const double neurons = row * (n_first + (is_gated(shape.form) ? n_active : 0));
  const double down = down_row * n_active;
  const double sum = 4.0 * partials_of(bench.layers[0]) * n_tokens * static_cast<double>(shape.n_embd);
  bench.report("neurons", neurons, copy_gbps,
               [&](const DeviceLayer& layer) { launch_neurons(layer, bench.x, n_tokens, bench.activations, nullptr); });
  bench.report("down", down, copy_gbps,
               [&](const DeviceLayer& layer) { launch_down(layer, bench.activations, n_tokens, bench.partials, nullptr); });
  bench.report("sum", sum, copy_gbps,
               [&](const DeviceLayer& layer) { launch_sum(layer, bench.partials, n_tokens, bench.y, nullptr); });
  bench.report("all", neurons + down, copy_gbps, [&](const DeviceLayer& layer) { bench.run(layer); });
  need(cudaGetLastError());
}

int run(int64_t n_slots) {
  cudaDeviceProp properties;
  need(cudaGetDeviceProperties(&properties, 0));
  const double copy_gbps = copy_bandwidth();
  std::printf("%s, %d multiprocessors, copies at %.0f GB/s\n", properties.name, properties.multiProcessorCount, copy_gbps);
  std::mt19937 random(1);
  for (const int type : {kQ4_0, kQ4_K, kQ6_K, kQ8_0, kF16}) {
    const int down_type = type == kF16 ? kF16 : kQ8_0;
    for (const double active : {0.11, 1.0}) bench({5120, n_slots, kGatedRelu, type, down_type, 1}, active, 1, copy_gbps, random);
  }
  for (const int n_tokens : {4, 16}) bench({5120, n_slots, kGatedRelu, kQ4_0, kQ8_0, 1}, 0.33, n_tokens, copy_gbps, random);
  bench({4096, n_slots, kReluSquared, kQ8_0, kQ8_0, 1}, 0.11, 1, copy_gbps, random);
  return 0;
}

}  // namespace

}  // namespace hotpath::cuda

int main(int argc, char** argv) { return hotpath::cuda::run(argc > 1 ? std::atoll(argv[1]) : 4096); }
