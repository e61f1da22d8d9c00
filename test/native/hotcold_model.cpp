#include "hotcold_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

#include "core/error.h"
#include "ggml-cpp.h"
#include "ggml-cpu.h"
#include "gguf.h"
#include "starter.h"

namespace hotpath::test {

namespace {

constexpr int64_t kHeads = 2;
constexpr int64_t kSoftmaxGating = 1;  // llama_expert_gating_func_type

/// Writes tensors with normally distributed weights, so that values keep their size from layer to layer.
class TinyWriter {
 public:
  explicit TinyWriter(const TinyShape& shape)
      : shape_(shape), gguf_(gguf_init_empty()), context_(ggml_init({size_t{256} << 20, nullptr, false})) {
    gguf_set_val_str(gguf_.get(), "general.architecture", shape.architecture.c_str());
    gguf_set_val_str(gguf_.get(), "tokenizer.ggml.model", "no_vocab");
    set("block_count", shape.n_layers);
    set("embedding_length", shape.n_embd);
    set("feed_forward_length", shape.n_ff);
    set("attention.head_count", kHeads);
    set("attention.head_count_kv", kHeads);
    set("context_length", 512);
    set("vocab_size", TinyModel::kVocabulary);
    set("rope.dimension_count", shape.n_embd / kHeads);
    if (shape.n_experts > 0) {
      set("expert_count", shape.n_experts);
      set("expert_used_count", 2);
      set("expert_feed_forward_length", shape.n_ff);
      set("expert_gating_func", kSoftmaxGating);
    }
    for (const char* key : {"attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"}) {
      gguf_set_val_f32(gguf_.get(), (shape.architecture + "." + key).c_str(), 1e-5f);
    }
  }

  void write(const std::string& path) {
    const int64_t n = shape_.n_embd;
    matrix("token_embd.weight", GGML_TYPE_F32, {n, TinyModel::kVocabulary}, 1);
    if (shape_.architecture != "gemma") matrix("output.weight", shape_.plain_type, {n, TinyModel::kVocabulary});
    vector("output_norm.weight", n, 1);
    if (has_biases()) vector("output_norm.bias", n, 0);
    for (int64_t i = 0; i < shape_.n_layers; ++i) layer("blk." + std::to_string(i) + ".");
    CHECK(gguf_write_to_file(gguf_.get(), path.c_str(), false));
  }

 private:
  bool has_biases() const { return shape_.architecture == "nemotron"; }
  bool has_gate() const {
    return shape_.architecture == "llama" || shape_.architecture == "gemma" || shape_.architecture == "smallthinker";
  }

  void set(const std::string& key, int64_t value) {
    gguf_set_val_u32(gguf_.get(), (shape_.architecture + "." + key).c_str(), static_cast<uint32_t>(value));
  }

  void layer(const std::string& prefix) {
    const int64_t n = shape_.n_embd;
    for (const char* norm : {"attn_norm", "ffn_norm"}) {
      vector(prefix + norm + ".weight", n, 1);
      if (has_biases()) vector(prefix + norm + ".bias", n, 0);
    }
    for (const char* part : {"attn_q", "attn_k", "attn_v", "attn_output"}) matrix(prefix + part + ".weight", shape_.plain_type, {n, n});
    const std::string suffix = shape_.n_experts > 0 ? "_exps.weight" : ".weight";
    const int64_t experts = std::max<int64_t>(1, shape_.n_experts);
    if (shape_.n_experts > 0) matrix(prefix + "ffn_gate_inp.weight", GGML_TYPE_F32, {n, experts});
    if (has_gate()) matrix(prefix + "ffn_gate" + suffix, shape_.type, {n, shape_.n_ff, experts});
    matrix(prefix + "ffn_up" + suffix, shape_.type, {n, shape_.n_ff, experts});
    matrix(prefix + "ffn_down" + suffix, shape_.type, {shape_.n_ff, n, experts});
    if (has_biases()) {
      vector(prefix + "ffn_up.bias", shape_.n_ff, 0);
      vector(prefix + "ffn_down.bias", n, 0);
    }
  }

  /// Around `mean`, one that is no multiple of anything.
  void vector(const std::string& name, int64_t n, float mean) {
    ggml_tensor* tensor = ggml_new_tensor_1d(context_.get(), GGML_TYPE_F32, n);
    std::normal_distribution<float> normal(mean, 0.1f);
    for (int64_t i = 0; i < n; ++i) static_cast<float*>(tensor->data)[i] = normal(random_);
    add(name, tensor);
  }

  void matrix(const std::string& name, ggml_type type, std::vector<int64_t> shape, float scale = 0) {
    ggml_tensor* tensor = ggml_new_tensor(context_.get(), type, static_cast<int>(shape.size()), shape.data());
    const float deviation = scale > 0 ? scale : 1 / std::sqrt(static_cast<float>(shape[0]));
    std::normal_distribution<float> normal(0, deviation);
    std::vector<float> values(ggml_nelements(tensor));
    std::generate(values.begin(), values.end(), [&] { return normal(random_); });
    if (type == GGML_TYPE_F32) {
      std::memcpy(tensor->data, values.data(), ggml_nbytes(tensor));
    } else {
      ggml_quantize_chunk(type, values.data(), tensor->data, 0, ggml_nrows(tensor), shape[0], nullptr);
    }
    add(name, tensor);
  }

  void add(const std::string& name, ggml_tensor* tensor) {
    ggml_set_name(tensor, name.c_str());
    gguf_add_tensor(gguf_.get(), tensor);
  }

  const TinyShape& shape_;
  gguf_context_ptr gguf_;
  ggml_context_ptr context_;
  std::mt19937 random_{7};
};

template <typename Function>
Function* cpu_function(const char* name) {
  const ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  return reinterpret_cast<Function*>(ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name));
}

}  // namespace

TinyModel::TinyModel(const TinyShape& shape) {
  static int n_models = 0;
  const auto since_start = std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  path_ = (std::filesystem::temp_directory_path() / ("hotpath-tiny-" + since_start + "-" + std::to_string(++n_models) + ".gguf")).string();
  TinyWriter(shape).write(path_);
}

TinyModel::~TinyModel() {
  std::error_code ignored;  // a file left behind fails no test
  std::filesystem::remove(path_, ignored);
}

void LlamaRun::FreePool::operator()(ggml_threadpool* pool) const { cpu_function<void(ggml_threadpool*)>("ggml_threadpool_free")(pool); }

std::vector<float> read_floats(const std::string& path, const std::string& tensor) {
  ggml_context* data = nullptr;
  const gguf_context_ptr file(gguf_init_from_file(path.c_str(), {false, &data}));
  const ggml_context_ptr context(data);
  const ggml_tensor* found = ggml_get_tensor(data, tensor.c_str());
  CHECK(found && found->type == GGML_TYPE_F32);
  const auto* floats = static_cast<const float*>(found->data);
  return {floats, floats + ggml_nelements(found)};
}

LlamaRun::LlamaRun(const std::string& path, int threads, hotcold::Store* store, ggml_backend_sched_eval_callback on_node) {
  start_engine();
  llama_model_params model_params = llama_model_default_params();
  ggml_backend_dev_t no_devices[] = {nullptr};
  model_params.devices = no_devices;
  const llama_model_tensor_buft_override overrides[] = {
      {"^blk\\.\\d+\\.ffn_(gate|up|down)(_exps)?\\.(weight|bias)$|^blk\\.\\d+\\.attn_(q|k|v|qkv|output)\\.weight$|^output\\.weight$", store ? store->buffer_type() : nullptr}, {nullptr, nullptr}};
  if (store) model_params.tensor_buft_overrides = overrides;
  model_.reset(llama_model_load_from_file(path.c_str(), model_params));
  CHECK(model_);
  llama_context_params params = llama_context_default_params();
  params.n_ctx = 512;
  params.n_batch = 512;
  params.n_threads = threads;
  params.n_threads_batch = threads;
  params.cb_eval = on_node;
  context_.reset(llama_init_from_model(model_.get(), params));
  CHECK(context_);
  ggml_threadpool_params pool = ggml_threadpool_params_default(threads);
  pool.poll = 1;  // as the engine does
  pool_.reset(cpu_function<ggml_threadpool*(ggml_threadpool_params*)>("ggml_threadpool_new")(&pool));
  llama_attach_threadpool(context_.get(), pool_.get(), pool_.get());
  if (store) store->set_threadpool(pool_.get());
  n_vocab_ = llama_vocab_n_tokens(llama_model_get_vocab(model_.get()));
}

std::vector<float> LlamaRun::logits(std::span<const llama_token> tokens, size_t batch_size) {
  std::vector<float> all;
  llama_batch batch = llama_batch_init(static_cast<int32_t>(batch_size), 0, 1);
  for (size_t first = 0; first < tokens.size(); first += batch_size) {
    batch.n_tokens = static_cast<int32_t>(std::min(batch_size, tokens.size() - first));
    for (int32_t i = 0; i < batch.n_tokens; ++i) {
      batch.token[i] = tokens[first + i];
      batch.pos[i] = position_++;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = true;
    }
    CHECK(llama_decode(context_.get(), batch) == 0);
    const float* found = llama_get_logits(context_.get());
    all.insert(all.end(), found, found + static_cast<size_t>(batch.n_tokens) * n_vocab_);
  }
  llama_batch_free(batch);
  return all;
}

void LlamaRun::forget() {
  llama_memory_clear(llama_get_memory(context_.get()), true);
  position_ = 0;
}

std::vector<llama_token> LlamaRun::greedy(std::span<const llama_token> prompt, size_t n) {
  std::vector<llama_token> generated;
  std::vector<float> found = logits(prompt, prompt.size());
  while (true) {
    const auto last = found.end() - n_vocab_;
    generated.push_back(static_cast<llama_token>(std::max_element(last, found.end()) - last));
    if (generated.size() == n) return generated;
    found = logits(std::span(&generated.back(), 1), 1);
  }
}

std::vector<llama_token> some_tokens(size_t n, int n_vocab) {
  std::mt19937 random(11);
  std::vector<llama_token> tokens(n);
  for (llama_token& token : tokens) token = static_cast<llama_token>(random() % static_cast<uint32_t>(n_vocab));
  return tokens;
}

double relative_difference(std::span<const float> actual, std::span<const float> expected) {
  CHECK(actual.size() == expected.size());
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = static_cast<double>(actual[i]) - expected[i];
    difference += error * error;
    size += static_cast<double>(expected[i]) * expected[i];
  }
  return std::sqrt(difference / size);
}

}  // namespace hotpath::test
