#include "synth/metadata.h"

#include <cstring>

#include "core/file.h"
#include "formats/gguf_header.h"
#include "llama.h"

namespace hotpath::synth {

namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTokenTypes = "tokenizer.ggml.token_type";
constexpr const char* kScores = "tokenizer.ggml.scores";

/// Of the source, only what belongs to its tokens stays.
void keep_vocabulary(gguf_context* pairs) {
  std::vector<std::string> others;
  for (int64_t i = 0; i < gguf_get_n_kv(pairs); ++i) {
    const std::string key = gguf_get_key(pairs, i);
    if (!key.starts_with("tokenizer.") && key != "hotpath.fim_order") others.push_back(key);
  }
  for (const std::string& key : others) gguf_remove_key(pairs, key.c_str());
}

std::vector<int32_t> token_types(const gguf_context* pairs, size_t n_tokens) {
  std::vector<int32_t> types(n_tokens, LLAMA_TOKEN_TYPE_NORMAL);
  const int64_t key = gguf_find_key(pairs, kTokenTypes);
  if (key >= 0 && gguf_get_arr_type(pairs, key) == GGUF_TYPE_INT32 && gguf_get_arr_n(pairs, key) == n_tokens) {
    std::memcpy(types.data(), gguf_get_arr_data(pairs, key), n_tokens * sizeof(int32_t));
  }
  return types;
}

void fill_up(gguf_context* pairs, size_t n_tokens, size_t n_wanted, std::vector<int32_t>& types) {
  std::vector<std::string> texts;
  const int64_t key = gguf_find_key(pairs, kTokens);
  for (size_t i = 0; i < n_tokens; ++i) texts.push_back(gguf_get_arr_str(pairs, key, i));
  for (size_t i = n_tokens; i < n_wanted; ++i) texts.push_back("<|unused_" + std::to_string(i) + "|>");
  types.resize(n_wanted, LLAMA_TOKEN_TYPE_UNUSED);

  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  gguf_set_arr_str(pairs, kTokens, pointers.data(), pointers.size());
  gguf_set_arr_data(pairs, kTokenTypes, GGUF_TYPE_INT32, types.data(), types.size());
  if (const int64_t scores = gguf_find_key(pairs, kScores); scores >= 0 && gguf_get_arr_type(pairs, scores) == GGUF_TYPE_FLOAT32) {
    const auto* old = static_cast<const float*>(gguf_get_arr_data(pairs, scores));
    std::vector<float> values(old, old + gguf_get_arr_n(pairs, scores));
    values.resize(n_wanted, 0);
    gguf_set_arr_data(pairs, kScores, GGUF_TYPE_FLOAT32, values.data(), values.size());
  }
}

/// Writes `<architecture>.<key>`.
class Keys {
 public:
  Keys(gguf_context* context, const char* architecture) : context_(context), prefix_(std::string(architecture) + ".") {}
  void count(const char* key, uint32_t value) const { gguf_set_val_u32(context_, (prefix_ + key).c_str(), value); }
  void number(const char* key, float value) const { gguf_set_val_f32(context_, (prefix_ + key).c_str(), value); }

 private:
  gguf_context* context_;
  std::string prefix_;
};

uint32_t file_type(ggml_type type) {
  switch (type) {
    case GGML_TYPE_F32: return LLAMA_FTYPE_ALL_F32;
    case GGML_TYPE_F16: return LLAMA_FTYPE_MOSTLY_F16;
    case GGML_TYPE_BF16: return LLAMA_FTYPE_MOSTLY_BF16;
    case GGML_TYPE_Q4_0: return LLAMA_FTYPE_MOSTLY_Q4_0;
    case GGML_TYPE_Q4_K: return LLAMA_FTYPE_MOSTLY_Q4_K_M;
    case GGML_TYPE_Q6_K: return LLAMA_FTYPE_MOSTLY_Q6_K;
    default: return LLAMA_FTYPE_MOSTLY_Q8_0;
  }
}

std::string model_name(const Spec& spec) {
  const std::string first = format_text("%.0f", 100 * spec.active_first);
  const std::string last = format_text("%.0f", 100 * spec.active_last);
  return format_text("Synthetic %s, %u x %u x %u, %s %% active", arch_name(spec.arch), spec.shape.n_layers,
                     spec.shape.n_embd, spec.shape.n_ff, (first == last ? first : first + " to " + last).c_str());
}

void add_general(gguf_context* context, const Spec& spec) {
  gguf_set_val_str(context, "general.architecture", gguf_arch(spec.arch));
  gguf_set_val_str(context, "general.name", model_name(spec).c_str());
  gguf_set_val_str(context, "general.description", "Random weights with planted activity, for measuring; it cannot write code.");
  gguf_set_val_u32(context, "general.file_type", file_type(spec.type));
  gguf_set_val_u32(context, "general.quantization_version", 2);
  if (spec.arch == Arch::llama_relu) gguf_set_val_str(context, kFfnActivationKey, "relu");
  if (spec.powerinfer) gguf_set_val_f32(context, "powerinfer.sparse_threshold", 0);
}

void add_sizes(gguf_context* context, const Spec& spec) {
  const Shape& shape = spec.shape;
  const Keys keys(context, gguf_arch(spec.arch));
  keys.count("block_count", shape.n_layers);
  keys.count("context_length", kContextLength);
  keys.count("embedding_length", shape.n_embd);
  keys.count("feed_forward_length", shape.n_ff);
  keys.count("attention.head_count", shape.n_heads);
  keys.count("attention.head_count_kv", shape.n_kv_heads);
  keys.count("vocab_size", shape.n_vocab);
  if (spec.arch == Arch::falcon || spec.arch == Arch::opt) keys.number("attention.layer_norm_epsilon", 1e-5f);
  else keys.number("attention.layer_norm_rms_epsilon", 1e-5f);
  if (spec.arch == Arch::opt) return;
  keys.count("rope.dimension_count", shape.head_dim);
  keys.number("rope.freq_base", 10000);
  if (shape.head_dim * shape.n_heads != shape.n_embd) {
    keys.count("attention.key_length", shape.head_dim);
    keys.count("attention.value_length", shape.head_dim);
  }
  if (shape.n_experts == 0) return;
  keys.count("expert_count", shape.n_experts);
  keys.count("expert_used_count", shape.n_experts_used);
  keys.count("expert_feed_forward_length", shape.n_ff);
}

void add_tensors(gguf_context* context, const std::vector<Tensor>& tensors) {
  const ggml_init_params params = {tensors.size() * ggml_tensor_overhead(), nullptr, true};
  const std::unique_ptr<ggml_context, decltype(&ggml_free)> shapes(ggml_init(params), ggml_free);
  CHECK(shapes);
  for (const Tensor& tensor : tensors) {
    const int n_dims = tensor.shape[2] > 1 ? 3 : tensor.shape[1] > 1 ? 2 : 1;
    ggml_tensor* shape = ggml_new_tensor(shapes.get(), tensor.type, n_dims, tensor.shape.data());
    ggml_set_name(shape, tensor.name.c_str());
    gguf_add_tensor(context, shape);
  }
}

}  // namespace

Result<Vocabulary> read_vocabulary(const std::string& path, uint32_t n_vocab) {
  auto file = ReadFile::open(path);
  if (!file) return file.error();
  const ByteSource source = file_source(path, *file);
  // gguf_init_from_file trusts what it finds; our own reader does not.
  auto header = read_gguf_header(source);
  if (!header) return header.error();
  const GgufArray* tokens = header->array(kTokens);
  if (!tokens || tokens->type != GGUF_TYPE_STRING || tokens->count == 0) {
    return Error{ErrorCode::model_unsupported, path + ": has no vocabulary", {{"path", path}}};
  }
  if (n_vocab != 0 && n_vocab < tokens->count) {
    return Error{ErrorCode::request_invalid,
                 format_text("a vocabulary of %u tokens is smaller than that of %s, %llu", n_vocab, path.c_str(),
                             static_cast<unsigned long long>(tokens->count)), {}};
  }
  Vocabulary vocabulary;
  vocabulary.pairs.reset(gguf_init_from_file(path.c_str(), {true, nullptr}));
  if (!vocabulary.pairs) return Error{ErrorCode::model_corrupt, path + ": is refused by ggml", {{"path", path}}};
  keep_vocabulary(vocabulary.pairs.get());
  const size_t n_tokens = tokens->count;
  std::vector<int32_t> types = token_types(vocabulary.pairs.get(), n_tokens);
  if (n_vocab > n_tokens) fill_up(vocabulary.pairs.get(), n_tokens, n_vocab, types);
  for (const int32_t type : types) vocabulary.is_text.push_back(type == LLAMA_TOKEN_TYPE_NORMAL);
  return vocabulary;
}

GgufContext describe_model(const Spec& spec, const Vocabulary& vocabulary, const std::vector<Tensor>& tensors) {
  GgufContext context(gguf_init_empty(), gguf_free);
  add_general(context.get(), spec);
  add_sizes(context.get(), spec);
  gguf_set_kv(context.get(), vocabulary.pairs.get());
  add_tensors(context.get(), tensors);
  return context;
}

}  // namespace hotpath::synth
