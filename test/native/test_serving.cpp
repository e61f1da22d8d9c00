// Placement at run time through the engine's own surface: a model that a device cannot hold is split, learns, and answers
// as llama.cpp alone would.
#include <algorithm>
#include <filesystem>

#include "activation/profile.h"
#include "core/file.h"
#include "llama/layer_placement.h"
#include "llama/sparsity.h"
#include "starter.h"
#include "synthetic_model.h"
#include "temporary_folder.h"

namespace hotpath::test {

namespace {

/// Where a slow CPU stands beside a device that costs nothing to talk to, hot neurons pay even in a tiny model.
constexpr MachineRates kRates = {1, 1, 1, 100, 0.01, 0.01, false};

/// Floats, so that greedy tokens can be compared: the device rounds less than one answer differs from the next.
const SyntheticModel& model() {
  static const SyntheticModel made(tiny_spec(synth::Arch::arcee, GGML_TYPE_F16));
  return made;
}

std::string cpu_name() {
  start_engine();
  return ggml_backend_dev_name(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));
}

std::string gpu_name() {
  start_engine();
  const auto gpus = usable_gpus();
  if (gpus.empty()) SKIP("no GPU backend found a device");
  return ggml_backend_dev_name(gpus.front());
}

/// With room on the device for `bytes` beside what is left to others.
ModelSpec split_spec(const std::string& path, const std::string& device, uint64_t bytes) {
  start_engine();
  const auto file = read_model_file(path);
  EXPECT(file);
  ModelSpec spec;
  spec.path = path;
  spec.threads = 1;
  spec.context_length = 512;
  spec.rates = kRates;
  spec.hot_device = device;
  spec.vram_bytes = gpu_reserve_bytes(*file) + bytes;
  return spec;
}

std::shared_ptr<Model> load(const ModelSpec& spec) {
  auto loaded = engine::load(spec);
  if (!loaded) throw Failure(loaded.error().message);
  return *loaded;
}

GenerateResult complete(Model& model, const std::string& prefix, size_t n_tokens) {
  GenerateParams params = params_for(prefix, "", n_tokens);
  params.ignore_end = true;
  auto result = model.generate(params);
  if (!result) throw Failure(result.error().message);
  return *result;
}

// Inputs and outputs of 512 tokens of 256 floats, and what a slice of 128 has in between.
constexpr uint64_t kPromptBytes = 2'500'000;

const char* kPrefix = "def mean(values):\n    total = 0\n    for value in values:\n";

/// Of the tensors whose names have this in them.
uint64_t bytes_of_tensors(const std::string& path, const char* part_of_name) {
  const auto file = ReadFile::open(path);
  const auto header = read_gguf_header(file_source(path, *file));
  EXPECT(header);
  uint64_t bytes = 0;
  for (const GgufTensor& tensor : header->tensors) bytes += tensor.name.find(part_of_name) != std::string::npos ? tensor.bytes : 0;
  return bytes;
}

std::string stock_text(const std::string& path, size_t n_tokens = 64) {
  ModelSpec spec = split_spec(path, "", 0);
  spec.device = DeviceChoice::cpu;
  spec.mode = hotcold::Mode::dense;
  const auto stock = load(spec);
  return complete(*stock, kPrefix, n_tokens).text;
}

uint32_t layers_on_gpu(const LoadedInfo& info) {
  uint32_t n = 0;
  for (const DeviceShare& share : info.devices) n += share.kind == DeviceKind::gpu ? share.layers : 0;
  return n;
}

/// The plan was to stay below `most_bytes`.
void expect_hot_neurons_in_memory_of_gpu(const LoadedInfo& info, uint64_t most_bytes) {
  const HotState& hot = info.ffn.hot;
  for (const DeviceShare& share : info.devices) {
    if (share.kind != DeviceKind::gpu) {
      EXPECT(!share.memory || share.memory->hot_bytes == 0);
      continue;
    }
    EXPECT_EQ(share.memory->hot_bytes, hot.vram_bytes);
    EXPECT(share.memory->hot_bytes >= static_cast<double>(hot.neurons) * info.ffn.neuron_bytes.front());  // all layers are alike
    EXPECT(share.memory->total() <= most_bytes);
  }
}

void splits_a_model_that_does_not_fit(const std::string& device) {
  const ModelSpec spec = split_spec(model().path(), device, 1'500'000);
  const auto split = load(spec);
  const FfnInfo& ffn = split->info().ffn;
  EXPECT_EQ(hotcold::mode_name(ffn.mode), std::string("exact"));
  EXPECT_EQ(split->info().fallback, "");
  EXPECT(ffn.hot.layers > 0 && ffn.hot.neurons >= 32 && ffn.hot.neurons < 4096);
  // What prompts need beside the neurons is part of what a plan leaves free.
  EXPECT(ffn.hot.vram_bytes > 0 && ffn.hot.vram_bytes <= 1'500'000 + kPromptBytes);
  EXPECT(ffn.hot.device.starts_with(device));
  const auto is_gpu = [](const DeviceShare& share) { return share.kind == DeviceKind::gpu; };
  EXPECT_EQ(std::ranges::any_of(split->info().devices, is_gpu), device != cpu_name());
  expect_hot_neurons_in_memory_of_gpu(split->info(), spec.vram_bytes);
  EXPECT(ffn.reason.find("hot/cold should be") != std::string::npos);
  const std::string expected = stock_text(model().path());
  // The second and third come after neurons were exchanged.
  for (int i = 0; i < 3; ++i) {
    const GenerateResult result = complete(*split, kPrefix, 64);
    EXPECT_EQ(result.text, expected);
    const Sparsity sparsity = sparsity_of(split->info(), result.stats.ffn);
    expect_near(sparsity.active_share, 0.11, 0.03);  // as the model was made
    EXPECT(sparsity.hot_share > 0.1 && sparsity.hot_share < 1);
    EXPECT_EQ(result.stats.hot.swaps > 0, i > 0);
  }
}

}  // namespace

TEST(serving, splits_a_model_that_does_not_fit_and_answers_as_stock_llama) { splits_a_model_that_does_not_fit(cpu_name()); }
TEST(serving, splits_a_model_that_does_not_fit_and_answers_as_stock_llama_on_the_gpu) { splits_a_model_that_does_not_fit(gpu_name()); }

TEST(serving, tells_the_bytes_of_a_token_where_no_neuron_is_left_out) {
  const SyntheticModel experts(tiny_spec(synth::Arch::moe));
  ModelSpec spec = split_spec(experts.path(), "", 0);
  spec.device = DeviceChoice::cpu;
  spec.mode = hotcold::Mode::dense;
  const auto dense = load(spec);
  // All but the embedding, of which a token has one row, and but the experts that are not asked: 12 of 16.
  const uint64_t expert_bytes = bytes_of_tensors(experts.path(), "_exps.");
  const uint64_t expected = bytes_of_tensors(experts.path(), "") - bytes_of_tensors(experts.path(), "token_embd.") - expert_bytes * 12 / 16;
  const Sparsity sparsity = sparsity_of(dense->info(), complete(*dense, kPrefix, 4).stats.ffn);
  expect_near(sparsity.bytes_per_token, static_cast<double>(expected), 0);
  expect_near(sparsity.dense_bytes_per_token, static_cast<double>(expected), 0);
  EXPECT_EQ(sparsity.active_share, 1.0);
  EXPECT_EQ(sparsity.hot_share, 0.0);
}

TEST(serving, counts_the_bytes_of_predictors_where_they_are_used_and_only_there) {
  const SyntheticModel file(tiny_powerinfer(synth::Arch::llama_relu, GGML_TYPE_F16));
  const auto bytes_with = [&](hotcold::Mode mode) {
    ModelSpec spec = split_spec(file.path(), "", 0);
    spec.device = DeviceChoice::cpu;
    spec.mode = mode;
    const auto model = load(spec);
    return sparsity_of(model->info(), complete(*model, kPrefix, 20).stats.ffn);
  };
  const Sparsity exact = bytes_with(hotcold::Mode::exact);
  const Sparsity predicted = bytes_with(hotcold::Mode::predicted);
  const auto predictors = static_cast<double>(bytes_of_tensors(file.path(), ".fc"));
  const double all = static_cast<double>(bytes_of_tensors(file.path(), "") - bytes_of_tensors(file.path(), "token_embd.")) - predictors;
  expect_near(exact.dense_bytes_per_token, all, 1);
  expect_near(predicted.dense_bytes_per_token, all, 1);
  // Exact reads every gate; predicted reads the predictors instead, and of the gates what they name.
  const double gates = static_cast<double>(bytes_of_tensors(file.path(), "ffn_gate."));
  const double others = all - 3 * gates;
  EXPECT(exact.bytes_per_token > others + gates && exact.bytes_per_token < others + gates * 1.5);
  EXPECT(predicted.bytes_per_token > others + predictors && predicted.bytes_per_token < others + predictors + gates * 0.7);
}

TEST(serving, has_attention_and_all_neurons_on_the_gpu_where_hot_cold_is_asked_for_and_all_fits) {
  ModelSpec spec = split_spec(model().path(), gpu_name(), 0);
  spec.vram_bytes = 0;
  spec.mode = hotcold::Mode::exact;
  const auto split = load(spec);
  const LoadedInfo& info = split->info();
  EXPECT_EQ(info.ffn.hot.neurons, 4096u);
  EXPECT_EQ(layers_on_gpu(info), 4u);
  const GenerateResult result = complete(*split, kPrefix, 64);
  EXPECT_EQ(result.text, stock_text(model().path()));
  expect_near(sparsity_of(info, result.stats.ffn).hot_share, 1, 1e-9);
}

TEST(serving, computes_on_the_cpu_alone_what_has_no_silent_neurons_where_hot_cold_is_asked_for) {
  const SyntheticModel silu(tiny_spec(synth::Arch::llama, GGML_TYPE_F16));
  ModelSpec spec = split_spec(silu.path(), cpu_name(), 1'500'000);
  spec.mode = hotcold::Mode::exact;
  const auto loaded = load(spec);
  EXPECT_EQ(hotcold::mode_name(loaded->info().ffn.mode), std::string("exact"));
  EXPECT_EQ(loaded->info().ffn.hot.device, "");
  EXPECT_EQ(complete(*loaded, kPrefix, 8).text, stock_text(silu.path(), 8));
}

TEST(serving, says_that_a_plan_rests_on_rates_that_nobody_measured) {
  ModelSpec spec = split_spec(model().path(), cpu_name(), 1'500'000);
  spec.mode = hotcold::Mode::exact;
  EXPECT_EQ(load(spec)->info().ffn.reason, "asked for");
  spec.rates.reset();
  EXPECT(load(spec)->info().ffn.reason.starts_with("asked for; planned for a usual machine"));
}

TEST(serving, opens_no_device_for_a_plan_without_hot_neurons) {
  ModelSpec spec = split_spec(model().path(), cpu_name(), 0);
  spec.mode = hotcold::Mode::exact;
  const auto split = load(spec);
  EXPECT_EQ(split->info().ffn.reason, "asked for");
  EXPECT_EQ(split->info().ffn.hot.device, "");
}

TEST(serving, leaves_experts_on_the_cpu_with_attention_on_the_gpu) {
  const SyntheticModel moe(tiny_spec(synth::Arch::moe, GGML_TYPE_F16));
  ModelSpec spec = split_spec(moe.path(), gpu_name(), 0);
  spec.n_sequences = 1;
  const auto file = read_model_file(moe.path());
  EXPECT(file);
  // Room for all but experts.
  spec.vram_bytes += file->shape.head_bytes();
  for (size_t i = 0; i < 4; ++i) {
    spec.vram_bytes += file->shape.layer_bytes[i] + file->shape.layer_kv_per_token[i] * spec.context_length;
    spec.vram_bytes -= file->shape.ffn[i].bytes();
  }
  const std::string expected = stock_text(moe.path());
  for (const auto mode : {hotcold::Mode::automatic, hotcold::Mode::exact}) {
    spec.mode = mode;
    const auto loaded = load(spec);
    const LoadedInfo& info = loaded->info();
    EXPECT_EQ(info.fallback, "");
    EXPECT_EQ(layers_on_gpu(info), 4u);
    if (mode == hotcold::Mode::automatic) {
      EXPECT_EQ(hotcold::mode_name(info.ffn.mode), std::string("dense"));
      EXPECT_EQ(info.ffn.reason, "the experts of 4 of 4 layers are on the CPU, the attention of 4 of these is on the GPU");
    } else {
      EXPECT_EQ(hotcold::mode_name(info.ffn.mode), std::string("exact"));
      EXPECT_EQ(info.ffn.layers, 4u);
    }
    EXPECT_EQ(complete(*loaded, kPrefix, 64).text, expected);
  }
}

TEST(serving, leaves_a_model_alone_that_fits_on_the_gpu) {
  ModelSpec spec = split_spec(model().path(), gpu_name(), 0);
  spec.hot_device = "";
  spec.vram_bytes = 0;
  const auto whole = load(spec);
  EXPECT_EQ(hotcold::mode_name(whole->info().ffn.mode), std::string("dense"));
  EXPECT_EQ(whole->info().ffn.hot.device, "");
}

TEST(serving, keeps_what_it_learns_and_begins_with_it_the_next_time) {
  const TemporaryFolder folder;
  ModelSpec spec = split_spec(model().path(), cpu_name(), 1'000'000);
  spec.profile = folder.file("deep/in/tiny.profile");
  auto first = load(spec);
  const double hot_share_before = sparsity_of(first->info(), complete(*first, kPrefix, 200).stats.ffn).hot_share;
  first->unload();
  const auto kept = load_profile(spec.profile);
  EXPECT(kept);
  EXPECT_EQ(kept->layers.size(), 4u);
  EXPECT(kept->layers[0].tokens >= 49 && kept->layers[0].tokens <= 51);  // a sample of 200
  const auto second = load(spec);
  EXPECT_EQ(second->info().ffn.profile_notice, "");
  const double hot_share_after = sparsity_of(second->info(), complete(*second, kPrefix, 64).stats.ffn).hot_share;
  EXPECT(hot_share_after > 1.3 * hot_share_before);
  second->unload();
  EXPECT(load_profile(spec.profile)->layers[0].tokens > kept->layers[0].tokens);
}

TEST(serving, ignores_the_profile_of_another_model_says_so_and_replaces_it) {
  const TemporaryFolder folder;
  ModelSpec spec = split_spec(model().path(), cpu_name(), 1'000'000);
  spec.profile = folder.file("profile");
  ActivationProfile foreign;
  foreign.model = {1, 2};
  foreign.model_name = "another";
  EXPECT(save_profile(foreign, spec.profile));
  const auto loaded = load(spec);
  EXPECT(loaded->info().ffn.profile_notice.find("the profile is of another model (another)") != std::string::npos);
  complete(*loaded, kPrefix, 8);
  loaded->unload();
  EXPECT_EQ(load_profile(spec.profile)->layers.size(), 4u);
}

}  // namespace hotpath::test
