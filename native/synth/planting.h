// The arithmetic behind planted activity: which biases make a chosen fraction of neurons active, with a chosen skew.
//
// A neuron fires when b + g > 0, with g its own part of the token, standard normal over tokens, and b its bias. Biases
// are normal too, with `spread`: some neurons fire often, others hardly ever. Every distribution here has a closed form or
// is a one-dimensional integral, so nothing has to be measured on the model.
#pragma once

#include "synth/shape.h"

namespace hotpath::synth {

struct Biases {
  double mean;
  double spread;
};

/// `active`: mean fraction that fires; `skew`: as Spec::skew.
Biases solve_biases(double active, double skew);

/// Mean square of activation(b + g) over neurons and tokens.
double mean_square(const Biases& biases, double (*activation)(double));

/// How the residual stream of a synthetic model is made up, in units where its root mean square at the input is 1.
struct Residual {
  explicit Residual(const Shape& shape);

  double constant;  // magnitude of each of the first kConstantDims values, signs alternating so that their mean is 0
  double code;      // magnitude of each of the kCodeDims values
  double rest;      // standard deviation of all others, at the input
  double rest_norm;  // length of that part, at the input

  /// Length of the rest in front of the FFN of a layer, over its length at the input.
  double growth(uint32_t layer) const;

  /// Shares of the input's energy that all FFNs, and all attentions, add to the residual stream.
  static constexpr double kFfnEnergy = 0.25;
  static constexpr double kAttentionEnergy = 0.05;

 private:
  uint32_t n_layers_;
  double rest_energy_;
};

/// Standard deviation of an element of the matrix that n_inputs values of this mean square leave a layer through.
double output_deviation(double energy, uint32_t n_layers, double n_inputs, double mean_square);

}  // namespace hotpath::synth
