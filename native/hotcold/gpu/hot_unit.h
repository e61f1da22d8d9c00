// The hot half of the FFNs: the neurons a device keeps, computed there while the CPU computes the others. One interface,
// two implementations: any ggml backend (Vulkan, Metal, CUDA, a second CPU device) and kernels of our own for CUDA.
//
// A layer has *slots*, in groups of 32. Which neuron sits in which slot is the caller's affair: the CPU keeps every neuron
// and leaves out those that are hot. A slot nobody filled is empty and adds nothing. Every failure leaves the caller able
// to go on: the neurons of that layer are then computed on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "ggml-backend.h"

namespace hotpath::hotcold {

/// What a neuron makes of g = gate . x and u = up . x, biases included.
enum class FfnForm {
  relu,          // relu(u)
  relu_squared,  // relu(u)^2
  silu,          // silu(u)
  gelu,          // gelu(u), the tanh form, as in ggml_gelu
  gated_relu,    // relu(g) * u
  gated_silu,    // silu(g) * u
  gated_gelu,    // gelu(g) * u
  gated_drelu,   // relu(g) * relu(u)
};

constexpr bool is_gated(FfnForm form) { return form >= FfnForm::gated_relu; }

constexpr int64_t kHotGroup = 32;
/// Most tokens of a run whose activations can be read.
constexpr int64_t kReadableTokens = 16;

struct HotLayer {
  int64_t n_embd = 0;
  int64_t n_groups = 0;  // capacity; 0: the layer has no hot half
  FfnForm form = FfnForm::relu;
  ggml_type gate_type = GGML_TYPE_F16;  // as in the file; not looked at when the form is ungated
  ggml_type up_type = GGML_TYPE_F16;
  /// F16 keeps what the file says to 11 bits. Q8_0 takes half of that; its blocks run along the 32 slots of a group, which
  /// costs a weight about as much precision as ggml's own rounding of the activations does.
  ggml_type down_type = GGML_TYPE_F16;
  bool has_bias = false;  // of gate and up; the bias of down is the caller's

  int64_t n_slots() const { return n_groups * kHotGroup; }
};

/// Bytes of device memory `n_groups` groups take, without the device's rounding.
size_t hot_layer_bytes(const HotLayer& layer);

/// What one group holds, for the slots [0, count) of it; the others become empty.
struct HotNeurons {
  int64_t count = 0;
  const void* gate = nullptr;        // count rows of n_embd in gate_type, ggml's layout, without gaps; null when ungated
  const void* up = nullptr;          // likewise in up_type
  const float* down = nullptr;       // (count, n_embd): per neuron its column of ffn_down
  const float* gate_bias = nullptr;  // null: zero
  const float* up_bias = nullptr;
};

/// Used by one thread at a time. Between `start` and `wait` only `wait` may be called.
class HotUnit {
 public:
  /// Hands all device memory back; waits for what was started.
  virtual ~HotUnit() = default;

  /// "CUDA0, ggml", "NVIDIA GeForce RTX 4090, Hotpath's kernels".
  virtual std::string name() const = 0;
  virtual size_t memory_bytes() const = 0;
  virtual const HotLayer& layer(size_t index) const = 0;

  /// Replaces a whole group. The data is copied before this returns.
  virtual Result<Done> upload(size_t layer, int64_t group, const HotNeurons& neurons) = 0;

  /// Begins y = sum over the slots, for x (n_tokens, n_embd) with 1 <= n_tokens <= max_tokens; returns without waiting
  /// where the device can. x is copied before this returns.
  virtual Result<Done> start(size_t layer, const float* x, int64_t n_tokens) = 0;
  /// Ends what was started and writes y (n_tokens, n_embd).
  virtual Result<Done> wait(float* y) = 0;
  /// What the neurons gave in the run last waited for, (n_tokens, n_slots), of kReadableTokens at most: the caller counts
  /// with it which hot neurons earn their place. Costs a copy from the device, so it is for a sample of the tokens.
  virtual Result<Done> read_activations(std::span<float> values) = 0;

  /// Gives the layer another capacity, 0 included; the memory it had is back with the device first. All slots are empty
  /// afterwards. When the device has not enough, the layer has capacity 0.
  virtual Result<Done> resize(size_t layer, int64_t n_groups) = 0;
};

struct HotUnitSpec {
  std::vector<HotLayer> layers;
  int64_t max_tokens = 1;
  /// Tokens a unit of ggml computes at a time: what gate, up and their product give takes memory of the device. At 128, a
  /// layer of 11008 slots needs 17 MB, and its rows are read for so many tokens that arithmetic takes longer.
  int64_t slice_tokens = 128;
};

struct MadeHotUnit {
  std::unique_ptr<HotUnit> unit;
  std::string why_not_cuda;  // empty: it is Hotpath's CUDA kernels
};

/// Hotpath's CUDA kernels where their library (empty: none) finds the device and covers the layers, else ggml's. Allocates
/// everything or nothing: device/out-of-memory when the device has too little, device/unavailable when it cannot compute
/// this.
Result<MadeHotUnit> make_hot_unit(ggml_backend_dev_t device, const HotUnitSpec& spec, const std::string& cuda_library = {});

}  // namespace hotpath::hotcold
