// The hot/cold backend as ggml sees it: one device of type ACCEL, which llama.cpp adds to every context by itself.
#pragma once

#include "ggml-backend.h"

namespace hotpath::hotcold {

/// Registers the device once per process; it takes only what lies in a store's buffers.
ggml_backend_dev_t register_device();

}  // namespace hotpath::hotcold
