// Hot neurons while a model serves: filled, exchanged, handed back, lost. Each on a second CPU device of ggml and, where
// there is one, on a GPU.
#include "placement/hot_set.h"

#include <algorithm>
#include <numeric>

#include "hotcold_model.h"
#include "starter.h"

namespace hotpath::test {

namespace {

using hotcold::HotLayer;
using hotcold::NeuronForm;
using hotcold::NeuronFunction;
using hotcold::Store;

// As in test_hotcold_hot_half.cpp: the device keeps down as 16-bit floats, and sums with them.
constexpr double kDeviceTolerance = 2e-3;
const TinyShape kShape = {"arcee", GGML_TYPE_F32};
const NeuronForm kForm = {NeuronFunction::relu_squared};
constexpr uint64_t kPlenty = uint64_t{1} << 40;

ggml_backend_dev_t cpu() {
  start_engine();
  return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
}

ggml_backend_dev_t gpu() {
  start_engine();
  const auto gpus = usable_gpus();
  if (gpus.empty()) SKIP("no GPU backend found a device");
  return gpus.front();
}

/// Moves much and soon, as a user who changes his mind with every token would have it.
AdaptationRules eager() {
  AdaptationRules rules;
  rules.fast_tokens = 1;
  rules.fast_weight = 1;
  rules.advantage = 1;
  rules.least_difference = 0.01;
  return rules;
}

/// A model whose hot neurons are on the device, beside stock llama.cpp with the same file.
struct Served {
  explicit Served(ggml_backend_dev_t device, uint64_t free_when_loaded = kPlenty) : free_bytes(free_when_loaded) {
    HotSet::Spec spec;
    spec.n_hot = {96, 50};  // the last group of the second layer is not full
    spec.reserve_bytes = 1000;
    spec.free_bytes = [this] { return free_bytes; };
    spec.rules = eager();
    auto unit = make_empty_unit(store, kForm, device);
    if (!unit) throw Failure(unit.error().message);
    set = std::make_unique<HotSet>(store, std::move(*unit), std::move(spec));
    store.set_observer(&recorder);
  }

  /// As after a completion.
  void adapt() {
    set->observe(recorder);
    recorder.move_to(activity);
    // One takes 20 ms at most, in which a busy machine does not end it.
    for (int i = 0; i < 5; ++i) set->adapt([] { return false; });
  }

  void expect_equal_to_stock() {
    const auto tokens = some_tokens(24, ours.n_vocab());
    EXPECT(relative_difference(ours.logits(tokens, 1), stock.logits(tokens, 1)) < kDeviceTolerance);
  }

  /// As for a prompt, which nobody observes. Larger batches have a software device compile other programs for a minute.
  void expect_prompts_equal_to_stock(ggml_backend_dev_t device) {
    store.set_observer(nullptr);
    const auto tokens = some_tokens(200, ours.n_vocab());
    const bool is_cpu = ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
    for (const size_t batch_size : is_cpu ? std::vector<size_t>{9, 33, 129, 200} : std::vector<size_t>{9, 30}) {
      store.reset_stats();
      ours.forget();
      stock.forget();
      EXPECT(relative_difference(ours.logits(tokens, batch_size), stock.logits(tokens, batch_size)) < kDeviceTolerance);
      const bool pays = !store.hot_half()->hot_neurons(1, 200).empty();  // a software device may have been let go
      EXPECT(!pays || store.stats().layers[1].hot == 200 * 50u);
    }
    store.set_observer(&recorder);
  }

  const TinyModel model{kShape};
  Store store{hotcold::usable_isas().front()};
  LlamaRun ours{model.path(), 1, &store};
  LlamaRun stock{model.path(), 1, nullptr};
  uint64_t free_bytes;
  ActivationRecorder recorder{{352, 352}};
  std::vector<LayerActivity> activity;
  std::unique_ptr<HotSet> set;
};

void equals_llama_before_and_after_neurons_are_exchanged(ggml_backend_dev_t device) {
  Served served(device);
  EXPECT_EQ(served.set->notice(), "");
  EXPECT_EQ(served.set->state().neurons, 146u);
  served.expect_equal_to_stock();
  const uint64_t active_before = served.store.stats().layers[0].sampled_hot_active;
  served.adapt();
  EXPECT(served.set->state().swaps > 20);
  EXPECT_EQ(served.set->state().neurons, 146u);
  served.expect_prompts_equal_to_stock(device);
  served.store.reset_stats();
  served.expect_equal_to_stock();
  // It was worth it, as far as it can be among random neurons, each active for about half of the tokens.
  EXPECT(served.store.stats().layers[0].sampled_hot_active > active_before * 11 / 10);
}

void hands_memory_back_and_takes_it_again(ggml_backend_dev_t device) {
  Served served(device);
  const HotState full = served.set->state();
  EXPECT_EQ(full.layers, 2u);
  served.free_bytes = 999;
  served.adapt();
  EXPECT_EQ(served.set->state().layers, 0u);
  const uint64_t neurons_bytes = full.neurons * 2 * 128 * 4;  // up in 32 bits and down in 16, at least; what prompts need stays
  EXPECT(served.set->state().vram_bytes <= full.vram_bytes - neurons_bytes * 3 / 4);
  served.expect_equal_to_stock();
  served.free_bytes = 80'000;  // enough for the reserve and a layer, which takes 74 kB, but not so that it would last
  served.adapt();
  EXPECT_EQ(served.set->state().layers, 0u);
  served.free_bytes = kPlenty;
  served.adapt();
  EXPECT_EQ(served.set->state().neurons, full.neurons);
  served.expect_equal_to_stock();
  EXPECT(served.store.stats().layers[1].hot > 0);
}

void counts_hot_and_cold_neurons_alike(ggml_backend_dev_t device) {
  Served served(device);
  served.expect_equal_to_stock();
  served.recorder.move_to(served.activity);

  Store all_cold(hotcold::usable_isas().front());
  LlamaRun run(served.model.path(), 1, &all_cold);
  ActivationRecorder recorder({352, 352});
  all_cold.set_observer(&recorder);
  run.logits(some_tokens(24, run.n_vocab()), 1);
  for (size_t layer = 0; layer < 2; ++layer) {
    EXPECT_EQ(served.activity[layer].tokens, 24u);
    uint64_t difference = 0;
    for (size_t i = 0; i < 352; ++i) {
      const uint64_t expected = recorder.counts(layer)[i];
      difference += std::max(expected, served.activity[layer].counts[i]) - std::min(expected, served.activity[layer].counts[i]);
    }
    EXPECT(difference <= 4);  // of some 4000: a value near 0 may fall on either side
  }
}

/// A device with memory for one layer.
class SmallUnit : public hotcold::HotUnit {
 public:
  explicit SmallUnit(std::vector<HotLayer> layers) : layers_(std::move(layers)) {}
  std::string name() const override { return "a small device"; }
  size_t memory_bytes() const override { return 0; }
  const HotLayer& layer(size_t i) const override { return layers_[i]; }
  Result<Done> upload(size_t, int64_t, const hotcold::HotNeurons&) override {
    if (takes_neurons) return Done{};
    return Error{ErrorCode::device_unavailable, "lost", {}};
  }
  Result<Done> start(size_t, const float*, int64_t) override { return Error{ErrorCode::device_unavailable, "gone", {}}; }
  Result<Done> wait(float*) override { return Done{}; }
  Result<Done> read_activations(std::span<float>) override { return Done{}; }
  Result<Done> resize(size_t i, int64_t n_groups) override {
    if (i > 0) return Error{ErrorCode::device_out_of_memory, "96 kB needed, 3 kB free", {}};
    layers_[i].n_groups = n_groups;
    return Done{};
  }

  bool takes_neurons = true;

 private:
  std::vector<HotLayer> layers_;
};

}  // namespace

TEST(hot_set, equals_llama_before_and_after_neurons_are_exchanged) { equals_llama_before_and_after_neurons_are_exchanged(cpu()); }
TEST(hot_set, equals_llama_before_and_after_neurons_are_exchanged_on_the_gpu) { equals_llama_before_and_after_neurons_are_exchanged(gpu()); }

TEST(hot_set, hands_memory_back_and_takes_it_again) { hands_memory_back_and_takes_it_again(cpu()); }
TEST(hot_set, hands_memory_back_and_takes_it_again_on_the_gpu) { hands_memory_back_and_takes_it_again(gpu()); }

TEST(hot_set, counts_hot_and_cold_neurons_alike) { counts_hot_and_cold_neurons_alike(cpu()); }
TEST(hot_set, counts_hot_and_cold_neurons_alike_on_the_gpu) { counts_hot_and_cold_neurons_alike(gpu()); }

TEST(hot_set, keeps_what_loading_put_there_until_somebody_takes_more) {
  Served served(cpu(), 600);  // free when all is there, of the 1000 that are to be
  const HotState full = served.set->state();
  served.adapt();
  EXPECT_EQ(served.set->state().neurons, full.neurons);
  served.free_bytes = 400;
  served.set->make_room();
  EXPECT_EQ(served.set->state().layers, 0u);
  served.expect_equal_to_stock();
}

TEST(hot_set, leaves_to_the_cpu_what_finds_no_memory_and_goes_on_when_the_device_is_lost) {
  Served served(cpu());
  const HotLayer shape = *hotcold::hot_layer_for(served.store.layer(0), kForm, 0);
  HotSet::Spec spec;
  spec.n_hot = {32, 32};
  spec.free_bytes = [] { return kPlenty; };
  HotSet set(served.store, std::make_unique<SmallUnit>(std::vector{shape, shape}), std::move(spec));
  EXPECT_EQ(set.notice(), "the neurons of 1 of 2 layers stay on the CPU: 96 kB needed, 3 kB free");
  EXPECT_EQ(set.state().neurons, 32u);
  served.expect_equal_to_stock();
  EXPECT_EQ(set.state().neurons, 0u);
  EXPECT_EQ(set.state().device, "");
  set.adapt([] { return false; });
  served.expect_equal_to_stock();
}

TEST(hot_set, tells_of_a_device_that_is_lost_while_it_is_filled) {
  Served served(cpu());
  const HotLayer shape = *hotcold::hot_layer_for(served.store.layer(0), kForm, 0);
  auto unit = std::make_unique<SmallUnit>(std::vector{shape, shape});
  unit->takes_neurons = false;
  HotSet::Spec spec;
  spec.n_hot = {32, 0};
  spec.free_bytes = [] { return kPlenty; };
  const HotSet set(served.store, std::move(unit), std::move(spec));
  EXPECT_EQ(set.notice(), "a small device is given up, the CPU computes all neurons: lost");
  EXPECT_EQ(set.state().device, "");
  served.expect_equal_to_stock();
}

TEST(hot_set, stops_for_a_request_and_goes_on_after_it) {
  Served served(cpu());
  served.expect_equal_to_stock();
  served.set->observe(served.recorder);
  served.recorder.move_to(served.activity);
  served.set->adapt([] { return true; });
  EXPECT(served.set->state().swaps > 20);
  served.expect_equal_to_stock();  // with some groups exchanged and others not yet
  served.set->adapt([] { return false; });
  served.expect_equal_to_stock();
}

}  // namespace hotpath::test
