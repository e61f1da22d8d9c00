#include "placement/plan.h"

#include <algorithm>

#include "test.h"

namespace hotpath::test {

namespace {

constexpr uint64_t kGB = 1'000'000'000;

MachineRates with_gpu() {
  MachineRates rates;
  rates.cpu_stream_gbps = 60;
  rates.cpu_gather_2k_gbps = 45;
  rates.cpu_gather_4k_gbps = 55;
  rates.gpu_gbps = 770;
  rates.gpu_layer_us = 10;
  rates.exchange_us = 25;
  return rates;
}

/// A file of Llama's shape without its bytes: 32 layers, 4096 wide, 11008 neurons, Q4_0.
ModelFile model_7b(const std::string& architecture) {
  ModelFile model;
  model.metadata.name = "seven";
  model.metadata.path = "seven.gguf";
  model.metadata.architecture = architecture;
  model.metadata.layer_count = 32;
  model.metadata.embedding_length = 4096;
  const uint64_t matrix = uint64_t{4096} * 11008 * 18 / 32;
  FfnWeights ffn;
  ffn.n_embd = 4096;
  ffn.n_neurons = ffn.down_width = 11008;
  ffn.gate_bytes = architecture == "arcee" ? 0 : matrix;
  ffn.up_bytes = ffn.down_bytes = matrix;
  model.shape.ffn.assign(32, ffn);
  model.shape.layer_bytes.assign(32, ffn.bytes() + 38'000'000);
  model.shape.layer_kv_per_token.assign(32, 4 * 4096);
  model.shape.other_bytes = 180'000'000;
  model.shape.input_bytes = 74'000'000;
  model.shape.output_bytes = 106'000'000;
  model.shape.feed_forward_length = 11008;
  return model;
}

ModelFile relu_7b() {
  ModelFile model = model_7b("llama");
  for (FfnWeights& ffn : model.shape.ffn) {
    ffn.is_relu_file = true;
    ffn.predictor_bytes = 5'000'000;
  }
  for (uint64_t& bytes : model.shape.layer_bytes) bytes += 5'000'000;
  return model;
}

/// Shape of Qwen3-30B-A3B.
ModelFile model_moe() {
  ModelFile model = model_7b("qwen3moe");
  FfnWeights ffn;
  ffn.n_embd = 2048;
  ffn.n_neurons = ffn.down_width = 768;
  ffn.n_experts = 128;
  ffn.gate_bytes = ffn.up_bytes = ffn.down_bytes = uint64_t{2048} * 768 * 128 * 18 / 32;
  model.shape.ffn.assign(48, ffn);
  model.shape.layer_bytes.assign(48, ffn.bytes() + 20'000'000);
  model.shape.layer_kv_per_token.assign(48, 2048);
  model.shape.experts_used = 8;
  return model;
}

ActivationProfile skewed_profile(const ModelFile& model) {
  ActivationProfile profile = {{1, 2}, "seven", {}};
  for (const FfnWeights& ffn : model.shape.ffn) {
    LayerActivity layer = {1000, std::vector<uint64_t>(ffn.all_neurons(), 20)};
    for (size_t i = 0; i < layer.counts.size(); i += 10) layer.counts[i] = 900;  // every tenth neuron is hot
    profile.layers.push_back(std::move(layer));
  }
  return profile;
}

Result<Planned> plan_for(const ModelFile& model, uint64_t vram_bytes, hotcold::Mode mode = hotcold::Mode::automatic,
                         const ActivationProfile* profile = nullptr, MachineRates rates = with_gpu()) {
  PlanRequest request;
  request.work.mode = mode;
  request.work.profile = profile;
  request.rates = rates;
  request.vram_bytes = vram_bytes;
  return make_plan(model, {1, 2}, request);
}

std::string message_of(const Result<Planned>& planned) { return planned ? "" : planned.error().message; }

}  // namespace

TEST(plan, is_the_stock_path_when_the_model_fits) {
  for (const ModelFile& model : {model_7b("arcee"), model_7b("llama"), model_moe()}) {
    const auto planned = plan_for(model, 40 * kGB);
    EXPECT(planned);
    EXPECT(planned->plan.is_stock);
    EXPECT_EQ(planned->report.seconds, planned->report.stock_seconds);
    EXPECT(planned->report.reason.find("fits") != std::string::npos);
  }
}

// A small model may be read faster from RAM than a GPU launches its kernels; llama.cpp takes the GPU all the same.
TEST(plan, is_the_stock_path_also_where_launches_outweigh_reading) {
  MachineRates rates = with_gpu();
  rates.gpu_layer_us = 1e5;
  const auto planned = plan_for(model_7b("arcee"), 40 * kGB, hotcold::Mode::automatic, nullptr, rates);
  EXPECT(planned);
  EXPECT(planned->plan.is_stock);
  EXPECT(planned->plan.head_on_gpu);
  EXPECT(planned->report.notes.empty());
}

TEST(plan, is_the_stock_path_when_no_neuron_can_be_skipped) {
  const auto planned = plan_for(model_7b("llama"), 3 * kGB);
  EXPECT(planned);
  EXPECT(planned->plan.mode == hotcold::Mode::dense);
  EXPECT(planned->plan.is_stock);
}

TEST(plan, never_leaves_to_llama_what_it_would_compute_wrongly) {
  ModelFile by_metadata = model_7b("llama");
  by_metadata.shape.is_relu_by_metadata = true;
  for (const ModelFile& model : {relu_7b(), by_metadata}) {
    for (const uint64_t vram : {0 * kGB, 4 * kGB, 40 * kGB}) {
      const auto planned = plan_for(model, vram);
      EXPECT(planned);
      EXPECT(!planned->plan.is_stock);
      for (const PlanLayer& layer : planned->plan.layers) EXPECT(layer.choice.ffn == FfnPlace::split);
    }
    EXPECT(message_of(plan_for(model, kGB, hotcold::Mode::dense)).find("wrongly") != std::string::npos);
  }
}

TEST(plan, splits_a_sparse_model_that_does_not_fit) {
  const auto planned = plan_for(relu_7b(), 4 * kGB);
  EXPECT(planned);
  EXPECT(planned->plan.mode == hotcold::Mode::exact);
  EXPECT(!planned->plan.is_stock);
  EXPECT(planned->report.seconds * 1.05 < planned->report.stock_seconds);
  EXPECT(planned->report.vram_used_bytes <= planned->report.budget_bytes);
  EXPECT(planned->report.budget_bytes < 4 * kGB);
  EXPECT_EQ(planned->report.notes.size(), 1u);
  EXPECT(planned->report.notes[0].starts_with("no profile"));
}

TEST(plan, works_without_a_gpu) {
  MachineRates rates = with_gpu();
  rates.gpu_gbps = 0;
  const auto planned = plan_for(model_7b("arcee"), 0, hotcold::Mode::automatic, nullptr, rates);
  EXPECT(planned);
  EXPECT(!planned->plan.is_stock);
  EXPECT_EQ(planned->report.vram_used_bytes, 0u);
  EXPECT_EQ(planned->report.head.gpu_bytes, 0.0);
}

TEST(plan, puts_the_hottest_neurons_of_the_profile_on_the_gpu) {
  const ModelFile model = relu_7b();
  const ActivationProfile profile = skewed_profile(model);
  const auto planned = plan_for(model, 3'000'000'000, hotcold::Mode::exact, &profile);
  EXPECT(planned);
  EXPECT(planned->report.notes.empty());
  size_t n_split = 0;
  for (size_t i = 0; i < planned->plan.layers.size(); ++i) {
    const PlanLayer& layer = planned->plan.layers[i];
    if (layer.hot.empty()) continue;
    ++n_split;
    EXPECT(std::is_sorted(layer.hot.begin(), layer.hot.end()));
    const auto n_hot = std::count_if(layer.hot.begin(), layer.hot.end(), [](uint32_t n) { return n % 10 == 0; });
    EXPECT_EQ(static_cast<size_t>(n_hot), std::min<size_t>(layer.hot.size(), 1101));
    EXPECT(planned->report.layers[i].hot_activity > static_cast<double>(layer.hot.size()) / 11008);
  }
  EXPECT(n_split > 0);
  const auto unprofiled = plan_for(model, 3'000'000'000, hotcold::Mode::exact);
  EXPECT(planned->report.seconds < unprofiled->report.seconds);
}

TEST(plan, brings_attention_to_the_gpu_and_leaves_experts_on_the_cpu) {
  const auto planned = plan_for(model_moe(), 4 * kGB);
  EXPECT(planned);
  EXPECT(planned->plan.is_stock);  // llama.cpp computes all of it
  EXPECT(planned->plan.mode == hotcold::Mode::dense);
  size_t n_on_cpu = 0;
  for (const PlanLayer& layer : planned->plan.layers) {
    EXPECT(layer.choice.attention_on_gpu && layer.hot.empty());
    EXPECT(layer.choice.ffn == FfnPlace::stock_cpu || layer.choice.ffn == FfnPlace::stock_gpu);
    n_on_cpu += layer.choice.ffn == FfnPlace::stock_cpu;
  }
  EXPECT(n_on_cpu > 30 && n_on_cpu < 48);
  EXPECT_EQ(planned->report.reason, format_text("the experts of %zu of 48 layers are on the CPU, the attention of %zu of these is on the GPU",
                                                n_on_cpu, n_on_cpu));
  EXPECT_EQ(planned->report.seconds, planned->report.stock_seconds);
  EXPECT_EQ(planned->report.layers[0].active_share, 8.0 / 128);
  EXPECT(planned->report.notes.empty());
}

TEST(plan, splits_no_experts_where_hot_cold_is_asked_for) {
  const auto planned = plan_for(model_moe(), 4 * kGB, hotcold::Mode::exact);
  EXPECT(planned);
  EXPECT(!planned->plan.is_stock);  // ours are the experts on the CPU
  for (const PlanLayer& layer : planned->plan.layers) EXPECT(layer.choice.ffn != FfnPlace::split && layer.hot.empty());
}

TEST(plan, refuses_modes_and_profiles_that_do_not_suit) {
  EXPECT(message_of(plan_for(model_7b("llama"), kGB, hotcold::Mode::predicted)).find("predictors") != std::string::npos);
  EXPECT(message_of(plan_for(model_7b("arcee"), kGB, hotcold::Mode::threshold)).find("gate") != std::string::npos);
  EXPECT(plan_for(relu_7b(), kGB, hotcold::Mode::predicted));
  EXPECT(plan_for(model_7b("llama"), kGB, hotcold::Mode::threshold));
  ActivationProfile other = skewed_profile(relu_7b());
  other.model.header_hash = 7;
  EXPECT(message_of(plan_for(relu_7b(), kGB, hotcold::Mode::exact, &other)).find("another model") != std::string::npos);
  ActivationProfile narrow = skewed_profile(relu_7b());
  narrow.layers[5].counts.pop_back();
  EXPECT(message_of(plan_for(relu_7b(), kGB, hotcold::Mode::exact, &narrow)).find("layer 5") != std::string::npos);
}

TEST(plan, says_when_results_change) {
  const auto planned = plan_for(model_7b("llama"), 3 * kGB, hotcold::Mode::threshold);
  EXPECT(planned);
  EXPECT_EQ(planned->report.notes.back(), "threshold mode changes results");
}

TEST(plan, leaves_fused_matrices_to_llama) {
  ModelFile model = model_7b("phi3");
  for (FfnWeights& ffn : model.shape.ffn) ffn.n_neurons = 2 * 11008;
  const auto planned = plan_for(model, 3 * kGB);
  EXPECT(planned);
  EXPECT(planned->plan.is_stock);
}

TEST(plan, leaves_what_has_no_kernels_to_llama_and_counts_it_as_whole_layers) {
  ModelFile model = model_7b("arcee");
  for (size_t i = 0; i < 16; ++i) model.shape.ffn[i].obstacle = "blk.0.ffn_up.weight (q5_K, 4096 x 11008) has no kernel";
  const auto planned = plan_for(model, 3 * kGB, hotcold::Mode::exact);
  EXPECT(planned);
  EXPECT(!planned->plan.is_stock);
  const auto is_split = [](const PlanLayer& layer) { return layer.choice.ffn == FfnPlace::split; };
  const auto& layers = planned->plan.layers;
  EXPECT(std::none_of(layers.begin(), layers.begin() + 16, is_split));
  EXPECT(std::any_of(layers.begin() + 16, layers.end(), is_split));
  EXPECT(planned->report.vram_used_bytes <= planned->report.budget_bytes);
  EXPECT(planned->report.notes.back().find("q5_K") != std::string::npos);
  for (FfnWeights& ffn : model.shape.ffn) ffn.obstacle = "no kernel";
  EXPECT(plan_for(model, 3 * kGB)->plan.is_stock);
}

}  // namespace hotpath::test
