#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

#include "engine/engine.h"
#include "starter.h"

namespace hotpath::test {

TEST(devices, places_layers_on_the_gpu_as_asked) {
  start_engine();
  const auto devices = engine::devices();
  const auto gpu = std::find_if(devices.begin(), devices.end(), [](const Device& device) { return device.kind == DeviceKind::gpu; });
  if (gpu == devices.end()) SKIP("no GPU backend found a device");
  ModelSpec spec = starter_spec();
  spec.device = DeviceChoice::automatic;
  const auto layers_on_gpu = [&](int asked) {
    spec.gpu_layers = asked;
    const auto model = engine::load(spec);
    if (!model) throw Failure(model.error().message);
    const auto result = (*model)->generate(params_for("x = ", "", 3));
    EXPECT(result && result->stats.generated_tokens == 3);
    uint32_t layers = 0;
    for (const DeviceShare& share : (*model)->info().devices) layers += share.kind == DeviceKind::gpu ? share.layers : 0;
    return layers;
  };
  EXPECT_EQ(layers_on_gpu(-1), 4u);
  EXPECT_EQ(layers_on_gpu(0), 0u);
  EXPECT_EQ(layers_on_gpu(2), 2u);
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
