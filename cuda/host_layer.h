// One random layer on the host, in ggml's layout, and what it must compute in double arithmetic: the plain implementation
// the kernels are compared with.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "hotpath_cuda.h"
#include "neuron.h"

namespace hotpath::cuda {

struct HostLayer {
  hotpath_cuda_layer shape;
  std::vector<uint8_t> gate, up, down;  // ggml's layout
  std::vector<float> gate_bias, up_bias;

  /// Weights of about 1 / sqrt(n_embd). `active`: the share of neurons that biases force to be active, the others are
  /// forced silent; negative: nothing is forced.
  HostLayer(const hotpath_cuda_layer& layer, double active, std::mt19937& random) : shape(layer) {
    const float size = 1.0f / std::sqrt(static_cast<float>(shape.n_embd));
    gate = random_rows(shape.type, size, random);
    up = random_rows(shape.type, size, random);
    down = random_rows(shape.down_type, size, random);
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    for (int64_t i = 0; i < shape.n_slots; ++i) {
      const float forced = std::bernoulli_distribution(active < 0 ? 0 : active)(random) ? 50.0f : -50.0f;
      gate_bias.push_back(active < 0 ? uniform(random) : forced);
      up_bias.push_back(active < 0 || is_gated(shape.form) ? uniform(random) : forced);
    }
  }

  /// Random bytes make valid quants; scales must be sensible numbers.
  std::vector<uint8_t> random_rows(int type, float size, std::mt19937& random) const {
    std::vector<uint8_t> rows(shape.n_slots * source_bytes(type, shape.n_embd));
    std::uniform_int_distribution<int> bytes(0, 255);
    for (uint8_t& byte : rows) byte = static_cast<uint8_t>(bytes(random));
    const auto put_scale = [&](size_t offset, float scale) {
      const uint16_t half = half_from_float(scale * (0.5f + bytes(random) / 256.0f));
      std::memcpy(rows.data() + offset, &half, 2);
    };
    std::normal_distribution<float> normal(0.0f, size);
    switch (type) {
      case kF16:
      case kBF16:
        for (size_t i = 0; i < rows.size(); i += 2) {
          const float value = normal(random);
          uint32_t bits;
          std::memcpy(&bits, &value, 4);
          const auto half = static_cast<uint16_t>(type == kF16 ? half_from_float(value) : bits >> 16);
          std::memcpy(rows.data() + i, &half, 2);
        }
        break;
      case kQ8_0:
        for (size_t i = 0; i < rows.size(); i += 34) put_scale(i, size / 73);
        break;
      case kQ4_0:
        for (size_t i = 0; i < rows.size(); i += 18) put_scale(i, size / 4.6f);
        break;
      case kQ4_K:
        for (size_t i = 0; i < rows.size(); i += 144) {
          put_scale(i, size / 150);
          put_scale(i + 2, size / 20);
        }
        break;
      case kQ6_K:
        for (size_t i = 0; i < rows.size(); i += 210) put_scale(i + 208, size / 1300);
        break;
    }
    return rows;
  }

  /// Of a positive normal number, or of any in half's normal range; rounds towards zero.
  static uint16_t half_from_float(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    const int exponent = static_cast<int>((bits >> 23) & 255) - 112;
    if (exponent <= 0) return static_cast<uint16_t>((bits >> 16) & 0x8000u);
    return static_cast<uint16_t>(((bits >> 16) & 0x8000u) | static_cast<uint32_t>(exponent) << 10 | ((bits >> 13) & 0x3ffu));
  }

  std::vector<float> values(int type, const std::vector<uint8_t>& rows) const {
    std::vector<float> values(shape.n_slots * shape.n_embd);
    const int64_t stride = row_stride(type, shape.n_embd);
    alignas(16) std::vector<uint8_t> packed(stride);
    with_format(type, [&](auto format) {
      constexpr int kWeights = format.kRun * format.kRuns;
      float w[kWeights];
      for (int64_t slot = 0; slot < shape.n_slots; ++slot) {
        pack_row(type, rows.data() + slot * source_bytes(type, shape.n_embd), shape.n_embd, packed.data());
        for (int chunk = 0; chunk < shape.n_embd / kWeights; ++chunk) {
          format.decode(packed.data(), static_cast<int>(shape.n_embd), chunk, w);
          for (int i = 0; i < kWeights; ++i) {
            values[slot * shape.n_embd + format.column(chunk) + i / format.kRun * format.kGap + i % format.kRun] = w[i];
          }
        }
      }
    });
    return values;
  }

  /// `activations` (n_tokens, n_slots) and `y` (n_tokens, n_embd).
  void compute(const std::vector<float>& x, std::vector<double>& activations, std::vector<double>& y) const {
    const int64_t n_tokens = static_cast<int64_t>(x.size()) / shape.n_embd;
    const std::vector<float> gates = values(shape.type, gate);
    const std::vector<float> ups = values(shape.type, up);
    const std::vector<float> downs = values(shape.down_type, down);
    activations.assign(n_tokens * shape.n_slots, 0.0);
    y.assign(x.size(), 0.0);
    for (int64_t t = 0; t < n_tokens; ++t) {
      for (int64_t slot = 0; slot < shape.n_slots; ++slot) {
        double g = shape.has_bias ? gate_bias[slot] : 0.0;
        double u = shape.has_bias ? up_bias[slot] : 0.0;
        for (int64_t i = 0; i < shape.n_embd; ++i) {
          g += static_cast<double>(gates[slot * shape.n_embd + i]) * x[t * shape.n_embd + i];
          u += static_cast<double>(ups[slot * shape.n_embd + i]) * x[t * shape.n_embd + i];
        }
        const double a = activate(shape.form, static_cast<float>(g), static_cast<float>(u));
        activations[t * shape.n_slots + slot] = a;
        for (int64_t e = 0; e < shape.n_embd; ++e) y[t * shape.n_embd + e] += a * downs[slot * shape.n_embd + e];
      }
    }
  }

  hotpath_cuda_neurons group(int64_t index, int count) const {
    const int64_t first = index * 32;
    const bool gated = is_gated(shape.form);
    return {count, gated ? gate.data() + first * source_bytes(shape.type, shape.n_embd) : nullptr,
            up.data() + first * source_bytes(shape.type, shape.n_embd),
            down.data() + first * source_bytes(shape.down_type, shape.n_embd),
            gated && shape.has_bias ? gate_bias.data() + first : nullptr, shape.has_bias ? up_bias.data() + first : nullptr};
  }
};

inline std::vector<float> random_inputs(int64_t n_tokens, int64_t n_embd, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> x(n_tokens * n_embd);
  for (float& value : x) value = normal(random);
  return x;
}

/// Root mean square of the error over that of the expected values.
inline double relative_error(const std::vector<float>& actual, const std::vector<double>& expected) {
  double error = 0;
  double size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return size > 0 ? std::sqrt(error / size) : std::sqrt(error);
}

}  // namespace hotpath::cuda
