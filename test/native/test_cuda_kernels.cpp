// The CUDA kernels themselves, run on the host (cuda_on_host/cuda_runtime.h) and compared with plain loops in double.
#include "test.h"

#if defined(__linux__)

#include "cuda/host_layer.h"
#include "cuda/kernels.cu"

namespace hotpath::test {

namespace {

// Sums of float products in another order.
constexpr double kTolerance = 2e-5;

struct alignas(16) Chunk {
  uint8_t bytes[16];
};

std::vector<Chunk> pack(int type, const cuda::HostLayer& host, const std::vector<uint8_t>& rows) {
  const int64_t stride = cuda::row_stride(type, host.shape.n_embd);
  std::vector<Chunk> packed(host.shape.n_slots * stride / sizeof(Chunk));
  const int64_t source_stride = cuda::source_bytes(type, host.shape.n_embd);
  for (int64_t i = 0; i < host.shape.n_slots; ++i) {
    cuda::pack_row(type, rows.data() + i * source_stride, host.shape.n_embd, packed[0].bytes + i * stride);
  }
  return packed;
}

void compare(const hotpath_cuda_layer& shape, double active, int n_tokens) {
  std::mt19937 random(1);
  const cuda::HostLayer host(shape, active, random);
  const std::vector<float> x = cuda::random_inputs(n_tokens, shape.n_embd, random);
  const auto gate = pack(shape.type, host, host.gate);
  const auto up = pack(shape.type, host, host.up);
  const auto down = pack(shape.down_type, host, host.down);
  std::vector<Chunk> chunks(x.size() / 4);
  auto* arranged = reinterpret_cast<float*>(chunks.data());
  for (int t = 0; t < n_tokens; ++t) {
    cuda::arrange_inputs(shape.type, x.data() + t * shape.n_embd, shape.n_embd, arranged + t * shape.n_embd);
  }
  const bool gated = cuda::is_gated(shape.form);
  const cuda::DeviceLayer layer = {static_cast<int>(shape.n_embd), static_cast<int>(shape.n_slots), shape.form, shape.type,
                                   shape.down_type,
                                   gated ? gate[0].bytes : nullptr, up[0].bytes, down[0].bytes,
                                   gated && shape.has_bias ? host.gate_bias.data() : nullptr,
                                   shape.has_bias ? host.up_bias.data() : nullptr};
  std::vector<float> activations(n_tokens * shape.n_slots, NAN);
  std::vector<float> partials(cuda::partials_of(layer) * x.size(), NAN);
  std::vector<float> y(x.size(), NAN);
  cuda::launch_neurons(layer, arranged, n_tokens, activations.data(), nullptr);
  cuda::launch_down(layer, activations.data(), n_tokens, partials.data(), nullptr);
  cuda::launch_sum(layer, partials.data(), n_tokens, y.data(), nullptr);
  std::vector<double> expected_activations;
  std::vector<double> expected_y;
  host.compute(x, expected_activations, expected_y);
  EXPECT(cuda::relative_error(activations, expected_activations) < kTolerance);
  EXPECT(cuda::relative_error(y, expected_y) < kTolerance);
}

}  // namespace

TEST(cuda_kernels, compute_every_type) {
  for (const int type : {cuda::kF16, cuda::kBF16, cuda::kQ8_0, cuda::kQ4_0, cuda::kQ4_K, cuda::kQ6_K}) {
    const int down_type = type == cuda::kF16 ? cuda::kF16 : cuda::kQ8_0;
    for (const int n_tokens : {1, 3}) compare({512, 32, cuda::kGatedSilu, type, down_type, 0}, -1, n_tokens);
  }
}

TEST(cuda_kernels, compute_every_form) {
  for (int form = 0; form < cuda::kFormCount; ++form) compare({256, 64, form, cuda::kQ4_0, cuda::kQ8_0, form % 3 != 0}, -1, 2);
}

TEST(cuda_kernels, leave_silent_neurons_out) {
  for (const double active : {0.0, 0.1, 1.0}) compare({288, 320, cuda::kGatedRelu, cuda::kQ8_0, cuda::kF16, 1}, active, 1);
}

TEST(cuda_kernels, compute_narrow_and_uneven_layers) {
  for (const int64_t n_embd : {32, 224, 544}) compare({n_embd, 32, cuda::kReluSquared, cuda::kQ4_0, cuda::kQ8_0, 1}, -1, 5);
}

}  // namespace hotpath::test

#endif
