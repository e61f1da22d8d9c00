#include "synth/planting.h"

#include <cmath>
#include <numbers>

namespace hotpath::synth {

namespace {

constexpr double kConstantEnergy = 0.10;
constexpr double kCodeEnergy = 0.15;
constexpr double kAlwaysActive = 6;  // a bias of so many standard deviations

double normal_density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double normal_below(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

/// The x that a standard normal value stays below with this probability; bisection needs no table and is fast enough.
double normal_quantile(double probability) {
  double low = -10;
  double high = 10;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (normal_below(middle) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// Integral of f(x) over a standard normal x in [from, 8].
template <typename Function>
double expectation(double from, Function f) {
  constexpr int kSteps = 1000;
  const double width = (8 - from) / kSteps;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double x = from + (i + 0.5) * width;
    sum += f(x) * normal_density(x);
  }
  return sum * width;
}

Biases with_spread(double active, double spread) { return {std::hypot(1, spread) * normal_quantile(active), spread}; }

double hot_share(double active, const Biases& biases) {
  const double hot = expectation(normal_quantile(1 - kHotFraction),
                                 [&](double x) { return normal_below(biases.mean + biases.spread * x); });
  return hot / active;
}

}  // namespace

Biases solve_biases(double active, double skew) {
  if (active >= 1) return {kAlwaysActive, 0};
  double low = 0;
  double high = 20;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (hot_share(active, with_spread(active, middle)) < skew ? low : high) = middle;
  }
  return with_spread(active, low);
}

double mean_square(const Biases& biases, double (*activation)(double)) {
  const double deviation = std::hypot(1, biases.spread);
  return expectation(-8, [&](double x) {
    const double value = activation(biases.mean + deviation * x);
    return value * value;
  });
}

Residual::Residual(const Shape& shape)
    : constant(std::sqrt(kConstantEnergy * shape.n_embd / kConstantDims)),
      code(std::sqrt(kCodeEnergy * shape.n_embd / kCodeDims)),
      n_layers_(shape.n_layers),
      rest_energy_(1 - kConstantEnergy - kCodeEnergy) {
  rest = std::sqrt(rest_energy_ * shape.n_embd / (shape.n_embd - kFixedDims));
  rest_norm = std::sqrt(rest_energy_ * shape.n_embd);
}

double Residual::growth(uint32_t layer) const {
  // How much an attention adds depends on how many tokens it averages; half of its share is the middle.
  const double added = (kFfnEnergy * layer + kAttentionEnergy / 2 * (layer + 1)) / n_layers_;
  return std::sqrt(1 + added / rest_energy_);
}

double output_deviation(double energy, uint32_t n_layers, double n_inputs, double mean_square) {
  return std::sqrt(energy / (n_layers * n_inputs * mean_square));
}

}  // namespace hotpath::synth
