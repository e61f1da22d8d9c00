// What a neuron does with its dot products: value = f(gate) * up, or f(up) where there is no gate.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "ggml.h"

namespace hotpath::hotcold {

enum class NeuronFunction { relu, relu_squared, silu, gelu, gelu_erf, gelu_quick };

/// Whether it is 0 for half of all inputs, so that neurons are silent without anything being approximated.
inline bool is_relu_like(NeuronFunction f) { return f == NeuronFunction::relu || f == NeuronFunction::relu_squared; }

const char* neuron_function_name(NeuronFunction f);

/// Of a GGML_OP_UNARY or a GGML_OP_GLU node; nothing for those we do not know.
std::optional<NeuronFunction> neuron_function_of(const ggml_tensor* node);

/// values[i] = f(values[i]), rounded as ggml's CPU backend rounds.
void apply(NeuronFunction f, float* values, int64_t n);

/// How a layer's neurons come to their values.
struct NeuronForm {
  NeuronFunction function = NeuronFunction::relu;
  bool gated = false;
  bool up_relu = false;  // gated only: relu(up) in place of up, the dReLU of Bamboo and TurboSparse

  bool operator==(const NeuronForm&) const = default;
};

}  // namespace hotpath::hotcold
