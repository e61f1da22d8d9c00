#include "hotcold/buffer.h"

#include <vector>

#include "hotcold/device.h"

namespace hotpath::hotcold {

namespace {

// Tensors get addresses that are told apart but never followed: weights lie packed in the store. This one faults on
// x86-64 and on arm64 if anyone tries.
constexpr uintptr_t kNowhere = uintptr_t{1} << 55;

Store::Weight& weight_in(const ggml_tensor* tensor) { return *static_cast<Store::Weight*>(tensor->extra); }

void* get_base(ggml_backend_buffer_t) { return reinterpret_cast<void*>(kNowhere); }

ggml_status init_tensor(ggml_backend_buffer_t buffer, ggml_tensor* tensor) {
  if (tensor->view_src) return GGML_STATUS_SUCCESS;
  tensor->extra = &static_cast<Store*>(buffer->context)->add_weight(tensor);
  return GGML_STATUS_SUCCESS;
}

void set_tensor(ggml_backend_buffer_t, ggml_tensor* tensor, const void* data, size_t offset, size_t n) {
  Store::Weight& weight = weight_in(tensor);
  weight.store.write(weight, tensor, data, offset, n);
}

void get_tensor(ggml_backend_buffer_t, const ggml_tensor* tensor, void* data, size_t offset, size_t n) {
  Store::Weight& weight = weight_in(tensor);
  weight.store.read(weight, tensor, data, offset, n);
}

void memset_tensor(ggml_backend_buffer_t buffer, ggml_tensor* tensor, uint8_t value, size_t offset, size_t n) {
  const std::vector<uint8_t> bytes(n, value);
  set_tensor(buffer, tensor, bytes.data(), offset, n);
}

// Memory of the store begins as zeros, and what is asked for later are single tensors.
void clear(ggml_backend_buffer_t, uint8_t) {}

ggml_backend_buffer_t alloc_buffer(ggml_backend_buffer_type_t type, size_t n) {
  ggml_backend_buffer_i functions = {};
  functions.get_base = get_base;
  functions.init_tensor = init_tensor;
  functions.memset_tensor = memset_tensor;
  functions.set_tensor = set_tensor;
  functions.get_tensor = get_tensor;
  functions.clear = clear;
  return ggml_backend_buffer_init(type, functions, type->context, n);
}

const char* type_name(ggml_backend_buffer_type_t) { return "Hotpath"; }

size_t alignment(ggml_backend_buffer_type_t) { return 64; }

bool is_host(ggml_backend_buffer_type_t) { return false; }

}  // namespace

std::unique_ptr<ggml_backend_buffer_type> make_buffer_type(Store& store) {
  const ggml_backend_buffer_type_i functions = {type_name, alloc_buffer, alignment, nullptr, nullptr, is_host};
  return std::make_unique<ggml_backend_buffer_type>(ggml_backend_buffer_type{functions, register_device(), &store});
}

bool is_our_buffer_type(ggml_backend_buffer_type_t type) { return type->iface.alloc_buffer == alloc_buffer; }

Store::Weight* weight_of(const ggml_tensor* tensor) {
  const bool is_ours = tensor && tensor->buffer && is_our_buffer_type(tensor->buffer->buft);
  return is_ours ? static_cast<Store::Weight*>(tensor->extra) : nullptr;
}

}  // namespace hotpath::hotcold
