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

}  // namespace

TEST(layer_placement, keeps_all_on_the_cpu_without_a_gpu) {
  const auto placement = place_layers(model_of_10_layers(), 1000, {8 * kGB, {}}, -1);
  EXPECT(placement);
  EXPECT_EQ(placement->gpu_layers, 0);
  EXPECT_EQ(placement->cpu.weight_bytes, 1100 * kMB);
  EXPECT_EQ(placement->cpu.kv_bytes, 100 * kMB);
  EXPECT_EQ(placement->notice, "");
}

TEST(layer_placement, says_so_when_the_gpu_that_was_asked_for_is_missing) {
  EXPECT_EQ(place_layers(model_of_10_layers(), 1000, {8 * kGB, {}}, 5)->notice, "no GPU was found");
}

TEST(layer_placement, moves_every_layer_and_the_output_when_they_fit) {
  const auto placement = place_layers(model_of_10_layers(), 1000, {8 * kGB, {4 * kGB}}, -1);
  EXPECT_EQ(placement->gpu_layers, 11);
  EXPECT_EQ(placement->notice, "");
}

TEST(layer_placement, moves_what_fits_and_says_how_many) {
  const auto placement = place_layers(model_of_10_layers(), 1000, {8 * kGB, {1 * kGB}}, -1);
  EXPECT(placement->gpu_layers > 1 && placement->gpu_layers < 11);
  EXPECT(placement->notice.find("of 10 layers fit") != std::string::npos);
  EXPECT(placement->cpu.weight_bytes < 1100 * kMB);
}

TEST(layer_placement, does_as_told_when_a_number_is_given) {
  EXPECT_EQ(place_layers(model_of_10_layers(), 1000, {8 * kGB, {1 * kGB}}, 3)->gpu_layers, 4);
  EXPECT_EQ(place_layers(model_of_10_layers(), 1000, {8 * kGB, {1 * kGB}}, 10)->gpu_layers, 11);
  EXPECT_EQ(place_layers(model_of_10_layers(), 1000, {8 * kGB, {1 * kGB}}, 99)->gpu_layers, 11);
  EXPECT_EQ(place_layers(model_of_10_layers(), 1000, {8 * kGB, {1 * kGB}}, 0)->gpu_layers, 0);
}

TEST(layer_placement, names_every_size_when_memory_is_too_small) {
  const auto placement = place_layers(model_of_10_layers(), 1000, {1 * kGB, {}}, -1);
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
  const auto placement = place_layers(model, 1000, free, -1);
  EXPECT_EQ(placement->gpu_layers, 11);
  const std::vector<int> some = {0, 1, 2, 3};
  EXPECT(check_memory(model, *placement, free, some));
  const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto checked = check_memory(model, *placement, free, all);
  EXPECT(!checked);
  EXPECT_EQ(std::string(error_code_text(checked.error().code)), "model/too-large");
  EXPECT(checked.error().message.find("weights 900 MB") != std::string::npos);
  // Networks of layers on the CPU are counted already.
  const auto on_cpu = place_layers(model, 1000, {2 * kGB, {}}, -1);
  EXPECT(check_memory(model, *on_cpu, {1400 * kMB, {}}, all));
}

}  // namespace hotpath::test
