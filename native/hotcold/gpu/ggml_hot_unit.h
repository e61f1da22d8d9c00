// The hot half on any ggml backend: hot rows are ggml tensors in the device's memory, a layer is a graph of three to six
// operations over them.
#pragma once

#include "hotcold/gpu/hot_unit.h"

namespace hotpath::hotcold {

Result<std::unique_ptr<HotUnit>> make_ggml_hot_unit(ggml_backend_dev_t device, const HotUnitSpec& spec);

}  // namespace hotpath::hotcold
