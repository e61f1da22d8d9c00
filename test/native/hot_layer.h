// One random hot layer and what it must compute, in double arithmetic. The tests of both kinds of hot unit share it.
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "hotcold/gpu/hot_unit.h"
#include "test.h"

namespace hotpath::test {

using hotcold::FfnForm;
using hotcold::HotLayer;
using hotcold::HotNeurons;
using hotcold::HotUnit;

constexpr FfnForm kAllForms[] = {FfnForm::relu, FfnForm::relu_squared, FfnForm::silu, FfnForm::gelu,
                                 FfnForm::gated_relu, FfnForm::gated_silu, FfnForm::gated_gelu, FfnForm::gated_drelu};

/// Rows in a ggml type, and the values they stand for.
struct Rows {
  std::vector<uint8_t> bytes;
  std::vector<float> values;

  static Rows random(ggml_type type, int64_t n_rows, int64_t n_cols, std::mt19937& random) {
    std::normal_distribution<float> normal(0.0f, 1.0f / std::sqrt(static_cast<float>(n_cols)));
    std::vector<float> source(n_rows * n_cols);
    for (float& value : source) value = normal(random);
    Rows rows{std::vector<uint8_t>(n_rows * ggml_row_size(type, n_cols)), std::vector<float>(source.size())};
    ggml_quantize_chunk(type, source.data(), rows.bytes.data(), 0, n_rows, n_cols, nullptr);
    if (type == GGML_TYPE_F32) {
      rows.values = source;
    } else {
      ggml_get_type_traits(type)->to_float(rows.bytes.data(), rows.values.data(), n_rows * n_cols);
    }
    return rows;
  }
};

/// The neurons of one group.
struct Group {
  HotLayer layer;
  int64_t count;
  Rows gate;
  Rows up;
  std::vector<float> down;
  std::vector<float> gate_bias;
  std::vector<float> up_bias;

  static Group random(const HotLayer& layer, int64_t count, std::mt19937& random) {
    Group group{layer, count, Rows::random(layer.gate_type, count, layer.n_embd, random),
                Rows::random(layer.up_type, count, layer.n_embd, random),
                Rows::random(GGML_TYPE_F32, count, layer.n_embd, random).values,
                std::vector<float>(count), std::vector<float>(count)};
    if (layer.has_bias) {
      std::normal_distribution<float> normal(0.0f, 0.3f);
      for (float& bias : group.gate_bias) bias = normal(random);
      for (float& bias : group.up_bias) bias = normal(random);
    }
    return group;
  }

  HotNeurons neurons() const {
    const bool gated = hotcold::is_gated(layer.form);
    return {count, gated ? gate.bytes.data() : nullptr, up.bytes.data(), down.data(),
            gated && layer.has_bias ? gate_bias.data() : nullptr, layer.has_bias ? up_bias.data() : nullptr};
  }

  double activation(int64_t neuron, const float* x) const {
    double g = gate_bias[neuron];
    double u = up_bias[neuron];
    for (int64_t i = 0; i < layer.n_embd; ++i) {
      g += static_cast<double>(gate.values[neuron * layer.n_embd + i]) * x[i];
      u += static_cast<double>(up.values[neuron * layer.n_embd + i]) * x[i];
    }
    const auto relu = [](double v) { return v > 0 ? v : 0; };
    const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
    const auto gelu = [](double v) { return 0.5 * v * (1 + std::tanh(0.79788456080286535588 * v * (1 + 0.044715 * v * v))); };
    switch (layer.form) {
      case FfnForm::relu: return relu(u);
      case FfnForm::relu_squared: return relu(u) * relu(u);
      case FfnForm::silu: return silu(u);
      case FfnForm::gelu: return gelu(u);
      case FfnForm::gated_relu: return relu(g) * u;
      case FfnForm::gated_silu: return silu(g) * u;
      case FfnForm::gated_gelu: return gelu(g) * u;
      case FfnForm::gated_drelu: return relu(g) * relu(u);
    }
    return NAN;
  }
};

inline std::vector<float> random_inputs(int64_t n_tokens, int64_t n_embd, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> x(n_tokens * n_embd);
  for (float& value : x) value = normal(random);
  return x;
}

inline std::vector<double> expected_output(const std::vector<Group>& groups, const std::vector<float>& x, int64_t n_embd) {
  std::vector<double> y(x.size(), 0.0);
  for (size_t token = 0; token * n_embd < x.size(); ++token) {
    for (const Group& group : groups) {
      for (int64_t neuron = 0; neuron < group.count; ++neuron) {
        const double a = group.activation(neuron, x.data() + token * n_embd);
        for (int64_t e = 0; e < n_embd; ++e) y[token * n_embd + e] += a * group.down[neuron * n_embd + e];
      }
    }
  }
  return y;
}

/// Root mean square of the error over that of the expected values.
template <typename Actual>
double relative_error(const Actual& actual, const std::vector<double>& expected) {
  double error = 0;
  double size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return size > 0 ? std::sqrt(error / size) : std::sqrt(error);
}

template <typename T>
T& need(Result<T>& result) {
  if (!result) throw Failure(result.error().message);
  return *result;
}

inline void need(const Result<Done>& result) {
  if (!result) throw Failure(result.error().message);
}

inline void upload_all(HotUnit& unit, size_t layer, const std::vector<Group>& groups) {
  for (size_t i = 0; i < groups.size(); ++i) need(unit.upload(layer, static_cast<int64_t>(i), groups[i].neurons()));
}

inline std::vector<float> run(HotUnit& unit, size_t layer, const std::vector<float>& x) {
  std::vector<float> y(x.size(), NAN);
  need(unit.start(layer, x.data(), static_cast<int64_t>(x.size()) / unit.layer(layer).n_embd));
  need(unit.wait(y.data()));
  return y;
}

}  // namespace hotpath::test
