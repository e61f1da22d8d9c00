#include "llama/layer_placement.h"

#include "test.h"

namespace hotpath::test {

namespace {

constexpr uint64_t kMB = 1000 * 1000;
constexpr uint64_t kGB = 1000 * kMB;

/// 10 layers of 100 MB, 100 MB beside them, 10 kB of KV per layer and token.
ModelFile model_of_10_layers() {
  ModelFile model;
  model.metadata.name = "toy";
  model.metadata.layer_count = 10;
  model.metadata.embedding_length = 1000;
  model.shape.layer_bytes.assign(10, 100 * kMB);
  model.shape.layer_kv_per_token.assign(10, 10000);
  model.shape.other_bytes = 100 * kMB;
  model.shape.feed_forward_length = 4000;
  return model;
}

/// Keys and values of as many heads as there are queries (Llama 2, CodeLlama), or of few (Qwen2.5-Coder): 16 or 2 kB a token.
ModelFile model_of_7b(uint64_t weight_bytes, uint64_t kv_per_layer) {
  ModelFile model;
  model.metadata.layer_count = 32;
  model.metadata.embedding_length = 4096;
  model.shape.layer_bytes.assign(32, weight_bytes / 32);
  model.shape.layer_kv_per_token.assign(32, kv_per_layer);
  model.shape.feed_forward_length = 11008;
  return model;
}

constexpr uint64_t kManyHeads = 16384;
constexpr uint64_t kFewHeads = 2048;

uint32_t sequences_of(const ModelFile& model, const FreeMemory& free) { return place_layers(model, free, {4096})->n_sequences; }

}  // namespace

TEST(layer_placement, keeps_all_on_the_cpu_without_a_gpu) {
  const auto placement = place_layers(model_of_10_layers(), {8 * kGB, {}}, {1000});
  EXPECT(placement);
  EXPECT_EQ(placement->gpu_layers, 0);
  EXPECT_EQ(placement->n_sequences, 4u);
  EXPECT_EQ(placement->cpu.weight_bytes, 1100 * kMB);
  EXPECT_EQ(placement->cpu.kv_bytes, 400 * kMB);
  EXPECT_EQ(placement->notice, "");
}

TEST(layer_placement, says_so_when_the_gpu_that_was_asked_for_is_missing) {
  EXPECT_EQ(place_layers(model_of_10_layers(), {8 * kGB, {}}, {1000, 5})->notice, "no GPU was found");
}

TEST(layer_placement, moves_every_layer_and_the_output_when_they_fit) {
  const auto placement = place_layers(model_of_10_layers(), {8 * kGB, {4 * kGB}}, {1000});
  EXPECT_EQ(placement->gpu_layers, 11);
  EXPECT_EQ(placement->notice, "");
}

TEST(layer_placement, moves_what_fits_and_says_how_many) {
  const auto placement = place_layers(model_of_10_layers(), {8 * kGB, {1 * kGB}}, {1000});
  EXPECT(placement->gpu_layers > 1 && placement->gpu_layers < 11);
  EXPECT(placement->notice.find("of 10 layers fit") != std::string::npos);
  EXPECT(placement->cpu.weight_bytes < 1100 * kMB);
}

TEST(layer_placement, does_as_told_when_a_number_is_given) {
  EXPECT_EQ(place_layers(model_of_10_layers(), {8 * kGB, {1 * kGB}}, {1000, 3})->gpu_layers, 4);
  EXPECT_EQ(place_layers(model_of_10_layers(), {8 * kGB, {1 * kGB}}, {1000, 10})->gpu_layers, 11);
  EXPECT_EQ(place_layers(model_of_10_layers(), {8 * kGB, {1 * kGB}}, {1000, 99})->gpu_layers, 11);
  EXPECT_EQ(place_layers(model_of_10_layers(), {8 * kGB, {1 * kGB}}, {1000, 0})->gpu_layers, 0);
}

TEST(layer_placement, keeps_four_documents_where_that_costs_little) {
  EXPECT_EQ(sequences_of(model_of_7b(4 * kGB, kFewHeads), {16 * kGB, {}}), 4u);
  // 17 MB each, beside a model of 5 MB.
  EXPECT_EQ(sequences_of(model_of_7b(5 * kMB, 128), {4 * kGB, {}}), 4u);
}

TEST(layer_placement, keeps_no_more_documents_than_the_weights_are_worth) {
  EXPECT_EQ(sequences_of(model_of_7b(3800 * kMB, kManyHeads), {64 * kGB, {}}), 1u);
  EXPECT_EQ(sequences_of(model_of_7b(7200 * kMB, kManyHeads), {64 * kGB, {}}), 3u);
  EXPECT_EQ(sequences_of(model_of_7b(13500 * kMB, kManyHeads), {64 * kGB, {}}), 4u);
}

TEST(layer_placement, leaves_half_of_what_is_free_to_others) {
  const ModelFile model = model_of_7b(7200 * kMB, kManyHeads);  // 9.5 GB with one document, 2.1 GB for each more
  EXPECT_EQ(sequences_of(model, {18500 * kMB, {}}), 3u);
  EXPECT_EQ(sequences_of(model, {17500 * kMB, {}}), 2u);
  EXPECT_EQ(sequences_of(model, {13500 * kMB, {}}), 1u);
  EXPECT(!place_layers(model, {9 * kGB, {}}, {4096}));
  EXPECT_EQ(place_layers(model, {18500 * kMB, {}}, {4096, -1, 1})->n_sequences, 1u);
}

TEST(layer_placement, takes_no_layer_from_a_gpu_for_another_document) {
  const ModelFile model = model_of_7b(7200 * kMB, kManyHeads);
  for (uint64_t gpu_bytes = 1 * kGB; gpu_bytes <= 24 * kGB; gpu_bytes += 200 * kMB) {
    const FreeMemory free = {64 * kGB, {gpu_bytes}};
    EXPECT_EQ(place_layers(model, free, {4096})->gpu_layers, place_layers(model, free, {4096, -1, 1})->gpu_layers);
  }
  EXPECT_EQ(place_layers(model, {64 * kGB, {10 * kGB}}, {4096})->gpu_layers, 33);
  EXPECT_EQ(sequences_of(model, {64 * kGB, {10 * kGB}}), 1u);
  EXPECT_EQ(sequences_of(model, {64 * kGB, {14400 * kMB}}), 2u);
  EXPECT_EQ(sequences_of(model, {64 * kGB, {18600 * kMB}}), 3u);
}

TEST(layer_placement, names_every_size_when_memory_is_too_small) {
  const auto placement = place_layers(model_of_10_layers(), {1 * kGB, {}}, {1000});
  EXPECT(!placement);
  EXPECT_EQ(std::string(error_code_text(placement.error().code)), "model/too-large");
  EXPECT(placement.error().message.find("weights 1.1 GB, KV cache 100 MB") != std::string::npos);
  EXPECT(placement.error().message.find("1.0 GB are free") != std::string::npos);
  EXPECT_EQ(placement.error().details.size(), 8u);
}

TEST(layer_placement, counts_the_networks_that_stay_in_memory_beside_layers_on_the_gpu) {
  ModelFile model = model_of_10_layers();
  FfnWeights ffn;
  ffn.up_bytes = ffn.down_bytes = 40 * kMB;
  model.shape.ffn.assign(10, ffn);
  const FreeMemory free = {700 * kMB, {4 * kGB}};
  const auto placement = place_layers(model, free, {1000});
  EXPECT_EQ(placement->gpu_layers, 11);
  const std::vector<int> some = {0, 1, 2, 3};
  EXPECT(check_memory(model, *placement, free, some));
  const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto checked = check_memory(model, *placement, free, all);
  EXPECT(!checked);
  EXPECT_EQ(std::string(error_code_text(checked.error().code)), "model/too-large");
  EXPECT(checked.error().message.find("weights 900 MB") != std::string::npos);
  // Networks of layers on the CPU are counted already.
  const auto on_cpu = place_layers(model, {2 * kGB, {}}, {1000, -1, 1});
  EXPECT(check_memory(model, *on_cpu, {1400 * kMB, {}}, all));
}

}  // namespace hotpath::test
