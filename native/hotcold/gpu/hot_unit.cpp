#include "hotcold/gpu/hot_unit.h"

#include "hotcold/gpu/ggml_hot_unit.h"

namespace hotpath::hotcold {

size_t hot_layer_bytes(const HotLayer& layer) {
  if (layer.n_groups == 0) return 0;
  const auto n_slots = static_cast<size_t>(layer.n_slots());
  size_t bytes = n_slots * ggml_row_size(layer.up_type, layer.n_embd);
  if (is_gated(layer.form)) bytes += n_slots * ggml_row_size(layer.gate_type, layer.n_embd);
  bytes += static_cast<size_t>(layer.n_embd) * ggml_row_size(layer.down_type, layer.n_slots());
  if (layer.has_bias) bytes += (is_gated(layer.form) ? 2 : 1) * n_slots * sizeof(float);
  return bytes;
}

Result<std::unique_ptr<HotUnit>> make_hot_unit(ggml_backend_dev_t device, const HotUnitSpec& spec) {
  return make_ggml_hot_unit(device, spec);
}

}  // namespace hotpath::hotcold
