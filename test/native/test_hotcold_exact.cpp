// The exact mode against stock llama.cpp on the same file.
//
// Tolerance: both multiply the same quantised weights with activations that are quantised by the same rule, so the
// results differ in the order of float summation only, about 1e-6 of the largest logit. But where a value lies at the
// edge of two 8-bit steps, that difference makes it take the other one, which changes one product by 1/127 of the
// block's largest value: up to some 1e-3 of the largest logit after several layers.
#include "hotcold_model.h"
#include "starter.h"

namespace hotpath::test {

namespace {

using hotcold::Store;

constexpr double kFloatTolerance = 2e-5;
constexpr double kQuantisedTolerance = 5e-3;

hotcold::Isa best_isa() { return hotcold::usable_isas().front(); }

double tolerance_of(ggml_type type) { return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 ? kFloatTolerance : kQuantisedTolerance; }

/// Logits of both for several batch sizes.
void expect_equal_logits(const std::string& path, double tolerance, int threads = 1) {
  for (const size_t batch_size : {1, 2, 5, 33, 200}) {
    Store store(best_isa());
    LlamaRun ours(path, threads, &store);
    LlamaRun stock(path, threads, nullptr);
    const auto tokens = some_tokens(batch_size == 1 ? 6 : batch_size, ours.n_vocab());
    const double difference = largest_difference(ours.logits(tokens, batch_size), stock.logits(tokens, batch_size));
    if (!(difference <= tolerance)) throw Failure(format_text("batches of %zu: %g of the largest logit", batch_size, difference));
    EXPECT_EQ(store.stats().dense_ops, 0u);
  }
}

void expect_equal_logits(const TinyShape& shape) { expect_equal_logits(TinyModel(shape).path(), tolerance_of(shape.type)); }

}  // namespace

TEST(hotcold_exact, equals_llama_on_the_starter_model) { expect_equal_logits(HOTPATH_STARTER_MODEL, kQuantisedTolerance); }

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
