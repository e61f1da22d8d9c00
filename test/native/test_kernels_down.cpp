// The down kernels: storage is lossless, the plain kernels are right, and every instruction set agrees with them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <random>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "hotcold/kernels/kernels.h"
#include "hotcold/matrices.h"
#include "llama/runtime.h"
#include "test.h"

using namespace hotpath;
using namespace hotpath::hotcold;

namespace {

constexpr DownScales kAcross = DownScales::across_neurons, kAlong = DownScales::along_output;

struct Format {
  ggml_type type;
  DownScales scales;
};

constexpr Format kFormats[] = {
    {GGML_TYPE_F32, kAcross},  {GGML_TYPE_F16, kAcross},  {GGML_TYPE_BF16, kAcross}, {GGML_TYPE_Q8_0, kAcross},
    {GGML_TYPE_Q4_0, kAcross}, {GGML_TYPE_Q4_K, kAcross}, {GGML_TYPE_Q6_K, kAcross}, {GGML_TYPE_F32, kAlong},
    {GGML_TYPE_F16, kAlong},   {GGML_TYPE_BF16, kAlong},  {GGML_TYPE_Q8_0, kAlong},  {GGML_TYPE_Q4_0, kAlong},
};

bool keeps_floats(const Format& format) {
  return format.scales == kAlong || format.type == GGML_TYPE_F32 || format.type == GGML_TYPE_F16 ||
         format.type == GGML_TYPE_BF16;
}

template <typename Check>
void for_each_format(Check check) {
  for (const Format& format : kFormats) {
    try {
      check(format);
    } catch (const test::Failure& failure) {
      throw test::Failure(std::string(ggml_type_name(format.type)) + (format.scales == kAlong ? " along: " : " across: ") +
                          failure.what());
    }
  }
}

template <typename Check>
void for_each_kernel(Check check) {
  for_each_format([&](const Format& format) {
    for (const Isa isa : usable_isas()) {
      const DownKernels* kernels = down_kernels(format.type, format.scales, isa);
      EXPECT(kernels != nullptr);
      if (kernels->isa != isa) continue;  // borrowed, so tested already
      try {
        check(format, *kernels);
      } catch (const test::Failure& failure) {
        throw test::Failure(std::string(isa_name(isa)) + ": " + failure.what());
      }
    }
  });
}

std::vector<float> random_floats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> floats(count);
  for (float& value : floats) value = normal(random);
  return floats;
}

/// Aligned, and not a byte more than asked for, so that a sanitizer sees what reads beyond.
class Bytes {
 public:
  explicit Bytes(size_t size) : data_(static_cast<uint8_t*>(::operator new(size, std::align_val_t(64)))) {
    std::memset(data_.get(), 0xA5, size);
  }
  uint8_t* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(uint8_t* bytes) const { ::operator delete(bytes, std::align_val_t(64)); }
  };
  std::unique_ptr<uint8_t, Free> data_;
};

/// A quantised matrix as a file has it, with the weights it stands for, and packed.
struct Matrix {
  Format format;
  int64_t n_embd, n_ff;
  size_t stride;
  std::vector<uint8_t> file;
  std::vector<float> weights;  // [n_ff][n_embd]
  Bytes packed;

  Matrix(const Format& format_, int64_t n_embd_, int64_t n_ff_)
      : format(format_), n_embd(n_embd_), n_ff(n_ff_),
        packed(generic().group_bytes(n_embd) * static_cast<size_t>(n_ff / generic().group)) {
    const bool across = format.scales == kAcross;
    const int64_t columns = across ? n_ff : n_embd, rows = across ? n_embd : n_ff;
    const std::vector<float> source = random_floats(static_cast<size_t>(n_ff * n_embd), 7);
    stride = ggml_row_size(format.type, columns);
    file.resize(stride * static_cast<size_t>(rows));
    ggml_quantize_chunk(format.type, source.data(), file.data(), 0, rows, columns, nullptr);
    std::vector<float> decoded = source;
    if (format.type != GGML_TYPE_F32) {
      ggml_get_type_traits(format.type)->to_float(file.data(), decoded.data(), rows * columns);
    }
    weights.resize(decoded.size());
    for (int64_t j = 0; j < n_ff; ++j) {
      for (int64_t e = 0; e < n_embd; ++e) {
        weights[static_cast<size_t>(j * n_embd + e)] = decoded[static_cast<size_t>(across ? e * n_ff + j : j * n_embd + e)];
      }
    }
    generic().pack(file.data(), stride, n_embd, 0, n_ff / generic().group, packed.data());
  }

  const DownKernels& generic() const { return *down_kernels(format.type, format.scales, Isa::generic); }
  DownMatrix view() const { return {packed.data(), generic().group_bytes(n_embd), n_embd}; }
};

/// The values of `n_ff` neurons: of each 32, the first `n_active` in a random order are not 0.
std::vector<float> sparse_values(int64_t n_ff, int n_active, uint32_t seed) {
  std::vector<float> values = random_floats(static_cast<size_t>(n_ff), seed);
  std::mt19937 random(seed);
  std::vector<int> order(32);
  for (int j = 0; j < 32; ++j) order[static_cast<size_t>(j)] = j;
  for (int64_t first = 0; first < n_ff; first += 32) {
    std::shuffle(order.begin(), order.end(), random);
    for (size_t i = static_cast<size_t>(n_active); i < 32; ++i) values[static_cast<size_t>(first + order[i])] = 0.0f;
  }
  return values;
}

std::vector<float> accumulate(const DownKernels& kernels, Matrix& matrix, const std::vector<float>& values) {
  std::vector<float> partial(kernels.partial_floats(matrix.n_embd)), y(static_cast<size_t>(matrix.n_embd));
  for (int64_t g = 0; g < matrix.n_ff / kernels.group; ++g) {
    const float* group = values.data() + g * kernels.group;
    std::vector<int32_t> active;
    for (int32_t j = 0; j < kernels.group; ++j) {
      if (group[j] != 0.0f) active.push_back(j);
    }
    const auto n_active = static_cast<int64_t>(active.size());
    kernels.prefetch(matrix.view(), g, active.data(), n_active);
    kernels.accumulate(matrix.view(), g, group, active.data(), n_active, partial.data());
  }
  kernels.finish(partial.data(), 1, partial.size(), matrix.n_embd, 0, matrix.n_embd, y.data());
  return y;
}

/// Row t of the result belongs to token t. The columns are computed in slices of `slice`.
std::vector<float> multiply(const DownKernels& kernels, Matrix& matrix, const std::vector<std::vector<float>>& tokens,
                            int64_t slice) {
  const int64_t n_groups = matrix.n_ff / kernels.group;
  const size_t stride = kernels.values_bytes(n_groups);
  const auto n_tokens = static_cast<int64_t>(tokens.size());
  const Bytes values(stride * tokens.size());
  for (size_t t = 0; t < tokens.size(); ++t) kernels.pack_values(tokens[t].data(), n_groups, values.data() + t * stride);
  const Bytes scratch(kernels.multiply_scratch_bytes(n_tokens, slice));
  std::vector<float> y(tokens.size() * static_cast<size_t>(matrix.n_embd), NAN);
  for (int64_t first = 0; first < matrix.n_embd; first += slice) {
    kernels.multiply(matrix.view(), 0, n_groups, values.data(), stride, n_tokens, first,
                     std::min(slice, matrix.n_embd - first), y.data(), matrix.n_embd, scratch.data());
  }
  return y;
}

/// The largest difference over the root of the mean square: summation order alone moves results, by rounding.
double distance(const float* a, const float* b, size_t count) {
  double largest = 0, squares = 0;
  for (size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
    squares += static_cast<double>(b[i]) * b[i];
  }
  return squares == 0 ? largest : largest / std::sqrt(squares / static_cast<double>(count));
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  return distance(a.data(), b.data(), a.size());
}

/// What the file's format makes of values: 8 bits with a scale per 32 or 256 neurons.
std::vector<float> as_quantised(const Format& format, const std::vector<float>& values) {
  if (keeps_floats(format)) return values;
  const bool k = ggml_blck_size(format.type) == 256;
  std::vector<float> result = values;
  for (size_t first = 0; first < values.size(); first += k ? 256 : 32) {
    float largest = 0;
    const size_t end = first + (k ? 256 : 32);
    for (size_t i = first; i < end; ++i) {
      if (std::fabs(values[i]) > std::fabs(largest)) largest = values[i];
    }
    if (largest == 0) continue;
    const float inverse = k ? -127.0f / largest : 127.0f / std::fabs(largest);
    const float scale = k ? 1.0f / inverse : ggml_fp16_to_fp32(ggml_fp32_to_fp16(std::fabs(largest) / 127.0f));
    for (size_t i = first; i < end; ++i) result[i] = scale * std::min(127.0f, std::nearbyint(values[i] * inverse));
  }
  return result;
}

/// ggml's own product of the matrix and one vector, by its CPU backend. Empty without one.
std::vector<float> ggml_product(const Matrix& matrix, const std::vector<float>& values) {
  EXPECT(start_runtime({HOTPATH_LIBRARY_DIR}));
  const ggml_backend_ptr backend(ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr));
  if (!backend) return {};
  const ggml_backend_reg_t registry = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend.get()));
  const auto set_n_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
      ggml_backend_reg_get_proc_address(registry, "ggml_backend_set_n_threads"));
  if (set_n_threads) set_n_threads(backend.get(), 1);
  const ggml_context_ptr context(ggml_init({ggml_tensor_overhead() * 8 + ggml_graph_overhead(), nullptr, true}));
  ggml_tensor* weights = ggml_new_tensor_2d(context.get(), matrix.format.type, matrix.n_ff, matrix.n_embd);
  ggml_tensor* x = ggml_new_tensor_1d(context.get(), GGML_TYPE_F32, matrix.n_ff);
  ggml_tensor* out = ggml_mul_mat(context.get(), weights, x);
  ggml_cgraph* graph = ggml_new_graph(context.get());
  ggml_build_forward_expand(graph, out);
  const ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors(context.get(), backend.get()));
  ggml_backend_tensor_set(weights, matrix.file.data(), 0, matrix.file.size());
  ggml_backend_tensor_set(x, values.data(), 0, values.size() * sizeof(float));
  EXPECT(ggml_backend_graph_compute(backend.get(), graph) == GGML_STATUS_SUCCESS);
  std::vector<float> y(static_cast<size_t>(matrix.n_embd));
  ggml_backend_tensor_get(out, y.data(), 0, y.size() * sizeof(float));
  return y;
}

constexpr double kRounding = 5e-6;  // of sums of a few hundred floats, which the minima of Q4_K cancel in part

}  // namespace

TEST(kernels_down, exist_for_every_format_and_instruction_set) {
  for_each_format([](const Format& format) {
    for (const Isa isa : usable_isas()) EXPECT(down_kernels(format.type, format.scales, isa) != nullptr);
  });
  EXPECT(down_kernels(GGML_TYPE_Q4_K, kAlong, Isa::generic) == nullptr);
  EXPECT(down_kernels(GGML_TYPE_IQ2_XXS, kAcross, Isa::generic) == nullptr);
}

TEST(kernels_down, pack_without_loss_whatever_the_bytes) {
  for_each_format([](const Format& format) {
    const DownKernels& kernels = *down_kernels(format.type, format.scales, Isa::generic);
    for (const int64_t n_embd : {64, 192, 4160}) {
      const bool across = format.scales == kAcross;
      const int64_t n_ff = 3 * kernels.group, rows = across ? n_embd : n_ff;
      const size_t stride = ggml_row_size(format.type, across ? n_ff : n_embd) + 2;
      std::vector<uint8_t> file(stride * static_cast<size_t>(rows)), back(file.size());
      std::mt19937 random(3);
      for (uint8_t& byte : file) byte = static_cast<uint8_t>(random());
      const size_t group_bytes = kernels.group_bytes(n_embd);
      const Bytes packed(3 * group_bytes), alone(group_bytes);
      EXPECT_EQ(group_bytes % 64, 0u);
      kernels.pack(file.data(), stride, n_embd, 0, 3, packed.data());
      for (int64_t g = 0; g < 3; ++g) {
        const uint8_t* group = packed.data() + group_bytes * static_cast<size_t>(g);
        kernels.pack(file.data(), stride, n_embd, g, 1, alone.data());
        EXPECT(std::memcmp(group, alone.data(), group_bytes) == 0);
        kernels.unpack(group, n_embd, g, back.data(), stride);
      }
      for (int64_t r = 0; r < rows; ++r) {
        const size_t at = static_cast<size_t>(r) * stride;
        EXPECT(std::memcmp(file.data() + at, back.data() + at, stride - 2) == 0);
      }
    }
  });
}

TEST(kernels_down, pack_a_matrix_in_pieces_in_any_order) {
  constexpr int64_t kEmbd = 128, kExperts = 2;
  for_each_format([](const Format& format) {
    const DownKernels& kernels = *down_kernels(format.type, format.scales, Isa::generic);
    const int64_t n_groups = 19, n_ff = n_groups * kernels.group;
    const bool across = format.scales == kAcross;
    const size_t stride = ggml_row_size(format.type, across ? n_ff : kEmbd);
    const size_t matrix_bytes = stride * static_cast<size_t>(across ? kEmbd : n_ff);
    std::vector<uint8_t> file(matrix_bytes * kExperts);
    std::mt19937 random(4);
    for (uint8_t& byte : file) byte = static_cast<uint8_t>(random());
    Down down(kernels, n_ff, kEmbd, kExperts);
    EXPECT(down.n_pieces() > kExperts);
    for (int64_t i = down.n_pieces() - 1; i >= 0; --i) down.pack_piece(file.data(), i);
    const Bytes group(kernels.group_bytes(kEmbd));
    for (int64_t i = 0; i < n_groups * kExperts; ++i) {
      kernels.pack(file.data() + i / n_groups * matrix_bytes, stride, kEmbd, i % n_groups, 1, group.data());
      const auto packed = down.packed().subspan(kernels.group_bytes(kEmbd) * static_cast<size_t>(i));
      EXPECT(std::memcmp(packed.data(), group.data(), kernels.group_bytes(kEmbd)) == 0);
    }
  });
}

TEST(kernels_down, generic_equals_double_arithmetic) {
  for_each_format([](const Format& format) {
    Matrix matrix(format, 192, 512);
    for (const int n_active : {0, 1, 4, 32}) {
      const std::vector<float> values = sparse_values(matrix.n_ff, n_active, 11);
      const std::vector<float> used = as_quantised(format, values);
      std::vector<float> expected(static_cast<size_t>(matrix.n_embd));
      for (int64_t e = 0; e < matrix.n_embd; ++e) {
        double sum = 0;
        for (int64_t j = 0; j < matrix.n_ff; ++j) {
          const float weight = matrix.weights[static_cast<size_t>(j * matrix.n_embd + e)];
          sum += static_cast<double>(used[static_cast<size_t>(j)]) * weight;
        }
        expected[static_cast<size_t>(e)] = static_cast<float>(sum);
      }
      const DownKernels& kernels = *down_kernels(format.type, format.scales, Isa::generic);
      EXPECT(distance(accumulate(kernels, matrix, values), expected) < kRounding);
    }
  });
}

TEST(kernels_down, equal_ggml_on_the_matrix_of_the_file) {
  for_each_format([](const Format& format) {
    if (format.scales == kAlong) return;
    Matrix matrix(format, 192, 1024);
    for (const int n_active : {3, 32}) {
      std::vector<float> values = sparse_values(matrix.n_ff, n_active, 4);
      // ggml rounds the activation of half and brain floats, we do not; one that is rounded already compares the rest.
      for (float& value : values) value = ggml_bf16_to_fp32(ggml_fp32_to_bf16(value));
      const std::vector<float> expected = ggml_product(matrix, values);
      if (expected.empty()) SKIP("no CPU backend of ggml");
      for (const Isa isa : usable_isas()) {
        const DownKernels& kernels = *down_kernels(format.type, format.scales, isa);
        EXPECT(distance(accumulate(kernels, matrix, values), expected) < 1e-5);
        EXPECT(distance(multiply(kernels, matrix, {values}, 192), expected) < 1e-5);
      }
    }
  });
}

TEST(kernels_down, agree_with_generic_at_every_width) {
  for_each_format([](const Format& format) {
    const DownKernels& generic = *down_kernels(format.type, format.scales, Isa::generic);
    for (const int64_t n_embd : {64, 192, 4160}) {
      Matrix matrix(format, n_embd, 2 * generic.group);
      for (const int n_active : {0, 1, 3, 32}) {
        const std::vector<float> values = sparse_values(matrix.n_ff, n_active, 5);
        const std::vector<float> expected = accumulate(generic, matrix, values);
        for (const Isa isa : usable_isas()) {
          const DownKernels& kernels = *down_kernels(format.type, format.scales, isa);
          if (kernels.isa == isa) EXPECT(distance(accumulate(kernels, matrix, values), expected) < kRounding);
        }
      }
    }
  });
}

TEST(kernels_down, agree_with_generic_at_every_count_of_active_neurons) {
  for_each_kernel([](const Format& format, const DownKernels& kernels) {
    const DownKernels& generic = *down_kernels(format.type, format.scales, Isa::generic);
    Matrix matrix(format, 64, generic.group);
    for (int n_active = 0; n_active <= 32; ++n_active) {
      const std::vector<float> values = sparse_values(matrix.n_ff, n_active, static_cast<uint32_t>(n_active));
      EXPECT(distance(accumulate(kernels, matrix, values), accumulate(generic, matrix, values)) < kRounding);
    }
  });
}

TEST(kernels_down, are_exact_at_the_ends_of_the_quants_range) {
  for_each_kernel([](const Format& format, const DownKernels& kernels) {
    if (keeps_floats(format)) return;
    const DownKernels& generic = *down_kernels(format.type, format.scales, Isa::generic);
    Matrix matrix(format, 64, generic.group);
    const size_t planes = format.type == GGML_TYPE_Q4_K ? 4 * 64 : 2 * 64;  // the f16 ones, which shall stay finite
    for (const int byte : {0x00, 0x7f, 0x80, 0xff}) {
      std::memset(matrix.packed.data() + planes, byte, generic.group_bytes(64) - planes);
      for (const float value : {1.0f, -1.0f}) {
        const std::vector<float> values(static_cast<size_t>(matrix.n_ff), value);
        EXPECT(distance(accumulate(kernels, matrix, values), accumulate(generic, matrix, values)) < kRounding);
        EXPECT(distance(multiply(kernels, matrix, {values}, 64), accumulate(generic, matrix, values)) < kRounding);
      }
    }
  });
}

TEST(kernels_down, pass_on_what_is_not_finite) {
  for_each_kernel([](const Format& format, const DownKernels& kernels) {
    Matrix matrix(format, 64, kernels.group);
    for (const float poison : {NAN, INFINITY, -INFINITY}) {
      std::vector<float> values = sparse_values(matrix.n_ff, 4, 2);
      values[9] = poison;
      for (const float y : accumulate(kernels, matrix, values)) EXPECT(!std::isfinite(y));
      for (const float y : multiply(kernels, matrix, {values}, 64)) EXPECT(!std::isfinite(y));
    }
  });
}

TEST(kernels_down, ignore_values_too_small_for_a_scale) {
  for_each_kernel([](const Format& format, const DownKernels& kernels) {
    Matrix matrix(format, 64, kernels.group);
    const std::vector<float> values(static_cast<size_t>(matrix.n_ff), 1e-44f);
    for (const float y : accumulate(kernels, matrix, values)) EXPECT(std::fabs(y) < 1e-40f);
  });
}

TEST(kernels_down, multiply_as_they_accumulate) {
  for_each_kernel([](const Format& format, const DownKernels& kernels) {
    Matrix matrix(format, 192, 512);
    for (const size_t n_tokens : {1, 2, 5, 17}) {
      std::vector<std::vector<float>> tokens;
      for (size_t t = 0; t < n_tokens; ++t) {
        tokens.push_back(sparse_values(matrix.n_ff, t % 3 == 0 ? 32 : 2, static_cast<uint32_t>(t)));
        if (t % 2 == 1) std::fill_n(tokens.back().begin(), 256, 0.0f);  // whole groups are silent
      }
      const std::vector<float> y = multiply(kernels, matrix, tokens, 192);
      for (size_t t = 0; t < n_tokens; ++t) {
        EXPECT(distance(y.data() + t * 192, accumulate(kernels, matrix, tokens[t]).data(), 192) < kRounding);
      }
      EXPECT_EQ(std::memcmp(y.data(), multiply(kernels, matrix, tokens, 64).data(), y.size() * sizeof(float)), 0);
      EXPECT_EQ(std::memcmp(y.data(), multiply(kernels, matrix, tokens, 128).data(), y.size() * sizeof(float)), 0);
    }
  });
}

TEST(kernels_down, add_partial_sums_in_their_order) {
  const DownKernels& kernels = *down_kernels(GGML_TYPE_Q8_0, kAcross, Isa::generic);
  const size_t stride = kernels.partial_floats(128);
  const std::vector<float> partials = random_floats(3 * stride, 1);
  std::vector<float> y(128, -1.0f);
  kernels.finish(partials.data(), 3, stride, 128, 64, 64, y.data());
  EXPECT_EQ(y[63], -1.0f);
  for (size_t e = 64; e < 128; ++e) EXPECT_EQ(y[e], partials[e] + partials[stride + e] + partials[2 * stride + e]);
}
