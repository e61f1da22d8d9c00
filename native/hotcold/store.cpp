#include "hotcold/store.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <numeric>

#include "ggml-backend-impl.h"
#include "hotcold/buffer.h"
#include "hotcold/hot_half.h"

namespace hotpath::hotcold {

const char* mode_name(Mode mode) {
  switch (mode) {
    case Mode::automatic: return "auto";
    case Mode::dense: return "dense";
    case Mode::exact: return "exact";
    case Mode::predicted: return "predicted";
    case Mode::threshold: return "threshold";
  }
  return "";
}

std::optional<Mode> mode_by_name(std::string_view name) {
  for (const Mode mode : {Mode::automatic, Mode::dense, Mode::exact, Mode::predicted, Mode::threshold}) {
    if (name == mode_name(mode)) return mode;
  }
  return std::nullopt;
}

std::optional<WeightName> parse_weight_name(std::string_view name) {
  const auto skip = [&name](std::string_view text) {
    if (!name.starts_with(text)) return false;
    name.remove_prefix(text.size());
    return true;
  };
  WeightName parsed = {};
  if (!skip("blk.")) return {};
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), parsed.layer);
  if (failure != std::errc() || parsed.layer < 0) return {};
  name.remove_prefix(static_cast<size_t>(end - name.data()));
  if (skip(".ffn_gate")) {
    parsed.part = Part::gate;
  } else if (skip(".ffn_up")) {
    parsed.part = Part::up;
  } else if (skip(".ffn_down")) {
    parsed.part = Part::down;
  } else {
    return {};
  }
  parsed.experts = skip("_exps");
  parsed.bias = name == ".bias";
  if (!parsed.bias && name != ".weight") return {};
  return parsed;
}

bool is_plain_matrix(std::string_view name) {
  if (name == "output.weight") return true;
  if (!name.starts_with("blk.")) return false;
  name.remove_prefix(std::min(name.find('.', 4), name.size()));
  for (const std::string_view known : {".attn_q.weight", ".attn_k.weight", ".attn_v.weight", ".attn_qkv.weight", ".attn_output.weight"}) {
    if (name == known) return true;
  }
  return false;
}

uint64_t Stats::neurons() const {
  return std::accumulate(layers.begin(), layers.end(), uint64_t{0}, [](uint64_t n, const auto& layer) { return n + layer.neurons; });
}

uint64_t Stats::active() const {
  return std::accumulate(layers.begin(), layers.end(), uint64_t{0}, [](uint64_t n, const auto& layer) { return n + layer.active; });
}

void Store::reset_stats() {
  stats_ = {0, 0, std::vector<LayerStats>(layers_.size())};
  for (size_t i = 0; i < layers_.size(); ++i) stats_.layers[i].is_distrusted = layers_[i].is_distrusted;
}

Store::Store(Isa isa) : isa_(isa), buffer_type_(make_buffer_type(*this)) {}

Store::~Store() = default;

Layer& Store::layer(int index) {
  while (layers_.size() <= static_cast<size_t>(index)) layers_.emplace_back();
  stats_.layers.resize(layers_.size());
  return layers_[index];
}

std::vector<float>& Store::bias_of(const WeightName& name) {
  Layer& found = layer(name.layer);
  return name.part == Part::gate ? found.gate_bias : name.part == Part::up ? found.up_bias : found.down_bias;
}

Store::Weight& Store::add_weight(const ggml_tensor* tensor) {
  const uint8_t* packed = nullptr;
  const auto rows = [&] {
    const RowKernels* kernels = row_kernels(tensor->type, isa_);
    CHECK(kernels);
    packed = sidecar_ ? sidecar_->find(tensor, *kernels) : nullptr;
    return Rows(*kernels, tensor->ne[0], tensor->ne[1], tensor->ne[2], packed);
  };
  Rows plain;
  const auto name = parse_weight_name(tensor->name);
  if (!name || is_plain_) {
    CHECK(name ? !name->bias : is_plain_matrix(tensor->name));
    plain = rows();
  } else if (name->bias) {
    CHECK(tensor->type == GGML_TYPE_F32);
    bias_of(*name).resize(tensor->ne[0]);
  } else if (name->part == Part::down) {
    const DownKernels* kernels = down_kernels(tensor->type, DownScales::across_neurons, isa_);
    CHECK(kernels);
    Down& down = layer(name->layer).down;
    if (!down) {
      packed = sidecar_ ? sidecar_->find(tensor, *kernels) : nullptr;
      down = Down(*kernels, tensor->ne[0], tensor->ne[1], tensor->ne[2], packed);
    }
  } else {
    rows_of(*name) = rows();
  }
  if (sidecar_ && !(name && name->bias)) {
    ++found_.matrices;
    found_.missing += packed == nullptr;
    found_.missing_bytes += packed ? 0 : ggml_nbytes(tensor);
  }
  return weights_.emplace_back(Weight{*this, name.value_or(WeightName{}), std::move(plain), packed != nullptr, {}});
}

void Store::write(Weight& weight, const ggml_tensor* tensor, const void* data, size_t offset, size_t n) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  const size_t total = ggml_nbytes(tensor);
  CHECK(offset <= total && n <= total - offset);
  if (weight.is_mapped) return;
  if (n == total) {
    pack(weight, bytes);
    if (is_source_mapped_) let_go_of_mapped_file(bytes, n);
    return;
  }
  if (weight.pending.empty()) {
    weight.pending.resize(total);
    unpack(weight, weight.pending.data());
  }
  std::memcpy(weight.pending.data() + offset, bytes, n);
  // Pieces come in order; packing only at the end spares packing the whole for each of them.
  if (offset + n < total) return;
  pack(weight, weight.pending.data());
  weight.pending = {};
}

void Store::read(const Weight& weight, const ggml_tensor* tensor, void* data, size_t offset, size_t n) {
  const size_t total = ggml_nbytes(tensor);
  CHECK(offset <= total && n <= total - offset);
  if (n == total && weight.pending.empty()) return unpack(weight, static_cast<uint8_t*>(data));
  std::vector<uint8_t> whole = weight.pending;
  if (whole.empty()) {
    whole.resize(total);
    unpack(weight, whole.data());
  }
  std::memcpy(data, whole.data() + offset, n);
}

void Store::pack(Weight& weight, const uint8_t* from) {
  const WeightName& name = weight.name;
  if (weight.plain) {
    weight.plain.pack(from, packing_threads_);
  } else if (name.bias) {
    std::vector<float>& bias = bias_of(name);
    std::memcpy(bias.data(), from, bias.size() * sizeof(float));
  } else if (name.part == Part::down) {
    layer(name.layer).down.pack(from, packing_threads_);
  } else {
    rows_of(name).pack(from, packing_threads_);
  }
}

void Store::unpack(const Weight& weight, uint8_t* to) {
  const WeightName& name = weight.name;
  if (weight.plain) {
    weight.plain.unpack(to);
  } else if (name.bias) {
    const std::vector<float>& bias = bias_of(name);
    std::memcpy(to, bias.data(), bias.size() * sizeof(float));
  } else if (name.part == Part::down) {
    // What is stored transposed is not what llama.cpp knows as this tensor, not even in size.
    CHECK(layer(name.layer).down.kernels().scales == DownScales::across_neurons);
    layer(name.layer).down.unpack(to);
  } else {
    rows_of(name).unpack(to);
  }
}

void Store::set_hot_half(std::unique_ptr<HotHalf> hot) { hot_ = std::move(hot); }

bool Store::is_first_layer(int index) const {
  return std::none_of(layers_.begin(), layers_.begin() + index, [](const Layer& layer) { return bool(layer.up); });
}

void SizeHistogram::add(float value) {
  counts_[(std::bit_cast<uint32_t>(value) & 0x7fffffff) >> kShift].fetch_add(1, std::memory_order_relaxed);
}

float SizeHistogram::quantile(double share) const {
  const double total = std::accumulate(counts_.begin(), counts_.end(), 0.0);
  double seen = 0;
  for (uint32_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > share * total) return std::bit_cast<float>(i << kShift);
  }
  return 0;
}

void Store::begin_calibration() {
  for (Layer& layer : layers_) layer.silence = 0;
  histograms_.clear();
  for (size_t i = 0; i < layers_.size(); ++i) histograms_.emplace_back();
}

void Store::end_calibration(double silent_share) {
  for (size_t i = 0; i < histograms_.size(); ++i) layers_[i].silence = histograms_[i].quantile(silent_share);
  histograms_.clear();
}

Result<Done> Store::set_down_transposed(int index, ggml_type type, int64_t n_ff, int64_t n_embd, const void* data) {
  const DownKernels* kernels = down_kernels(type, DownScales::along_output, isa_);
  if (!kernels || n_ff % kernels->group != 0 || n_embd % kernels->embd_multiple != 0) {
    return Error{ErrorCode::model_unsupported,
                 format_text("blk.%d.ffn_down_t: %s of %lld x %lld cannot be computed", index, ggml_type_name(type),
                             static_cast<long long>(n_embd), static_cast<long long>(n_ff)),
                 {}};
  }
  Down& down = layer(index).down;
  down = Down(*kernels, n_ff, n_embd, 1);
  down.pack(static_cast<const uint8_t*>(data), packing_threads_);
  return Done{};
}

Result<Done> Store::set_predictor(int index, const PredictorData& data) {
  const RowKernels* first = row_kernels(data.fc1_type, isa_);
  const RowKernels* second = row_kernels(data.fc2_type, isa_);
  if (!first || !second || data.n_embd % first->block != 0 || data.rank % second->block != 0) {
    return Error{ErrorCode::model_unsupported,
                 format_text("blk.%d: a predictor of %s and %s with rank %lld cannot be computed", index,
                             ggml_type_name(data.fc1_type), ggml_type_name(data.fc2_type), static_cast<long long>(data.rank)),
                 {}};
  }
  Predictor predictor = {Rows(*first, data.n_embd, data.rank, 1), Rows(*second, data.rank, data.n_ff, 1), data.threshold};
  predictor.fc1.pack(static_cast<const uint8_t*>(data.fc1), packing_threads_);
  predictor.fc2.pack(static_cast<const uint8_t*>(data.fc2), packing_threads_);
  layer(index).predictor = std::move(predictor);
  return Done{};
}

}  // namespace hotpath::hotcold
