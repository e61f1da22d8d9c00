#include "float_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/file.h"
#include "test.h"

namespace hotpath::test {

FloatModel::FloatModel(const std::string& path) {
  const auto file = ReadFile::open(path);
  if (!file) throw Failure(file.error().message);
  const ByteSource source = file_source(path, *file);
  auto header = read_gguf_header(source);
  if (!header) throw Failure(header.error().message);
  header_ = std::move(*header);
  architecture_ = *header_.text("general.architecture");
  n_layers_ = static_cast<uint32_t>(key("block_count", 0));
  n_embd_ = static_cast<uint32_t>(key("embedding_length", 0));
  n_heads_ = static_cast<uint32_t>(key("attention.head_count", 0));
  n_kv_heads_ = static_cast<uint32_t>(key("attention.head_count_kv", n_heads_));
  head_dim_ = static_cast<uint32_t>(key("attention.key_length", n_embd_ / n_heads_));
  n_ff_ = static_cast<uint32_t>(key("feed_forward_length", 0));
  threshold_ = static_cast<float>(header_.number("powerinfer.sparse_threshold").value_or(0));
  read_tensors(source, header_);
  n_vocab_ = static_cast<uint32_t>(weights("token_embd.weight").size() / n_embd_);
  is_transposed_ = has("blk.0.ffn_down_t.weight");
  if (is_transposed_ || header_.text("hotpath.ffn_activation")) activation_ = FfnActivation::relu;
  if (architecture_ == "arcee") activation_ = FfnActivation::relu_squared;
}

uint64_t FloatModel::key(const char* name, uint64_t fallback) const { return header_.count(architecture_ + "." + name).value_or(fallback); }

void FloatModel::read_tensors(const ByteSource& source, const GgufHeader& header) {
  for (const GgufTensor& tensor : header.tensors) {
    std::vector<uint8_t> bytes(tensor.bytes);
    if (!source.read(header.header_bytes + tensor.offset, bytes.data(), bytes.size())) throw Failure("cannot read " + tensor.name);
    Vector& values = tensors_[tensor.name];
    values.resize(tensor.elements());
    if (tensor.type == GGML_TYPE_F32) std::memcpy(values.data(), bytes.data(), bytes.size());
    else ggml_get_type_traits(tensor.type)->to_float(bytes.data(), values.data(), static_cast<int64_t>(values.size()));
  }
}

const FloatModel::Vector& FloatModel::weights(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw Failure("there is no tensor " + name);
  return found->second;
}

FloatModel::Vector FloatModel::normed(const Vector& x, const std::string& name) const {
  const auto n = static_cast<double>(x.size());
  const bool is_layer_norm = has(name + ".bias");
  double mean = 0;
  if (is_layer_norm) {
    for (const float value : x) mean += value / n;
  }
  double square = 0;
  for (const float value : x) square += (value - mean) * (value - mean) / n;
  const double scale = 1 / std::sqrt(square + 1e-5);
  const Vector& weight = weights(name + ".weight");
  Vector y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = static_cast<float>((x[i] - mean) * scale * weight[i]);
  return biased(std::move(y), name + ".bias");
}

FloatModel::Vector FloatModel::product(const Vector& x, const std::string& name) const {
  const Vector& weight = weights(name);
  Vector y(weight.size() / x.size());
  for (size_t row = 0; row < y.size(); ++row) {
    float sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += weight[row * x.size() + i] * x[i];
    y[row] = sum;
  }
  return y;
}

/// As it is when there is no such bias.
FloatModel::Vector FloatModel::biased(Vector x, const std::string& name) const {
  if (!has(name)) return x;
  const Vector& bias = weights(name);
  for (size_t i = 0; i < x.size(); ++i) x[i] += bias[i];
  return x;
}

void FloatModel::rotate(float* head, size_t position) const {
  const bool halves = architecture_ == "falcon";
  for (uint32_t i = 0; i < head_dim_ / 2; ++i) {
    const double angle = static_cast<double>(position) * std::pow(10000.0, -2.0 * i / head_dim_);
    float& a = head[halves ? i : 2 * i];
    float& b = head[halves ? i + head_dim_ / 2 : 2 * i + 1];
    const double x = a * std::cos(angle) - b * std::sin(angle);
    b = static_cast<float>(a * std::sin(angle) + b * std::cos(angle));
    a = static_cast<float>(x);
  }
}

FloatModel::Vector FloatModel::attention(const Vector& h, size_t position, const std::string& prefix, std::vector<Vector>& keys,
                                         std::vector<Vector>& values) const {
  Vector q, k, v;
  if (has(prefix + "attn_qkv.weight")) {
    const Vector all = product(h, prefix + "attn_qkv.weight");
    const auto q_end = all.begin() + n_heads_ * head_dim_;
    const auto k_end = q_end + n_kv_heads_ * head_dim_;
    q.assign(all.begin(), q_end);
    k.assign(q_end, k_end);
    v.assign(k_end, all.end());
  } else {
    q = biased(product(h, prefix + "attn_q.weight"), prefix + "attn_q.bias");
    k = biased(product(h, prefix + "attn_k.weight"), prefix + "attn_k.bias");
    v = biased(product(h, prefix + "attn_v.weight"), prefix + "attn_v.bias");
  }
  if (architecture_ != "opt") {
    for (uint32_t head = 0; head < n_heads_; ++head) rotate(&q[head * head_dim_], position);
    for (uint32_t head = 0; head < n_kv_heads_; ++head) rotate(&k[head * head_dim_], position);
  }
  keys.push_back(std::move(k));
  values.push_back(std::move(v));
  return biased(product(attend(q, keys, values), prefix + "attn_output.weight"), prefix + "attn_output.bias");
}

FloatModel::Vector FloatModel::attend(const Vector& q, const std::vector<Vector>& keys, const std::vector<Vector>& values) const {
  Vector y(q.size(), 0);
  for (uint32_t head = 0; head < n_heads_; ++head) {
    const size_t from = size_t{head} / (n_heads_ / n_kv_heads_) * head_dim_;
    std::vector<double> scores(keys.size());
    for (size_t t = 0; t < keys.size(); ++t) {
      for (uint32_t i = 0; i < head_dim_; ++i) scores[t] += double(q[head * head_dim_ + i]) * keys[t][from + i];
      scores[t] /= std::sqrt(double(head_dim_));
    }
    const double highest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - highest);
    for (size_t t = 0; t < keys.size(); ++t) {
      for (uint32_t i = 0; i < head_dim_; ++i) y[head * head_dim_ + i] += static_cast<float>(scores[t] / sum * values[t][from + i]);
    }
  }
  return y;
}

float FloatModel::neuron(float gate, float up) const {
  switch (activation_) {
    case FfnActivation::silu: return gate / (1 + std::exp(-gate)) * up;
    case FfnActivation::relu: return std::max(gate, 0.0f) * up;
    default: return gate > 0 ? gate * gate * up : 0;
  }
}

FloatModel::Vector FloatModel::ffn(const Vector& h, const Vector& residual, uint32_t layer) {
  const std::string prefix = "blk." + std::to_string(layer) + ".";
  Vector gate, up;
  if (has(prefix + "ffn_gate.weight")) {
    gate = product(h, prefix + "ffn_gate.weight");
    up = product(h, prefix + "ffn_up.weight");
  } else {
    gate = biased(product(h, prefix + "ffn_up.weight"), prefix + "ffn_up.bias");
    up.assign(gate.size(), 1);
  }
  Vector predicted;
  if (has(prefix + "fc1.weight")) {
    Vector hidden = product(residual, prefix + "fc1.weight");
    for (float& value : hidden) value = std::max(value, 0.0f);
    predicted = product(hidden, prefix + "fc2.weight");
  }
  const Vector& down = weights(prefix + (is_transposed_ ? "ffn_down_t.weight" : "ffn_down.weight"));
  Vector y(n_embd_, 0);
  for (uint32_t i = 0; i < n_ff_; ++i) {
    if (architecture_ == "bamboo") up[i] = std::max(up[i], 0.0f);
    const bool is_found = !predicted.empty() && predicted[i] >= threshold_;
    activity_[layer][i] += gate[i] > 0;
    n_active_ += gate[i] > 0;
    found_ += gate[i] > 0 && is_found;
    if (layer < n_predicted_layers_ && !is_found) continue;
    const float value = neuron(gate[i], up[i]);
    for (uint32_t e = 0; e < n_embd_; ++e) y[e] += value * (is_transposed_ ? down[size_t{i} * n_embd_ + e] : down[size_t{e} * n_ff_ + i]);
  }
  return biased(std::move(y), prefix + (is_transposed_ ? "ffn_down_t.bias" : "ffn_down.bias"));
}

std::vector<float> FloatModel::logits(std::span<const int32_t> tokens) {
  activity_.assign(n_layers_, std::vector<uint32_t>(n_ff_, 0));
  n_active_ = found_ = 0;
  std::vector<std::vector<Vector>> keys(n_layers_), values(n_layers_);
  const auto add = [](Vector& x, const Vector& y) { std::transform(x.begin(), x.end(), y.begin(), x.begin(), std::plus<float>()); };
  Vector x;
  for (size_t position = 0; position < tokens.size(); ++position) {
    const auto embedding = weights("token_embd.weight").begin() + static_cast<ptrdiff_t>(tokens[position]) * n_embd_;
    x.assign(embedding, embedding + n_embd_);
    for (uint32_t i = 0; architecture_ == "opt" && i < n_embd_; ++i) x[i] += weights("position_embd.weight")[(position + 2) * n_embd_ + i];
    for (uint32_t layer = 0; layer < n_layers_; ++layer) {
      const std::string prefix = "blk." + std::to_string(layer) + ".";
      const Vector h = normed(x, prefix + "attn_norm");
      const Vector input = x;
      add(x, attention(has(prefix + "attn_norm_2.weight") ? normed(x, prefix + "attn_norm_2") : h, position, prefix, keys[layer], values[layer]));
      add(x, architecture_ == "falcon" ? ffn(h, input, layer) : ffn(normed(x, prefix + "ffn_norm"), x, layer));
    }
  }
  return product(normed(x, "output_norm"), has("output.weight") ? "output.weight" : "token_embd.weight");
}

}  // namespace hotpath::test
