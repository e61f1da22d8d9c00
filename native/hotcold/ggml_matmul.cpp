#include "hotcold/ggml_matmul.h"

namespace hotpath::hotcold {

namespace {

constexpr size_t kContextBytes = size_t{1} << 20;

ggml_context* new_context() { return ggml_init({kContextBytes, nullptr, true}); }

/// Null when the CPU backend has no other form than the file's for this matrix.
ggml_backend_buffer_type_t repacking_type(ggml_backend_dev_t device, ggml_tensor* weights, ggml_tensor* product) {
  const auto get_types = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
      ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
  for (ggml_backend_buffer_type_t* type = get_types ? get_types(device) : nullptr; type && *type; ++type) {
    // The device answers by the buffer that holds the weights; an empty one suffices to ask.
    const ggml_backend_buffer_ptr probe(ggml_backend_buft_alloc_buffer(*type, 0));
    weights->buffer = probe.get();
    const bool supported = ggml_backend_dev_supports_op(device, product);
    weights->buffer = nullptr;
    if (supported) return *type;
  }
  return nullptr;
}

}  // namespace

GgmlMatmul::GgmlMatmul(ggml_type type, const void* rows, int64_t n_rows, int64_t n_cols, const float* x, int64_t n_tokens)
    : weights_context_(new_context()), context_(new_context()) {
  ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  backend_.reset(ggml_backend_dev_init(device, nullptr));
  const auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
      ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_set_n_threads"));
  set_threads(backend_.get(), 1);

  ggml_tensor* weights = ggml_new_tensor_2d(weights_context_.get(), type, n_cols, n_rows);
  ggml_tensor* activations = ggml_new_tensor_2d(context_.get(), GGML_TYPE_F32, n_cols, n_tokens);
  out_ = ggml_mul_mat(context_.get(), weights, activations);
  graph_ = ggml_new_graph(context_.get());
  ggml_build_forward_expand(graph_, out_);

  ggml_backend_buffer_type_t repacking = repacking_type(device, weights, out_);
  repacked_ = repacking != nullptr;
  weights_buffer_.reset(ggml_backend_alloc_ctx_tensors_from_buft(
      weights_context_.get(), repacking ? repacking : ggml_backend_dev_buffer_type(device)));
  buffer_.reset(ggml_backend_alloc_ctx_tensors(context_.get(), backend_.get()));
  ggml_backend_tensor_set(weights, rows, 0, ggml_nbytes(weights));
  ggml_backend_tensor_set(activations, x, 0, ggml_nbytes(activations));
}

float GgmlMatmul::result(int64_t row, int64_t token) const {
  return static_cast<const float*>(out_->data)[token * out_->ne[0] + row];
}

std::span<const uint8_t> GgmlMatmul::weights() const {
  return {static_cast<const uint8_t*>(ggml_backend_buffer_get_base(weights_buffer_.get())), ggml_backend_buffer_get_size(weights_buffer_.get())};
}

}  // namespace hotpath::hotcold
