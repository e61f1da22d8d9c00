// hotpath-kernel-bench: down matrices, as a 4096 wide model has them.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <random>
#include <thread>

#include "hotcold/ggml_matmul.h"
#include "bench/kernel_bench.h"

namespace hotpath::kernel_bench {

namespace {

using hotcold::DownKernels;
using hotcold::DownMatrix;
using hotcold::DownScales;
using hotcold::GgmlMatmul;

constexpr int64_t kEmbd = 4096, kNeurons = 2048, kTokens = 128;
constexpr size_t kStreamed = size_t{320} << 20;  // more than a last-level cache
constexpr size_t kCached = size_t{1} << 20;      // less than a second-level cache
constexpr int64_t kSlice = 256;                  // columns of a prompt's product at a time
constexpr int kRuns = 7;
constexpr int kShares[] = {11, 33, 100};  // per cent active: ReLU models, half-sparse ones, all

struct Format {
  ggml_type type;
  DownScales scales;
};

constexpr DownScales kAcross = DownScales::across_neurons, kAlong = DownScales::along_output;
constexpr Format kFormats[] = {{GGML_TYPE_F32, kAcross},  {GGML_TYPE_F16, kAcross},  {GGML_TYPE_BF16, kAcross},
                               {GGML_TYPE_Q8_0, kAcross}, {GGML_TYPE_Q4_0, kAcross}, {GGML_TYPE_Q4_K, kAcross},
                               {GGML_TYPE_Q6_K, kAcross}, {GGML_TYPE_Q8_0, kAlong},  {GGML_TYPE_Q4_0, kAlong}};

/// kNeurons neurons as ggml multiplies them (kEmbd rows) and packed, repeated to more than caches hold.
struct Data {
  const DownKernels& kernels;
  std::vector<float> x;       // [kTokens][kNeurons]
  std::vector<uint8_t> file;  // ggml's matrix
  size_t group_stride;
  int64_t n_groups;
  Memory groups;

  explicit Data(const DownKernels& k)
      : kernels(k), x(kTokens * kNeurons), group_stride(k.group_bytes(kEmbd)),
        n_groups(static_cast<int64_t>(kStreamed / group_stride)), groups(group_stride * static_cast<size_t>(n_groups)) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& value : x) value = normal(random);
    // Stored by neuron, scales along the output: ggml multiplies the floats that those stand for, transposed.
    const bool along = k.scales == kAlong;
    std::vector<float> weights(kEmbd * kNeurons);
    for (float& weight : weights) weight = normal(random);
    std::vector<uint8_t> source = encode(k.type, weights, along ? kNeurons : kEmbd);
    for (int64_t g = 0; g < kNeurons / k.group; ++g) {
      k.pack(source.data(), ggml_row_size(k.type, along ? kEmbd : kNeurons), kEmbd, g, 1, groups.at(group_stride * g));
    }
    groups.repeat(group_stride * (kNeurons / k.group));
    if (!along) {
      file = std::move(source);
      return;
    }
    std::vector<float> decoded(weights.size());
    ggml_get_type_traits(k.type)->to_float(source.data(), decoded.data(), kEmbd * kNeurons);
    for (int64_t e = 0; e < kEmbd; ++e) {
      for (int64_t j = 0; j < kNeurons; ++j) weights[e * kNeurons + j] = decoded[j * kEmbd + e];
    }
    file = encode(GGML_TYPE_F32, weights, kEmbd);
  }

  static std::vector<uint8_t> encode(ggml_type type, const std::vector<float>& weights, int64_t n_rows) {
    const int64_t n_cols = static_cast<int64_t>(weights.size()) / n_rows;
    std::vector<uint8_t> rows(ggml_row_size(type, n_cols) * static_cast<size_t>(n_rows));
    if (type == GGML_TYPE_F32) {
      std::memcpy(rows.data(), weights.data(), rows.size());
    } else {
      ggml_quantize_chunk(type, weights.data(), rows.data(), 0, n_rows, n_cols, nullptr);
    }
    return rows;
  }

  ggml_type file_type() const { return kernels.scales == kAlong ? GGML_TYPE_F32 : kernels.type; }
  DownMatrix matrix() const { return {groups.at(), group_stride, kEmbd}; }
};

/// Random neurons of which a share is active, and the bytes that adding them must read.
struct Activity {
  std::vector<float> values;
  std::vector<int32_t> active;  // offsets within the groups, one group after the other
  std::vector<size_t> begin;    // of each group in `active`
  double bytes = 0, cached_bytes = 0;
  int64_t n_cached;

  Activity(const Data& data, int per_cent) : n_cached(std::max<int64_t>(1, kCached / data.group_stride)) {
    const int64_t group = data.kernels.group;
    const double row = row_bytes(data.kernels), planes = static_cast<double>(data.group_stride) - row * group;
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    values.resize(static_cast<size_t>(data.n_groups * group));
    for (int64_t g = 0; g < data.n_groups; ++g) {
      begin.push_back(active.size());
      for (int32_t j = 0; j < group; ++j) {
        if (static_cast<int>(random() % 100) >= per_cent) continue;
        active.push_back(j);
        values[static_cast<size_t>(g * group + j)] = normal(random);
      }
      const auto n_active = static_cast<double>(active.size() - begin.back());
      const double needed = n_active == 0 ? 0 : planes + n_active * row;
      bytes += needed;
      if (g < n_cached) cached_bytes += needed;
    }
    begin.push_back(active.size());
  }

  static double row_bytes(const DownKernels& kernels) {
    const bool quantised = ggml_is_quantized(kernels.type);
    double bits = quantised ? 4 : 8.0 * static_cast<double>(ggml_type_size(kernels.type));
    if (kernels.type == GGML_TYPE_Q8_0) bits = 8;
    if (kernels.type == GGML_TYPE_Q6_K) bits = 6;
    return kEmbd * bits / 8 + (kernels.scales == kAlong && quantised ? kEmbd / 16 : 0);
  }

  void add(const Data& data, int64_t first, int64_t end, float* partial) const {
    const DownMatrix matrix = data.matrix();
    const auto count = [&](int64_t g) { return static_cast<int64_t>(begin[g + 1] - begin[g]); };
    for (int64_t g = first; g < end; ++g) {
      if (g + 1 < end) data.kernels.prefetch(matrix, g + 1, active.data() + begin[g + 1], count(g + 1));
      data.kernels.accumulate(matrix, g, values.data() + g * data.kernels.group, active.data() + begin[g], count(g), partial);
    }
  }

  void add_with_two_threads(const Data& data, float* partials, size_t stride) const {
    constexpr int64_t kGroups = 16;
    std::atomic<int64_t> next = 0;
    const auto work = [&](float* partial) {
      for (int64_t first = next.fetch_add(kGroups); first < data.n_groups; first = next.fetch_add(kGroups)) {
        add(data, first, std::min(first + kGroups, data.n_groups), partial);
      }
    };
    std::thread other(work, partials + stride);
    work(partials);
    other.join();
  }
};

class Prompt {
 public:
  explicit Prompt(const Data& data)
      : data_(data), n_groups_(kNeurons / data.kernels.group), stride_(data.kernels.values_bytes(n_groups_)),
        values_(stride_ * kTokens), scratch_(data.kernels.multiply_scratch_bytes(kTokens, kSlice) + 64),
        y_(kTokens * kEmbd) {
    for (int64_t t = 0; t < kTokens; ++t) {
      data.kernels.pack_values(data.x.data() + t * kNeurons, n_groups_, values_.at(stride_ * t));
    }
  }

  void multiply() {
    for (int64_t first = 0; first < kEmbd; first += kSlice) {
      data_.kernels.multiply(data_.matrix(), 0, n_groups_, values_.at(), stride_, kTokens, first, kSlice, y_.data(), kEmbd,
                             scratch_.at());
    }
  }

  /// Against ggml, which rounds the activation of half and brain floats: that allows for more.
  bool is_right(const GgmlMatmul& ggml) {
    multiply();
    double error = 0, square = 0;
    for (int64_t t = 0; t < kTokens; ++t) {
      for (int64_t e = 0; e < kEmbd; ++e) {
        const double expected = ggml.result(e, t), difference = y_[t * kEmbd + e] - expected;
        error += difference * difference;
        square += expected * expected;
      }
    }
    const bool rounded = data_.kernels.type == GGML_TYPE_F16 || data_.kernels.type == GGML_TYPE_BF16;
    return std::sqrt(error / square) < (rounded ? 5e-3 : 1e-4);
  }

  /// The first token, added as accumulate does, against the prompt's first row.
  bool equals_accumulate() {
    const int64_t group = data_.kernels.group;
    std::vector<float> partial(data_.kernels.partial_floats(kEmbd)), y(kEmbd);
    std::vector<int32_t> all(static_cast<size_t>(group));
    for (int32_t j = 0; j < group; ++j) all[static_cast<size_t>(j)] = j;
    for (int64_t g = 0; g < n_groups_; ++g) {
      data_.kernels.accumulate(data_.matrix(), g, data_.x.data() + g * group, all.data(), group, partial.data());
    }
    data_.kernels.finish(partial.data(), 1, partial.size(), kEmbd, 0, kEmbd, y.data());
    double error = 0, square = 0;
    for (int64_t e = 0; e < kEmbd; ++e) {
      error += std::pow(double(y[e]) - y_[e], 2);
      square += double(y_[e]) * y_[e];
    }
    return std::sqrt(error / square) < 1e-5;
  }

 private:
  const Data& data_;
  int64_t n_groups_;
  size_t stride_;
  Memory values_, scratch_;
  std::vector<float> y_;
};

bool bench_format(const Machine& machine, const DownKernels& kernels) {
  const Data data(kernels);
  GgmlMatmul ggml(data.file_type(), data.file.data(), kEmbd, kNeurons, data.x.data(), kTokens);
  ggml.compute();
  Prompt prompt(data);
  const std::string name = std::string(ggml_type_name(kernels.type)) + (kernels.scales == kAlong ? " along" : "");
  if (!prompt.is_right(ggml) || !prompt.equals_accumulate()) {
    std::printf("%-10s WRONG\n", name.c_str());
    return false;
  }
  double ours = 1e30, theirs = 1e30;
  for (int i = 0; i < kRuns; ++i) {  // in turns, so that both meet the same machine
    ours = std::min(ours, fastest(1, [&] { prompt.multiply(); }));
    theirs = std::min(theirs, fastest(1, [&] { ggml.compute(); }));
  }
  const size_t stride = kernels.partial_floats(kEmbd) + 16;
  const Memory partials(2 * stride * sizeof(float));
  std::memset(partials.at(), 0, 2 * stride * sizeof(float));
  auto* partial = reinterpret_cast<float*>(partials.at());
  std::printf("%-10s", name.c_str());
  for (const int share : kShares) {
    const Activity activity(data, share);
    const double cached = fastest(200, [&] { activity.add(data, 0, activity.n_cached, partial); });
    const double one = fastest(kRuns, [&] { activity.add(data, 0, data.n_groups, partial); });
    const double two = fastest(kRuns, [&] { activity.add_with_two_threads(data, partial, stride); });
    std::printf(" %6.1f %5.1f %3.0f%% %5.1f", activity.cached_bytes / cached / 1e9, activity.bytes / one / 1e9,
                100 * activity.bytes / one / machine.read_bandwidth, activity.bytes / two / 1e9);
  }
  constexpr double kOperations = 2.0 * kEmbd * kNeurons * kTokens;
  std::printf(" %7.0f %6.0f\n", kOperations / ours / 1e9, kOperations / theirs / 1e9);
  return true;
}

}  // namespace

bool bench_down(const Machine& machine, const Choice& choice) {
  std::printf("\ndown to %lld, GB/s of the bytes needed: cached, with one thread and its share of the bandwidth, with two\n"
              "threads; prompts of %lld tokens, GFLOP/s\n", static_cast<long long>(kEmbd), static_cast<long long>(kTokens));
  std::printf("%-10s", "");
  for (const int share : kShares) std::printf(" %14d %% active", share);
  std::printf(" %7s %6s\n", "prompt", "ggml");
  bool all_right = true;
  for (const Format& format : kFormats) {
    if (!choice.wants(format.type)) continue;
    all_right &= bench_format(machine, *hotcold::down_kernels(format.type, format.scales, choice.isa));
  }
  return all_right;
}

}  // namespace hotpath::kernel_bench
