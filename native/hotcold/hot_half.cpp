#include "hotcold/hot_half.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/log.h"

namespace hotpath::hotcold {

namespace {

std::optional<FfnForm> device_form(const NeuronForm& form) {
  switch (form.function) {
    case NeuronFunction::relu: return !form.gated ? FfnForm::relu : form.up_relu ? FfnForm::gated_drelu : FfnForm::gated_relu;
    case NeuronFunction::relu_squared: return form.gated ? std::optional<FfnForm>() : FfnForm::relu_squared;
    case NeuronFunction::silu: return form.gated ? FfnForm::gated_silu : FfnForm::silu;
    case NeuronFunction::gelu: return form.gated ? FfnForm::gated_gelu : FfnForm::gelu;
    default: return {};
  }
}

/// The rows of these neurons, in ggml's layout.
std::vector<uint8_t> copy_rows(const Rows& rows, std::span<const int32_t> neurons) {
  const size_t stride = ggml_row_size(rows.kernels().type, rows.n_cols());
  std::vector<uint8_t> copies(neurons.size() * stride);
  for (size_t i = 0; i < neurons.size(); ++i) {
    const RowMatrix matrix = rows.matrix();
    rows.kernels().unpack(matrix.data + neurons[i] * matrix.stride, rows.n_cols(), copies.data() + i * stride);
  }
  return copies;
}

std::vector<float> copy_biases(const std::vector<float>& biases, std::span<const int32_t> neurons) {
  if (biases.empty()) return {};
  std::vector<float> copies(neurons.size());
  std::transform(neurons.begin(), neurons.end(), copies.begin(), [&](int32_t neuron) { return biases[neuron]; });
  return copies;
}

}  // namespace

std::optional<HotLayer> hot_layer_for(const Layer& layer, const NeuronForm& form, int64_t n_groups) {
  const auto known = device_form(form);
  if (!known || !layer.up || layer.up.n_experts() != 1 || form.gated != bool(layer.gate)) return {};
  HotLayer hot;
  hot.n_embd = layer.up.n_cols();
  hot.n_groups = n_groups;
  hot.form = *known;
  hot.up_type = layer.up.kernels().type;
  hot.gate_type = form.gated ? layer.gate.kernels().type : hot.up_type;
  // What is quantised loses nothing that counts, and takes the memory that a plan reckons with.
  if (ggml_is_quantized(layer.down.kernels().type)) hot.down_type = GGML_TYPE_Q8_0;
  hot.has_bias = !layer.gate_bias.empty() || !layer.up_bias.empty();
  return hot;
}

void PromptBalance::note(double cpu_s, double device_s, double spared) {
  lost_s_ = std::max(0.0, lost_s_ + std::min(device_s - cpu_s * spared, kMostLostByRunS));
}

HotHalf::HotHalf(Store& store, std::unique_ptr<HotUnit> unit, int64_t max_tokens)
    : store_(store), unit_(std::move(unit)), max_tokens_(max_tokens), layers_(store.n_layers()) {
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].is_hot.resize(store.layer(static_cast<int>(i)).up.n_rows());
    layers_[i].groups.resize(unit_->layer(i).n_groups);
  }
}

Result<Done> HotHalf::assign(int index, int64_t group, std::span<const int32_t> neurons) {
  const Layer& layer = store_.layer(index);
  Assigned& assigned = layers_[index];
  CHECK(static_cast<int64_t>(neurons.size()) <= kHotGroup);
  Group& slots = assigned.groups[group];
  for (const int32_t neuron : slots.neurons) assigned.is_hot[neuron] = 0;
  assigned.n_hot -= static_cast<int64_t>(slots.neurons.size());
  slots.neurons.clear();
  assigned.n_unknown += std::exchange(slots.is_known, false);

  const std::vector<uint8_t> up = copy_rows(layer.up, neurons);
  const std::vector<uint8_t> gate = layer.gate ? copy_rows(layer.gate, neurons) : std::vector<uint8_t>();
  const std::vector<float> up_bias = copy_biases(layer.up_bias, neurons);
  const std::vector<float> gate_bias = copy_biases(layer.gate_bias, neurons);
  std::vector<float> down(neurons.size() * layer.down.n_embd());
  for (size_t i = 0; i < neurons.size(); ++i) layer.down.copy_column(neurons[i], down.data() + i * layer.down.n_embd());

  HotNeurons data;
  data.count = static_cast<int64_t>(neurons.size());
  data.up = up.data();
  data.gate = gate.empty() ? nullptr : gate.data();
  data.down = down.data();
  data.up_bias = up_bias.empty() ? nullptr : up_bias.data();
  data.gate_bias = gate_bias.empty() ? nullptr : gate_bias.data();
  if (auto done = unit_->upload(index, group, data); !done) return done;

  assigned.n_unknown -= !std::exchange(slots.is_known, true);
  for (const int32_t neuron : neurons) {
    CHECK(!assigned.is_hot[neuron]);
    assigned.is_hot[neuron] = 1;
  }
  slots.neurons.assign(neurons.begin(), neurons.end());
  assigned.n_hot += static_cast<int64_t>(neurons.size());
  return Done{};
}

Result<Done> HotHalf::resize(int index, int64_t n_groups) {
  Assigned& assigned = layers_[index];
  std::fill(assigned.is_hot.begin(), assigned.is_hot.end(), 0);
  assigned.n_hot = 0;
  assigned.n_unknown = 0;
  auto done = unit_->resize(index, n_groups);
  assigned.groups.assign(unit_->layer(index).n_groups, {});
  return done;
}

std::span<const uint8_t> HotHalf::hot_neurons(int layer, int64_t n_tokens) const {
  if (layers_[layer].n_hot == 0 || layers_[layer].n_unknown > 0 || n_tokens > max_tokens_) return {};
  if (n_tokens > kFewTokens && !prompts_.pays()) return {};
  return layers_[layer].is_hot;
}

void HotHalf::note_prompt(double cpu_s, double device_s, double spared) {
  if (!prompts_.pays()) return;
  prompts_.note(cpu_s, device_s, spared);
  if (!prompts_.pays()) log(LogLevel::info, "hot/cold: " + unit_->name() + " takes longer for prompts than the CPU alone, which computes them from now on");
}

Result<Done> HotHalf::start(int layer, std::span<const float* const> x, int64_t n_embd) {
  n_embd_ = n_embd;
  exchange_.resize(x.size() * n_embd);
  for (size_t i = 0; i < x.size(); ++i) std::memcpy(exchange_.data() + i * n_embd, x[i], n_embd * sizeof(float));
  return unit_->start(layer, exchange_.data(), static_cast<int64_t>(x.size()));
}

Result<Done> HotHalf::add_to(std::span<float* const> y) {
  if (auto done = unit_->wait(exchange_.data()); !done) return done;
  for (size_t i = 0; i < y.size(); ++i) {
    const float* part = exchange_.data() + i * n_embd_;
    for (int64_t e = 0; e < n_embd_; ++e) y[i][e] += part[e];
  }
  return Done{};
}

Result<uint64_t> HotHalf::append_active(int index, std::span<std::vector<int32_t>> active) {
  const int64_t n_slots = unit_->layer(index).n_slots();
  activations_.resize(active.size() * n_slots);
  if (auto done = unit_->read_activations(activations_); !done) return done.error();
  uint64_t n = 0;
  for (size_t token = 0; token < active.size(); ++token) {
    std::vector<int32_t>& list = active[token];
    const auto n_before = static_cast<ptrdiff_t>(list.size());
    const float* values = activations_.data() + token * n_slots;
    for (const Group& group : layers_[index].groups) {
      for (size_t i = 0; i < group.neurons.size(); ++i) {
        if (values[i] != 0) list.push_back(group.neurons[i]);
      }
      values += kHotGroup;
    }
    std::sort(list.begin() + n_before, list.end());
    std::inplace_merge(list.begin(), list.begin() + n_before, list.end());
    n += list.size() - static_cast<size_t>(n_before);
  }
  return n;
}

}  // namespace hotpath::hotcold
