#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>

#ifndef _WIN32
#include <dlfcn.h>

#include "ggml-backend.h"
#include "ggml-cpu.h"
#endif

#include "hotcold/kernels/kernels.h"
#include "hotcold/matrices.h"
#include "llama/runtime.h"
#include "test.h"

using namespace hotpath::hotcold;

namespace {

constexpr ggml_type kTypes[] = {GGML_TYPE_F32,  GGML_TYPE_F16,  GGML_TYPE_BF16, GGML_TYPE_Q8_0,
                                GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K};

/// As large as asked for and not a byte more, so that a sanitizer sees what reads beyond.
struct Buffer {
  struct Free {
    void operator()(uint8_t* bytes) const { ::operator delete(bytes, std::align_val_t(64)); }
  };
  std::unique_ptr<uint8_t, Free> bytes;
  explicit Buffer(size_t size) : bytes(static_cast<uint8_t*>(::operator new(size, std::align_val_t(64)))) {
    std::memset(bytes.get(), 0xA5, size);
  }
  uint8_t* at(size_t offset) const { return bytes.get() + offset; }
};

std::vector<float> random_floats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

std::vector<uint8_t> file_rows(ggml_type type, int64_t n_rows, int64_t n_cols) {
  const std::vector<float> values = random_floats(static_cast<size_t>(n_rows * n_cols), 1);
  std::vector<uint8_t> rows(ggml_row_size(type, n_cols) * static_cast<size_t>(n_rows));
  if (type == GGML_TYPE_F32) {
    std::memcpy(rows.data(), values.data(), rows.size());
  } else {
    ggml_quantize_chunk(type, values.data(), rows.data(), 0, n_rows, n_cols, nullptr);
  }
  return rows;
}

/// Rows packed, and tokens packed, for one kernel.
struct Packed {
  const RowKernels& kernels;
  int64_t n_rows, n_cols, n_tokens;
  size_t stride, activation_stride;
  Buffer rows, activations;

  Packed(const RowKernels& k, const std::vector<uint8_t>& file, int64_t rows_, int64_t cols, const std::vector<float>& x)
      : kernels(k), n_rows(rows_), n_cols(cols), n_tokens(static_cast<int64_t>(x.size()) / cols),
        stride(k.row_bytes(cols)), activation_stride(k.activation_bytes(cols)),
        rows(stride * static_cast<size_t>(n_rows)), activations(activation_stride * static_cast<size_t>(n_tokens)) {
    const size_t row_size = ggml_row_size(k.type, cols);
    for (int64_t i = 0; i < n_rows; ++i) k.pack(file.data() + row_size * i, cols, rows.at(stride * i));
    for (int64_t t = 0; t < n_tokens; ++t) k.pack_activation(x.data() + t * cols, cols, activation(t));
  }

  RowMatrix matrix() const { return {rows.at(0), stride, n_cols, n_rows}; }
  void* activation(int64_t token) const { return activations.at(activation_stride * static_cast<size_t>(token)); }

  std::vector<float> dot(int64_t token = 0) const {
    std::vector<float> out(static_cast<size_t>(n_rows));
    kernels.dot(matrix(), 0, n_rows, activation(token), out.data());
    return out;
  }
};

/// Three rows whose values are whole numbers: random quants, the largest ones, the smallest ones.
std::vector<uint8_t> whole_number_rows(ggml_type type, int64_t n_cols) {
  std::mt19937 random(8);
  const size_t row_size = ggml_row_size(type, n_cols), block_size = ggml_type_size(type);
  const ggml_fp16_t one = ggml_fp32_to_fp16(1.0f);
  std::vector<uint8_t> file(row_size * 3);
  for (size_t i = 0; i < row_size; ++i) {
    file[i] = static_cast<uint8_t>(random());
    file[row_size + i] = type == GGML_TYPE_Q8_0 ? 0x7F : 0xFF;
    file[2 * row_size + i] = type == GGML_TYPE_Q8_0 ? 0x80 : 0x00;
  }
  for (size_t at = 0; at < file.size(); at += block_size) {
    uint8_t* block = file.data() + at;
    std::memcpy(block + (type == GGML_TYPE_Q6_K ? 208 : 0), &one, sizeof one);
    if (type == GGML_TYPE_Q6_K) std::memset(block + 192, at < row_size ? 0xFD : 0x01, 16);  // scales of -3 and 1
    if (type == GGML_TYPE_Q4_K) std::memcpy(block + 2, &one, sizeof one);
    if (type == GGML_TYPE_Q4_K) std::memset(block + 4, at < row_size ? 0x5A : 0x04, 12);  // scales and minima
  }
  return file;
}

/// Kernels of every format on every instruction set of this machine, except the generic ones.
std::vector<const RowKernels*> special_kernels() {
  std::vector<const RowKernels*> all;
  for (const ggml_type type : kTypes) {
    for (const Isa isa : usable_isas()) {
      if (isa != Isa::generic) all.push_back(row_kernels(type, isa));
    }
  }
  return all;
}

std::vector<int64_t> odd_sizes(const RowKernels& kernels) {
  return {kernels.block, 3 * kernels.block, 4096 + kernels.block};
}

std::vector<int32_t> every_nth(int64_t n, int64_t step) {
  std::vector<int32_t> list;
  for (int64_t i = 0; i < n; i += step) list.push_back(static_cast<int32_t>(i));
  return list;
}

/// What ggml's from_float makes of an activation, as floats: blocks of 32 with a half scale, or of 256 with a float scale.
std::vector<double> quantised(ggml_type type, const std::vector<float>& x) {
  const bool is_float = type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
  if (is_float) return {x.begin(), x.end()};
  const bool small = type == GGML_TYPE_Q8_0 || type == GGML_TYPE_Q4_0;
  const size_t block = small ? 32 : 256;
  std::vector<double> result(x.size());
  for (size_t begin = 0; begin < x.size(); begin += block) {
    float greatest = 0;
    for (size_t i = begin; i < begin + block; ++i) greatest = std::fabs(x[i]) > std::fabs(greatest) ? x[i] : greatest;
    const float factor = small ? 127.0f / std::fabs(greatest) : -127.0f / greatest;
    const float scale = small ? ggml_fp16_to_fp32(ggml_fp32_to_fp16(std::fabs(greatest) / 127.0f)) : 1.0f / factor;
    for (size_t i = begin; i < begin + block; ++i) result[i] = std::nearbyint(x[i] * factor) * double(scale);
  }
  return result;
}

struct Reference {
  double dot = 0, magnitude = 0;
};

Reference reference_dot(ggml_type type, const uint8_t* row, int64_t n_cols, const std::vector<double>& x) {
  std::vector<float> weights(static_cast<size_t>(n_cols));
  if (type == GGML_TYPE_F32) {
    std::memcpy(weights.data(), row, weights.size() * sizeof(float));
  } else {
    ggml_get_type_traits(type)->to_float(row, weights.data(), n_cols);
  }
  Reference result;
  for (size_t i = 0; i < weights.size(); ++i) {
    result.dot += weights[i] * x[i];
    result.magnitude += std::fabs(weights[i] * x[i]);
  }
  return result;
}

/// Float sums of at most some hundred terms per lane: each addition may lose 2^-24 of the sum so far.
constexpr double kTolerance = 4e-6;

void expect_close(const std::vector<float>& actual, const std::vector<float>& expected, double magnitude) {
  EXPECT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT(std::fabs(double(actual[i]) - expected[i]) <= kTolerance * magnitude);
}


}  // namespace

TEST(row_kernels, exist_for_every_format_on_every_instruction_set) {
  const std::vector<Isa> isas = usable_isas();
  EXPECT(isas.back() == Isa::generic);
  for (const Isa isa : isas) {
    EXPECT(isa_by_name(isa_name(isa)) == isa);
    for (const ggml_type type : kTypes) {
      EXPECT(row_kernels(type, isa) != nullptr);
      EXPECT(row_kernels(type, isa)->isa == isa);
      EXPECT(row_kernels(type, isa)->type == type);
    }
  }
  EXPECT(row_kernels(GGML_TYPE_Q2_K, Isa::generic) == nullptr);
  EXPECT(!isa_by_name("mmx"));
}

TEST(row_kernels, pack_any_bytes_without_losing_one) {
  std::mt19937 random(2);
  for (const ggml_type type : kTypes) {
    const RowKernels& kernels = *row_kernels(type, Isa::generic);
    for (const int64_t n_cols : odd_sizes(kernels)) {
      std::vector<uint8_t> row(ggml_row_size(type, n_cols)), again(row.size());
      for (uint8_t& byte : row) byte = static_cast<uint8_t>(random());
      EXPECT_EQ(kernels.row_bytes(n_cols) % 64, 0u);
      EXPECT_EQ(kernels.activation_bytes(n_cols) % 64, 0u);
      const Buffer packed(kernels.row_bytes(n_cols));
      kernels.pack(row.data(), n_cols, packed.at(0));
      kernels.unpack(packed.at(0), n_cols, again.data());
      EXPECT_EQ(again, row);
    }
  }
}

TEST(row_kernels, pack_a_matrix_in_pieces_in_any_order) {
  constexpr int64_t kCols = 2048, kRows = 150, kExperts = 2;
  std::mt19937 random(4);
  for (const ggml_type type : kTypes) {
    const RowKernels& kernels = *row_kernels(type, Isa::generic);
    const size_t row_size = ggml_row_size(type, kCols);
    std::vector<uint8_t> file(row_size * kRows * kExperts);
    for (uint8_t& byte : file) byte = static_cast<uint8_t>(random());
    Rows rows(kernels, kCols, kRows, kExperts);
    EXPECT(rows.n_pieces() > 1);
    for (int64_t i = rows.n_pieces() - 1; i >= 0; --i) rows.pack_piece(file.data(), i);
    const Buffer row(rows.row_bytes());
    for (size_t i = 0; i < kRows * kExperts; ++i) {
      kernels.pack(file.data() + row_size * i, kCols, row.at(0));
      EXPECT(std::memcmp(rows.packed().data() + rows.row_bytes() * i, row.at(0), rows.row_bytes()) == 0);
    }
  }
}

TEST(row_kernels, generic_equals_the_dequantised_row_times_the_quantised_activation) {
  for (const ggml_type type : kTypes) {
    const RowKernels& kernels = *row_kernels(type, Isa::generic);
    for (const int64_t n_cols : odd_sizes(kernels)) {
      const std::vector<uint8_t> file = file_rows(type, 3, n_cols);
      const std::vector<float> x = random_floats(static_cast<size_t>(n_cols), 3);
      const std::vector<float> out = Packed(kernels, file, 3, n_cols, x).dot();
      for (size_t i = 0; i < 3; ++i) {
        const uint8_t* row = file.data() + ggml_row_size(type, n_cols) * i;
        const Reference expected = reference_dot(type, row, n_cols, quantised(type, x));
        // One float after the other: the error of a long plain sum is larger than that of lanes.
        EXPECT(std::fabs(out[i] - expected.dot) <= 2e-5 * expected.magnitude);
      }
    }
  }
}

TEST(row_kernels, equal_the_generic_ones_at_odd_sizes) {
  for (const RowKernels* kernels : special_kernels()) {
    for (const int64_t n_cols : odd_sizes(*kernels)) {
      const std::vector<uint8_t> file = file_rows(kernels->type, 6, n_cols);
      const std::vector<float> x = random_floats(static_cast<size_t>(n_cols), 4);
      const Packed generic(*row_kernels(kernels->type, Isa::generic), file, 6, n_cols, x);
      const Packed special(*kernels, file, 6, n_cols, x);
      // Activations are quantised alike, to the bit; only the order of summation may differ.
      EXPECT(std::memcmp(generic.activation(0), special.activation(0), static_cast<size_t>(n_cols)) == 0);
      double magnitude = 0;
      for (size_t i = 0; i < 6; ++i) {
        magnitude = std::max(magnitude, reference_dot(kernels->type, file.data() + ggml_row_size(kernels->type, n_cols) * i,
                                                      n_cols, quantised(kernels->type, x)).magnitude);
      }
      expect_close(special.dot(), generic.dot(), magnitude);
    }
  }
}

TEST(row_kernels, add_whole_numbers_exactly_up_to_the_extremes) {
  std::mt19937 random(5);
  constexpr int64_t kCols = 512, kTokens = 2;
  // 127 as the greatest magnitude makes the activation's scales 1: sums stay below 2^24, and floats hold them exactly.
  std::vector<float> x(kTokens * kCols, -127.0f);
  for (int64_t i = 0; i < kCols; ++i) x[i] = i % 32 == 0 ? -127.0f : static_cast<float>(static_cast<int>(random() % 255) - 127);
  for (const ggml_type type : {GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) {
    const std::vector<uint8_t> file = whole_number_rows(type, kCols);
    for (const Isa isa : usable_isas()) {
      const Packed packed(*row_kernels(type, isa), file, 3, kCols, x);
      for (int64_t token = 0; token < kTokens; ++token) {
        const std::vector<double> activation(x.begin() + token * kCols, x.begin() + (token + 1) * kCols);
        const std::vector<float> out = packed.dot(token);
        for (size_t i = 0; i < 3; ++i) {
          const uint8_t* row = file.data() + ggml_row_size(type, kCols) * i;
          EXPECT_EQ(double(out[i]), reference_dot(type, row, kCols, activation).dot);
        }
      }
    }
  }
}

TEST(row_kernels, give_the_same_bits_for_any_range_list_and_number_of_tokens) {
  constexpr int64_t kRows = 37, kMaxTokens = 19;
  constexpr float kUntouched = 12345.0f;
  for (const RowKernels* kernels : special_kernels()) {
    const int64_t n_cols = 2 * 256 + (kernels->block == 1 ? 5 : kernels->block);
    const Packed packed(*kernels, file_rows(kernels->type, kRows, n_cols), kRows, n_cols,
                        random_floats(static_cast<size_t>(n_cols * kMaxTokens), 6));
    std::vector<std::vector<float>> single(kMaxTokens, std::vector<float>(kRows));
    for (int64_t t = 0; t < kMaxTokens; ++t) {
      for (int64_t i = 0; i < kRows; ++i) kernels->dot(packed.matrix(), i, 1, packed.activation(t), &single[t][i]);
    }
    const std::vector<std::vector<int32_t>> lists = {{}, {5}, {0, 2, 3, 7, 36}, every_nth(kRows, 2), every_nth(kRows, 1)};
    for (const int64_t n_tokens : {1, 2, 3, 7, 16, 19}) {
      for (int64_t first = 0; first < 4; ++first) {
        for (int64_t count = 0; first + count <= kRows; count += 11) {
          std::vector<float> out(static_cast<size_t>(n_tokens * (kRows + 1)), kUntouched);
          kernels->multiply(packed.matrix(), first, count, packed.activation(0), packed.activation_stride, n_tokens,
                            out.data(), kRows + 1);
          for (int64_t t = 0; t < n_tokens; ++t) {
            for (int64_t i = 0; i <= kRows; ++i) {
              EXPECT_EQ(out[t * (kRows + 1) + i], i < count ? single[t][first + i] : kUntouched);
            }
          }
        }
      }
      for (const std::vector<int32_t>& list : lists) {
        const auto count = static_cast<int64_t>(list.size());
        std::vector<float> out(static_cast<size_t>(n_tokens * (kRows + 1)), kUntouched);
        kernels->multiply_listed(packed.matrix(), list.data(), count, packed.activation(0), packed.activation_stride,
                                 n_tokens, out.data(), kRows + 1);
        for (int64_t t = 0; t < n_tokens; ++t) {
          for (int64_t i = 0; i <= kRows; ++i) {
            EXPECT_EQ(out[t * (kRows + 1) + i], i < count ? single[t][list[i]] : kUntouched);
          }
        }
        std::vector<float> listed(kRows + 1, kUntouched);
        kernels->dot_listed(packed.matrix(), list.data(), count, packed.activation(0), listed.data());
        for (int64_t i = 0; i <= kRows; ++i) EXPECT_EQ(listed[i], i < count ? single[0][list[i]] : kUntouched);
      }
    }
  }
}

TEST(row_kernels, give_zero_for_a_silent_activation) {
  for (const ggml_type type : kTypes) {
    for (const Isa isa : usable_isas()) {
      const std::vector<float> silent(512, 0.0f);
      const std::vector<float> out = Packed(*row_kernels(type, isa), file_rows(type, 2, 512), 2, 512, silent).dot();
      EXPECT_EQ(out, std::vector<float>(2, 0.0f));
    }
  }
}

#ifndef _WIN32

/// ggml's CPU functions live in a library that is loaded at run time; its registry names one, and that names the file.
static const ggml_type_traits_cpu* (*traits_of_ggml())(ggml_type) {
  if (!hotpath::start_runtime({HOTPATH_LIBRARY_DIR})) return nullptr;
  ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  if (!device) return nullptr;
  void* known = ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_set_n_threads");
  Dl_info info;
  if (!known || dladdr(known, &info) == 0) return nullptr;
  void* library = dlopen(info.dli_fname, RTLD_NOLOAD | RTLD_LAZY);
  if (!library) return nullptr;
  void* function = dlsym(library, "ggml_get_type_traits_cpu");
  dlclose(library);
  return reinterpret_cast<const ggml_type_traits_cpu* (*)(ggml_type)>(function);
}

TEST(row_kernels, equal_the_dot_product_of_ggml_itself) {
  const auto traits = traits_of_ggml();
  if (!traits) SKIP("ggml's CPU library does not show its kernels");
  for (const RowKernels* kernels : special_kernels()) {
    const ggml_type type = kernels->type;
    const int64_t n_cols = 4096;
    const std::vector<uint8_t> file = file_rows(type, 5, n_cols);
    std::vector<float> x = random_floats(static_cast<size_t>(n_cols), 7);
    // ggml rounds the activation of half and brain floats; one that is already rounded shows the kernels alone.
    for (float& value : x) value = ggml_bf16_to_fp32(ggml_fp32_to_bf16(value));
    const ggml_type x_type = traits(type)->vec_dot_type;
    std::vector<uint8_t> rounded(ggml_row_size(x_type, n_cols));
    if (x_type == GGML_TYPE_F32) {
      std::memcpy(rounded.data(), x.data(), rounded.size());
    } else {
      traits(x_type)->from_float(x.data(), rounded.data(), n_cols);
    }
    const std::vector<float> out = Packed(*kernels, file, 5, n_cols, x).dot();
    for (size_t i = 0; i < 5; ++i) {
      const uint8_t* row = file.data() + ggml_row_size(type, n_cols) * i;
      float expected = 0;
      traits(type)->vec_dot(static_cast<int>(n_cols), &expected, 0, row, 0, rounded.data(), 0, 1);
      const double magnitude = reference_dot(type, row, n_cols, {x.begin(), x.end()}).magnitude;
      EXPECT(std::fabs(double(out[i]) - expected) <= 1e-6 * magnitude);
    }
  }
}

#endif
