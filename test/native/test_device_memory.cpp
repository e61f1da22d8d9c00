#include "llama/device_memory.h"
#include "test.h"

namespace hotpath::test {

namespace {

constexpr uint64_t kMiB = 1024 * 1024;

BufferLog log_of(std::initializer_list<const char*> lines) {
  BufferLog log;
  for (const char* line : lines) log.add_line(line);
  return log;
}

}  // namespace

TEST(device_memory, adds_up_what_llama_logs_of_the_buffers_of_a_device) {
  const BufferLog log = log_of({
      "load_tensors: layer   3 assigned to device Vulkan0, is_swa = 0",
      "load_tensors:   CPU_Mapped model buffer size =   137.94 MiB",
      "load_tensors:      Vulkan0 model buffer size =   512.50 MiB",
      "load_tensors:      Vulkan0 model buffer size =   256.25 MiB",
      "load_tensors:     Vulkan10 model buffer size =  1024.00 MiB",
      "llama_context: Vulkan_Host  output buffer size =     2.32 MiB",
      "llama_kv_cache:    Vulkan0 KV buffer size =   112.00 MiB",
      "llama_memory_recurrent:    Vulkan0 RS buffer size =     1.50 MiB",
      "sched_reserve:    Vulkan0 compute buffer size =    64.75 MiB",
      "sched_reserve: Vulkan_Host compute buffer size =    11.01 MiB",
  });
  const DeviceMemory memory = log.on("Vulkan0");
  EXPECT_EQ(memory.weight_bytes, 768 * kMiB + kMiB * 3 / 4);
  EXPECT_EQ(memory.kv_bytes, 113 * kMiB + kMiB / 2);
  EXPECT_EQ(memory.compute_bytes, 64 * kMiB + kMiB * 3 / 4);
  EXPECT_EQ(memory.hot_bytes, 0u);
  EXPECT_EQ(memory.total(), memory.weight_bytes + memory.kv_bytes + memory.compute_bytes);
  EXPECT_EQ(log.on("Vulkan10").total(), 1024 * kMiB);
  EXPECT_EQ(log.on("Vulkan1").total(), 0u);
}

TEST(device_memory, counts_every_type_of_buffer_that_a_device_has) {
  const BufferLog log = log_of({
      "load_tensors:  MTL0_Mapped model buffer size =   100.00 MiB",
      "llama_kv_cache:       MTL0 KV buffer size =    20.00 MiB",
      "sched_reserve: MTL0_Private compute buffer size =     3.00 MiB",
  });
  EXPECT_EQ(log.on("MTL0").total(), 123 * kMiB);
}

TEST(device_memory, counts_weights_in_main_memory_once) {
  const BufferLog log = log_of({
      "load_tensors:   CPU_Mapped model buffer size =   330.00 MiB",
      "load_tensors:   CPU_REPACK model buffer size =   192.00 MiB",
      "load_tensors:      Vulkan0 model buffer size =    30.00 MiB",
      "load_tensors:     Vulkan1 model buffer size =    20.00 MiB",
      "llama_context: Vulkan_Host  output buffer size =     2.00 MiB",
      "llama_kv_cache:        CPU KV buffer size =   100.00 MiB",
      "llama_kv_cache:    Vulkan0 KV buffer size =    92.00 MiB",
      "sched_reserve:        CPU compute buffer size =    40.00 MiB",
      "sched_reserve:    Vulkan0 compute buffer size =    64.00 MiB",
  });
  const DeviceMemory memory = log.beside({"Vulkan0", "Vulkan1"}, 380 * kMiB);
  EXPECT_EQ(memory.weight_bytes, 330 * kMiB);
  EXPECT_EQ(memory.kv_bytes, 100 * kMiB);
  EXPECT_EQ(memory.compute_bytes, 42 * kMiB);
  EXPECT_EQ(memory.hot_bytes, 0u);
  EXPECT_EQ(log.beside({"Vulkan0", "Vulkan1"}, 40 * kMiB).weight_bytes, 0u);
}

TEST(device_memory, counts_nothing_that_is_no_size_of_a_buffer) {
  const BufferLog log = log_of({
      "",
      "buffer size =",
      "load_tensors: Vulkan0",
      "load_tensors: Vulkan0 model buffer size = unknown",
      "~llama_context: Vulkan0 compute buffer size is  64.7500 MiB, matches expectation of  64.7500 MiB",
  });
  EXPECT_EQ(log.on("Vulkan0").total(), 0u);
}

}  // namespace hotpath::test
