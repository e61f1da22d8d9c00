// Compares the library with the plain host implementation on a device: hotpath-cuda-test [PCI address]. Every form, type
// and piece size, empty and replaced groups, exhausted memory. Exit status 0: all equal; 77: no device to run on.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "host_layer.h"

namespace hotpath::cuda {

namespace {

// Sums of float products in another order, and the device's exp and tanh.
constexpr double kTolerance = 2e-5;

int n_failed = 0;
int n_passed = 0;

void expect(bool good, const std::string& what) {
  ++(good ? n_passed : n_failed);
  if (!good) std::printf("FAILED  %s\n", what.c_str());
}

struct Unit {
  hotpath_cuda_unit* unit;
  Unit(const char* device, int n_layers, int64_t max_tokens) {
    hotpath_cuda_problem problem;
    unit = hotpath_cuda_open(device, n_layers, max_tokens, &problem);
    if (unit) return;
    std::printf("%s\n", problem.text);
    std::exit(1);
  }
  ~Unit() { hotpath_cuda_close(unit); }

  void need(int status) const {
    if (status == HOTPATH_CUDA_OK) return;
    std::printf("%s\n", hotpath_cuda_last_problem(unit));
    std::exit(1);
  }

  void set(int layer, const HostLayer& host) const {
    need(hotpath_cuda_set_layer(unit, layer, &host.shape));
    for (int64_t group = 0; group < host.shape.n_slots / 32; ++group) put(layer, host, group, 32);
  }

  void put(int layer, const HostLayer& host, int64_t group, int count) const {
    const hotpath_cuda_neurons neurons = host.group(group, count);
    need(hotpath_cuda_upload(unit, layer, group, &neurons));
  }

  void compare(int layer, const HostLayer& host, const std::vector<float>& x, const std::string& what) const {
    const int64_t n_tokens = static_cast<int64_t>(x.size()) / host.shape.n_embd;
    std::vector<double> expected_activations, expected_y;
    host.compute(x, expected_activations, expected_y);
    std::vector<float> y(x.size()), again(x.size());
    need(hotpath_cuda_start(unit, layer, x.data(), n_tokens));
    need(hotpath_cuda_wait(unit, y.data()));
    if (n_tokens <= HOTPATH_CUDA_READABLE_TOKENS) {
      std::vector<float> activations(n_tokens * host.shape.n_slots);
      need(hotpath_cuda_read_activations(unit, activations.data()));
      const double inner = relative_error(activations, expected_activations);
      expect(inner < kTolerance, what + ": activations " + std::to_string(inner));
    } else {
      float none;
      expect(hotpath_cuda_read_activations(unit, &none) == HOTPATH_CUDA_FAILED, what + ": activations were not kept");
    }
    need(hotpath_cuda_start(unit, layer, x.data(), n_tokens));
    need(hotpath_cuda_wait(unit, again.data()));
    const double error = relative_error(y, expected_y);
    expect(error < kTolerance, what + ": error " + std::to_string(error));
    expect(y == again, what + ": two runs differ");
  }
};

void every_type_and_form(const char* device) {
  std::mt19937 random(1);
  for (const int type : {kF16, kBF16, kQ8_0, kQ4_0, kQ4_K, kQ6_K}) {
    for (int form = 0; form < kFormCount; ++form) {
      const int down_type = form % 2 ? kQ8_0 : kF16;
      const HostLayer host({768, 9 * 32, form, type, down_type, form % 3 != 0}, -1, random);
      const Unit unit(device, 1, 40);
      unit.set(0, host);
      for (const int64_t n_tokens : {1, 2, 4, 5, 16, 40}) {
        const std::string what = "type " + std::to_string(type) + ", form " + std::to_string(form);
        unit.compare(0, host, random_inputs(n_tokens, 768, random), what + ", " + std::to_string(n_tokens) + " tokens");
      }
    }
  }
}

void odd_sizes_and_shares(const char* device) {
  std::mt19937 random(2);
  for (const int64_t n_embd : {32, 288, 5120}) {
    for (const int64_t n_slots : {32, 1024}) {
      for (const double active : {0.0, 0.1, 1.0}) {
        const HostLayer host({n_embd, n_slots, kGatedRelu, kQ4_0, kQ8_0, 1}, active, random);
        const Unit unit(device, 1, 3);
        unit.set(0, host);
        unit.compare(0, host, random_inputs(3, n_embd, random),
                     std::to_string(n_embd) + " x " + std::to_string(n_slots) + ", active " + std::to_string(active));
      }
    }
  }
}

void groups(const char* device) {
  std::mt19937 random(3);
  const hotpath_cuda_layer shape = {256, 96, kGatedSilu, kF16, kF16, 1};
  HostLayer host(shape, -1, random);
  const HostLayer other(shape, -1, random);
  const Unit unit(device, 2, 1);
  unit.need(hotpath_cuda_set_layer(unit.unit, 0, &shape));
  unit.set(1, other);
  const std::vector<float> x = random_inputs(1, 256, random);
  std::vector<float> y(256);
  unit.need(hotpath_cuda_start(unit.unit, 0, x.data(), 1));
  unit.need(hotpath_cuda_wait(unit.unit, y.data()));
  expect(y == std::vector<float>(256, 0.0f), "empty slots add nothing");

  unit.set(0, other);
  unit.put(0, host, 0, 32);
  unit.put(0, host, 2, 32);
  unit.put(0, host, 1, 5);
  std::fill(host.down.begin() + 37 * 512, host.down.begin() + 64 * 512, 0);  // what the missing 27 would add
  std::vector<double> activations, expected;
  host.compute(x, activations, expected);
  unit.need(hotpath_cuda_start(unit.unit, 0, x.data(), 1));
  unit.need(hotpath_cuda_wait(unit.unit, y.data()));
  expect(relative_error(y, expected) < kTolerance, "replaced groups");
  unit.compare(1, other, x, "the other layer");
}

void memory(const char* device) {
  std::mt19937 random(4);
  const HostLayer host({4096, 256, kRelu, kQ8_0, kQ8_0, 0}, -1, random);
  const Unit unit(device, 2, 1);
  unit.set(0, host);
  const size_t before = hotpath_cuda_memory_bytes(unit.unit);
  const hotpath_cuda_layer absurd = {1 << 16, 1 << 20, kGatedRelu, kF16, kF16, 0};
  expect(hotpath_cuda_set_layer(unit.unit, 1, &absurd) == HOTPATH_CUDA_OUT_OF_MEMORY, "exhausted memory is said");
  unit.compare(0, host, random_inputs(1, 4096, random), "after exhausted memory");
  hotpath_cuda_layer none = host.shape;
  none.n_slots = 0;
  unit.need(hotpath_cuda_set_layer(unit.unit, 0, &none));
  expect(hotpath_cuda_memory_bytes(unit.unit) < before, "memory is handed back");
  unit.set(0, host);
  unit.compare(0, host, random_inputs(1, 4096, random), "after taking memory again");
}

int run(const char* asked) {
  hotpath_cuda_problem state;
  hotpath_cuda_probe(&state);
  std::printf("%s\n", state.text);
  if (state.status != HOTPATH_CUDA_OK) return 77;
  char first[32] = "";
  if (!asked && cudaDeviceGetPCIBusId(first, sizeof first, 0) != cudaSuccess) return 1;
  const char* device = asked ? asked : first;
  every_type_and_form(device);
  odd_sizes_and_shares(device);
  groups(device);
  memory(device);
  std::printf("%d passed, %d failed\n", n_passed, n_failed);
  return n_failed == 0 ? 0 : 1;
}

}  // namespace

}  // namespace hotpath::cuda

int main(int argc, char** argv) { return hotpath::cuda::run(argc > 1 ? argv[1] : nullptr); }
