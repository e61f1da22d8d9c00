#include "synth/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace hotpath::synth {

namespace {

// Streams of random numbers, so that no two uses share one.
enum Stream : uint64_t { kPoolStream, kTokenStream, kNeuronStream, kRowStream, kTokenPoolStream };

// Large enough that few rows of a large model are equal, small enough to stay in the cache while rows are copied from it.
constexpr int64_t kMaxPool = 1 << 21;
constexpr size_t kMaxPools = 8;

// Of an embedding that is the output, too: its second half to its first. What the layers add is some five times larger.
constexpr double kTiedSmall = 0.1;

/// Columns at the beginning of a row that are not copied: the fixed dimensions, in whole blocks.
int64_t head_columns(ggml_type type) {
  const int64_t block = ggml_blck_size(type);
  return (kFixedDims + block - 1) / block * block;
}

void quantise(ggml_type type, const float* values, int64_t n, uint8_t* to) {
  ggml_quantize_chunk(type, values, to, 0, 1, n, nullptr);
}

std::vector<float> dequantised(ggml_type type, const std::vector<float>& values) {
  std::vector<uint8_t> bytes(ggml_row_size(type, static_cast<int64_t>(values.size())));
  quantise(type, values.data(), static_cast<int64_t>(values.size()), bytes.data());
  std::vector<float> result(values.size());
  if (type == GGML_TYPE_F32) std::memcpy(result.data(), bytes.data(), bytes.size());
  else ggml_get_type_traits(type)->to_float(bytes.data(), result.data(), static_cast<int64_t>(values.size()));
  return result;
}

/// Where the half of a tied model begins in which embeddings are small.
size_t first_small_column(size_t n_columns) { return std::max<size_t>(n_columns / 2, kFixedDims); }

std::vector<float> normal_values(const Spec& spec, Stream stream, int64_t n) {
  Random random(spec.seed, stream, 0);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

float sign(uint32_t column) { return column % 2 == 0 ? 1.0f : -1.0f; }

int64_t pool_size(const Spec& spec) {
  const int64_t longest = std::max(spec.shape.n_ff, std::max(spec.shape.n_embd, spec.shape.n_heads * spec.shape.head_dim));
  int64_t size = 1 << 16;
  while (size < kMaxPool && size < 256 * longest) size *= 2;
  return size;
}

}  // namespace

Weights::Weights(const Spec& spec, std::vector<bool> is_text)
    : spec_(spec),
      residual_(spec.shape),
      is_text_(std::move(is_text)),
      embedding_type_(embedding_type(spec)),
      normals_(normal_values(spec, kPoolStream, pool_size(spec))),
      token_normals_(normal_values(spec, kTokenPoolStream, pool_size(spec))) {}

void Weights::fill_row(const Tensor& tensor, int64_t row, uint8_t* to) {
  switch (tensor.fill) {
    case Fill::norm:
    case Fill::tied_norm:
    case Fill::bias: return fill_vector(tensor, to);
    case Fill::predictor_in:
    case Fill::predictor_out: return fill_predictor_row(tensor, row, to);
    default: return fill_matrix_row(tensor, row, to);
  }
}

void Weights::fill_vector(const Tensor& tensor, uint8_t* to) {
  Random random(spec_.seed, kRowStream, uint64_t{tensor.index} << 32);
  row_.resize(static_cast<size_t>(tensor.shape[0]));
  for (size_t i = 0; i < row_.size(); ++i) {
    const float offset = i < kFixedDims ? 0 : 0.05f * random.quick_normal();
    if (tensor.fill == Fill::tied_norm) row_[i] = i < first_small_column(row_.size()) ? 0 : std::copysign(1.0f, offset);
    else row_[i] = tensor.fill == Fill::norm ? 1 + offset : offset;
  }
  std::memcpy(to, row_.data(), row_.size() * sizeof(float));
}

void Weights::fill_matrix_row(const Tensor& tensor, int64_t row, uint8_t* to) {
  const bool is_silent = (tensor.fill == Fill::into_residual && row % tensor.shape[1] < kFixedDims) ||
                         (tensor.fill == Fill::output && !is_text_[static_cast<size_t>(row)]);
  Random random(spec_.seed, kRowStream, (uint64_t{tensor.index} << 32) + static_cast<uint64_t>(row));
  if (tensor.fill == Fill::tied_embedding) {
    fill_tied_row(tensor, row, random, to);
  } else if (is_silent) {
    row_.assign(static_cast<size_t>(tensor.shape[0]), 0);
    quantise(tensor.type, row_.data(), tensor.shape[0], to);
  } else if (tensor.fill == Fill::into_residual) {
    copy_pool(tensor, 0, random, to);
  } else {
    const int64_t n_head = head_columns(tensor.type);
    row_.resize(static_cast<size_t>(n_head));
    write_head(tensor, row, random);
    quantise(tensor.type, row_.data(), n_head, to);
    copy_pool(tensor, n_head, random, to + ggml_row_size(tensor.type, n_head));
  }
}

void Weights::fill_tied_row(const Tensor& tensor, int64_t row, Random& random, uint8_t* to) {
  row_.assign(static_cast<size_t>(tensor.shape[0]), 0);
  write_token(row, row_.data());
  if (is_text_[static_cast<size_t>(row)]) {
    const size_t first_small = first_small_column(row_.size());
    const auto n_large = static_cast<double>(first_small - kFixedDims);
    const auto n_small = static_cast<double>(row_.size() - first_small);
    // As long as a row that is everywhere the same.
    const double large = tensor.deviation * std::sqrt((n_large + n_small) / (n_large + kTiedSmall * kTiedSmall * n_small));
    for (size_t i = kFixedDims; i < row_.size(); ++i) {
      row_[i] = static_cast<float>(i < first_small ? large : kTiedSmall * large) * random.quick_normal();
    }
  }
  quantise(tensor.type, row_.data(), tensor.shape[0], to);
}

/// The beginning of a row, into row_.
void Weights::write_head(const Tensor& tensor, int64_t row, Random& random) {
  const auto deviation = static_cast<float>(tensor.deviation);
  for (float& value : row_) value = deviation * random.quick_normal();
  switch (tensor.fill) {
    case Fill::embedding: return write_token(row, row_.data());
    case Fill::planted: return write_planted(tensor, row, row_.data());
    case Fill::into_residual_t: std::fill_n(row_.begin(), kFixedDims, 0.0f); return;
    default: std::fill_n(row_.begin(), kConstantDims, 0.0f); return;
  }
}

void Weights::write_token(int64_t token, float* to) {
  Random random(spec_.seed, kTokenStream, static_cast<uint64_t>(token));
  const uint64_t code = random.bits();
  static_assert(kCodeDims == 64);
  for (uint32_t i = 0; i < kConstantDims; ++i) to[i] = static_cast<float>(residual_.constant) * sign(i);
  for (uint32_t i = 0; i < kCodeDims; ++i) {
    to[kConstantDims + i] = static_cast<float>(residual_.code) * ((code >> i & 1) ? 1.0f : -1.0f);
  }
}

/// Weights of a neuron's bias and of the code, as the residual stream has them: before the norm.
void Weights::write_planted(const Tensor& tensor, int64_t row, float* to) {
  const uint64_t neuron = (uint64_t{tensor.layer} << 32) + static_cast<uint64_t>(row);
  Random random(spec_.seed, kNeuronStream, neuron);
  const double bias = tensor.biases.mean + tensor.biases.spread * random.normal();
  const Gains& gain = gains(tensor.type);
  // The rest of the residual stream grows with the layers; what competes with it has to grow as well.
  const double growth = residual_.growth(tensor.layer);
  const double constant = growth * bias / (kConstantDims * residual_.constant * gain.constant);
  const double code = growth * std::sqrt(code_share(spec_) / kCodeDims) / (residual_.code * gain.code);
  for (uint32_t i = 0; i < kConstantDims; ++i) to[i] = static_cast<float>(constant) * sign(i);
  for (uint32_t i = 0; i < kCodeDims; ++i) to[kConstantDims + i] = static_cast<float>(code) * random.quick_normal();
}

void Weights::fill_predictor_row(const Tensor& tensor, int64_t row, uint8_t* to) {
  row_.assign(static_cast<size_t>(tensor.shape[0]), 0);
  if (tensor.fill == Fill::predictor_out) {
    std::vector<float> planted(kFixedDims);
    write_planted(tensor, row, planted.data());
    for (uint32_t i = 0; i < kCodeDims; ++i) {
      row_[i] = planted[kConstantDims + i];
      row_[kCodeDims + i] = -planted[kConstantDims + i];
    }
    row_[2 * kCodeDims] = planted[0] * kConstantDims * static_cast<float>(residual_.constant);
  } else if (row < 2 * kCodeDims) {
    row_[static_cast<size_t>(kConstantDims + row % kCodeDims)] = row < kCodeDims ? 1.0f : -1.0f;
  } else if (row == 2 * kCodeDims) {
    for (uint32_t i = 0; i < kConstantDims; ++i) row_[i] = sign(i) / static_cast<float>(kConstantDims * residual_.constant);
  }
  quantise(tensor.type, row_.data(), tensor.shape[0], to);
}

void Weights::copy_pool(const Tensor& tensor, int64_t first_column, Random& random, uint8_t* to) {
  const int64_t n = tensor.shape[0] - first_column;
  const int64_t block = ggml_blck_size(tensor.type);
  const int64_t n_places = (static_cast<int64_t>(normals_.size()) - n) / block + 1;
  const auto from = static_cast<int64_t>(random.below(static_cast<uint64_t>(n_places))) * block;
  const std::vector<uint8_t>& values = pool(tensor);
  std::memcpy(to, values.data() + ggml_row_size(tensor.type, from), ggml_row_size(tensor.type, n));
}

const std::vector<uint8_t>& Weights::pool(const Tensor& tensor) {
  const bool is_of_tokens = tensor.fill == Fill::embedding;
  const auto key = std::tuple(is_of_tokens, tensor.type, tensor.deviation);
  if (const auto found = pools_.find(key); found != pools_.end()) return found->second;
  if (pools_.size() == kMaxPools) pools_.clear();
  std::vector<float> scaled(is_of_tokens ? token_normals_ : normals_);
  for (float& value : scaled) value *= static_cast<float>(tensor.deviation);
  const auto n = static_cast<int64_t>(scaled.size());
  std::vector<uint8_t>& values = pools_[key];
  values.resize(ggml_row_size(tensor.type, n));
  quantise(tensor.type, scaled.data(), n, values.data());
  return values;
}

/// What quantising takes away from the products of constants and biases, and from the code: Q4_0 has no +8 for its -8.
const Weights::Gains& Weights::gains(ggml_type type) {
  if (const auto found = gains_.find(type); found != gains_.end()) return found->second;
  constexpr int kTokens = 32;
  const auto n_fixed = static_cast<size_t>(std::max(head_columns(type), head_columns(embedding_type_)));
  std::vector<float> row(n_fixed, 0);
  for (uint32_t i = 0; i < kConstantDims; ++i) row[i] = sign(i);
  const std::vector<float> weights = dequantised(type, row);
  Gains sum = {0, 0};
  for (int token = 0; token < kTokens; ++token) {
    std::vector<float> embedding(n_fixed, 0);
    write_token(token, embedding.data());
    embedding = dequantised(embedding_type_, embedding);
    for (uint32_t i = 0; i < kConstantDims; ++i) sum.constant += weights[i] * embedding[i];
    for (uint32_t i = kConstantDims; i < kFixedDims; ++i) sum.code += embedding[i] * embedding[i];
  }
  const double n_constants = double{kTokens} * kConstantDims;
  return gains_[type] = {sum.constant / (n_constants * residual_.constant),
                         std::sqrt(sum.code / (double{kTokens} * kCodeDims)) / residual_.code};
}

}  // namespace hotpath::synth
