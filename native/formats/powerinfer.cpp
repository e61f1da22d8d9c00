#include "formats/powerinfer.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <unordered_map>

namespace hotpath {

namespace {

constexpr uint64_t kMaxLayers = 512;
constexpr uint64_t kMaxWidth = 1 << 20;

struct ArchName {
  const char* name;
  PowerInferArch arch;
};

constexpr std::array<ArchName, 4> kArchNames = {{
    {"llama", PowerInferArch::llama},
    {"bamboo", PowerInferArch::bamboo},
    {"falcon", PowerInferArch::falcon},
    {"opt", PowerInferArch::opt},
}};

// Integer types were 16 to 18 when these files were made and are 24 to 26 today; only what kept its number is believed.
constexpr std::array kTypes = {GGML_TYPE_F32,  GGML_TYPE_F16,  GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1,
                               GGML_TYPE_Q8_0, GGML_TYPE_Q2_K, GGML_TYPE_Q3_K, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K};

/// Thrown within this file only; read_powerinfer turns it into a Result.
struct Refused {
  ErrorCode code;
  std::string what;
};

class Reader {
 public:
  explicit Reader(const GgufHeader& header) : header_(header) {
    for (const GgufTensor& tensor : header.tensors) tensors_.emplace(tensor.name, &tensor);
  }

  PowerInferModel read() {
    model_.arch = find_arch();
    model_.n_embd = static_cast<uint32_t>(count("embedding_length", kMaxWidth));
    model_.n_ff = static_cast<uint32_t>(count("feed_forward_length", kMaxWidth));
    model_.n_positions = static_cast<uint32_t>(count("context_length", INT32_MAX));
    model_.threshold = static_cast<float>(header_.number("powerinfer.sparse_threshold").value_or(0));
    const uint64_t n_layers = count("block_count", kMaxLayers);
    const uint64_t n_heads = count("attention.head_count", kMaxWidth);
    const uint64_t n_kv_heads = header_.count(key("attention.head_count_kv")).value_or(n_heads);
    if (n_kv_heads == 0 || n_kv_heads > n_heads || model_.n_embd % n_heads != 0) {
      corrupt(format_text("%" PRIu64 " heads, %" PRIu64 " of them for keys, at a width of %u", n_heads, n_kv_heads, model_.n_embd));
    }
    n_kv_ = static_cast<int64_t>(model_.n_embd / n_heads * n_kv_heads);
    for (uint64_t layer = 0; layer < n_layers; ++layer) read_layer(layer);
    read_ends();
    return std::move(model_);
  }

 private:
  [[noreturn]] static void corrupt(std::string what) { throw Refused{ErrorCode::model_corrupt, std::move(what)}; }

  std::string key(const char* name) const { return *header_.text("general.architecture") + "." + name; }

  uint64_t count(const char* name, uint64_t most) const {
    const auto value = header_.count(key(name));
    if (!value || *value == 0 || *value > most) corrupt(key(name) + (value ? format_text(" is %" PRIu64, *value) : std::string(" is missing")));
    return *value;
  }

  PowerInferArch find_arch() const {
    const std::string* name = header_.text("general.architecture");
    if (!name) corrupt("general.architecture is missing");
    for (const ArchName& known : kArchNames) {
      if (known.name == *name) return known.arch;
    }
    throw Refused{ErrorCode::model_unsupported, "PowerInfer has no models of architecture " + *name};
  }

  const GgufTensor* find(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : found->second;
  }

  void check(const GgufTensor& tensor, int64_t columns, int64_t rows) const {
    if (std::find(kTypes.begin(), kTypes.end(), tensor.type) == kTypes.end()) {
      throw Refused{ErrorCode::model_unsupported, tensor.name + ": type " + std::to_string(tensor.type) + " meant something else in PowerInfer"};
    }
    if (tensor.shape[0] == columns && tensor.shape[1] == rows && tensor.shape[2] == 1 && tensor.shape[3] == 1) return;
    corrupt(format_text("tensor %s: expected %" PRId64 " x %" PRId64 ", file has %" PRId64 " x %" PRId64, tensor.name.c_str(), columns,
                        rows, tensor.shape[0], tensor.shape[1]));
  }

  const GgufTensor& require(const std::string& name, int64_t columns, int64_t rows) const {
    const GgufTensor* tensor = find(name);
    if (!tensor) corrupt("tensor " + name + " is missing");
    check(*tensor, columns, rows);
    return *tensor;
  }

  void vector(const std::string& name, int64_t length) const { require(name, length, 1); }

  void read_layer(uint64_t index) {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    const int64_t n_embd = model_.n_embd;
    const int64_t n_ff = model_.n_ff;
    read_attention(prefix);
    if (model_.arch == PowerInferArch::llama || model_.arch == PowerInferArch::bamboo) require(prefix + "ffn_gate.weight", n_embd, n_ff);
    require(prefix + "ffn_up.weight", n_embd, n_ff);
    if (model_.arch == PowerInferArch::opt) {
      vector(prefix + "ffn_up.bias", n_ff);
      vector(prefix + "ffn_down_t.bias", n_embd);
    }
    PowerInferLayer layer = {require(prefix + "ffn_down_t.weight", n_embd, n_ff), {}, {}};
    if (const GgufTensor* fc1 = find(prefix + "fc1.weight")) {
      const int64_t rank = fc1->shape[1];
      check(*fc1, n_embd, rank);
      layer.fc1 = *fc1;
      layer.fc2 = require(prefix + "fc2.weight", rank, n_ff);
    }
    model_.layers.push_back(std::move(layer));
  }

  void read_attention(const std::string& prefix) const {
    const int64_t n_embd = model_.n_embd;
    vector(prefix + "attn_norm.weight", n_embd);
    require(prefix + "attn_output.weight", n_embd, n_embd);
    if (model_.arch == PowerInferArch::falcon) {
      vector(prefix + "attn_norm.bias", n_embd);
      require(prefix + "attn_qkv.weight", n_embd, n_embd + 2 * n_kv_);
      // Falcon-40B has a norm for each half of a layer.
      if (!find(prefix + "attn_norm_2.weight")) return;
      vector(prefix + "attn_norm_2.weight", n_embd);
      vector(prefix + "attn_norm_2.bias", n_embd);
      return;
    }
    const GgufTensor& q = require(prefix + "attn_q.weight", n_embd, n_embd);
    const GgufTensor& k = require(prefix + "attn_k.weight", n_embd, n_kv_);
    const GgufTensor& v = require(prefix + "attn_v.weight", n_embd, n_kv_);
    vector(prefix + "ffn_norm.weight", n_embd);
    if (model_.arch != PowerInferArch::opt) return;
    if (q.type != k.type || q.type != v.type) corrupt(prefix + "attn_q, attn_k and attn_v are of different types");
    for (const char* name : {"attn_norm.bias", "ffn_norm.bias", "attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_output.bias"}) {
      vector(prefix + name, n_embd);
    }
  }

  /// What comes before the first and after the last layer.
  void read_ends() {
    const GgufArray* tokens = header_.array("tokenizer.ggml.tokens");
    const auto n_vocab = static_cast<int64_t>(tokens ? tokens->count : 0);
    require("token_embd.weight", model_.n_embd, n_vocab);
    vector("output_norm.weight", model_.n_embd);
    if (find("output.weight")) require("output.weight", model_.n_embd, n_vocab);
    if (model_.arch == PowerInferArch::llama || model_.arch == PowerInferArch::bamboo) return;
    vector("output_norm.bias", model_.n_embd);
    if (model_.arch == PowerInferArch::opt) {
      require("position_embd.weight", model_.n_embd, model_.n_positions);
      if (model_.n_positions <= kOptUnusedPositions) corrupt(format_text("a table of %u positions", model_.n_positions));
      model_.n_positions -= kOptUnusedPositions;
    }
  }

  const GgufHeader& header_;
  std::unordered_map<std::string, const GgufTensor*> tensors_;
  PowerInferModel model_ = {};
  int64_t n_kv_ = 0;
};

bool has_tensor_ending(const GgufHeader& header, std::string_view ending) {
  return std::any_of(header.tensors.begin(), header.tensors.end(),
                     [&](const GgufTensor& tensor) { return tensor.name.starts_with("blk.") && tensor.name.ends_with(ending); });
}

}  // namespace

bool PowerInferModel::has_predictors() const {
  return std::all_of(layers.begin(), layers.end(), [](const PowerInferLayer& layer) { return layer.fc1.has_value(); });
}

bool is_powerinfer(const GgufHeader& header) {
  return header.has_powerinfer_magic || (has_tensor_ending(header, ".ffn_down_t.weight") && has_tensor_ending(header, ".fc1.weight"));
}

Result<PowerInferModel> read_powerinfer(const std::string& name, const GgufHeader& header) {
  try {
    return Reader(header).read();
  } catch (const Refused& refused) {
    return Error{refused.code, name + ": " + refused.what, {{"path", name}}};
  }
}

}  // namespace hotpath
