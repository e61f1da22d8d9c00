#include "hotcold/plan.h"

#include "starter.h"
#include "synthetic_model.h"

namespace hotpath::test {

namespace {

using hotcold::Mode;
using hotcold::Plan;
using hotcold::PlanInput;

constexpr uint64_t kBytes = 8 << 20;  // what counts for whether a model is too small

std::vector<GgufTensor> layers_of(ggml_type type, bool has_gate, int n_layers = 3) {
  std::vector<GgufTensor> tensors;
  for (int i = 0; i < n_layers; ++i) {
    const std::string prefix = "blk." + std::to_string(i) + ".";
    if (has_gate) tensors.push_back({prefix + "ffn_gate.weight", type, {256, 768, 1, 1}, 0, kBytes});
    tensors.push_back({prefix + "ffn_up.weight", type, {256, 768, 1, 1}, 0, kBytes});
    tensors.push_back({prefix + "ffn_down.weight", type, {768, 256, 1, 1}, 0, kBytes});
  }
  return tensors;
}

PlanInput input_for(const std::string& architecture, std::span<const GgufTensor> tensors) {
  return {architecture, tensors, 3, 3, {}, false, hotcold::Isa::avx2};
}

std::string summary(const Result<Plan>& plan) {
  return plan ? std::string(hotcold::mode_name(plan->mode)) + ": " + plan->reason : plan.error().message;
}

}  // namespace

TEST(hotcold_plan, takes_all_layers_of_a_relu_model) {
  const auto tensors = layers_of(GGML_TYPE_Q8_0, false);
  const auto plan = hotcold::plan_ffns(input_for("arcee", tensors), Mode::automatic);
  EXPECT_EQ(summary(plan), "exact: ReLU^2: silent neurons are left out");
  EXPECT_EQ(plan->layers, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(plan->tensor_pattern(), "^blk\\.(0|1|2)\\.ffn_(gate|up|down)(_exps)?\\.(weight|bias)$");
}

TEST(hotcold_plan, takes_only_layers_that_are_not_on_the_gpu) {
  const auto tensors = layers_of(GGML_TYPE_Q8_0, false);
  PlanInput input = input_for("arcee", tensors);
  input.first_gpu_layer = 1;
  EXPECT_EQ(hotcold::plan_ffns(input, Mode::automatic)->layers, (std::vector<int>{0}));
  EXPECT_EQ(hotcold::plan_ffns(input, Mode::exact)->layers, (std::vector<int>{0, 1, 2}));
  input.first_gpu_layer = 0;
  EXPECT_EQ(summary(hotcold::plan_ffns(input, Mode::automatic)), "dense: its FFNs are on the GPU");
}

TEST(hotcold_plan, leaves_to_llama_what_would_not_get_faster) {
  const auto gated = layers_of(GGML_TYPE_Q8_0, true);
  EXPECT_EQ(summary(hotcold::plan_ffns(input_for("llama", gated), Mode::automatic)), "dense: llama has no ReLU: no neuron is silent, and llama.cpp is as fast");
  auto small = layers_of(GGML_TYPE_Q8_0, false);
  for (GgufTensor& tensor : small) tensor.bytes = 1 << 20;
  EXPECT_EQ(summary(hotcold::plan_ffns(input_for("arcee", small), Mode::automatic)), "dense: what would be computed here is so small that llama.cpp is as fast");
  const auto unknown_type = layers_of(GGML_TYPE_IQ2_XS, false);
  EXPECT_EQ(summary(hotcold::plan_ffns(input_for("arcee", unknown_type), Mode::automatic)),
            "dense: layer 0: blk.0.ffn_up.weight (iq2_xs, 256 x 768) has no kernel");
  PlanInput slow = input_for("arcee", {});
  const auto tensors = layers_of(GGML_TYPE_Q8_0, false);
  slow.tensors = tensors;
  slow.isa = hotcold::Isa::generic;
  EXPECT_EQ(summary(hotcold::plan_ffns(slow, Mode::automatic)), "dense: there are no fast kernels for this processor");
}

TEST(hotcold_plan, takes_a_model_without_silent_neurons_where_the_kernels_pay) {
  auto tensors = layers_of(GGML_TYPE_Q8_0, true);
  for (GgufTensor& tensor : tensors) {
    if (tensor.name == "blk.1.ffn_up.weight") tensor.type = GGML_TYPE_F16;
  }
  for (const char* name : {"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.2.attn_q.weight", "output.weight", "blk.0.ssm_in.weight"}) {
    tensors.push_back({name, GGML_TYPE_Q8_0, {256, 256, 1, 1}, 0, kBytes});
  }
  PlanInput input = input_for("llama", tensors);
  input.rows_speedup = [](ggml_type type) { return type == GGML_TYPE_Q8_0 ? hotcold::Speedup{1.9, 3.1} : hotcold::Speedup{2, 1}; };
  const auto plan = hotcold::plan_ffns(input, Mode::automatic);
  EXPECT_EQ(summary(plan),
            "exact: no neuron is silent, but for q8_0 our kernels have 1.9 times llama.cpp's speed on this processor, 3.1 with prompts");
  EXPECT(plan->is_plain && plan->layers.empty());
  EXPECT_EQ(plan->tensor_pattern(), "^(output)\\.weight$|^blk\\.(0)\\.(attn_k)\\.weight$|^blk\\.(0|1|2)\\.(ffn_down|ffn_gate)\\.weight$"
                                    "|^blk\\.(0|2)\\.(attn_q|ffn_up)\\.weight$");
  input.first_gpu_layer = 1;
  input.is_output_on_gpu = true;
  EXPECT_EQ(hotcold::plan_ffns(input, Mode::automatic)->tensor_pattern(), "^blk\\.(0)\\.(attn_k|attn_q|ffn_down|ffn_gate|ffn_up)\\.weight$");
}

TEST(hotcold_plan, names_for_every_layer_what_is_in_the_way) {
  auto tensors = layers_of(GGML_TYPE_Q8_0, false);
  tensors[2].type = GGML_TYPE_IQ2_XS;
  EXPECT_EQ(hotcold::ffn_obstacles(input_for("arcee", tensors)),
            (std::vector<std::string>{"", "blk.1.ffn_up.weight (iq2_xs, 256 x 768) has no kernel", ""}));
}

TEST(hotcold_plan, refuses_a_mode_that_the_model_cannot_do) {
  const auto ungated = layers_of(GGML_TYPE_Q8_0, false);
  const auto gated = layers_of(GGML_TYPE_Q8_0, true);
  const auto refusal = [](const PlanInput& input, Mode mode) {
    const auto plan = hotcold::plan_ffns(input, mode);
    EXPECT_EQ(code_of(plan), "request/invalid");
    return plan.error().message;
  };
  EXPECT_EQ(refusal(input_for("llama", gated), Mode::predicted), "mode predicted is not possible: the model brings no predictors");
  EXPECT_EQ(refusal(input_for("arcee", ungated), Mode::threshold),
            "mode threshold is not possible: ReLU^2 is silent by itself; exact loses nothing");
  EXPECT_EQ(refusal(input_for("gpt2", ungated), Mode::threshold), "mode threshold is not possible: gpt2 has no gates");
  EXPECT_EQ(refusal(input_for("phi3", {}), Mode::exact), "mode exact is not possible: layer 0: it has no ffn_up and ffn_down");
}

TEST(hotcold_plan, never_lets_llama_compute_an_activation_it_gets_wrong) {
  const auto gated = layers_of(GGML_TYPE_Q8_0, true);
  PlanInput input = input_for("llama", gated);
  input.form = hotcold::NeuronForm{hotcold::NeuronFunction::relu, true};
  EXPECT_EQ(summary(hotcold::plan_ffns(input, Mode::automatic)), "exact: ReLU with gates, not what llama.cpp would compute");
  EXPECT_EQ(code_of(hotcold::plan_ffns(input, Mode::dense)), "request/invalid");
  input.tensors = input.tensors.first(6);
  EXPECT_EQ(code_of(hotcold::plan_ffns(input, Mode::automatic)), "model/unsupported");
}

TEST(hotcold_plan, shows_in_the_engine_what_was_chosen_and_counts_what_is_read) {
  EXPECT_EQ(load_starter()->info().ffn.reason, "what would be computed here is so small that llama.cpp is as fast");
  ModelSpec spec = starter_spec();
  spec.mode = Mode::exact;
  const auto exact = engine::load(spec);
  EXPECT_EQ(std::string(hotcold::mode_name((*exact)->info().ffn.mode)), "exact");
  EXPECT_EQ((*exact)->info().ffn.layers, 4u);
  const auto generated = (*exact)->generate(params_for("def f(x):\n    return ", "\n", 8));
  EXPECT(generated);
  const hotcold::Stats& stats = generated->stats.ffn;
  EXPECT(stats.weight_bytes > 0 && stats.active() > 0 && stats.active() < stats.neurons());
  EXPECT_EQ(stats.dense_ops, 0u);

  spec.mode = Mode::dense;
  const auto dense = engine::load(spec);
  EXPECT(dense && (*dense)->info().ffn.layers == 0);
  EXPECT_EQ((*dense)->info().ffn.reason, "asked for");
  spec.mode = Mode::predicted;
  EXPECT_EQ(code_of(engine::load(spec)), "request/invalid");
}

TEST(hotcold_plan, calibrates_the_threshold_mode_and_says_that_it_is_lossy) {
  start_engine();
  const SyntheticModel file(tiny_spec(synth::Arch::llama));
  ModelSpec spec = starter_spec();
  spec.path = file.path();
  spec.mode = Mode::threshold;
  spec.silent_share = 0.6;
  const auto model = engine::load(spec);
  EXPECT_EQ(code_of(model), "ok");
  EXPECT((*model)->info().ffn.reason.find("lossy: 60 % of the gates") != std::string::npos);
  const auto generated = (*model)->generate(params_for("def f(x):\n    return ", "\n", 16));
  EXPECT(generated);
  const hotcold::Stats& stats = generated->stats.ffn;
  const double active = static_cast<double>(stats.active()) / static_cast<double>(stats.neurons());
  EXPECT(active > 0.2 && active < 0.6);  // another text than the one it was measured on
  spec.silent_share = 1;
  EXPECT_EQ(code_of(engine::load(spec)), "request/invalid");
}

TEST(hotcold_plan, predicts_no_layer_whose_attention_is_on_the_gpu) {
  const auto limited = [](Mode mode, int first_gpu_attention) {
    Plan plan = {mode, "asked for", {0, 1, 2}, {}};
    hotcold::limit_prediction(plan, first_gpu_attention);
    return summary(plan);
  };
  EXPECT_EQ(limited(Mode::predicted, 3), "predicted: asked for");
  EXPECT_EQ(limited(Mode::predicted, 2), "predicted: asked for; 1 of 3 layers are computed exactly, their attention is on the GPU");
  EXPECT_EQ(limited(Mode::predicted, 0), "exact: asked for; 3 of 3 layers are computed exactly, their attention is on the GPU");
  EXPECT_EQ(limited(Mode::exact, 0), "exact: asked for");
}

}  // namespace hotpath::test
