// The buffer type through which llama.cpp hands weights over, one per loaded model.
#pragma once

#include <memory>

#include "ggml-backend-impl.h"
#include "hotcold/store.h"

namespace hotpath::hotcold {

std::unique_ptr<ggml_backend_buffer_type> make_buffer_type(Store& store);

bool is_our_buffer_type(ggml_backend_buffer_type_t type);

/// Null when the tensor is none of ours.
Store::Weight* weight_of(const ggml_tensor* tensor);

}  // namespace hotpath::hotcold
