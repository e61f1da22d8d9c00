// The modes that leave out more than zeros, what is counted, and what comes in no known shape.
#include <algorithm>
#include <limits>
#include <map>

#include "ggml-cpp.h"
#include "hotcold_model.h"
#include "starter.h"

namespace hotpath::test {

namespace {

using hotcold::Mode;
using hotcold::Store;

constexpr double kFloatTolerance = 1e-4;  // as in test_hotcold_exact.cpp
constexpr TinyShape kFloats = {"arcee", GGML_TYPE_F32};

hotcold::Isa best_isa() { return hotcold::usable_isas().front(); }

/// Predicts exactly: z = (up * norm) . residual has the sign of up . x, as x is the residual scaled by a positive number
/// and by the norm's weights. relu(p) and relu(-p) carry all of p through the hidden layer.
void set_perfect_predictor(Store& store, const std::string& path, int layer, float threshold) {
  const int64_t n_embd = kFloats.n_embd;
  const std::string prefix = "blk." + std::to_string(layer) + ".";
  const auto up = read_floats(path, prefix + "ffn_up.weight");
  const auto norm = read_floats(path, prefix + "ffn_norm.weight");
  std::vector<float> fc1(2 * n_embd * n_embd);
  std::vector<float> fc2(kFloats.n_ff * 2 * n_embd);
  for (int64_t i = 0; i < n_embd; ++i) {
    fc1[i * n_embd + i] = 1;
    fc1[(n_embd + i) * n_embd + i] = -1;
    for (int64_t neuron = 0; neuron < kFloats.n_ff; ++neuron) {
      fc2[neuron * 2 * n_embd + i] = up[neuron * n_embd + i] * norm[i];
      fc2[neuron * 2 * n_embd + n_embd + i] = -up[neuron * n_embd + i] * norm[i];
    }
  }
  EXPECT(store.set_predictor(layer, {GGML_TYPE_F32, fc1.data(), GGML_TYPE_F32, fc2.data(), n_embd, 2 * n_embd, kFloats.n_ff, threshold}));
}

class CountingObserver : public hotcold::ActivityObserver {
 public:
  void on_active(int layer, std::span<const int32_t> neurons) override {
    EXPECT(std::is_sorted(neurons.begin(), neurons.end()));
    calls[layer] += 1;
    active[layer] += neurons.size();
  }
  std::map<int, uint64_t> calls;
  std::map<int, uint64_t> active;
};

}  // namespace

TEST(hotcold_modes, computes_only_what_a_perfect_predictor_names_and_equals_llama) {
  const TinyModel model(kFloats);
  Store store(best_isa());
  store.set_mode(Mode::predicted);
  LlamaRun ours(model.path(), 1, &store);
  for (int layer = 0; layer < kFloats.n_layers; ++layer) set_perfect_predictor(store, model.path(), layer, 0);
  LlamaRun stock(model.path(), 1, nullptr);
  const auto tokens = some_tokens(40, ours.n_vocab());
  EXPECT(relative_difference(ours.logits(tokens, 1), stock.logits(tokens, 1)) < kFloatTolerance);
  const hotcold::LayerStats& layer = store.stats().layers[0];
  EXPECT(layer.audited > 0);
  // A neuron at 0 may fall on either side.
  EXPECT(layer.audited - layer.recalled <= 2);
}

TEST(hotcold_modes, distrusts_a_predictor_that_misses_and_computes_its_layer_exactly) {
  const TinyModel model(kFloats);
  Store store(best_isa());
  store.set_mode(Mode::predicted);
  LlamaRun ours(model.path(), 1, &store);
  set_perfect_predictor(store, model.path(), 0, 0);
  set_perfect_predictor(store, model.path(), 1, std::numeric_limits<float>::infinity());
  const auto tokens = some_tokens(250, ours.n_vocab());
  ours.logits(tokens, 1);
  EXPECT(!store.stats().layers[0].is_distrusted);
  EXPECT(store.stats().layers[1].is_distrusted);
  EXPECT_EQ(store.stats().layers[1].recalled, 0u);
}

TEST(hotcold_modes, takes_the_calibrated_share_of_gates_as_silent) {
  const TinyModel model({"llama", GGML_TYPE_F32});
  Store store(best_isa());
  store.set_mode(Mode::threshold);
  LlamaRun ours(model.path(), 1, &store);
  const auto tokens = some_tokens(100, ours.n_vocab());
  store.begin_calibration();
  ours.logits(tokens, 100);
  store.end_calibration(0.7);
  store.reset_stats();
  ours.logits(tokens, 1);
  const hotcold::Stats& stats = store.stats();
  const double active = static_cast<double>(stats.active()) / static_cast<double>(stats.neurons());
  // The text is the same, but later layers see what earlier ones left out; and sizes are counted in steps of 1/16.
  EXPECT(active > 0.22 && active < 0.42);
}

TEST(hotcold_modes, leaves_nothing_out_below_a_threshold_of_zero) {
  const TinyModel model({"llama", GGML_TYPE_F32});
  Store store(best_isa());
  store.set_mode(Mode::threshold);
  LlamaRun ours(model.path(), 1, &store);
  LlamaRun stock(model.path(), 1, nullptr);
  const auto tokens = some_tokens(20, ours.n_vocab());
  EXPECT(relative_difference(ours.logits(tokens, 5), stock.logits(tokens, 5)) < kFloatTolerance);
}

TEST(hotcold_modes, shows_an_observer_the_active_neurons_of_every_token) {
  for (const TinyShape& shape : {kFloats, TinyShape{"llama", GGML_TYPE_F32, 128, 160, 2, 5}}) {
    const TinyModel model(shape);
    for (const size_t batch_size : {1, 5, 33}) {
      Store store(best_isa());
      CountingObserver observer;
      store.set_observer(&observer);
      LlamaRun run(model.path(), 1, &store);
      run.logits(some_tokens(33, run.n_vocab()), batch_size);
      for (int layer = 0; layer < shape.n_layers; ++layer) {
        EXPECT_EQ(observer.calls[layer], 33u);
        EXPECT_EQ(observer.active[layer], store.stats().layers[layer].active);
      }
    }
  }
}

TEST(hotcold_modes, leaves_to_ggml_what_comes_node_by_node_and_counts_it) {
  for (const TinyShape& shape : {kFloats, TinyShape{"llama", GGML_TYPE_Q8_0}, TinyShape{"nemotron", GGML_TYPE_Q4_0},
                                 TinyShape{"llama", GGML_TYPE_F32, 128, 160, 2, 5}}) {
    const TinyModel model(shape);
    Store store(best_isa());
    const auto every_node = [](ggml_tensor*, bool, void*) { return true; };
    LlamaRun ours(model.path(), 1, &store, every_node);
    LlamaRun stock(model.path(), 1, nullptr, every_node);
    const auto tokens = some_tokens(7, ours.n_vocab());
    // The same code on the same bytes; only llama.cpp's repacked weights may sum in another order.
    EXPECT(relative_difference(ours.logits(tokens, 7), stock.logits(tokens, 7)) < 1e-2);
    EXPECT(store.stats().dense_ops > 0);
  }
}

TEST(hotcold_modes, refuses_to_leave_to_ggml_what_it_would_compute_otherwise) {
  const auto every_node = [](ggml_tensor*, bool, void*) { return true; };
  const TinyModel model(kFloats);
  const auto run_alone = [&](Store& store) -> std::optional<Error> {
    LlamaRun ours(model.path(), 1, &store, every_node);
    try {
      ours.logits(some_tokens(3, ours.n_vocab()), 3);
    } catch (const Bug&) {  // llama.cpp could not decode
    }
    return store.take_failure();
  };
  Store another_form(best_isa());
  another_form.set_form(hotcold::NeuronForm{hotcold::NeuronFunction::relu});
  auto failure = run_alone(another_form);
  EXPECT(failure && failure->code == ErrorCode::model_unsupported);
  EXPECT_EQ(failure->message,
            "ffn_up-0 cannot be left to llama.cpp: llama.cpp has another activation than the model; it is in no known FFN: it ends before ffn_down");
  EXPECT(!another_form.take_failure());

  Store transposed(best_isa());
  const std::vector<float> zeros(kFloats.n_ff * kFloats.n_embd);
  EXPECT(transposed.set_down_transposed(1, GGML_TYPE_F32, kFloats.n_ff, kFloats.n_embd, zeros.data()));
  failure = run_alone(transposed);
  EXPECT(failure && failure->message.starts_with("ffn_out-1 cannot be left to llama.cpp: the matrix is stored transposed"));
}

TEST(hotcold_modes, counts_tokens_that_cannot_be_predicted) {
  const TinyShape experts = {"llama", GGML_TYPE_F32, 128, 160, 2, 5};  // an expert has no residual of its own
  const TinyModel model(experts);
  Store store(best_isa());
  store.set_mode(Mode::predicted);
  LlamaRun ours(model.path(), 1, &store);
  const std::vector<float> zeros(128 * 160);
  EXPECT(store.set_predictor(1, {GGML_TYPE_F32, zeros.data(), GGML_TYPE_F32, zeros.data(), 128, 128, 160, 1}));
  LlamaRun stock(model.path(), 1, nullptr);
  const auto tokens = some_tokens(6, ours.n_vocab());
  EXPECT(relative_difference(ours.logits(tokens, 1), stock.logits(tokens, 1)) < kFloatTolerance);
  EXPECT_EQ(store.stats().layers[0].unpredicted, 0u);
  EXPECT_EQ(store.stats().layers[1].unpredicted, 6 * 2u);  // two experts each
}

TEST(hotcold_modes, keeps_the_bytes_of_weights_that_come_in_pieces) {
  for (const char* name : {"blk.0.ffn_up.weight", "blk.1.ffn_down.weight"}) {
    Store store(best_isa());
    const ggml_context_ptr context(ggml_init({2 * ggml_tensor_overhead(), nullptr, true}));
    ggml_tensor* tensor = ggml_new_tensor_2d(context.get(), GGML_TYPE_Q8_0, 64, 128);
    ggml_set_name(tensor, name);
    const ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(context.get(), store.buffer_type()));
    std::vector<uint8_t> bytes(ggml_nbytes(tensor));
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 37 % 251);
    for (size_t first = 0; first < bytes.size(); first += 1000) {
      ggml_backend_tensor_set(tensor, bytes.data() + first, first, std::min<size_t>(1000, bytes.size() - first));
    }
    std::vector<uint8_t> read(bytes.size());
    ggml_backend_tensor_get(tensor, read.data(), 0, read.size());
    EXPECT(read == bytes);
    // And a change in the middle.
    std::fill(bytes.begin() + 500, bytes.begin() + 600, uint8_t{9});
    ggml_backend_tensor_memset(tensor, 9, 500, 100);
    ggml_backend_tensor_get(tensor, read.data() + 450, 450, 200);
    EXPECT(read.size() == bytes.size() && std::equal(read.begin() + 450, read.begin() + 650, bytes.begin() + 450));
  }
}

}  // namespace hotpath::test
