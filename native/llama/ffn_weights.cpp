#include "llama/ffn_weights.h"

#include "ggml.h"

namespace hotpath {

namespace {

enum class Part { gate, up, down, down_transposed, predictor };

struct Row {
  std::string_view name;
  Part part;
};

constexpr Row kRows[] = {
    {"ffn_gate.weight", Part::gate},         {"ffn_up.weight", Part::up},       {"ffn_down.weight", Part::down},
    {"ffn_gate_exps.weight", Part::gate},    {"ffn_up_exps.weight", Part::up},  {"ffn_down_exps.weight", Part::down},
    {"ffn_down_t.weight", Part::down_transposed}, {"fc1.weight", Part::predictor}, {"fc2.weight", Part::predictor},
};

}  // namespace

void note_ffn_tensor(std::string_view name_in_layer, const GgufTensor& tensor, FfnWeights& ffn) {
  for (const Row& row : kRows) {
    if (row.name != name_in_layer) continue;
    switch (row.part) {
      case Part::gate: ffn.gate_bytes += tensor.bytes; break;
      case Part::up:
        ffn.up_bytes += tensor.bytes;
        ffn.n_embd = static_cast<uint32_t>(tensor.shape[0]);
        ffn.n_neurons = static_cast<uint32_t>(tensor.shape[1]);
        ffn.n_experts = row.name.find("_exps") == row.name.npos ? 0 : static_cast<uint32_t>(tensor.shape[2]);
        break;
      case Part::down_transposed:
      case Part::down:
        ffn.is_relu_file = row.part == Part::down_transposed;
        ffn.down_width = static_cast<uint32_t>(tensor.shape[ffn.is_relu_file ? 1 : 0]);
        ffn.down_bytes += tensor.bytes;
        ffn.is_float = !ggml_is_quantized(tensor.type);
        break;
      case Part::predictor: ffn.predictor_bytes += tensor.bytes; break;
    }
  }
}

}  // namespace hotpath
