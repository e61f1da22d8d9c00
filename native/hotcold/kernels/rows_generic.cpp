// The row kernels in plain C++: what a machine without a known instruction set runs, and what all others are compared with.
#include "hotcold/kernels/rows_activation.h"
#include "hotcold/kernels/rows_layout.h"
#include "hotcold/kernels/rows_table.h"

namespace hotpath::hotcold {

namespace {

template <class Format>
struct QuantDot {
  /// Lane by lane: an exact integer sum, then one float product.
  static float dot(const uint8_t* row, int64_t n_cols, const uint8_t* activation) {
    const Layout<Format> layout(n_cols);
    const auto* scales = reinterpret_cast<const float*>(activation + layout.activation_scales);
    const auto* offsets = reinterpret_cast<const int32_t*>(activation + layout.activation_offsets);
    float sum = 0;
    for (int64_t lane = 0; lane < n_cols / Format::kLaneCols; ++lane) {
      const int64_t chunk = lane / kLanes, width = layout.width(chunk), place = lane % kLanes;
      uint8_t values[Format::kLaneCols];
      Format::get(row + chunk * layout.kChunkBytes, width, place, values);
      const auto* x = reinterpret_cast<const int8_t*>(activation) + chunk * layout.kChunkCols + place * 4;
      int32_t product = 0;
      for (int64_t k = 0; k < Format::kLaneCols / 4; ++k) {
        for (int64_t i = 0; i < 4; ++i) product += (values[4 * k + i] - Format::kZeroPoint) * x[k * width * 4 + i];
      }
      const uint8_t* record = row + layout.row_scales + chunk * Format::kScaleBytes;
      float value = static_cast<float>(product) * Format::scale(record, place);
      if constexpr (Format::kHasMinimum) value -= static_cast<float>(offsets[lane]) * Format::minimum(record, place);
      sum += value * scales[lane];
    }
    return sum;
  }
};

template <class Format>
struct FloatDot {
  static float dot(const uint8_t* row, int64_t n_cols, const uint8_t* activation) {
    const auto* x = reinterpret_cast<const float*>(activation);
    float sum = 0;
    for (int64_t i = 0; i < n_cols; ++i) sum += Format::value(row + i * Format::kBytes) * x[i];
    return sum;
  }
};

template <class Dot>
struct Loops {
  static const uint8_t* row(const RowMatrix& rows, int64_t index) {
    return rows.data + static_cast<size_t>(index) * rows.stride;
  }

  static void multiply(const RowMatrix& rows, int64_t first, int64_t count, const void* activations,
                       size_t activation_stride, int64_t n_tokens, float* out, int64_t out_stride) {
    const auto* activation = static_cast<const uint8_t*>(activations);
    for (int64_t t = 0; t < n_tokens; ++t, activation += activation_stride, out += out_stride) {
      for (int64_t i = 0; i < count; ++i) out[i] = Dot::dot(row(rows, first + i), rows.n_cols, activation);
    }
  }
  static void multiply_listed(const RowMatrix& rows, const int32_t* list, int64_t count, const void* activations,
                              size_t activation_stride, int64_t n_tokens, float* out, int64_t out_stride) {
    const auto* activation = static_cast<const uint8_t*>(activations);
    for (int64_t t = 0; t < n_tokens; ++t, activation += activation_stride, out += out_stride) {
      for (int64_t i = 0; i < count; ++i) out[i] = Dot::dot(row(rows, list[i]), rows.n_cols, activation);
    }
  }
  static void dot(const RowMatrix& rows, int64_t first, int64_t count, const void* activation, float* out) {
    multiply(rows, first, count, activation, 0, 1, out, 0);
  }
  static void dot_listed(const RowMatrix& rows, const int32_t* list, int64_t count, const void* activation, float* out) {
    multiply_listed(rows, list, count, activation, 0, 1, out, 0);
  }

  static void fill(RowKernels& kernels) {
    kernels.dot = dot;
    kernels.dot_listed = dot_listed;
    kernels.multiply = multiply;
    kernels.multiply_listed = multiply_listed;
  }
};

template <class Format>
void fill_quantised(RowKernels& kernels) {
  kernels.pack_activation = pack_activation<Format>;
  Loops<QuantDot<Format>>::fill(kernels);
}

template <class Format>
void fill_floats(RowKernels& kernels) {
  kernels.pack_activation = pack_float_activation<Format>;
  Loops<FloatDot<Format>>::fill(kernels);
}

}  // namespace

void fill_row_kernels_generic(RowKernels& kernels) {
  switch (kernels.type) {
    case GGML_TYPE_F32: return fill_floats<F32>(kernels);
    case GGML_TYPE_F16: return fill_floats<F16>(kernels);
    case GGML_TYPE_BF16: return fill_floats<BF16>(kernels);
    case GGML_TYPE_Q8_0: return fill_quantised<Q8_0>(kernels);
    case GGML_TYPE_Q4_0: return fill_quantised<Q4_0>(kernels);
    case GGML_TYPE_Q4_K: return fill_quantised<Q4_K>(kernels);
    case GGML_TYPE_Q6_K: return fill_quantised<Q6_K>(kernels);
    default: return;
  }
}

}  // namespace hotpath::hotcold
