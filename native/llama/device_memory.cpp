#include "llama/device_memory.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace hotpath {

namespace {

/// Metal has several types for one device: "MTL0", "MTL0_Mapped", "MTL0_Private".
bool is_of(const std::string& buffer_type, const std::string& device) {
  return buffer_type == device || buffer_type.starts_with(device + "_");
}

}  // namespace

void BufferLog::add_line(const std::string& line) {
  // "load_tensors:      Vulkan0 model buffer size =   891.25 MiB"
  const size_t size = line.find("buffer size =");
  char name[128];
  char kind[32];
  double mib;
  if (size == std::string::npos || std::sscanf(line.c_str(), "%*[^:]: %127s %31s", name, kind) != 2) return;
  if (std::sscanf(line.c_str() + size, "buffer size = %lf", &mib) != 1) return;
  const auto bytes = static_cast<uint64_t>(std::llround(mib * 1024 * 1024));
  DeviceMemory& memory = by_buffer_type_[name];
  const std::string what = kind;
  if (what == "model") memory.weight_bytes += bytes;
  else if (what == "compute" || what == "output") memory.compute_bytes += bytes;
  else memory.kv_bytes += bytes;  // "KV", or what models without a KV cache remember: "RS" and others
}

DeviceMemory BufferLog::on(const std::string& device) const {
  DeviceMemory sum;
  for (const auto& [name, memory] : by_buffer_type_) {
    if (!is_of(name, device)) continue;
    sum.weight_bytes += memory.weight_bytes;
    sum.kv_bytes += memory.kv_bytes;
    sum.compute_bytes += memory.compute_bytes;
  }
  return sum;
}

DeviceMemory BufferLog::beside(const std::vector<std::string>& gpus, uint64_t model_bytes) const {
  DeviceMemory sum;
  uint64_t elsewhere = 0;
  for (const auto& [name, memory] : by_buffer_type_) {
    if (std::any_of(gpus.begin(), gpus.end(), [&](const std::string& gpu) { return is_of(name, gpu); })) {
      elsewhere += memory.weight_bytes;
      continue;
    }
    sum.kv_bytes += memory.kv_bytes;
    sum.compute_bytes += memory.compute_bytes;
  }
  sum.weight_bytes = model_bytes - std::min(model_bytes, elsewhere);
  return sum;
}

}  // namespace hotpath
