#include "hotcold/neuron_function.h"

namespace hotpath::hotcold {

namespace {

/// ggml looks GELU up in a table of 16-bit floats between -10 and 10; so the same is done here, without the table.
template <typename F>
float through_f16(float x, F f) {
  return ggml_fp16_to_fp32(ggml_fp32_to_fp16(f(ggml_fp16_to_fp32(ggml_fp32_to_fp16(x)))));
}

float gelu_tanh(float x) {
  constexpr float kA = 0.044715f;
  constexpr float kSqrt2OverPi = 0.79788456080286535587989211986876f;
  return 0.5f * x * (1.0f + std::tanh(kSqrt2OverPi * x * (1.0f + kA * x * x)));
}

float gelu(float x) {
  if (x <= -10.0f) return 0.0f;
  return x >= 10.0f ? x : through_f16(x, gelu_tanh);
}

float gelu_erf(float x) {
  constexpr float kSqrt1Over2 = 0.70710678118654752440084436210484f;
  return 0.5f * x * (1.0f + std::erf(x * kSqrt1Over2));
}

float gelu_quick(float x) {
  return through_f16(x, [](float v) { return v * (1.0f / (1.0f + std::exp(-1.702f * v))); });
}

float silu(float x) { return x / (1.0f + std::exp(-x)); }

float relu(float x) { return x > 0.0f ? x : 0.0f; }

float relu_squared(float x) { return relu(x) * relu(x); }

template <typename F>
void for_each(float* values, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i) values[i] = f(values[i]);
}

}  // namespace

const char* neuron_function_name(NeuronFunction f) {
  switch (f) {
    case NeuronFunction::relu: return "ReLU";
    case NeuronFunction::relu_squared: return "ReLU^2";
    case NeuronFunction::silu: return "SiLU";
    case NeuronFunction::gelu: return "GELU";
    case NeuronFunction::gelu_erf: return "GELU (erf)";
    case NeuronFunction::gelu_quick: return "GELU (quick)";
  }
  return "";
}

std::optional<NeuronFunction> neuron_function_of(const ggml_tensor* node) {
  if (node->op == GGML_OP_GLU) {
    switch (ggml_get_glu_op(node)) {
      case GGML_GLU_OP_REGLU: return NeuronFunction::relu;
      case GGML_GLU_OP_SWIGLU: return NeuronFunction::silu;
      case GGML_GLU_OP_GEGLU: return NeuronFunction::gelu;
      case GGML_GLU_OP_GEGLU_ERF: return NeuronFunction::gelu_erf;
      case GGML_GLU_OP_GEGLU_QUICK: return NeuronFunction::gelu_quick;
      default: return {};
    }
  }
  if (node->op != GGML_OP_UNARY) return {};
  switch (ggml_get_unary_op(node)) {
    case GGML_UNARY_OP_RELU: return NeuronFunction::relu;
    case GGML_UNARY_OP_SILU: return NeuronFunction::silu;
    case GGML_UNARY_OP_GELU: return NeuronFunction::gelu;
    case GGML_UNARY_OP_GELU_ERF: return NeuronFunction::gelu_erf;
    case GGML_UNARY_OP_GELU_QUICK: return NeuronFunction::gelu_quick;
    default: return {};
  }
}

void apply(NeuronFunction f, float* values, int64_t n) {
  switch (f) {
    case NeuronFunction::relu: return for_each(values, n, relu);
    case NeuronFunction::relu_squared: return for_each(values, n, relu_squared);
    case NeuronFunction::silu: return for_each(values, n, silu);
    case NeuronFunction::gelu: return for_each(values, n, gelu);
    case NeuronFunction::gelu_erf: return for_each(values, n, gelu_erf);
    case NeuronFunction::gelu_quick: return for_each(values, n, gelu_quick);
  }
}

}  // namespace hotpath::hotcold
