// PowerInfer's files, and ReLU models that look like others: recognised, refused when broken, computed as plain floats do.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "float_model.h"
#include "ggml-cpp.h"
#include "gguf_builder.h"
#include "hotcold_model.h"
#include "llama/likelihood.h"
#include "llama/model_file.h"
#include "starter.h"
#include "synthetic_model.h"

namespace hotpath::test {

namespace {

namespace fs = std::filesystem;
using synth::Arch;

constexpr hotcold::NeuronForm kReluGate = {hotcold::NeuronFunction::relu, true, false};
constexpr Arch kArchs[] = {Arch::llama_relu, Arch::bamboo, Arch::falcon, Arch::opt};

/// Bytes as a file, gone with its owner.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes)
      : path_(fs::temp_directory_path() / ("hotpath-powerinfer-" + std::to_string(reinterpret_cast<uintptr_t>(this)))) {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  ~TemporaryFile() {
    std::error_code ignored;  // nothing depends on it
    fs::remove(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

Result<LoadedModel> load(const std::string& path, hotcold::Mode mode = hotcold::Mode::automatic) {
  start_engine();
  ModelSpec spec = starter_spec();
  spec.path = path;
  spec.mode = mode;
  return load_model(spec, {}, {});
}

std::vector<float> logits(LoadedModel& model, std::vector<llama_token> tokens) {
  llama_context* context = model.context.get();
  if (llama_decode(context, llama_batch_get_one(tokens.data(), static_cast<int32_t>(tokens.size()))) != 0) throw Failure("llama_decode");
  const float* values = llama_get_logits_ith(context, -1);
  return std::vector<float>(values, values + llama_vocab_n_tokens(llama_model_get_vocab(model.model.get())));
}

std::vector<float> logits_one_by_one(LoadedModel& model, const std::vector<llama_token>& tokens) {
  std::vector<float> last;
  for (const llama_token token : tokens) last = logits(model, {token});
  return last;
}

size_t likeliest(const std::vector<float>& logits) {
  return static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

std::string with_magic(std::string bytes, const char* magic) {
  std::memcpy(bytes.data(), magic, 4);
  return bytes;
}

/// A file that says of its activation no more than its name does.
std::string without_activation_key(std::string bytes) {
  const std::string key = "hotpath.ffn_activation";
  bytes[bytes.find(key) + key.size() - 1] = 'X';
  return bytes;
}

/// Makes llama.cpp multiply what comes out of the first up matrix by 1, as it does with matrices that have a scale of
/// their own. No FFN that we know has such a node.
void add_scale(const std::string& path) {
  ggml_context* data = nullptr;
  const gguf_context_ptr before(gguf_init_from_file(path.c_str(), {false, &data}));
  const ggml_context_ptr tensors(data);
  const gguf_context_ptr after(gguf_init_empty());
  gguf_set_kv(after.get(), before.get());
  for (int64_t i = 0; i < gguf_get_n_tensors(before.get()); ++i) {
    gguf_add_tensor(after.get(), ggml_get_tensor(data, gguf_get_tensor_name(before.get(), i)));
  }
  const ggml_context_ptr own(ggml_init({size_t{1} << 16, nullptr, false}));
  ggml_tensor* scale = ggml_new_tensor_1d(own.get(), GGML_TYPE_F32, 1);
  *static_cast<float*>(scale->data) = 1;
  ggml_set_name(scale, "blk.0.ffn_up.scale");
  gguf_add_tensor(after.get(), scale);
  EXPECT(gguf_write_to_file(after.get(), path.c_str(), false));
}

Result<ModelFile> read_bytes(const std::string& bytes) { return read_model_source(memory_source(bytes)); }

}  // namespace

TEST(powerinfer, computes_every_architecture_as_plain_floats_do) {
  for (const Arch arch : kArchs) {
    for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_Q4_0}) {
      const SyntheticModel file(tiny_powerinfer(arch, type));
      auto model = load(file.path());
      if (!model) throw Failure(model.error().message);
      EXPECT(model->info.ffn.mode == hotcold::Mode::exact);
      EXPECT_EQ(model->info.ffn.layers, 4u);
      // Activations are rounded to 8 bits for Q4_0 and to halves for F16, here as in llama.cpp.
      const double tolerance = type == GGML_TYPE_F16 ? 1e-3 : 2e-2;
      EXPECT(relative_difference(logits(*model, text_tokens(12)), FloatModel(file.path()).logits(text_tokens(12))) < tolerance);
    }
  }
}

TEST(powerinfer, has_predictors_of_the_quality_planted) {
  const SyntheticModel file(tiny_powerinfer(Arch::llama_relu, GGML_TYPE_F16));
  FloatModel model(file.path());
  model.logits(text_tokens(24));
  expect_near(model.recall(), 0.94, 0.02);
  for (const auto& counts : model.activity()) expect_near(active_fraction(counts, 24), 0.11, 0.015);
}

TEST(powerinfer, computes_what_is_predicted_as_plain_floats_do) {
  for (const Arch arch : kArchs) {
    const SyntheticModel file(tiny_powerinfer(arch, GGML_TYPE_F16));
    auto model = load(file.path(), hotcold::Mode::predicted);
    if (!model) throw Failure(model.error().message);
    FloatModel plain(file.path());
    // Falcon's last FFN reads a selection of what its norm made, and no longer the norm itself: computed exactly, and counted.
    const uint32_t n_predicted = arch == Arch::falcon ? 3 : 4;
    plain.use_predictors(n_predicted);
    const std::vector<llama_token> tokens = text_tokens(12);
    // One by one: with many at a time nothing is predicted. So early no layer is audited, which would compute all of it.
    const std::vector<float> ours = logits_one_by_one(*model, tokens);
    const double difference = relative_difference(ours, plain.logits(tokens));
    // As in exact: a neuron whose score is so near the threshold that it falls on another side of it is near 0 itself.
    if (!(difference < 1e-3)) throw Failure(format_text("%s: %g relative to the logits", synth::arch_name(arch), difference));
    // That the test can tell: with all neurons something else comes out.
    plain.use_predictors(0);
    EXPECT(relative_difference(ours, plain.logits(tokens)) > 3e-3);
    for (uint32_t layer = 0; layer < 4; ++layer) {
      EXPECT_EQ(model->ffns->stats().layers[layer].unpredicted, layer < n_predicted ? 0 : tokens.size());
    }
  }
}

TEST(powerinfer, has_the_likeliest_tokens_of_exact_where_predicted) {
  const SyntheticModel file(tiny_powerinfer(Arch::llama_relu, GGML_TYPE_F16));
  auto exact = load(file.path(), hotcold::Mode::exact);
  auto predicted = load(file.path(), hotcold::Mode::predicted);
  EXPECT(exact && predicted);
  int n_same = 0;
  for (const llama_token token : text_tokens(100)) n_same += likeliest(logits(*exact, {token})) == likeliest(logits(*predicted, {token}));
  EXPECT(n_same >= 90);
  const hotcold::Stats& stats = predicted->ffns->stats();
  const hotcold::LayerStats& audited = stats.layers.front();
  expect_near(static_cast<double>(audited.recalled) / static_cast<double>(audited.audited), 0.94, 0.04);
  // What comes to no more than what is predicted, 11 %, and the layers that are audited.
  EXPECT(stats.active() < stats.neurons() * 0.12 && stats.active() > stats.neurons() * 0.09);
}

TEST(powerinfer, is_recognised_by_its_tensors_under_the_ordinary_magic) {
  const SyntheticModel file(tiny_powerinfer(Arch::llama_relu, GGML_TYPE_Q4_0));
  const TemporaryFile saved_again(with_magic(file.bytes(), "GGUF"));
  EXPECT_EQ(engine::inspect(saved_again.path())->format, "PowerInfer");
  auto original = load(file.path());
  auto copy = load(saved_again.path());
  EXPECT(original && copy);
  EXPECT_EQ(logits(*copy, text_tokens(5)), logits(*original, text_tokens(5)));
}

TEST(powerinfer, cannot_be_computed_densely) {
  start_engine();
  const SyntheticModel file(tiny_powerinfer(Arch::llama_relu, GGML_TYPE_F16));
  ModelSpec spec = starter_spec();
  spec.path = file.path();
  spec.mode = hotcold::Mode::dense;
  EXPECT_EQ(code_of(load_model(spec, {}, {})), "request/invalid");
}

TEST(powerinfer, explains_a_placement_file) {
  // A mask of 64 neurons and the 2 that are set, as 32-bit integers: type 18 then, IQ3_XXS today.
  const std::string bytes = with_magic(GgufBuilder()
                                           .text("general.architecture", "generic.gpu_index")
                                           .u32("generic.gpu_index.block_count", 1)
                                           .tensor("blk.0.gpu_idx", {64}, 18)
                                           .tensor("blk.0.gpu_bucket", {2}, 18)
                                           .bytes(),
                                       "PWRI");
  const auto model = read_bytes(bytes);
  EXPECT_EQ(code_of(model), "model/unsupported");
  EXPECT(model.error().message.find("placement file of PowerInfer") != std::string::npos);
}

TEST(powerinfer, refuses_types_that_meant_something_else) {
  std::string bytes = SyntheticModel(tiny_powerinfer(Arch::llama_relu, GGML_TYPE_F16)).bytes();
  // Behind the name: number of dimensions, two dimensions, type. BF16 is of the same size, and of a later time.
  const std::string name = "blk.1.fc2.weight";
  const uint32_t type = GGML_TYPE_BF16;
  std::memcpy(&bytes[bytes.find(name) + name.size() + 4 + 16], &type, sizeof type);
  EXPECT_EQ(code_of(read_bytes(bytes)), "model/unsupported");
}

TEST(powerinfer, refuses_shapes_that_do_not_fit) {
  const std::string whole = SyntheticModel(tiny_powerinfer(Arch::opt, GGML_TYPE_F16)).bytes();
  const auto code_with = [&](const std::string& key, uint32_t value) {
    std::string bytes = whole;
    std::memcpy(&bytes[bytes.find(key) + key.size() + 4], &value, sizeof value);
    return code_of(read_bytes(bytes));
  };
  EXPECT_EQ(code_with("opt.feed_forward_length", 1024), "ok");
  EXPECT_EQ(read_bytes(whole)->metadata.trained_context_length, 8190u);
  EXPECT_EQ(code_with("opt.feed_forward_length", 1056), "model/corrupt");
  EXPECT_EQ(code_with("opt.embedding_length", 512), "model/corrupt");
  EXPECT_EQ(code_with("opt.attention.head_count", 0), "model/corrupt");
  EXPECT_EQ(code_with("opt.attention.head_count_kv", 2), "model/corrupt");
  EXPECT_EQ(code_with("opt.context_length", 2), "model/corrupt");
  EXPECT_EQ(code_with("opt.block_count", 5), "model/corrupt");
}

TEST(powerinfer, loads_or_refuses_damaged_files) {
  const std::string whole = SyntheticModel(tiny_powerinfer(Arch::llama_relu, GGML_TYPE_Q4_0)).bytes();
  const size_t header_bytes = read_gguf_header(memory_source(whole))->header_bytes;
  std::mt19937 random(1);
  int loaded = 0;
  for (int round = 0; round < 600; ++round) {
    std::string bytes = whole;
    // The keys before the vocabulary, and the tensors after it.
    const size_t at = random() % 2 ? random() % 1200 : header_bytes - 1 - random() % 3200;
    bytes[at] = static_cast<char>(random() % 2 ? random() : bytes[at] + 1);
    if (round % 10 == 0) bytes.resize(random() % bytes.size());
    const auto model = read_bytes(bytes);
    if (!model) {
      EXPECT(std::string(error_code_text(model.error().code)).starts_with("model/"));
    } else if (round % 20 == 1) {
      const auto result = load(TemporaryFile(bytes).path());
      loaded += static_cast<bool>(result);
      if (!result) EXPECT(code_of(result) != "internal/bug");
    }
  }
  EXPECT(loaded > 0);
}

TEST(relu_models, are_recognised_by_what_their_metadata_says) {
  const auto form_of = [](const std::string& architecture, const std::string& key, const std::string& value) {
    const std::string bytes = GgufBuilder().text("general.architecture", architecture).text(key, value).tensor("w", {1}).bytes();
    return known_form(*read_gguf_header(memory_source(bytes)));
  };
  const auto both = hotcold::NeuronForm{hotcold::NeuronFunction::relu, true, true};
  EXPECT(form_of("llama", "general.name", "SparseLLM_ReluLLaMA 7B")->form == kReluGate);
  EXPECT(form_of("llama", "general.base_model.0.name", "Prosparse Llama 2 13b")->form == kReluGate);
  EXPECT(form_of("llama", "llama.hidden_activation", "relu")->form == kReluGate);
  EXPECT(form_of("llama", "general.basename", "TurboSparse-Mistral")->form == both);
  EXPECT(!form_of("falcon", "general.name", "ReluFalcon-40B")->form.gated);
  EXPECT(!form_of("llama", "general.name", "CodeLlama 7B"));
  EXPECT(!form_of("llama", "llama.hidden_activation", "silu"));
  EXPECT(!form_of("qwen2", "general.description", "not a ReluLLaMA"));
}

TEST(relu_models, give_a_text_the_likelihood_that_plain_floats_give_it) {
  const SyntheticModel file(tiny_spec(Arch::llama_relu, GGML_TYPE_F32));
  auto model = load(file.path());
  EXPECT(model);
  FloatModel plain(file.path());
  const std::vector<llama_token> tokens = text_tokens(6);
  const auto expected = [&](FfnActivation activation) {
    plain.set_activation(activation);
    double sum = 0;
    for (size_t n = 1; n < tokens.size(); ++n) {
      const std::vector<float> next = plain.logits(std::span(tokens).first(n));
      double total = 0;
      for (const float logit : next) total += std::exp(logit);
      sum += next[static_cast<size_t>(tokens[n])] - std::log(total);
    }
    return sum / static_cast<double>(tokens.size() - 1);
  };
  const double with_relu = expected(FfnActivation::relu);
  const double with_silu = expected(FfnActivation::silu);
  EXPECT(std::abs(with_relu - with_silu) > 0.01);
  // Keys and values are kept in half precision.
  expect_near(*mean_log_likelihood(*model, tokens), with_relu, 0.002);
  model->ffns->set_form({});
  expect_near(*mean_log_likelihood(*model, tokens), with_silu, 0.002);
}

TEST(relu_models, are_tried_both_ways_when_only_the_name_is_a_hint) {
  const std::string bytes = without_activation_key(SyntheticModel(tiny_spec(Arch::llama_relu)).bytes());
  const TemporaryFile file(bytes);
  EXPECT(!read_bytes(bytes)->form->is_certain);
  const auto model = load(file.path());
  EXPECT(model);
  EXPECT_EQ(model->info.ffn.mode == hotcold::Mode::exact, model->ffns != nullptr);
  ModelSpec dense = starter_spec();
  dense.path = file.path();
  dense.mode = hotcold::Mode::dense;
  EXPECT_EQ(code_of(load_model(dense, {}, {})), "ok");
}

TEST(relu_models, run_as_llama_cpp_has_them_when_only_the_name_is_a_hint_and_their_graph_is_unknown) {
  const SyntheticModel scaled(tiny_spec(Arch::llama_relu));
  add_scale(scaled.path());
  const TemporaryFile hint(without_activation_key(scaled.bytes()));
  auto model = load(hint.path());
  if (!model) throw Failure(model.error().message);
  EXPECT(!model->ffns || !model->ffns->form());
  EXPECT(model->info.ffn.reason.find("with ReLU it cannot be computed: ffn_gate-0 cannot be left to llama.cpp") != std::string::npos);
  EXPECT(mean_log_likelihood(*model, text_tokens(3)));
}

TEST(relu_models, are_refused_when_their_graph_is_unknown_and_llama_cpp_would_compute_another) {
  const SyntheticModel scaled(tiny_spec(Arch::llama_relu));
  add_scale(scaled.path());
  auto model = load(scaled.path());
  EXPECT(model);
  EXPECT_EQ(code_of(mean_log_likelihood(*model, text_tokens(3))), "model/unsupported");
}

TEST(relu_models, are_computed_with_relu) {
  const SyntheticModel file(tiny_spec(Arch::llama_relu));
  auto model = load(file.path());
  EXPECT(model);
  EXPECT(model->info.ffn.reason.find("hotpath.ffn_activation is relu") != std::string::npos);
  const auto tokens = text_tokens(12);
  FloatModel plain(file.path());
  EXPECT(relative_difference(logits(*model, tokens), plain.logits(tokens)) < 2e-2);
  // That the test can tell: with SiLU, which llama.cpp would use, something else comes out.
  plain.set_activation(FfnActivation::silu);
  EXPECT(relative_difference(logits(*load(file.path()), tokens), plain.logits(tokens)) > 5e-2);
}

}  // namespace hotpath::test
