// hotpath-kernel-bench: rows, as a 4096 wide model has them.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include "hotcold/ggml_matmul.h"
#include "bench/kernel_bench.h"

namespace hotpath::kernel_bench {

namespace {

using hotcold::RowKernels;
using hotcold::GgmlMatmul;
using hotcold::RowMatrix;

constexpr int64_t kCols = 4096, kRows = 512, kTokens = 128;
constexpr size_t kStreamed = size_t{320} << 20;  // more than a last-level cache
constexpr size_t kCached = size_t{512} << 10;    // less than a second-level cache
constexpr int kRuns = 7;
constexpr double kActive = 0.11;  // of ReLU models' neurons, for dot_listed

constexpr ggml_type kTypes[] = {GGML_TYPE_F32,  GGML_TYPE_F16,  GGML_TYPE_BF16, GGML_TYPE_Q8_0,
                                GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K};

struct Data {
  std::vector<uint8_t> file;  // kRows rows as in a GGUF
  std::vector<float> x;       // kTokens vectors

  explicit Data(ggml_type type) : file(ggml_row_size(type, kCols) * kRows), x(kCols * kTokens) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> weights(kCols * kRows);
    for (float& weight : weights) weight = normal(random);
    for (float& value : x) value = normal(random);
    if (type == GGML_TYPE_F32) {
      std::memcpy(file.data(), weights.data(), file.size());
    } else {
      ggml_quantize_chunk(type, weights.data(), file.data(), 0, kRows, kCols, nullptr);
    }
  }
};

struct Packed {
  const RowKernels& kernels;
  size_t stride, activation_stride;
  int64_t n_streamed;
  Memory rows, activations;

  Packed(const RowKernels& k, const Data& data)
      : kernels(k), stride(k.row_bytes(kCols)), activation_stride(k.activation_bytes(kCols)),
        n_streamed(static_cast<int64_t>(kStreamed / stride)), rows(stride * static_cast<size_t>(n_streamed)),
        activations(activation_stride * kTokens) {
    const size_t row_size = ggml_row_size(k.type, kCols);
    for (int64_t i = 0; i < kRows; ++i) k.pack(data.file.data() + row_size * i, kCols, rows.at(stride * i));
    rows.repeat(stride * kRows);
    for (int64_t t = 0; t < kTokens; ++t) {
      k.pack_activation(data.x.data() + t * kCols, kCols, activations.at(activation_stride * t));
    }
  }
  RowMatrix matrix() const { return {rows.at(), stride, kCols, n_streamed}; }
};

/// Against ggml's product of the same matrices. ggml rounds the activation of half and brain floats, which allows for more.
bool is_right(const Packed& packed, const GgmlMatmul& ggml, std::vector<float>& out) {
  packed.kernels.multiply(packed.matrix(), 0, kRows, packed.activations.at(), packed.activation_stride, kTokens, out.data(),
                          kRows);
  double error = 0, square = 0;
  for (int64_t t = 0; t < kTokens; ++t) {
    for (int64_t i = 0; i < kRows; ++i) {
      const double expected = ggml.result(i, t), difference = out[t * kRows + i] - expected;
      error += difference * difference;
      square += expected * expected;
    }
  }
  const bool rounded = packed.kernels.type == GGML_TYPE_F16 || packed.kernels.type == GGML_TYPE_BF16;
  const double relative = std::sqrt(error / square);
  const bool right = relative < (rounded ? 5e-3 : 1e-4);
  if (!right) std::printf("%-5s WRONG: relative error %.2g\n", ggml_type_name(packed.kernels.type), relative);
  return right;
}

struct Seconds {
  double cached, streamed, listed, pack, multiply;
  double ggml_streamed, ggml_multiply;
};

Seconds time_rows(const Packed& packed, const Data& data, GgmlMatmul& ggml, const std::vector<int32_t>& list,
                  int64_t n_cached, std::vector<float>& out) {
  const RowKernels& kernels = packed.kernels;
  const RowMatrix matrix = packed.matrix();
  const uint8_t* activation = packed.activations.at();
  std::vector<uint8_t> file(ggml_row_size(kernels.type, kCols) * static_cast<size_t>(packed.n_streamed));
  for (size_t at = 0; at < file.size(); at += data.file.size()) {
    std::memcpy(file.data() + at, data.file.data(), std::min(data.file.size(), file.size() - at));
  }
  GgmlMatmul ggml_streamed(kernels.type, file.data(), packed.n_streamed, kCols, data.x.data(), 1);
  file = {};

  Seconds best{};
  best.cached = fastest(200, [&] { kernels.dot(matrix, 0, n_cached, activation, out.data()); });
  best.pack = fastest(200, [&] { kernels.pack_activation(data.x.data(), kCols, packed.activations.at()); });
  best.streamed = best.listed = best.multiply = best.ggml_streamed = best.ggml_multiply = 1e30;
  for (int i = 0; i < kRuns; ++i) {  // in turns, so that all meet the same machine
    const auto keep = [](double& seconds, auto&& body) { seconds = std::min(seconds, fastest(1, body)); };
    keep(best.streamed, [&] { kernels.dot(matrix, 0, packed.n_streamed, activation, out.data()); });
    keep(best.ggml_streamed, [&] { ggml_streamed.compute(); });
    keep(best.listed, [&] {
      kernels.dot_listed(matrix, list.data(), static_cast<int64_t>(list.size()), activation, out.data());
    });
    keep(best.multiply, [&] {
      kernels.multiply(matrix, 0, kRows, activation, packed.activation_stride, kTokens, out.data(), kRows);
    });
    keep(best.ggml_multiply, [&] { ggml.compute(); });
  }
  return best;
}

bool bench_format(const Machine& machine, const RowKernels& kernels) {
  const Data data(kernels.type);
  const Packed packed(kernels, data);
  std::vector<float> out(static_cast<size_t>(std::max(packed.n_streamed, kRows * kTokens)));
  GgmlMatmul ggml(kernels.type, data.file.data(), kRows, kCols, data.x.data(), kTokens);
  ggml.compute();
  if (!is_right(packed, ggml, out)) return false;

  std::mt19937 random(2);
  std::bernoulli_distribution is_active(kActive);
  std::vector<int32_t> list;
  for (int32_t i = 0; i < packed.n_streamed; ++i) {
    if (is_active(random)) list.push_back(i);
  }
  const auto n_cached = static_cast<int64_t>(kCached / packed.stride);
  const Seconds best = time_rows(packed, data, ggml, list, n_cached, out);

  const auto rate = [&](double rows, double seconds) { return rows * static_cast<double>(packed.stride) / seconds; };
  const double streamed = rate(static_cast<double>(packed.n_streamed), best.streamed);
  const double listed = rate(static_cast<double>(list.size()), best.listed);
  const double ggml_streamed = static_cast<double>(packed.n_streamed) *
                               static_cast<double>(ggml_row_size(kernels.type, kCols)) / best.ggml_streamed;
  constexpr double kOperations = 2.0 * kRows * kCols * kTokens;
  std::printf("%-5s %8.1f %8.1f %4.0f %% %8.1f %4.0f %% %8.1f %8.2f %8.0f %8.0f%s\n", ggml_type_name(kernels.type),
              rate(static_cast<double>(n_cached), best.cached) / 1e9, streamed / 1e9,
              100 * streamed / machine.read_bandwidth, listed / 1e9, 100 * listed / machine.read_bandwidth,
              ggml_streamed / 1e9, best.pack * 1e6, kOperations / best.multiply / 1e9,
              kOperations / best.ggml_multiply / 1e9, ggml.is_repacked() ? " repacked" : "");
  return true;
}

}  // namespace

bool bench_rows(const Machine& machine, const Choice& choice) {
  std::printf("rows of %lld, GB/s of packed rows; prompts of %lld tokens, GFLOP/s\n", static_cast<long long>(kCols),
              static_cast<long long>(kTokens));
  std::printf("%-5s %8s %15s %15s %8s %8s %8s %8s\n", "", "cached", "streamed", "11 % listed", "ggml", "pack us", "prompt",
              "ggml");
  bool all_right = true;
  for (const ggml_type type : kTypes) {
    if (choice.wants(type)) all_right &= bench_format(machine, *hotcold::row_kernels(type, choice.isa));
  }
  return all_right;
}

}  // namespace hotpath::kernel_bench
