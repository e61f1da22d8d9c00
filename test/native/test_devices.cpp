#include <algorithm>
#include <chrono>
#include <ctime>
#include <numeric>
#include <thread>

#include "engine/engine.h"
#include "llama/layer_placement.h"
#include "llama/model_file.h"
#include "starter.h"

namespace hotpath::test {

namespace {

constexpr uint64_t kLogRounding = 1024 * 1024 / 100;  // llama.cpp's log has two decimals of a MiB
constexpr uint64_t kOthers = 4'000'000;  // that other programs may hand back while a model is loaded

Device first_gpu() {
  start_engine();
  const auto devices = engine::devices();
  const auto gpu = std::find_if(devices.begin(), devices.end(), [](const Device& device) { return device.kind == DeviceKind::gpu; });
  if (gpu == devices.end()) SKIP("no GPU backend found a device");
  return *gpu;
}

std::shared_ptr<Model> load(const ModelSpec& spec) {
  const auto model = engine::load(spec);
  if (!model) throw Failure(model.error().message);
  return *model;
}

DeviceMemory gpu_memory(const Model& model) {
  for (const DeviceShare& share : model.info().devices) {
    if (share.kind == DeviceKind::gpu && share.memory) return *share.memory;
  }
  throw Failure("no GPU has a part of the model");
}

void expect_no_gpu(const Model& model) {
  const std::vector<DeviceShare>& devices = model.info().devices;
  EXPECT_EQ(devices.size(), 1u);
  EXPECT(devices.front().kind == DeviceKind::cpu && devices.front().memory);
  EXPECT_EQ(devices.front().memory->kv_bytes, model.info().kv_bytes);
}

}  // namespace

TEST(devices, places_layers_on_the_gpu_as_asked) {
  first_gpu();
  ModelSpec spec = starter_spec();
  spec.device = DeviceChoice::automatic;
  const auto layers_on_gpu = [&](int asked) {
    spec.gpu_layers = asked;
    const auto model = load(spec);
    const auto result = model->generate(params_for("x = ", "", 3));
    EXPECT(result && result->stats.generated_tokens == 3);
    uint32_t layers = 0;
    for (const DeviceShare& share : model->info().devices) layers += share.kind == DeviceKind::gpu ? share.layers : 0;
    return layers;
  };
  EXPECT_EQ(layers_on_gpu(-1), 4u);
  EXPECT_EQ(layers_on_gpu(0), 0u);
  EXPECT_EQ(layers_on_gpu(2), 2u);
}

TEST(devices, tells_what_a_model_takes_of_the_memory_on_the_gpu) {
  const uint64_t before = first_gpu().free_bytes;
  ModelSpec spec = starter_spec();
  spec.device = DeviceChoice::automatic;
  const auto file = read_model_file(spec.path);
  EXPECT(file);
  const std::vector<uint64_t>& layers = file->shape.layer_bytes;
  const auto model = load(spec);
  const uint64_t after = first_gpu().free_bytes;
  const DeviceMemory memory = gpu_memory(*model);
  // The file holds what the GPU got, and a little text; the embedding may be on the CPU.
  EXPECT(memory.weight_bytes + kLogRounding >= std::accumulate(layers.begin(), layers.end(), uint64_t{0}));
  EXPECT(memory.weight_bytes <= file->metadata.file_bytes);
  EXPECT(memory.kv_bytes + kLogRounding >= model->info().kv_bytes && memory.kv_bytes <= model->info().kv_bytes + kLogRounding);
  EXPECT(memory.compute_bytes > 0 && memory.compute_bytes <= gpu_reserve_bytes(*file) - gpu_reserve_for_others());
  EXPECT_EQ(memory.hot_bytes, 0u);
  // Some drivers, the software's among them, say that all memory is free whatever it holds.
  if (after < before) EXPECT(memory.total() <= before - after + kOthers);

  spec.gpu_layers = 2;
  const DeviceMemory half = gpu_memory(*load(spec));
  EXPECT(half.weight_bytes < memory.weight_bytes && 2 * half.kv_bytes <= memory.kv_bytes + kLogRounding);

  expect_no_gpu(*load(starter_spec()));
}

TEST(devices, tells_of_no_gpu_for_a_model_on_the_cpu) {
  start_engine();
  expect_no_gpu(*load(starter_spec()));
}

TEST(devices, says_so_when_there_is_no_gpu_for_the_layers_asked_for) {
  start_engine();
  const auto devices = engine::devices();
  if (std::any_of(devices.begin(), devices.end(), [](const Device& device) { return device.kind == DeviceKind::gpu; })) {
    SKIP("there is a GPU");
  }
  ModelSpec spec = starter_spec();
  spec.device = DeviceChoice::automatic;
  spec.gpu_layers = 2;
  const auto model = engine::load(spec);
  EXPECT(model);
  EXPECT_EQ((*model)->info().fallback, "no GPU was found");
}

TEST(devices, uses_no_cpu_when_idle) {
  ModelSpec spec = starter_spec();
  spec.threads = 2;
  start_engine();
  const auto model = engine::load(spec);
  EXPECT(model);
  EXPECT((*model)->generate(params_for("x = ", "", 20)));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const double used_ms = 1000.0 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT(used_ms < 15);  // five times a timer tick: other tests' threads are gone, this one's sleep
}

}  // namespace hotpath::test
