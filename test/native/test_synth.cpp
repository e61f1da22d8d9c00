// Synthetic models: that what was planted really happens, in a plain float pass and in llama.cpp.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <set>

#include "float_model.h"
#include "hotcold_model.h"
#include "llama.h"
#include "llama/model_file.h"
#include "starter.h"
#include "synth/options.h"
#include "synthetic_model.h"

namespace hotpath::test {

namespace {

namespace fs = std::filesystem;
using synth::Arch;

/// Runs llama.cpp and counts, for each layer, the neurons whose gate (or, without one, value) is above 0, or the experts
/// that are used.
class Observed {
 public:
  explicit Observed(const std::string& path) {
    start_engine();
    llama_model_params model_params = llama_model_default_params();
    ggml_backend_dev_t no_devices[] = {nullptr};
    model_params.devices = no_devices;
    model_.reset(llama_model_load_from_file(path.c_str(), model_params));
    if (!model_) throw Failure("llama.cpp does not load " + path);
    activity_.resize(static_cast<size_t>(llama_model_n_layer(model_.get())));
    llama_context_params params = llama_context_default_params();
    params.n_ctx = 256;
    params.n_threads = params.n_threads_batch = 1;
    params.cb_eval = observe;
    params.cb_eval_user_data = &activity_;
    context_.reset(llama_init_from_model(model_.get(), params));
    if (!context_) throw Failure("no context for " + path);
  }

  std::vector<float> logits(std::vector<int32_t> tokens) {
    if (llama_decode(context_.get(), llama_batch_get_one(tokens.data(), static_cast<int32_t>(tokens.size()))) != 0) throw Failure("llama_decode");
    const float* logits = llama_get_logits_ith(context_.get(), -1);
    return std::vector<float>(logits, logits + llama_vocab_n_tokens(llama_model_get_vocab(model_.get())));
  }

  const std::vector<std::vector<uint32_t>>& activity() const { return activity_; }

 private:
  static bool observe(ggml_tensor* tensor, bool is_asked, void* data) {
    unsigned layer = 0;
    const bool is_routing = std::sscanf(tensor->name, "ffn_moe_topk-%u", &layer) == 1;
    if (!is_routing && std::sscanf(tensor->name, "ffn_gate-%u", &layer) != 1 && std::sscanf(tensor->name, "ffn_relu-%u", &layer) != 1) return false;
    if (is_asked) return true;
    std::vector<uint32_t>& counts = static_cast<std::vector<std::vector<uint32_t>>*>(data)->at(layer);
    for (int64_t token = 0; token < tensor->ne[1]; ++token) {
      if (is_routing) count_experts(tensor, token, counts);
      else count_neurons(tensor, token, counts);
    }
    return true;
  }

  static void count_neurons(const ggml_tensor* gate, int64_t token, std::vector<uint32_t>& counts) {
    std::vector<float> values(static_cast<size_t>(gate->ne[0]));
    ggml_backend_tensor_get(gate, values.data(), static_cast<size_t>(token) * gate->nb[1], values.size() * sizeof(float));
    counts.resize(values.size());
    for (size_t i = 0; i < values.size(); ++i) counts[i] += values[i] > 0;
  }

  static void count_experts(const ggml_tensor* chosen, int64_t token, std::vector<uint32_t>& counts) {
    std::vector<int32_t> experts(static_cast<size_t>(chosen->ne[0]));
    ggml_backend_tensor_get(chosen, experts.data(), static_cast<size_t>(token) * chosen->nb[1], experts.size() * sizeof(int32_t));
    counts.resize(kExperts);
    for (const int32_t expert : experts) ++counts.at(static_cast<size_t>(expert));
  }

  static constexpr size_t kExperts = 16;

  std::vector<std::vector<uint32_t>> activity_;
  std::unique_ptr<llama_model, decltype(&llama_model_free)> model_{nullptr, llama_model_free};
  std::unique_ptr<llama_context, decltype(&llama_free)> context_{nullptr, llama_free};
};

std::string code_of_writing(const synth::Spec& spec) {
  const fs::path path = fs::temp_directory_path() / "hotpath-synth-refused.gguf";
  return code_of(synth::write_model(spec, HOTPATH_STARTER_MODEL, path.string(), [](uint64_t, uint64_t) {}, CancelFlag()));
}

}  // namespace

TEST(synth, plants_the_activity_asked_for_in_every_type) {
  for (const ggml_type type : {GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_F32}) {
    const SyntheticModel file(tiny_spec(Arch::llama_relu, type));
    FloatModel model(file.path());
    model.logits(text_tokens(12));
    for (const auto& counts : model.activity()) expect_near(active_fraction(counts, 12), 0.11, 0.02);
  }
}

TEST(synth, plants_activity_that_changes_over_layers_and_tokens) {
  synth::Spec spec = tiny_spec(Arch::llama_relu);
  spec.active_first = 0.3;
  spec.active_last = 0.06;
  const SyntheticModel file(spec);
  FloatModel model(file.path());
  model.logits(text_tokens(24));
  const double expected[] = {0.30, 0.22, 0.14, 0.06};
  for (size_t layer = 0; layer < 4; ++layer) {
    const std::vector<uint32_t>& counts = model.activity()[layer];
    expect_near(active_fraction(counts, 24), expected[layer], 0.02);
    const auto n_ever = std::count_if(counts.begin(), counts.end(), [](uint32_t count) { return count > 0; });
    EXPECT(static_cast<double>(n_ever) / static_cast<double>(counts.size()) > 2 * expected[layer]);
  }
}

TEST(synth, runs_in_llama_cpp_with_the_skew_asked_for) {
  const std::vector<int32_t> tokens = text_tokens(200);
  for (const double skew : {0.4, 0.54, 0.8}) {
    synth::Spec spec = tiny_spec(Arch::arcee);
    spec.skew = skew;
    const SyntheticModel file(spec);
    Observed llama(file.path());
    llama.logits(tokens);
    // llama.cpp computes the last layer for the last token only.
    for (size_t layer = 0; layer + 1 < llama.activity().size(); ++layer) {
      expect_near(active_fraction(llama.activity()[layer], tokens.size()), 0.11, 0.015);
      expect_near(hot_share(llama.activity()[layer]), skew, 0.04);
    }
  }
}

// The wider a model, the stronger a neuron would answer to a token whose embedding is like its own row.
TEST(synth, plants_the_activity_asked_for_in_wide_layers) {
  synth::Spec spec = tiny_spec(Arch::arcee);
  spec.shape.n_embd = 1536;
  spec.shape.n_heads = spec.shape.n_kv_heads = 24;
  spec.shape.n_ff = 6144;
  const SyntheticModel file(spec);
  const std::vector<int32_t> tokens = text_tokens(48);
  Observed llama(file.path());
  llama.logits(tokens);
  for (size_t layer = 0; layer + 1 < llama.activity().size(); ++layer) {
    expect_near(active_fraction(llama.activity()[layer], tokens.size()), 0.11, 0.01);
  }
}

TEST(synth, gives_llama_cpp_and_plain_floats_the_same_logits) {
  std::vector<synth::Spec> specs = {tiny_spec(Arch::llama, GGML_TYPE_F32), tiny_spec(Arch::arcee, GGML_TYPE_F32)};
  specs.push_back(specs.front());
  specs.back().shape.is_tied = true;
  for (const synth::Spec& spec : specs) {
    const SyntheticModel file(spec);
    const auto tokens = text_tokens(20);
    // Both compute in floats; llama.cpp keeps keys and values in half precision.
    EXPECT(relative_difference(Observed(file.path()).logits(tokens), FloatModel(file.path()).logits(tokens)) < 1e-3);
  }
}

TEST(synth, makes_experts_of_unequal_popularity) {
  const SyntheticModel file(tiny_spec(Arch::moe));
  Observed llama(file.path());
  const auto tokens = text_tokens(200);
  for (const float logit : llama.logits(tokens)) EXPECT(std::isfinite(logit));
  for (size_t layer = 0; layer + 1 < llama.activity().size(); ++layer) {
    const std::vector<uint32_t>& uses = llama.activity()[layer];
    EXPECT_EQ(std::accumulate(uses.begin(), uses.end(), 0u), 4 * tokens.size());
    EXPECT(hot_share(uses) > 0.35);
  }
}

TEST(synth, fills_the_vocabulary_up_with_tokens_that_are_never_generated) {
  start_engine();
  synth::Spec spec = tiny_spec(Arch::llama);
  spec.shape.n_vocab = 20000;
  const SyntheticModel file(spec);
  ModelSpec model_spec = starter_spec();
  model_spec.path = file.path();
  const auto model = engine::load(model_spec);
  EXPECT(model);
  EXPECT_EQ((*model)->info().metadata.vocabulary_size, 20000u);
  const auto result = (*model)->generate(params_for("def add(a, b):\n", "\n", 20));
  EXPECT(result);
  EXPECT(!result->text.empty());
  EXPECT_EQ(result->text.find("unused"), std::string::npos);
}

TEST(synth, generates_ever_new_text_where_the_embedding_is_the_output) {
  start_engine();
  for (const Arch arch : {Arch::llama, Arch::arcee, Arch::moe}) {
    synth::Spec spec = tiny_spec(arch, GGML_TYPE_Q4_0);
    spec.shape.is_tied = true;
    spec.shape.n_vocab = 10000;
    const SyntheticModel file(spec);
    ModelSpec model_spec = starter_spec();
    model_spec.path = file.path();
    const auto model = engine::load(model_spec);
    EXPECT(model);
    GenerateParams params = params_for("def add(a, b):\n", "", 96);
    params.form = PromptForm::text;
    params.ignore_end = true;
    const auto result = (*model)->generate(params);
    EXPECT(result);
    EXPECT_EQ(result->text.find("unused"), std::string::npos);
    const auto tokens = (*model)->tokenize(result->text);
    EXPECT(std::set<Token>(tokens->begin(), tokens->end()).size() > 24);
  }
}

TEST(synth, plants_the_activity_asked_for_where_the_embedding_is_the_output) {
  for (const ggml_type type : {GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K}) {
    synth::Spec spec = tiny_spec(Arch::llama_relu, type);
    spec.shape.is_tied = true;
    const SyntheticModel file(spec);
    FloatModel model(file.path());
    model.logits(text_tokens(12));
    for (const auto& counts : model.activity()) expect_near(active_fraction(counts, 12), 0.11, 0.02);
  }
}

TEST(synth, has_presets_with_as_many_parameters_as_the_models_they_are_named_after) {
  // As published with their weights. A synthetic model has no biases, which Qwen2.5 adds to queries, keys and values.
  const struct {
    const char* preset;
    uint64_t published, biases;
  } models[] = {
      {"0.5b", 494'032'768, 24 * (896 + 2 * 128)},       {"1.5b", 1'543'714'304, 28 * (1536 + 2 * 256)},
      {"3b", 3'085'938'688, 36 * (2048 + 2 * 256)},      {"qwen-7b", 7'615'616'512, 28 * (3584 + 2 * 512)},
      {"14b", 14'770'033'664, 48 * (5120 + 2 * 1024)},   {"32b", 32'763'876'352, 64 * (5120 + 2 * 1024)},
      {"7b", 6'738'415'616, 0},                          {"13b", 13'015'864'320, 0},
      {"34b", 33'743'970'304, 0},                        {"70b", 68'976'648'192, 0},
      {"30b-a3b", 30'532'122'624, 0},
  };
  for (const auto& model : models) {
    const auto spec = synth::read_spec({{"preset", model.preset}});
    EXPECT(spec);
    const auto described = synth::describe(*spec, HOTPATH_STARTER_MODEL);
    EXPECT(described);
    EXPECT_EQ(described->parameters, model.published - model.biases);
  }
}

TEST(synth, describes_what_it_would_write) {
  const synth::Spec spec = tiny_spec(Arch::llama_relu, GGML_TYPE_Q4_K);
  const auto described = synth::describe(spec, HOTPATH_STARTER_MODEL);
  EXPECT(described);
  const SyntheticModel file(spec);
  const auto written = read_model_file(file.path());
  EXPECT_EQ(described->bytes, written->metadata.file_bytes);
  EXPECT_EQ(described->parameters, written->metadata.parameter_count);
  EXPECT_EQ(described->architecture, written->metadata.architecture);
  EXPECT_EQ(described->shape.n_vocab, written->metadata.vocabulary_size);
  EXPECT_EQ(described->kv_bytes_per_token, written->shape.kv_bytes_per_token());
  const auto& layers = written->shape.layer_bytes;
  EXPECT_EQ(described->layers_bytes, std::accumulate(layers.begin(), layers.end(), uint64_t{0}));
  uint64_t total = 0;
  for (const auto& [type, bytes] : described->type_bytes) total += bytes;
  EXPECT_EQ(total, written->shape.weight_bytes());
  EXPECT_EQ(code_of(synth::describe(synth::Spec{}, HOTPATH_STARTER_MODEL)), "request/invalid");
}

TEST(synth, writes_the_same_bytes_for_the_same_seed) {
  synth::Spec spec = tiny_spec(Arch::llama_relu, GGML_TYPE_Q4_0);
  const std::string bytes = SyntheticModel(spec).bytes();
  EXPECT(SyntheticModel(spec).bytes() == bytes);
  spec.seed = 2;
  EXPECT(SyntheticModel(spec).bytes() != bytes);
}

TEST(synth, leaves_nothing_behind_when_cancelled) {
  const fs::path path = fs::temp_directory_path() / "hotpath-synth-cancelled.gguf";
  const CancelFlag cancel;
  const auto written = synth::write_model(tiny_spec(Arch::llama), HOTPATH_STARTER_MODEL, path.string(),
                                          [&](uint64_t, uint64_t) { cancel.raise(); }, cancel);
  EXPECT_EQ(code_of(written), "request/cancelled");
  EXPECT(!fs::exists(path));
  EXPECT(!fs::exists(path.string() + ".part"));
}

TEST(synth, refuses_what_cannot_be) {
  const auto code_with = [](auto change) {
    synth::Spec spec = tiny_spec(Arch::llama);
    change(spec);
    return code_of_writing(spec);
  };
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.type = GGML_TYPE_Q2_K; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.shape.n_layers = 0; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.shape.n_embd = 250; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.shape.n_kv_heads = 3; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.shape.n_experts = 4; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.shape.n_vocab = 100; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.active_first = 0; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.active_last = 0.9, spec.skew = 0.5; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.arch = Arch::bamboo; }), "request/invalid");
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.powerinfer = true; }), "request/invalid");
  // More than any disk has.
  EXPECT_EQ(code_with([](synth::Spec& spec) { spec.shape = {511, 65536, 512, 512, 128, 262144}; }), "request/invalid");
}

}  // namespace hotpath::test
