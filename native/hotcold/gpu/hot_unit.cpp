#include "hotcold/gpu/hot_unit.h"

#include "hotcold/gpu/cuda_hot_unit.h"
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

Result<MadeHotUnit> make_hot_unit(ggml_backend_dev_t device, const HotUnitSpec& spec, const std::string& cuda_library) {
  std::string why_not_cuda = "no library of kernels is known";
  if (!cuda_library.empty()) {
    auto cuda = make_cuda_hot_unit(cuda_library, device, spec);
    if (cuda) return MadeHotUnit{std::move(*cuda), ""};
    // ggml's tensors take no less memory.
    if (cuda.error().code == ErrorCode::device_out_of_memory) return cuda.error();
    why_not_cuda = cuda.error().message;
  }
  auto unit = make_ggml_hot_unit(device, spec);
  if (!unit) return unit.error();
  return MadeHotUnit{std::move(*unit), why_not_cuda};
}

}  // namespace hotpath::hotcold
