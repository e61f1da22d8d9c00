// The exact mode against stock llama.cpp on the same file.
//
// Tolerance, as the root mean square of the difference over that of the expected logits: both multiply the same weights
// with activations quantised by the same rule, so they differ in the order of float summation only. With float weights
// that is all. With quantised ones a value at the edge of two 8-bit steps may take the other one, which moves that
// product by 1/127 of its block's largest value, and attention over many such tokens adds them up: on the starter model
// llama.cpp in batches of 200 is 1.5e-2 away from itself in batches of 1, we are 0.9e-2 and 0.2e-2 away from it.
#include "hotcold_model.h"
#include "starter.h"

namespace hotpath::test {

namespace {

using hotcold::Store;

constexpr double kFloatTolerance = 1e-4;  // llama.cpp keeps K and V as 16-bit floats
constexpr double kHalfTolerance = 1e-3;   // it also rounds the activations to 16 bits, we do not
constexpr double kQuantisedTolerance = 1.5e-2;  // as far as llama.cpp is from itself

hotcold::Isa best_isa() { return hotcold::usable_isas().front(); }

double tolerance_of(ggml_type type) {
  switch (type) {
    case GGML_TYPE_F32: return kFloatTolerance;
    case GGML_TYPE_F16: return kHalfTolerance;
    default: return kQuantisedTolerance;
  }
}

/// Logits of both for several batch sizes.
void expect_equal_logits(const std::string& path, double tolerance, bool is_plain = false, int threads = 1) {
  for (const size_t batch_size : {1, 2, 5, 33, 200}) {
    Store store(best_isa());
    if (is_plain) store.set_plain();
    LlamaRun ours(path, threads, &store);
    LlamaRun stock(path, threads, nullptr);
    const auto tokens = some_tokens(batch_size == 1 ? 6 : batch_size, ours.n_vocab());
    const double difference = relative_difference(ours.logits(tokens, batch_size), stock.logits(tokens, batch_size));
    if (!(difference <= tolerance)) throw Failure(format_text("batches of %zu: %g relative to the logits", batch_size, difference));
    EXPECT_EQ(store.stats().dense_ops, 0u);
  }
}

void expect_equal_logits(const TinyShape& shape) { expect_equal_logits(TinyModel(shape).path(), tolerance_of(shape.type)); }

}  // namespace

TEST(hotcold_exact, equals_llama_on_the_starter_model) { expect_equal_logits(HOTPATH_STARTER_MODEL, kQuantisedTolerance); }

TEST(hotcold_exact, equals_llama_with_squared_relu_in_every_type) {
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0}) expect_equal_logits({"arcee", type});
  for (const ggml_type type : {GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) expect_equal_logits({"arcee", type, 256, 768});
}

TEST(hotcold_exact, equals_llama_with_gates_in_every_type) {
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0}) expect_equal_logits({"llama", type});
  for (const ggml_type type : {GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) expect_equal_logits({"llama", type, 256, 768});
}

TEST(hotcold_exact, equals_llama_with_attention_and_output_in_every_type) {
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0}) {
    expect_equal_logits({"llama", type, 128, 352, 2, 0, type});
  }
  for (const ggml_type type : {GGML_TYPE_Q4_K, GGML_TYPE_Q6_K}) expect_equal_logits({"llama", type, 256, 768, 2, 0, type});
}

TEST(hotcold_exact, equals_llama_with_every_matrix_a_plain_one) {
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0}) {
    const TinyModel model({"llama", type, 128, 352, 2, 0, type});
    expect_equal_logits(model.path(), tolerance_of(type), true);
  }
}

TEST(hotcold_exact, equals_llama_with_experts) {
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_Q8_0}) expect_equal_logits({"llama", type, 128, 160, 2, 5});
}

TEST(hotcold_exact, equals_llama_with_gelu_gates) {
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_Q8_0}) expect_equal_logits({"gemma", type});
}

TEST(hotcold_exact, equals_llama_with_relu_gates_in_experts) {
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_Q8_0}) expect_equal_logits({"smallthinker", type, 128, 160, 2, 5});
}

TEST(hotcold_exact, equals_llama_with_biases) {
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_Q8_0}) expect_equal_logits({"nemotron", type});
}

TEST(hotcold_exact, gives_the_same_bits_with_every_number_of_threads) {
  for (const TinyShape& shape : {TinyShape{"llama", GGML_TYPE_Q8_0, 256, 2048, 2, 0, GGML_TYPE_Q4_0}, TinyShape{"llama", GGML_TYPE_Q8_0, 128, 512, 2, 5}}) {
    const TinyModel model(shape);
    for (const size_t batch_size : {1, 5, 33}) {
      const auto logits_with = [&](int threads) {
        Store store(best_isa());
        LlamaRun run(model.path(), threads, &store);
        return run.logits(some_tokens(batch_size, run.n_vocab()), batch_size);
      };
      // llama.cpp's own ops do not depend on the number of threads for so few tokens.
      EXPECT(logits_with(1) == logits_with(2));
    }
  }
}

TEST(hotcold_exact, gives_the_same_bits_however_many_threads_pack) {
  for (const TinyShape& shape : {TinyShape{"llama", GGML_TYPE_Q4_0, 128, 4128, 2, 0, GGML_TYPE_Q8_0}, TinyShape{"llama", GGML_TYPE_Q8_0, 128, 512, 2, 5}}) {
    const TinyModel model(shape);
    const auto logits_with = [&](int packing_threads) {
      Store store(best_isa());
      store.set_packing_threads(packing_threads);
      LlamaRun run(model.path(), 1, &store);
      return run.logits(some_tokens(5, run.n_vocab()), 5);
    };
    EXPECT(logits_with(3) == logits_with(1));
  }
}

TEST(hotcold_exact, completes_with_the_tokens_of_llama) {
  Store store(best_isa());
  LlamaRun ours(HOTPATH_STARTER_MODEL, 1, &store);
  LlamaRun stock(HOTPATH_STARTER_MODEL, 1, nullptr);
  const auto prompt = some_tokens(24, ours.n_vocab());
  EXPECT_EQ(ours.greedy(prompt, 64), stock.greedy(prompt, 64));
  EXPECT(store.stats().layers[0].active > 0);
  EXPECT(store.stats().layers[0].active < store.stats().layers[0].neurons * 3 / 4);
}

}  // namespace hotpath::test
