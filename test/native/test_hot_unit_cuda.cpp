// Hotpath's CUDA kernels as far as a machine without a GPU allows: their arithmetic on the host, and what the engine says
// when something is missing. On a device, cuda/test.cu compares the kernels themselves.
#include "cuda/neuron.h"
#include "hot_layer.h"
#include "hotcold/gpu/cuda_hot_unit.h"
#include "starter.h"

namespace hotpath::test {

namespace {

using hotcold::CudaState;

const HotLayer kSmall{64, 1, FfnForm::gated_relu, GGML_TYPE_Q8_0, GGML_TYPE_Q8_0, GGML_TYPE_F16};

ggml_backend_dev_t cpu() {
  start_engine();
  return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
}

/// A row as a thread of the kernels would see it, chunk by chunk.
template <typename Format>
std::vector<float> decoded(ggml_type type, const std::vector<uint8_t>& source, int n_cols) {
  std::vector<uint8_t> packed(cuda::row_stride(type, n_cols));
  cuda::pack_row(type, source.data(), n_cols, packed.data());
  std::vector<float> values(n_cols, NAN);
  constexpr int kWeights = Format::kRun * Format::kRuns;
  float w[kWeights];
  for (int chunk = 0; chunk < n_cols / kWeights; ++chunk) {
    Format::decode(packed.data(), n_cols, chunk, w);
    for (int i = 0; i < kWeights; ++i) values[Format::column(chunk) + i / Format::kRun * Format::kGap + i % Format::kRun] = w[i];
  }
  return values;
}

}  // namespace

TEST(cuda, reads_every_type_as_ggml_does) {
  std::mt19937 random(1);
  for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) {
    for (const int n_cols : {256, 768}) {
      const Rows rows = Rows::random(type, 1, n_cols, random);
      EXPECT_EQ(cuda::source_bytes(type, n_cols), static_cast<int64_t>(rows.bytes.size()));
      std::vector<float> values;
      EXPECT(cuda::with_format(type, [&](auto format) { values = decoded<decltype(format)>(type, rows.bytes, n_cols); }));
      EXPECT_EQ(values, rows.values);
    }
  }
}

TEST(cuda, arranges_inputs_as_the_chunks_lie) {
  std::mt19937 random(4);
  const std::vector<float> x = random_inputs(1, 512, random);
  for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) {
    const Rows row = Rows::random(type, 1, 512, random);
    std::vector<uint8_t> packed(cuda::row_stride(type, 512));
    cuda::pack_row(type, row.bytes.data(), 512, packed.data());
    std::vector<float> arranged(512, NAN);
    cuda::arrange_inputs(type, x.data(), 512, arranged.data());
    double sum = 0;
    cuda::with_format(type, [&](auto format) {
      constexpr int kWeights = format.kRun * format.kRuns;
      float w[kWeights];
      for (int chunk = 0; chunk < 512 / kWeights; ++chunk) {
        format.decode(packed.data(), 512, chunk, w);
        for (int i = 0; i < kWeights; ++i) {
          sum += static_cast<double>(w[i]) * arranged[(i / 4 * (512 / kWeights) + chunk) * 4 + i % 4];
        }
      }
    });
    double expected = 0;
    for (int i = 0; i < 512; ++i) expected += static_cast<double>(row.values[i]) * x[i];
    EXPECT(std::abs(sum - expected) < 1e-9);
  }
}

TEST(cuda, takes_rows_of_whole_blocks_only) {
  EXPECT_EQ(cuda::row_stride(GGML_TYPE_Q8_0, 32), 48);  // 34 bytes, up to a multiple of 16
  EXPECT_EQ(cuda::row_stride(GGML_TYPE_Q8_0, 40), 0);
  EXPECT_EQ(cuda::row_stride(GGML_TYPE_Q4_K, 128), 0);
  EXPECT_EQ(cuda::row_stride(GGML_TYPE_F16, 8), 0);
  EXPECT_EQ(cuda::row_stride(GGML_TYPE_Q5_0, 256), 0);
}

TEST(cuda, reads_every_half) {
  std::vector<ggml_fp16_t> halves;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const bool is_nan = (bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) != 0;  // which differs from itself
    if (!is_nan) halves.push_back(static_cast<ggml_fp16_t>(bits));
  }
  for (const ggml_fp16_t half : halves) EXPECT_EQ(cuda::float_from_half(half), ggml_fp16_to_fp32(half));
}

TEST(cuda, activates_as_the_forms_say) {
  std::mt19937 random(2);
  for (const FfnForm form : kAllForms) {
    HotLayer layer = kSmall;
    layer.form = form;
    const Group group = Group::random(layer, 32, random);
    const std::vector<float> zero(64, 0.0f);
    for (float g = -4; g <= 4; g += 0.5f) {
      for (float u = -4; u <= 4; u += 0.5f) {
        Group one = group;
        one.gate_bias[0] = g;
        one.up_bias[0] = u;
        const double expected = one.activation(0, zero.data());
        const float actual = cuda::activate(static_cast<int>(form), g, u);
        EXPECT(std::abs(actual - expected) < 1e-6 * (1 + std::abs(expected)));
        if (cuda::is_silent(static_cast<int>(form), g)) EXPECT_EQ(actual, 0.0f);
      }
    }
  }
}

TEST(cuda, says_what_is_missing) {
  start_engine();
  const auto none = hotcold::cuda_library("no-such-folder/libhotpath-cuda.so");
  EXPECT(none.state == CudaState::no_library && !none.text.empty());
#if defined(__linux__)
  const auto other = hotcold::cuda_library("libm.so.6");
  EXPECT(other.state == CudaState::wrong_library);
  EXPECT_EQ(other.text, "libm.so.6 lacks hotpath_cuda_version");
#endif
}

TEST(cuda, falls_back_to_ggml_and_says_why) {
  auto made = hotcold::make_hot_unit(cpu(), {{kSmall}, 1}, "no-such-folder/libhotpath-cuda.so");
  EXPECT_EQ(need(made).unit->name(), "CPU, ggml");
  EXPECT(made->why_not_cuda.starts_with("CUDA: "));
}

TEST(cuda, knows_whether_this_machine_can_run_the_kernels) {
  if (std::string(HOTPATH_CUDA_LIBRARY).empty()) SKIP("built without a CUDA compiler");
  const auto library = hotcold::cuda_library(HOTPATH_CUDA_LIBRARY);
  EXPECT(library.state != CudaState::no_library && library.state != CudaState::wrong_library);
  if (library.state == CudaState::no_driver) EXPECT_EQ(library.text, "no NVIDIA driver is installed");
  // A CPU is no CUDA device, with or without a driver.
  EXPECT_EQ(code_of(hotcold::make_cuda_hot_unit(HOTPATH_CUDA_LIBRARY, cpu(), {{kSmall}, 1})), "device/unavailable");
}

TEST(cuda, computes_the_hot_half_on_a_cuda_device) {
  start_engine();
  const std::string path = HOTPATH_CUDA_LIBRARY;
  if (path.empty()) SKIP("built without a CUDA compiler");
  if (const auto library = hotcold::cuda_library(path); library.state != CudaState::ok) SKIP(library.text);
  const ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU);
  if (!device) SKIP("no GPU backend found a device");
  std::mt19937 random(3);
  for (const FfnForm form : kAllForms) {
    const HotLayer layer{256, 3, form, GGML_TYPE_Q4_K, GGML_TYPE_Q4_K, GGML_TYPE_F16, true};
    auto made = hotcold::make_hot_unit(device, {{layer}, 20}, path);
    EXPECT_EQ(need(made).why_not_cuda, "");
    const std::vector<Group> groups = {Group::random(layer, 32, random), Group::random(layer, 32, random),
                                       Group::random(layer, 9, random)};
    upload_all(*made->unit, 0, groups);
    const std::vector<float> x = random_inputs(20, 256, random);
    EXPECT(relative_error(run(*made->unit, 0, x), expected_output(groups, x, 256)) < 0.001);  // down in F16
    need(made->unit->resize(0, 1));
    EXPECT_EQ(run(*made->unit, 0, x), std::vector<float>(20 * 256, 0.0f));
  }
}

}  // namespace hotpath::test
