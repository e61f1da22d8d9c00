// What a neuron makes of its dot products. Compiles as CUDA and as plain C++, like rows.h.
#pragma once

#include <cmath>

#include "rows.h"

namespace hotpath::cuda {

/// As hotpath::hotcold::FfnForm.
enum Form { kRelu, kReluSquared, kSilu, kGelu, kGatedRelu, kGatedSilu, kGatedGelu, kGatedDrelu, kFormCount };

HOTPATH_HD bool is_gated(int form) { return form >= kGatedRelu; }

/// Whether a gate of g silences the neuron whatever its up row gives, so that the row need not be read.
HOTPATH_HD bool is_silent(int form, float g) { return (form == kGatedRelu || form == kGatedDrelu) && !(g > 0.0f); }

HOTPATH_HD float relu(float v) { return v > 0.0f ? v : 0.0f; }
HOTPATH_HD float silu(float v) { return v / (1.0f + expf(-v)); }
HOTPATH_HD float gelu(float v) { return 0.5f * v * (1.0f + tanhf(0.79788456080286535588f * v * (1.0f + 0.044715f * v * v))); }

HOTPATH_HD float activate(int form, float g, float u) {
  switch (form) {
    case kRelu: return relu(u);
    case kReluSquared: return relu(u) * relu(u);
    case kSilu: return silu(u);
    case kGelu: return gelu(u);
    case kGatedRelu: return relu(g) * u;
    case kGatedSilu: return silu(g) * u;
    case kGatedGelu: return gelu(g) * u;
    default: return relu(g) * relu(u);
  }
}

}  // namespace hotpath::cuda
